//! What SQLite parses and plans once for each connection, and not once for each use: statements, and with them transactions and
//! savepoints, which rusqlite's own prepare anew each time.

use std::ops::Deref;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

/// More than there are.
const CACHED: usize = 128;

/// Keeps what is prepared with `prepare_cached`.
pub(super) fn keep(db: &Connection) -> rusqlite::Result<()> {
    db.set_prepared_statement_cache_capacity(CACHED);
    // Otherwise each new value for a statement about a table with a partial index has it planned anew.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(drop)
}

/// A transaction that may write; rolled back where it is dropped before its commit.
pub(super) struct Transaction<'db>(&'db Connection);

impl<'db> Transaction<'db> {
    /// The connection must not be in one.
    pub(super) fn begin(db: &'db Connection) -> rusqlite::Result<Self> {
        run(db, "BEGIN IMMEDIATE")?;
        Ok(Self(db))
    }

    pub(super) fn commit(self) -> rusqlite::Result<()> {
        run(self.0, "COMMIT")
    }

    pub(super) fn savepoint(&mut self) -> rusqlite::Result<Savepoint<'_>> {
        Savepoint::set(self.0)
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit()
            && let Err(error) = run(self.0, "ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }
}

/// A part of a transaction, undone where it is dropped before its commit.
pub(super) struct Savepoint<'db> {
    db: &'db Connection,
    kept: bool,
}

impl<'db> Savepoint<'db> {
    fn set(db: &'db Connection) -> rusqlite::Result<Self> {
        run(db, "SAVEPOINT part")?;
        Ok(Self { db, kept: false })
    }

    /// Keeps the part, in the transaction.
    pub(super) fn commit(mut self) -> rusqlite::Result<()> {
        run(self.db, "RELEASE part")?;
        self.kept = true;
        Ok(())
    }

    /// One within this one: what is said of `part` is said of the last that was set.
    pub(super) fn savepoint(&mut self) -> rusqlite::Result<Savepoint<'_>> {
        Savepoint::set(self.db)
    }
}

impl Deref for Savepoint<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.db
    }
}

impl Drop for Savepoint<'_> {
    fn drop(&mut self) {
        // Where SQLite gave the whole transaction up, there is nothing left to undo.
        if self.kept || self.db.is_autocommit() {
            return;
        }
        let undone = run(self.db, "ROLLBACK TO part").and_then(|()| run(self.db, "RELEASE part"));
        if let Err(error) = undone {
            tracing::error!(%error, "a part of a transaction could not be undone");
        }
    }
}

fn run(db: &Connection, statement: &str) -> rusqlite::Result<()> {
    db.prepare_cached(statement)?.execute([]).map(drop)
}
