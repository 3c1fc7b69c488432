//! What the writer thread does: batches, commits, and the export of the audit head.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dispatch::StoreError;
use rusqlite::{Connection, TransactionBehavior};

use super::job::Job;
use super::line::{Line, Next};
use super::{Fault, HeadFile, Lost};

/// How long jobs that nobody waits for may gather before they are committed.
const PATIENCE: Duration = Duration::from_millis(5);
/// The exported audit head lags behind the log by at most this.
const HEAD_EVERY: Duration = Duration::from_secs(1);

/// Everything that the thread owns.
pub(super) struct Scribe {
    db: Connection,
    head: HeadFile,
    line: Arc<Line>,
    lost: Lost,
    head_due: Option<Instant>,
}

impl Scribe {
    pub(super) fn new(db: Connection, head: HeadFile, line: Arc<Line>, lost: Lost) -> Self {
        Self {
            db,
            head,
            line,
            lost,
            head_due: None,
        }
    }

    /// Works until the line is closed and empty.
    pub(super) fn run(mut self) {
        loop {
            match self.line.next(PATIENCE, self.head_due) {
                Next::Jobs(batch) => self.commit(batch),
                Next::Quiet => {}
                Next::End => break,
            }
            if self.head_due.is_some_and(|due| due <= Instant::now()) {
                self.export_head();
            }
        }
        self.export_head();
        // Leaves one plain file behind, which is what people copy.
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        if let Err(error) = self.db.query_row(checkpoint, [], |_| Ok(())) {
            tracing::warn!(%error, "the write-ahead log stays: the next start reads it");
        }
    }

    fn commit(&mut self, mut batch: Vec<Job>) {
        let committed = self.transact(&mut batch).map_err(StoreError::from);
        self.head_due
            .get_or_insert_with(|| Instant::now() + HEAD_EVERY);
        for job in batch {
            job.work.answer(committed.clone());
        }
    }

    fn transact(&mut self, batch: &mut [Job]) -> Result<(), Fault> {
        let behavior = TransactionBehavior::Immediate;
        let mut transaction = self.db.transaction_with_behavior(behavior)?;
        for job in batch {
            job.work.run(&mut transaction);
            if let Some(reason) = self.lost.get() {
                return Err(Fault::Unavailable(reason.clone()));
            }
            // A full disk makes SQLite give the whole transaction up: what ran before this job is gone.
            if transaction.is_autocommit() {
                return Err(Fault::Unavailable(
                    "SQLite gave the transaction up".to_owned(),
                ));
            }
        }
        Ok(transaction.commit()?)
    }

    fn export_head(&mut self) {
        self.head_due = None;
        if let Err(error) = self.head.export(&self.db) {
            tracing::error!(%error, "the audit head could not be exported: a truncated log would not show");
        }
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.line.abandon();
    }
}
