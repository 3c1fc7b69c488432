//! The store's tables, their version, and what can go wrong when a store is opened.

use rusqlite::{Connection, TransactionBehavior};

use crate::seed;

/// Kept in `PRAGMA user_version`.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE records (
        position INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        listed_under TEXT,
        body TEXT NOT NULL,
        UNIQUE (kind, id)
    ) STRICT;
    CREATE INDEX records_by_list ON records (kind, listed_under, position);
    CREATE TABLE numbers (kind TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT;
    CREATE TABLE idempotency_keys (
        name TEXT PRIMARY KEY,
        fingerprint TEXT NOT NULL,
        status INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
    CREATE VIRTUAL TABLE article_text USING fts5 (
        id UNINDEXED, title, keywords, body, tokenize = 'porter unicode61 remove_diacritics 2'
    );
";

/// Why a store could not be opened, split by who has to do something about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The folder cannot be made or written.
    #[error("{0}")]
    Folder(#[from] std::io::Error),
    /// `SQLite` could not open or write its file.
    #[error("{0}")]
    Database(#[from] rusqlite::Error),
    /// The store was written by a newer program.
    #[error("its data has version {found}, and this program knows versions up to {VERSION}")]
    Newer { found: i64 },
    /// The seed data built into this program is not as it should be.
    #[error("{0}")]
    Seed(#[from] seed::SeedError),
}

/// Makes the tables where there are none, refuses a newer store, and puts the seed data in.
pub(super) fn prepare(db: &mut Connection) -> Result<(), OpenError> {
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > VERSION {
        return Err(OpenError::Newer { found });
    }
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Asked again inside the transaction: two programs may be opening the same new folder.
    let current: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if current == 0 {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    seed::plant(&transaction)?;
    transaction.commit()?;
    Ok(())
}
