//! The jobs of the writer: those whose caller waits for the commit, and those that nobody waits for.

use dispatch::StoreError;
use rusqlite::{Connection, Savepoint, Transaction};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{Fault, Lost};

/// One job in line, with the room that it takes up until it is answered.
pub(super) struct Job {
    pub(super) work: Box<dyn Work>,
    _room: OwnedSemaphorePermit,
}

impl Job {
    pub(super) fn new(work: impl Work + 'static, room: OwnedSemaphorePermit) -> Self {
        Self {
            work: Box::new(work),
            _room: room,
        }
    }
}

/// What the writer thread does with a job.
pub(super) trait Work: Send {
    /// Somebody waits for the commit.
    fn is_awaited(&self) -> bool;

    /// Runs inside the transaction; a failure undoes this job alone.
    fn run(&mut self, transaction: &mut Transaction<'_>);

    /// Tells how the transaction ended, whether the job ran or not.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// Somebody waits for it.
pub(super) struct Awaited<T, F> {
    act: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Awaited<T, F> {
    pub(super) fn new(act: F, reply: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self {
            act: Some(act),
            outcome: None,
            reply,
        }
    }
}

impl<T, F> Work for Awaited<T, F>
where
    T: Send,
    F: FnOnce(&mut Savepoint<'_>) -> Result<T, Fault> + Send,
{
    fn is_awaited(&self) -> bool {
        true
    }

    fn run(&mut self, transaction: &mut Transaction<'_>) {
        if let Some(act) = self.act.take() {
            self.outcome = Some(alone(transaction, act).map_err(StoreError::from));
        }
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { outcome, reply, .. } = *self;
        if let Some(outcome) = committed.map_or_else(|error| Some(Err(error)), |()| outcome) {
            // The caller may have gone; what it asked for is done all the same.
            let _ = reply.send(outcome);
        }
    }
}

/// Nobody waits for it: its loss closes the store.
pub(super) struct Queued<F> {
    act: Option<F>,
    lost: Lost,
}

impl<F> Queued<F> {
    pub(super) fn new(act: F, lost: Lost) -> Self {
        Self {
            act: Some(act),
            lost,
        }
    }

    fn lose(&self, why: &impl std::fmt::Display) {
        let reason = format!(
            "an audit record could not be written ({why}): nothing more is written until the cause is gone and the host is restarted"
        );
        if self.lost.set(reason).is_ok() {
            tracing::error!(%why, "an audit record was lost: the store refuses further writes");
        }
    }
}

impl<F> Work for Queued<F>
where
    F: FnOnce(&Connection) -> Result<(), Fault> + Send,
{
    fn is_awaited(&self) -> bool {
        false
    }

    /// Without a savepoint: should it fail, nothing of the transaction stands.
    fn run(&mut self, transaction: &mut Transaction<'_>) {
        if let Some(Err(fault)) = self.act.take().map(|act| act(transaction)) {
            self.lose(&fault);
        }
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        if let Err(error) = committed {
            self.lose(&error);
        }
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
