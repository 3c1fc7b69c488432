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

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::super::schema;
    use super::*;

    fn db() -> Connection {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE t (a TEXT) STRICT").unwrap();
        db
    }

    fn rows(db: &Connection) -> Vec<String> {
        let mut all = db.prepare("SELECT a FROM t ORDER BY a").unwrap();
        let all = all.query_map([], |row| row.get(0)).unwrap();
        all.map(Result::unwrap).collect()
    }

    fn put(db: &Connection, a: &str) {
        db.execute("INSERT INTO t (a) VALUES (?)", [a]).unwrap();
    }

    /// How often it was planned again for three sessions.
    fn planned_again(db: &Connection) -> i32 {
        let by_session = "SELECT c.id FROM cases c JOIN sessions s ON s.case_id = c.id \
                          WHERE s.tenant = ? AND s.session = ? AND s.ended_at IS NULL";
        for session in ["x", "y", "z"] {
            let mut statement = db.prepare_cached(by_session).unwrap();
            assert!(!statement.exists(["acme", session]).unwrap());
        }
        let statement = db.prepare_cached(by_session).unwrap();
        statement.get_status(StatementStatus::RePrepare)
    }

    #[test]
    fn a_statement_about_a_partial_index_is_planned_once() {
        let mut db = Connection::open_in_memory().unwrap();
        schema::prepare(&mut db).unwrap();
        assert!(planned_again(&db) > 0, "there is nothing to prevent");
        db.flush_prepared_statement_cache();
        keep(&db).unwrap();
        assert_eq!(planned_again(&db), 0);
    }

    #[test]
    fn what_is_dropped_before_its_commit_is_undone() {
        let db = db();
        let mut transaction = Transaction::begin(&db).unwrap();
        put(&transaction, "kept");
        let mut outer = transaction.savepoint().unwrap();
        put(&outer, "outer");
        let inner = outer.savepoint().unwrap();
        put(&inner, "inner");
        drop(inner);
        outer.commit().unwrap();
        let undone = transaction.savepoint().unwrap();
        put(&undone, "undone");
        drop(undone);
        transaction.commit().unwrap();
        assert_eq!(rows(&db), ["kept", "outer"]);

        let transaction = Transaction::begin(&db).unwrap();
        put(&transaction, "never");
        drop(transaction);
        assert!(db.is_autocommit());
        assert_eq!(rows(&db), ["kept", "outer"]);
    }
}
