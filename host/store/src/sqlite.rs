//! The store on bundled SQLite: one file in WAL mode, one writer thread with group commit, a few readers.
//!
//! Writes go through [`Writer`] and are durable when they answer. Reads see everything that was answered before they
//! began.

mod audit;
mod cases;
mod clock;
mod columns;
mod consents;
mod counters;
mod decisions;
mod facts;
mod fault;
mod key_values;
mod known_cases;
mod ledger;
mod lock;
mod open;
mod operators;
mod readers;
mod registry;
mod schema;
mod statements;
mod writer;

use std::path::{Path, PathBuf};

use dispatch::{CaseNews, StoreError};
use rusqlite::Connection;
use tokio::sync::broadcast;

pub use audit::verify_audit;
pub use clock::Clock;
use clock::StoreClock;
pub use decisions::{Recorded, RecordedDecision, visit_decisions};
use fault::Fault;
use known_cases::KnownCases;
pub use open::{OpenError, OpenOptions};
use readers::Readers;
use statements::Savepoint;
use writer::Writer;

/// The embedded store: one data folder, held by one process at a time. Its futures need a tokio runtime.
pub struct SqliteStore {
    folder: PathBuf,
    readers: Readers,
    writer: Writer,
    known_cases: KnownCases,
    clock: StoreClock,
    /// Tells of every case that something was recorded of.
    news: broadcast::Sender<CaseNews>,
}

/// How many news a slow listener may be behind before it misses some.
const NEWS: usize = 256;

impl SqliteStore {
    /// Opens the store in `folder`, making or upgrading it where needed. Blocks; also waits for nobody: a folder that
    /// another process holds is an error.
    pub fn open(folder: &Path, options: OpenOptions) -> Result<Self, OpenError> {
        open::open(folder, options)
    }

    /// Commits what is queued, exports the audit head and lets go of the folder. Later writes are refused. Dropping the
    /// store does the same, but blocks the thread meanwhile.
    pub async fn close(&self) {
        self.writer.close().await;
    }

    /// Transactions committed since the store was opened: a figure, for measurements.
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }

    /// Runs `act` inside the next transaction; durable when this answers, and without any trace when it is an error.
    async fn write<T, F>(&self, act: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Savepoint<'_>) -> Result<T, Fault> + Send + 'static,
    {
        self.writer.write(act).await
    }

    /// As [`Self::write`], for whatever changes the row of a case that is there: readers of the case ask the database again.
    async fn write_case<T, F>(&self, case: &str, act: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Savepoint<'_>) -> Result<T, Fault> + Send + 'static,
    {
        self.writer.write_case(case.to_owned(), act).await
    }

    /// As [`Self::write`], but answers before the commit, which comes no later than that of the caller's next write.
    async fn write_early<T, F>(&self, act: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Savepoint<'_>) -> Result<T, Fault> + Send + 'static,
    {
        self.writer.write_early(act).await
    }

    /// Runs a lookup by key.
    fn look<T>(&self, look: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        Ok(self.readers.look(look)?)
    }

    /// Runs a query of any length, off the async threads.
    async fn scan<T, F>(&self, scan: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        self.readers.scan(scan).await
    }
}
