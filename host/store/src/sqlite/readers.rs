//! The read connections: a small pool that cannot write and never waits for the writer.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dispatch::StoreError;
use rusqlite::{Connection, OpenFlags};
use tokio::task;

use super::fault::Fault;
use super::statements;

/// Kept open between reads; more are opened while they are needed.
const IDLE: usize = 8;
/// WAL readers wait only while a file is being recovered.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The pool.
#[derive(Clone)]
pub(super) struct Readers {
    path: Arc<Path>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    /// A pool over the database file at `path`, which must exist. Opens the first connection, so that a file that cannot
    /// be read shows at once.
    pub(super) fn open(path: PathBuf) -> rusqlite::Result<Self> {
        let first = reader(&path)?;
        Ok(Self {
            path: path.into(),
            idle: Arc::new(Mutex::new(vec![first])),
        })
    }

    /// Runs a lookup by key where it is called. That takes microseconds, and a hop to another thread and back takes
    /// several times as long; whatever grows with the data belongs into [`Self::scan`].
    pub(super) fn look<T>(
        &self,
        look: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let idle = self.idle().pop();
        let db = idle.map_or_else(|| reader(&self.path), Ok)?;
        let outcome = look(&db);
        let mut idle = self.idle();
        if idle.len() < IDLE {
            idle.push(db);
        }
        outcome
    }

    /// Runs a query of any length on a thread that may block. A task asks for that thread: a new one has the priority of
    /// whoever starts it, serves many afterwards, and who asks here may be a plugin's call that stands back behind others.
    pub(super) async fn scan<T, F>(&self, scan: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let readers = self.clone();
        let scanning = async { task::spawn_blocking(move || readers.look(scan)).await };
        let outcome = task::spawn(scanning).await.flatten();
        let interrupted = |_| StoreError::Unavailable("the host is stopping".to_owned());
        Ok(outcome.map_err(interrupted)??)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that cannot write.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY_TIMEOUT)?;
    statements::keep(&db)?;
    Ok(db)
}
