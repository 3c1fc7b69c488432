//! What the writer thread does: batches, commits, and the export of the audit head.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dispatch::StoreError;
use rusqlite::Connection;

use super::job::{Awaits, Job, Task};
use super::line::{Line, Next};
use super::{Fault, HeadFile, KnownCases, Log, Lost, StoreClock, Transaction, list_many};

/// How long jobs that nobody waits for may gather before they are committed.
const PATIENCE: Duration = Duration::from_millis(5);
/// How soon the audit head, which names the last record after every commit, is flushed to the disk as well.
const HEAD_EVERY: Duration = Duration::from_secs(1);

/// Everything that the thread owns.
pub(super) struct Scribe {
    pub(super) db: Connection,
    pub(super) head: HeadFile,
    pub(super) line: Arc<Line>,
    pub(super) lost: Lost,
    pub(super) commits: Arc<AtomicU64>,
    pub(super) clock: StoreClock,
    pub(super) known_cases: KnownCases,
    pub(super) head_due: Option<Instant>,
}

impl Scribe {
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
        if committed.is_ok()
            && let Err(error) = self.head.note(&self.db)
        {
            tracing::error!(%error, "the audit head could not be written: a cut end would not show");
        }
        self.head_due
            .get_or_insert_with(|| Instant::now() + HEAD_EVERY);
        for job in batch {
            self.answer(job, &committed);
        }
    }

    fn answer(&self, job: Job, committed: &Result<(), StoreError>) {
        match (job.task, committed) {
            (Task::Work(work), committed) => work.answer(committed.clone()),
            (Task::Record(_), Err(error)) => lose(&self.lost, error),
            (Task::Record(_), Ok(())) => {}
        }
    }

    /// Runs the jobs in one transaction, with those that come while nobody waits for its commit.
    fn transact(&self, batch: &mut Vec<Job>) -> Result<(), Fault> {
        let mut transaction = Transaction::begin(&self.db)?;
        let mut log = Log::new(&self.db, &self.clock);
        let until = Instant::now() + PATIENCE;
        let mut done = 0;
        loop {
            let mut awaited = Awaits::Nothing;
            for job in batch.iter_mut().skip(done) {
                awaited = awaited.max(job.awaits());
                self.act(job, &mut transaction, &mut log)?;
            }
            done = batch.len();
            if awaited != Awaits::Result {
                break;
            }
            // Whoever got an early answer is likely to write something durable next: one commit serves both.
            batch.extend(self.line.more(until));
        }
        list_many(&transaction)?;
        let changed = batch.iter().filter_map(Job::changes);
        let changing = self.known_cases.change(changed);
        transaction.commit()?;
        drop(changing);
        self.commits.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    fn act(
        &self,
        job: &mut Job,
        transaction: &mut Transaction<'_>,
        log: &mut Log<'_>,
    ) -> Result<(), Fault> {
        match &mut job.task {
            // Without a savepoint: should it fail, nothing of the transaction stands.
            Task::Record(record) => {
                if let Err(fault) = log.append(record) {
                    lose(&self.lost, &fault);
                }
            }
            Task::Work(work) => {
                work.run(transaction);
                log.look_again();
            }
        }
        if let Some(reason) = self.lost.get() {
            return Err(Fault::Unavailable(reason.clone()));
        }
        // A full disk makes SQLite give the whole transaction up: what ran before this job is gone.
        if transaction.is_autocommit() {
            return Err(Fault::Unavailable(
                "SQLite gave the transaction up".to_owned(),
            ));
        }
        Ok(())
    }

    fn export_head(&mut self) {
        self.head_due = None;
        if let Err(error) = self.head.export(&self.db) {
            tracing::error!(%error, "the audit head could not be exported: a truncated log would not show");
        }
    }
}

/// From now on the store refuses writes.
fn lose(lost: &Lost, why: &impl std::fmt::Display) {
    let reason = format!(
        "an audit record could not be written ({why}): nothing more is written until the cause is gone and the host is restarted"
    );
    if lost.set(reason).is_ok() {
        tracing::error!(%why, "an audit record was lost: the store refuses further writes");
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.line.abandon();
    }
}
