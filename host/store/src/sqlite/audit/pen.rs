//! How records are put into the log: one after the other within a transaction, without asking the database each time where it
//! ends.

use rusqlite::{CachedStatement, Connection, params};

use super::super::clock::StoreClock;
use super::super::decisions;
use super::super::fault::Fault;
use super::{Queued, Tail, tail};
use crate::chain;

/// The log as one transaction writes it.
pub(in super::super) struct Log<'a> {
    db: &'a Connection,
    clock: &'a StoreClock,
    pen: Option<Pen<'a>>,
    /// Where the log ends, while nobody else has written to it.
    tail: Option<Tail>,
}

impl<'a> Log<'a> {
    pub(in super::super) fn new(db: &'a Connection, clock: &'a StoreClock) -> Self {
        Self {
            db,
            clock,
            pen: None,
            tail: None,
        }
    }

    pub(in super::super) fn append(&mut self, record: &Queued) -> Result<(), Fault> {
        let pen = match &mut self.pen {
            Some(pen) => pen,
            none => none.insert(Pen::new(self.db)?),
        };
        let tail = match &mut self.tail {
            Some(tail) => tail,
            none => none.insert(tail(self.db)?),
        };
        let at_ms = self.clock.now_ms();
        pen.append(tail, at_ms, &record.entry.0)?;
        if let Some(input) = &record.input {
            decisions::append(self.db, tail.seq, at_ms, input)?;
        }
        Ok(())
    }

    /// Somebody else has written to the database, or has given up what they had written.
    pub(in super::super) fn look_again(&mut self) {
        self.tail = None;
    }
}

/// The statement by which records are appended.
pub(super) struct Pen<'a>(CachedStatement<'a>);

impl<'a> Pen<'a> {
    pub(super) fn new(db: &'a Connection) -> rusqlite::Result<Self> {
        let sql =
            "INSERT OR FAIL INTO audit (seq, at_ms, entry, previous, hash) VALUES (?, ?, ?, ?, ?)";
        Ok(Self(db.prepare_cached(sql)?))
    }

    /// Appends a canonical entry after `tail`, and moves it there.
    pub(super) fn append(&mut self, tail: &mut Tail, at_ms: i64, entry: &str) -> Result<(), Fault> {
        let seq = tail.seq + 1;
        let hash = chain::hash(&tail.hash, seq, at_ms, entry);
        self.0
            .execute(params![seq, at_ms, entry, tail.hash, hash])?;
        *tail = Tail { seq, hash };
        Ok(())
    }
}
