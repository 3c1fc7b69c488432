//! The one writer: collects jobs, runs them in one transaction, commits once, and only then answers.

mod job;
mod line;
mod thread;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use dispatch::StoreError;
use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};
use tokio::task;

use super::audit::{HeadFile, Log, Queued, list_many};
use super::clock::StoreClock;
use super::fault::Fault;
use super::known_cases::KnownCases;
use super::lock::FolderLock;
use super::statements::{Savepoint, Transaction};
use job::{Awaited, Job, Task, Uncommitted, Work};
use line::Line;

/// Jobs that may wait or run at a time; more callers than that wait for room.
const ROOM: u32 = 16_384;

/// Why the writer takes no more work: an audit record was lost, and what came after it must not stand without it.
type Lost = Arc<OnceLock<String>>;

/// The way to the writer thread.
pub(super) struct Writer {
    room: Arc<Semaphore>,
    lost: Lost,
    line: Arc<Line>,
    /// Early answers whose transaction is not committed yet.
    early: Arc<AtomicUsize>,
    commits: Arc<AtomicU64>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread; it owns the connection, the exported head and the folder's lock.
    pub(super) fn start(
        db: Connection,
        head: HeadFile,
        lock: FolderLock,
        clock: StoreClock,
        known_cases: KnownCases,
    ) -> Result<Self, std::io::Error> {
        let line = Arc::new(Line::default());
        let lost = Lost::default();
        let commits = Arc::default();
        let scribe = thread::Scribe {
            db,
            head,
            line: Arc::clone(&line),
            lost: Arc::clone(&lost),
            commits: Arc::clone(&commits),
            clock,
            known_cases,
            head_due: None,
        };
        let work = move || {
            scribe.run();
            drop(lock);
        };
        let thread = std::thread::Builder::new().name("store-writer".to_owned());
        let thread = thread.spawn(work)?;
        Ok(Self {
            room: Arc::new(Semaphore::new(ROOM as usize)),
            lost,
            line,
            early: Arc::default(),
            commits,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Transactions committed so far.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    /// Runs `act` in the next transaction and waits for its commit.
    pub(super) async fn write<T, F>(&self, act: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Savepoint<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.work(Awaited::new(act, reply)).await?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// As [`Self::write`], for what changes the row of `case`.
    pub(super) async fn write_case<T, F>(&self, case: String, act: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Savepoint<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.work(Awaited::of_case(case, act, reply)).await?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Runs `act` in the next transaction and waits for its result, but not for its commit: that comes no later than the
    /// commit of whatever the caller writes next, and [`Self::catch_up`] waits for it.
    pub(super) async fn write_early<T, F>(&self, act: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Savepoint<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let uncommitted = Uncommitted::new(&self.early);
        self.work(Awaited::early(act, reply, uncommitted)).await?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Waits until every early answer so far is committed, or lost: a reader sees no sooner what became of them.
    pub(super) async fn catch_up(&self) {
        if self.early.load(Ordering::Acquire) > 0 {
            // What was lost is not there to be read; whoever writes next is told why.
            let _ = self.write(|_| Ok(())).await;
        }
    }

    /// Puts a record in line, in front of everything that the caller writes later, and does not wait for its commit. Should it
    /// be lost, this writer refuses all later work.
    pub(super) async fn queue(&self, record: Queued) -> Result<(), StoreError> {
        self.send(Task::Record(record)).await
    }

    /// Waits until everything is committed and the thread has ended.
    pub(super) async fn close(&self) {
        // Every job holds its room until it is answered: whoever holds all the room is alone.
        let all = self.room.acquire_many(ROOM).await;
        self.room.close();
        drop(all);
        if let Some(thread) = self.stop() {
            let _ = task::spawn_blocking(|| await_end(thread)).await;
        }
    }

    async fn work(&self, work: impl Work + 'static) -> Result<(), StoreError> {
        self.send(Task::Work(Box::new(work))).await
    }

    async fn send(&self, task: Task) -> Result<(), StoreError> {
        let room = Arc::clone(&self.room);
        let room = room.acquire_owned().await.map_err(|_| stopped())?;
        if let Some(reason) = self.lost.get() {
            return Err(StoreError::Unavailable(reason.clone()));
        }
        self.line.push(Job::new(task, room)).map_err(|_| stopped())
    }

    /// Closes the line; the thread ends once it has done what is in it.
    fn stop(&self) -> Option<JoinHandle<()>> {
        self.line.close();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        thread.take()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(thread) = self.stop() {
            await_end(thread);
        }
    }
}

fn await_end(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("the store's writer panicked: unanswered writes were not committed");
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}
