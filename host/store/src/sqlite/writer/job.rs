//! The jobs of the writer: those whose caller waits for the commit, those whose caller waits for the result alone, and audit
//! records, which nobody waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dispatch::StoreError;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{Fault, Queued, Savepoint, Transaction};

/// One job in line, with the room that it takes up until it is answered.
pub(super) struct Job {
    pub(super) task: Task,
    _room: OwnedSemaphorePermit,
}

/// What is to be done.
pub(super) enum Task {
    /// Nobody waits for it: its loss closes the store.
    Record(Queued),
    /// Somebody waits for it.
    Work(Box<dyn Work>),
}

impl Job {
    pub(super) fn new(task: Task, room: OwnedSemaphorePermit) -> Self {
        Self { task, _room: room }
    }

    /// What its caller waits for.
    pub(super) fn awaits(&self) -> Awaits {
        match &self.task {
            Task::Record(_) => Awaits::Nothing,
            Task::Work(work) => work.awaits(),
        }
    }

    /// The case whose row it changes.
    pub(super) fn changes(&self) -> Option<&str> {
        match &self.task {
            Task::Record(_) => None,
            Task::Work(work) => work.changes(),
        }
    }
}

/// What a job's caller waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Awaits {
    /// Nothing.
    Nothing,
    /// What the job finds and does, which a later commit of the caller's makes durable.
    Result,
    /// The commit.
    Commit,
}

/// What the writer thread does for somebody who waits.
pub(super) trait Work: Send {
    /// What its caller waits for.
    fn awaits(&self) -> Awaits;

    /// The case whose row it changes.
    fn changes(&self) -> Option<&str>;

    /// Runs inside the transaction; a failure undoes this job alone.
    fn run(&mut self, transaction: &mut Transaction<'_>);

    /// Tells how the transaction ended, whether the job ran or not.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// Somebody waits for it.
pub(super) struct Awaited<T, F> {
    act: Option<F>,
    case: Option<String>,
    early: Option<Uncommitted>,
    outcome: Option<Result<T, StoreError>>,
    reply: Option<oneshot::Sender<Result<T, StoreError>>>,
}

impl<T, F> Awaited<T, F> {
    /// Answered once it is committed.
    pub(super) fn new(act: F, reply: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self {
            act: Some(act),
            case: None,
            early: None,
            outcome: None,
            reply: Some(reply),
        }
    }

    /// The same for what changes the row of `case`.
    pub(super) fn of_case(
        case: String,
        act: F,
        reply: oneshot::Sender<Result<T, StoreError>>,
    ) -> Self {
        Self {
            case: Some(case),
            ..Self::new(act, reply)
        }
    }

    /// Answered once it has run.
    pub(super) fn early(
        act: F,
        reply: oneshot::Sender<Result<T, StoreError>>,
        uncommitted: Uncommitted,
    ) -> Self {
        Self {
            early: Some(uncommitted),
            ..Self::new(act, reply)
        }
    }

    fn reply(&mut self, outcome: Result<T, StoreError>) {
        if let Some(reply) = self.reply.take() {
            // The caller may have gone; what it asked for is done all the same.
            let _ = reply.send(outcome);
        }
    }
}

impl<T, F> Work for Awaited<T, F>
where
    T: Send,
    F: FnOnce(&mut Savepoint<'_>) -> Result<T, Fault> + Send,
{
    fn awaits(&self) -> Awaits {
        if self.early.is_some() {
            Awaits::Result
        } else {
            Awaits::Commit
        }
    }

    fn changes(&self) -> Option<&str> {
        self.case.as_deref()
    }

    fn run(&mut self, transaction: &mut Transaction<'_>) {
        let Some(act) = self.act.take() else { return };
        let outcome = alone(transaction, act).map_err(StoreError::from);
        // A result that rests on a transaction that is already lost is none.
        if self.early.is_some() && !transaction.is_autocommit() {
            self.reply(outcome);
        } else {
            self.outcome = Some(outcome);
        }
    }

    fn answer(mut self: Box<Self>, committed: Result<(), StoreError>) {
        let outcome = self.outcome.take();
        if let Some(outcome) = committed.map_or_else(|error| Some(Err(error)), |()| outcome) {
            self.reply(outcome);
        }
    }
}

/// Counts an early answer for as long as its transaction is open.
pub(super) struct Uncommitted(Arc<AtomicUsize>);

impl Uncommitted {
    pub(super) fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(count))
    }
}

impl Drop for Uncommitted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Runs `act` in a savepoint of its own, kept only if it succeeds.
fn alone<T>(
    transaction: &mut Transaction<'_>,
    act: impl FnOnce(&mut Savepoint<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let mut savepoint = transaction.savepoint()?;
    let value = act(&mut savepoint)?;
    savepoint.commit()?;
    Ok(value)
}
