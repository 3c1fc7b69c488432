//! Where a request of a plugin begins: beside the plugin's own stack, and at once.
//!
//! What the host does for a plugin runs on the plugin's stack. Judging a request must not: the rules measure the stack that is
//! left, and would take this one for a full one. So whoever polls the call begins the request; what comes to its end without
//! waiting, a refusal above all, needs no task of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use wasmtime_wasi_http::Error;

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
    // Whoever waits for the call's requests waits for this one from now on.
    let _under_way = invocation.requests.token();
    let polled = catch_unwind(AssertUnwindSafe(|| exchange.as_mut().poll(context)));
    let begun = match polled {
        Ok(Poll::Ready(outcome)) => Begun::Over(outcome),
        // It panicked, and has told so: as where it goes on by itself, that ends the request and not the call.
        Err(_) => Begun::Over(Err(Error::ConnectionTerminated)),
        Ok(Poll::Pending) => {
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
