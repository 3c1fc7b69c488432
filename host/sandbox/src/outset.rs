//! Where what a plugin asks of the world begins, a request or a completion: beside the plugin's own stack, and at once.
//!
//! What the host does for a plugin runs on the plugin's stack. Judging a request must not: the rules measure the stack that is
//! left, and would take this one for a full one. So whoever polls the call begins the request; what comes to its end without
//! waiting, a refusal above all, needs no task of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use crate::invocation::Invocation;

/// What a call is just beginning; one thing at a time, for a plugin that begins one waits for that.
#[derive(Default)]
pub(crate) struct Outset(Mutex<Option<Step>>);

enum Step {
    Asked(Work),
    Begun,
}

/// Tells its outcome to whoever asked for it.
type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Something that was begun.
pub(crate) enum Begun<T> {
    /// There was nothing to wait for. None where it panicked.
    Over(Option<T>),
    /// It goes on by itself.
    UnderWay(oneshot::Receiver<T>),
}

impl<T> Begun<T> {
    /// Its outcome. None where it panicked.
    pub(crate) async fn end(self) -> Option<T> {
        match self {
            Self::Over(outcome) => outcome,
            Self::UnderWay(told) => told.await.ok(),
        }
    }
}

impl Outset {
    fn step(&self) -> MutexGuard<'_, Option<Step>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins something: to be awaited inside of what [`beside`] polls. It is one of the call's requests: the call waits for its
/// end, so it has to come to one once the invocation is stopped.
pub(crate) async fn begin<T: Send + 'static>(
    invocation: &Invocation,
    work: impl Future<Output = T> + Send + 'static,
) -> Begun<T> {
    let (tell, mut told) = oneshot::channel();
    let work = Box::pin(async move {
        // A plugin that dropped its handle does not want to know.
        drop(tell.send(work.await));
    });
    *invocation.outset.step() = Some(Step::Asked(work));
    // Nobody has to wake this: the call is polled again as soon as its request was begun.
    std::future::poll_fn(|_| {
        let mut step = invocation.outset.step();
        match step.take() {
            Some(Step::Begun) => Poll::Ready(()),
            not_yet => {
                *step = not_yet;
                Poll::Pending
            }
        }
    })
    .await;
    match told.try_recv() {
        Ok(outcome) => Begun::Over(Some(outcome)),
        Err(TryRecvError::Closed) => Begun::Over(None),
        Err(TryRecvError::Empty) => Begun::UnderWay(told),
    }
}

/// Runs a call, and begins what it asks for.
pub(crate) async fn beside<C: Future>(invocation: &Arc<Invocation>, call: C) -> C::Output {
    let mut call = std::pin::pin!(call);
    std::future::poll_fn(|context| {
        loop {
            let polled = call.as_mut().poll(context);
            if polled.is_ready() || !begin_what_was_asked(invocation, context) {
                return polled;
            }
        }
    })
    .await
}

/// False where nothing was asked.
fn begin_what_was_asked(invocation: &Invocation, context: &mut Context<'_>) -> bool {
    let mut work = {
        let mut step = invocation.outset.step();
        match step.take() {
            Some(Step::Asked(work)) => work,
            other => {
                *step = other;
                return false;
            }
        }
    };
    // Whoever waits for the call's requests waits for this one from now on.
    let _under_way = invocation.requests.token();
    let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
    if matches!(polled, Ok(Poll::Pending)) {
        invocation.requests.spawn(work);
    }
    *invocation.outset.step() = Some(Step::Begun);
    true
}
