//! How a data folder is opened: what is checked, in which order, and what each refusal tells the operator to do.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use thiserror::Error;
use tokio::sync::broadcast;

use super::SqliteStore;
use super::audit::{self, HeadFile};
use super::clock::{Clock, StoreClock};
use super::fault::Fault;
use super::known_cases::KnownCases;
use super::ledger;
use super::lock::FolderLock;
use super::readers::Readers;
use super::schema::{self, SchemaError};
use super::statements;
use super::writer::Writer;

/// The database inside the data folder.
pub(super) const FILE_NAME: &str = "switchboard.sqlite";
/// Versions before this one can corrupt a WAL file (3.7.0 to 3.51.2).
const OLDEST_SQLITE: i32 = 3_051_003;
/// Only somebody's hand (a shell with an open transaction) can make the writer wait.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What a caller may choose.
#[derive(Clone, Default)]
pub struct OpenOptions {
    /// Unix seconds; the system's clock where there is none.
    pub clock: Option<Clock>,
}

/// Why a data folder was not opened; nothing in it was changed.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error(
        "the data folder {} is in use by another Switchboard{}: stop that one, or choose another folder with --data",
        folder.display(), of(*process)
    )]
    Held {
        /// The folder.
        folder: PathBuf,
        /// The process that holds it, where it could be read.
        process: Option<u32>,
    },
    /// Nothing can be written there.
    #[error(
        "the data folder {} cannot be written ({message}): make it writable for this user, or choose another folder with --data",
        folder.display()
    )]
    ReadOnly {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        message: String,
    },
    /// A newer version of the host has written it.
    #[error(
        "the data folder {} was written by a newer Switchboard (schema {found}, this one knows {known}): run that version again, or choose another folder with --data",
        folder.display()
    )]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// The schema version found.
        found: i64,
        /// The newest schema version that this host knows.
        known: i64,
    },
    /// The file is no database, damaged, or somebody else's database.
    #[error(
        "{} is no Switchboard store, or it is damaged ({message}): restore it from a backup, or move it away to start with an empty one",
        file.display()
    )]
    NotAStore {
        /// The file.
        file: PathBuf,
        /// What does not fit.
        message: String,
    },
    /// The audit log lacks records that it is known to have had.
    #[error(
        "the audit log in {} does not fit its exported head ({message}): somebody changed it, or the folder was restored in parts; keep a copy as evidence, then restore the whole folder, or move audit.head away to go on with what there is",
        folder.display()
    )]
    AuditTail {
        /// The folder.
        folder: PathBuf,
        /// What does not fit.
        message: String,
    },
    /// This program was linked to an SQLite that can corrupt its files.
    #[error(
        "this program runs on SQLite {found}, which can corrupt its files: build it with the bundled SQLite (3.51.3 or newer)"
    )]
    OldSqlite {
        /// The version found.
        found: &'static str,
    },
    /// Something else: a full disk, a folder that is a file.
    #[error("the data folder {} cannot be opened: {message}", folder.display())]
    Failed {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        message: String,
    },
}

impl OpenError {
    pub(super) fn from_io(folder: &Path, error: &io::Error) -> Self {
        let (folder, message) = (folder.to_owned(), error.to_string());
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly { folder, message }
            }
            _ => Self::Failed { folder, message },
        }
    }

    pub(super) fn from_sqlite(folder: &Path, error: &rusqlite::Error) -> Self {
        let (folder, message) = (folder.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::NotAStore {
                file: folder.join(FILE_NAME),
                message,
            },
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::ReadOnly { folder, message }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Held {
                folder,
                process: None,
            },
            _ => Self::Failed { folder, message },
        }
    }

    pub(super) fn from_schema(folder: &Path, error: SchemaError) -> Self {
        match error {
            SchemaError::Sqlite(error) => Self::from_sqlite(folder, &error),
            SchemaError::Newer { found, known } => Self::Newer {
                folder: folder.to_owned(),
                found,
                known,
            },
            SchemaError::Foreign => Self::NotAStore {
                file: folder.join(FILE_NAME),
                message: "it does not have this version's tables".to_owned(),
            },
        }
    }

    pub(super) fn from_fault(folder: &Path, fault: Fault) -> Self {
        match fault {
            Fault::Sqlite(error) => Self::from_sqlite(folder, &error),
            Fault::Misfit(message) | Fault::Unavailable(message) => Self::Failed {
                folder: folder.to_owned(),
                message,
            },
        }
    }
}

/// Opens the store in `folder`. The lock comes first: everything after it is done alone.
pub(super) fn open(folder: &Path, options: OpenOptions) -> Result<SqliteStore, OpenError> {
    check_sqlite()?;
    make_folder(folder).map_err(|error| OpenError::from_io(folder, &error))?;
    let lock = FolderLock::take(folder)?;
    let sqlite = |error| OpenError::from_sqlite(folder, &error);
    let mut db = connect(&folder.join(FILE_NAME)).map_err(sqlite)?;
    schema::prepare(&mut db).map_err(|error| OpenError::from_schema(folder, error))?;
    make_durable(&db).map_err(sqlite)?;
    let clock = StoreClock(options.clock);
    let mut head = HeadFile::new(folder);
    audit::meet_head(&mut db, &mut head, &clock, folder)?;
    ledger::void_all(&db).map_err(sqlite)?;
    let readers = Readers::open(folder.join(FILE_NAME)).map_err(sqlite)?;
    let known_cases = KnownCases::default();
    let writer = Writer::start(db, head, lock, clock.clone(), known_cases.clone())
        .map_err(|error| OpenError::from_io(folder, &error))?;
    Ok(SqliteStore {
        folder: folder.to_owned(),
        readers,
        writer,
        known_cases,
        clock,
        news: broadcast::Sender::new(super::NEWS),
    })
}

fn check_sqlite() -> Result<(), OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::OldSqlite {
            found: rusqlite::version(),
        });
    }
    Ok(())
}

/// Customers' data lies in there: a folder that we make is for our user alone.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The writer's connection; it leaves the file as it is, because it may be somebody else's.
fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(file)?;
    db.busy_timeout(BUSY_TIMEOUT)?;
    db.pragma_update(None, "foreign_keys", true)?;
    // What is forgotten is what customers said: it must not lie on in free pages.
    db.pragma_update(None, "secure_delete", true)?;
    statements::keep(&db)?;
    Ok(db)
}

/// From here on, every commit is on disk when it returns, and readers do not wait for it.
fn make_durable(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")
}

fn of(process: Option<u32>) -> String {
    process.map_or_else(String::new, |id| format!(" (process {id})"))
}
