//! What the writer thread does: batches, commits, and the export of the audit head.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use dispatch::StoreError;
use rusqlite::{Connection, TransactionBehavior};

use super::job::Job;
use super::{Fault, HeadFile, Lost};

/// Jobs in one transaction at most: bounds how long the first of them waits. A commit costs a flush of the disk, so under
/// load this is also what bounds how many jobs are done in a second.
const BATCH: usize = 4096;
/// How long jobs that nobody waits for may gather before they are committed.
const PATIENCE: Duration = Duration::from_millis(5);
/// The exported audit head lags behind the log by at most this.
const HEAD_EVERY: Duration = Duration::from_secs(1);

/// Everything that the thread owns.
pub(super) struct Scribe {
    db: Connection,
    head: HeadFile,
    waiting: Receiver<Job>,
    lost: Lost,
    head_due: Option<Instant>,
}

impl Scribe {
    pub(super) fn new(db: Connection, head: HeadFile, waiting: Receiver<Job>, lost: Lost) -> Self {
        Self {
            db,
            head,
            waiting,
            lost,
            head_due: None,
        }
    }

    /// Works until no sender is left and the queue is empty.
    pub(super) fn run(mut self) {
        while let Some(first) = self.receive() {
            let batch = self.gather(first);
            self.commit(batch);
        }
        self.export_head();
        // Leaves one plain file behind, which is what people copy.
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        if let Err(error) = self.db.query_row(checkpoint, [], |_| Ok(())) {
            tracing::warn!(%error, "the write-ahead log stays: the next start reads it");
        }
    }

    /// The first job with those that are in line behind it. While nobody waits for any of them, more may come.
    fn gather(&self, first: Job) -> Vec<Job> {
        let until = Instant::now() + PATIENCE;
        let mut batch = vec![first];
        while batch.len() < BATCH {
            let is_awaited = batch.last().is_some_and(|job| job.work.is_awaited());
            if is_awaited {
                batch.extend(self.waiting.try_iter().take(BATCH - batch.len()));
                break;
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.waiting.recv_timeout(left) {
                Ok(job) => batch.push(job),
                Err(_) => break,
            }
        }
        batch
    }

    /// The next job; exports the head whenever that is due.
    fn receive(&mut self) -> Option<Job> {
        loop {
            let Some(due) = self.head_due else {
                return self.waiting.recv().ok();
            };
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.export_head();
                continue;
            }
            match self.waiting.recv_timeout(left) {
                Ok(job) => return Some(job),
                Err(RecvTimeoutError::Timeout) => self.export_head(),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
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
