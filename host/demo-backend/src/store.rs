//! The durable store: one `SQLite` file in WAL mode, one writer, a few readers, all off the async runtime.

pub(crate) mod record;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio::task;

use crate::refusal::Refusal;
pub(crate) use schema::OpenError;

const FILE_NAME: &str = "demo-backend.sqlite";
/// Readers kept open between requests; more are opened while they are needed.
const IDLE_READERS: usize = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The shop's data.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    writer: Arc<tokio::sync::Mutex<Connection>>,
    readers: Arc<Mutex<Vec<Connection>>>,
}

impl Store {
    /// Opens the store in `folder`, making and seeding it where needed. Blocks.
    pub(crate) fn open(folder: &Path) -> Result<Self, OpenError> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(FILE_NAME);
        let mut db = Connection::open(&path)?;
        db.busy_timeout(BUSY_TIMEOUT)?;
        schema::prepare(&mut db)?;
        let readers = Arc::default();
        Ok(Self {
            path,
            writer: Arc::new(tokio::sync::Mutex::new(db)),
            readers,
        })
    }

    /// Runs `look` on a connection that cannot write.
    pub(crate) async fn read<T, F>(&self, look: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
    {
        let (path, readers) = (self.path.clone(), Arc::clone(&self.readers));
        let work = task::spawn_blocking(move || {
            let idle = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let db = idle.map_or_else(|| open_reader(&path), Ok)?;
            let outcome = look(&db);
            let mut readers = readers.lock().unwrap_or_else(PoisonError::into_inner);
            if readers.len() < IDLE_READERS {
                readers.push(db);
            }
            outcome
        });
        work.await.unwrap_or(Err(Refusal::Interrupted))
    }

    /// Runs `act` in a transaction that commits if it succeeds and changes nothing if it does not.
    pub(crate) async fn write<T, F>(&self, act: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
    {
        let mut db = Arc::clone(&self.writer).lock_owned().await;
        let work = task::spawn_blocking(move || {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let outcome = act(&transaction)?;
            transaction.commit()?;
            Ok(outcome)
        });
        work.await.unwrap_or(Err(Refusal::Interrupted))
    }
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(BUSY_TIMEOUT)?;
    Ok(db)
}
