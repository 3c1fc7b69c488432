//! One call of a plugin as its parts share it: what it reaches, the limits, the requests under way and what was refused.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use policy::Refusal;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Limits;
use crate::outset::Outset;
use crate::reach::Reach;
use crate::share::Account;

pub(crate) struct Invocation {
    /// What its capabilities lead to.
    pub(crate) reach: Reach,
    pub(crate) limits: Arc<Limits>,
    /// Whose share it uses.
    pub(crate) account: Arc<Account>,
    pub(crate) deadline: Instant,
    /// Tells the requests under way to come to an end.
    pub(crate) stop: CancellationToken,
    /// The requests under way. They outlive whatever the plugin does with its handles, because the ledger must hear what
    /// became of each.
    pub(crate) requests: TaskTracker,
    /// Bytes that the bodies of its requests may still have.
    pub(crate) request_bytes: Allowance,
    /// Bytes that the bodies of the answers may still have.
    pub(crate) response_bytes: Allowance,
    /// Where its requests begin.
    pub(crate) outset: Outset,
    refusal: Mutex<Option<Refusal>>,
    /// The plugin came to no end of its own.
    is_cut: AtomicBool,
}

/// Held while the plugin runs: a call that ends otherwise than by [`Running::ends`] was cut short. It must go before the
/// plugin's handles do, for a body that is dropped looks like one that is whole.
pub(crate) struct Running<'a>(Option<&'a Invocation>);

impl Running<'_> {
    /// The plugin has come to an end of its own.
    pub(crate) fn ends(mut self) {
        self.0 = None;
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(invocation) = self.0 {
            invocation.is_cut.store(true, Ordering::Release);
        }
    }
}

/// What is left of a sum that all requests of one call share.
pub(crate) struct Allowance(AtomicUsize);

impl Allowance {
    fn of(sum: usize) -> Self {
        Self(AtomicUsize::new(sum))
    }

    pub(crate) fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes so much of it; false, and nothing taken, where that is no longer there.
    pub(crate) fn take(&self, much: usize) -> bool {
        let less = |left: usize| left.checked_sub(much);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }
}

impl Invocation {
    pub(crate) fn new(reach: Reach, limits: Arc<Limits>, account: Arc<Account>) -> Arc<Self> {
        let deadline = Instant::now() + limits.deadline();
        Arc::new(Self {
            request_bytes: Allowance::of(limits.request_bytes),
            response_bytes: Allowance::of(limits.response_bytes),
            reach,
            limits,
            account,
            deadline,
            stop: CancellationToken::new(),
            requests: TaskTracker::new(),
            outset: Outset::default(),
            refusal: Mutex::new(None),
            is_cut: AtomicBool::new(false),
        })
    }

    /// The plugin begins to run.
    pub(crate) fn running(&self) -> Running<'_> {
        Running(Some(self))
    }

    /// The plugin was cut short: what it had not finished by then never will be.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
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
