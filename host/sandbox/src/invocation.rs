//! One call of a plugin as its parts share it: the gate, the limits, the requests under way and what was refused.

use std::sync::{Arc, Mutex, PoisonError};

use dispatch::Gate;
use policy::Refusal;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Limits;
use crate::outbound::Connector;

pub(crate) struct Invocation {
    pub(crate) gate: Arc<dyn Gate>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) connector: Arc<Connector>,
    pub(crate) deadline: Instant,
    /// Tells the requests under way to come to an end.
    pub(crate) stop: CancellationToken,
    /// The requests under way. They outlive whatever the plugin does with its handles, because the ledger must hear what
    /// became of each.
    pub(crate) requests: TaskTracker,
    refusal: Mutex<Option<Refusal>>,
}

impl Invocation {
    pub(crate) fn new(
        gate: Arc<dyn Gate>,
        limits: Arc<Limits>,
        connector: Arc<Connector>,
    ) -> Arc<Self> {
        let deadline = Instant::now() + limits.deadline();
        Arc::new(Self {
            gate,
            limits,
            connector,
            deadline,
            stop: CancellationToken::new(),
            requests: TaskTracker::new(),
            refusal: Mutex::new(None),
        })
    }

    /// Remembers that the gate refused something; the first refusal counts.
    pub(crate) fn refuse(&self, refusal: Refusal) {
        let mut known = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert(refusal);
    }

    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let known = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Waits until every request has an end, its own or the deadline's, and the gate has heard of it.
    pub(crate) async fn settle(&self) {
        self.requests.close();
        if timeout_at(self.deadline, self.requests.wait())
            .await
            .is_err()
        {
            self.stop.cancel();
            self.requests.wait().await;
        }
    }
}
