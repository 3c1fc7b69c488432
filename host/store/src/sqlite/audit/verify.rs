//! Verification of the audit log: every record is hashed again, and the end is held against the exported head.

use std::path::Path;

use dispatch::AuditBreak;
use rusqlite::{Connection, Row};

use super::super::fault::Fault;
use super::super::open::{FILE_NAME, OpenError};
use super::super::{readers, schema};
use super::Tail;
use super::by_case::Held;
use super::head::{self, Exported};
use crate::chain;

/// Verifies the audit log of a data folder without opening it as a store: a running host does not mind, and a copy may be
/// checked that no host would open. The count and head hash, or where the chain breaks. Blocks.
pub fn verify_audit(folder: &Path) -> Result<Result<(i64, String), AuditBreak>, OpenError> {
    let db = readers::reader(&folder.join(FILE_NAME))
        .map_err(|error| OpenError::from_sqlite(folder, &error))?;
    schema::check(&db).map_err(|error| OpenError::from_schema(folder, error))?;
    verify(&db, folder).map_err(|fault| OpenError::from_fault(folder, fault))
}

/// Walks the chain of `db` against the head in `folder`.
pub(super) fn verify(
    db: &Connection,
    folder: &Path,
) -> Result<Result<(i64, String), AuditBreak>, Fault> {
    // Read before the log: a host that is running only appends, so the log is at least as long.
    let exported = head::read(folder)
        .map_err(|error| Fault::Unavailable(format!("audit.head cannot be read: {error}")))?;
    // The lists of the cases are held against the log as both are at one moment.
    let db = db.unchecked_transaction()?;
    let mut held = Held::new(&db)?;
    let mut walk = Walk::new(&exported);
    let mut statement =
        db.prepare("SELECT seq, at_ms, entry, previous, hash FROM audit ORDER BY seq")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Ok(link) = Link::read(row) else {
            return Ok(Err(walk.broken("the record is unreadable")));
        };
        if let Err(reason) = walk.step(&link) {
            return Ok(Err(walk.broken(reason)));
        }
        if !held.step(link.seq, &link.entry)? {
            return Ok(Err(listed_wrongly(link.seq)));
        }
        walk.last = link.into_tail();
    }
    if let Some(seq) = held.stray()? {
        return Ok(Err(walk.end().err().unwrap_or_else(|| listed_wrongly(seq))));
    }
    Ok(walk.end())
}

fn listed_wrongly(seq: i64) -> AuditBreak {
    AuditBreak {
        seq,
        reason: "the lists of the cases were changed: they do not fit what the record says"
            .to_owned(),
    }
}

struct Walk<'a> {
    exported: &'a Exported,
    last: Tail,
}

impl<'a> Walk<'a> {
    fn new(exported: &'a Exported) -> Self {
        Self {
            exported,
            last: Tail {
                seq: 0,
                hash: chain::START.to_owned(),
            },
        }
    }

    /// Whether a record is the next one of the chain, or why it is not.
    fn step(&self, record: &Link) -> Result<(), &'static str> {
        let seq = self.last.seq + 1;
        if record.seq != seq {
            return Err("records are missing, or have been moved");
        }
        if record.previous != self.last.hash {
            return Err("it does not follow the record before it");
        }
        if record.hash != chain::hash(&record.previous, seq, record.at_ms, &record.entry) {
            return Err("it was changed: its hash does not fit");
        }
        if matches!(self.exported, Exported::At(at) if at.seq == seq && at.hash != record.hash) {
            return Err("the log was rewritten: it is not the record that audit.head names");
        }
        Ok(())
    }

    /// Holds the end against the exported head.
    fn end(self) -> Result<(i64, String), AuditBreak> {
        match self.exported {
            Exported::Missing => {
                Err(self.broken("audit.head is missing: the end cannot be checked"))
            }
            Exported::Unreadable => Err(self.broken("audit.head is unreadable")),
            Exported::At(at) if at.seq > self.last.seq => {
                Err(self.broken("the end was cut off: audit.head names a later record"))
            }
            Exported::At(_) => Ok((self.last.seq, self.last.hash)),
        }
    }

    fn broken(&self, reason: &str) -> AuditBreak {
        AuditBreak {
            seq: self.last.seq + 1,
            reason: reason.to_owned(),
        }
    }
}

/// One record as it lies in the table.
struct Link {
    seq: i64,
    at_ms: i64,
    entry: String,
    previous: String,
    hash: String,
}

impl Link {
    fn into_tail(self) -> Tail {
        Tail {
            seq: self.seq,
            hash: self.hash,
        }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            at_ms: row.get(1)?,
            entry: row.get(2)?,
            previous: row.get(3)?,
            hash: row.get(4)?,
        })
    }
}
