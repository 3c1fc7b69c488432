//! Where a request of a plugin begins: beside the plugin's own stack, and at once.
//!
//! What the host does for a plugin runs on the plugin's stack. Judging a request must not: the rules measure the stack that is
//! left, and would take this one for a full one. So whoever polls the call begins the request; what comes to its end without
//! waiting, a refusal above all, needs no task of its own.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::exchange::exchange;
use super::{Outcome, Wanted};
use crate::invocation::Invocation;

/// The request of a call that is just beginning; one at a time, for a plugin that begins one waits for that.
#[derive(Default)]
pub(crate) struct Outset(Mutex<Option<Step>>);

enum Step {
    Asked(Exchange),
    Begun(Begun),
}

type Exchange = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A request that was begun.
pub(super) enum Begun {
    /// There was nothing to wait for.
    Over(Outcome),
    UnderWay(oneshot::Receiver<Outcome>),
}

impl Outset {
    fn step(&self) -> MutexGuard<'_, Option<Step>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins a request: to be awaited inside of what [`beside`] polls.
pub(super) async fn begin(wanted: Wanted, invocation: &Arc<Invocation>) -> Begun {
    let owned = invocation.clone();
    let exchange = Box::pin(async move { exchange(wanted, &owned).await });
    *invocation.outset.step() = Some(Step::Asked(exchange));
    // Nobody has to wake this: the call is polled again as soon as its request was begun.
    std::future::poll_fn(|_| {
        let mut step = invocation.outset.step();
        match step.take() {
            Some(Step::Begun(begun)) => Poll::Ready(begun),
            not_yet => {
                *step = not_yet;
                Poll::Pending
            }
        }
    })
    .await
}

/// Runs a call, and begins the requests that it asks for.
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
    let mut exchange = {
        let mut step = invocation.outset.step();
        match step.take() {
            Some(Step::Asked(exchange)) => exchange,
            other => {
                *step = other;
                return false;
            }
        }
    };
    let begun = match exchange.as_mut().poll(context) {
        Poll::Ready(outcome) => Begun::Over(outcome),
        Poll::Pending => {
            let (answer, answered) = oneshot::channel();
            invocation.requests.spawn(async move {
                // A plugin that dropped its handle does not want to know.
                drop(answer.send(exchange.await));
            });
            Begun::UnderWay(answered)
        }
    };
    *invocation.outset.step() = Some(Step::Begun(begun));
    true
}
