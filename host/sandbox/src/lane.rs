//! Where calls compute: quick ones on the thread that asks, long ones on a few threads of lower priority, and all of them
//! paced by what their tenant may compute.
//!
//! Most calls compute for microseconds, and a change of threads would cost more than they do. One that goes on computing is
//! taken over by the slow lane, and so are the next calls of its plugin from their start; what has to be quick, the host's
//! own work and its other calls, has the machine before them.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::{Sleep, sleep};
use tokio_util::task::AbortOnDropHandle;

use crate::LoadError;
use crate::computing::Computing;
use crate::share::Account;

/// Computing that a call may do on the thread that asked for it: what everybody else there may have to wait.
const QUICK: Duration = Duration::from_micros(500);
/// What each quick call makes good of the time that long ones took.
const MADE_GOOD: Duration = QUICK.checked_div(2).unwrap();
/// A plugin's calls begin in the slow lane above this much that is not made good; one call that took a little longer, as any does
/// where the machine is busy, is none.
const TRUSTED: Duration = QUICK.saturating_mul(2);
/// More is not held against a plugin, however long its calls took.
const HELD: Duration = MADE_GOOD.saturating_mul(256);
/// How far the slow lane stands back behind the host's other threads (`nice`).
const NICENESS: i32 = 10;

/// How a plugin's recent calls computed: microseconds of long ones that quick ones have not made good.
#[derive(Default)]
pub(crate) struct Record(AtomicU32);

impl Record {
    fn is_slow(&self) -> bool {
        u128::from(self.0.load(Ordering::Relaxed)) > TRUSTED.as_micros()
    }

    fn note(&self, computed: Duration) {
        let noted = |held: u32| {
            let held = Duration::from_micros(held.into());
            let held = if computed > QUICK {
                held.saturating_add(computed).min(HELD)
            } else {
                held.saturating_sub(MADE_GOOD)
            };
            u32::try_from(held.as_micros()).ok()
        };
        if computed > QUICK || self.0.load(Ordering::Relaxed) > 0 {
            let _ = self
                .0
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, noted);
        }
    }
}

/// The threads for calls that compute long.
pub(crate) struct Lane(Option<Runtime>);

impl Lane {
    /// Starts the threads: half as many as the machine has cores.
    pub(crate) fn start() -> Result<Self, LoadError> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let runtime = Builder::new_multi_thread()
            .worker_threads((cores / 2).max(1))
            .thread_name("sandbox-slow")
            .on_thread_start(stand_back)
            .build();
        let runtime = runtime
            .map_err(|error| LoadError::Sandbox(format!("no threads for long calls: {error}")))?;
        Ok(Self(Some(runtime)))
    }

    /// Runs a call to its end. It is cut short where this is dropped.
    pub(crate) async fn run<F>(&self, call: F, account: Arc<Account>, record: &Record) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let mut call = Paced::new(call, account);
        if !record.is_slow() {
            let ended = call.while_quick().await;
            // Even where it came to its end: the next one like it begins elsewhere.
            record.note(call.computed);
            if let Some(output) = ended {
                return output;
            }
        }
        let Some(threads) = &self.0 else {
            return call.await.0;
        };
        let call = AbortOnDropHandle::new(threads.spawn(call));
        match call.await {
            Ok((output, computed)) => {
                record.note(computed);
                output
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The threads end with the toolbox, and whoever calls holds that.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Without waiting: this may be a thread that must not.
            runtime.shutdown_background();
        }
    }
}

#[cfg(target_os = "linux")]
fn stand_back() {
    // Linux has it per thread: none is this one, not the process.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::warn!(%error, "calls that compute long have the same priority as everything else");
    }
}

/// Other systems give threads no priority of their own.
#[cfg(not(target_os = "linux"))]
fn stand_back() {}

/// A call that pays for the time it computes, and stands back while its tenant has computed too much.
struct Paced<F> {
    call: Pin<Box<F>>,
    account: Arc<Account>,
    computed: Duration,
    pause: Option<Pin<Box<Sleep>>>,
    /// Timers, connections and tasks of the call belong where it came from: the slow lane carries only its computing.
    home: Handle,
}

impl<F: Future> Paced<F> {
    fn new(call: F, account: Arc<Account>) -> Self {
        let mut paced = Self {
            call: Box::pin(call),
            account,
            computed: Duration::ZERO,
            pause: None,
            home: Handle::current(),
        };
        paced.pay(Duration::ZERO);
        paced
    }

    /// The end of the call; none once it has computed for longer than quick calls do.
    async fn while_quick(&mut self) -> Option<F::Output> {
        std::future::poll_fn(|context| match Pin::new(&mut *self).poll(context) {
            Poll::Ready((output, _)) => Poll::Ready(Some(output)),
            Poll::Pending if self.computed > QUICK => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    fn pay(&mut self, computed: Duration) {
        self.computed += computed;
        let pause = self.account.computed(computed);
        self.pause = (!pause.is_zero()).then(|| Box::pin(sleep(pause)));
    }
}

impl<F: Future> Future for Paced<F> {
    /// With the time that it computed.
    type Output = (F::Output, Duration);

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let home = this.home.clone();
        let _at_home = home.enter();
        if let Some(pause) = &mut this.pause {
            ready!(pause.as_mut().poll(context));
            this.pause = None;
        }
        let computing = Computing::begin();
        let polled = this.call.as_mut().poll(context);
        this.pay(computing.end());
        polled.map(|output| (output, this.computed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Capacity;
    use crate::computing::thread_time;
    use crate::share::Accounts;

    /// Computes for about as long, giving way in between as plugins do; says where it came to its end.
    async fn compute(time: Duration) -> String {
        let since = thread_time();
        // Once it goes on elsewhere, that thread's time counts.
        while thread_time().saturating_sub(since) < time && !is_slow() {
            tokio::task::yield_now().await;
        }
        thread::current().name().unwrap_or_default().to_owned()
    }

    fn is_slow() -> bool {
        thread::current().name() == Some("sandbox-slow")
    }

    async fn where_it_ends(lane: &Lane, record: &Record, time: Duration) -> bool {
        let account = Accounts::new(&Capacity::default()).of("acme");
        lane.run(compute(time), account, record).await == "sandbox-slow"
    }

    #[test]
    fn what_is_held_against_a_plugin_is_the_time_that_its_long_calls_took() {
        let until_trusted = |longs: &[Duration]| {
            let record = Record::default();
            for long in longs {
                record.note(*long);
            }
            (0..1_000).find(|_| {
                let trusted = !record.is_slow();
                record.note(QUICK);
                trusted
            })
        };
        let little = QUICK + QUICK / 5;
        assert_eq!(until_trusted(&[]), Some(0));
        assert_eq!(until_trusted(&[little]), Some(0));
        assert_eq!(until_trusted(&[little, little]), Some(1));
        assert_eq!(until_trusted(&[QUICK * 40]), Some(76));
        // However long it was, there is an end to it.
        assert_eq!(until_trusted(&[Duration::MAX]), Some(252));
    }

    #[tokio::test]
    async fn who_computes_long_goes_on_in_the_slow_lane_and_begins_there_for_a_while() {
        let (lane, record) = (Lane::start().unwrap(), Record::default());
        assert!(!where_it_ends(&lane, &record, Duration::ZERO).await);
        assert!(where_it_ends(&lane, &record, QUICK * 5).await);
        assert!(where_it_ends(&lane, &record, Duration::ZERO).await);
        while record.is_slow() {
            assert!(where_it_ends(&lane, &record, Duration::ZERO).await);
        }
        assert!(!where_it_ends(&lane, &record, Duration::ZERO).await);
    }

    #[tokio::test]
    async fn a_long_call_that_never_gives_way_is_remembered() {
        let (lane, record) = (Lane::start().unwrap(), Record::default());
        let account = Accounts::new(&Capacity::default()).of("acme");
        let call = async {
            let since = thread_time();
            while thread_time().saturating_sub(since) < QUICK * 3 {}
            is_slow()
        };
        assert!(!lane.run(call, account, &record).await);
        assert!(where_it_ends(&lane, &record, Duration::ZERO).await);
    }

    #[tokio::test]
    async fn what_a_call_starts_belongs_where_it_came_from() {
        let (lane, record) = (Lane::start().unwrap(), Record::default());
        let account = Accounts::new(&Capacity::default()).of("acme");
        let here = thread::current().id();
        let call = async move {
            compute(QUICK * 5).await;
            // A timer, and a task of its own.
            sleep(Duration::from_millis(1)).await;
            let task = tokio::spawn(async { thread::current().id() });
            (task.await.unwrap(), thread::current().id())
        };
        let (task, call) = lane.run(call, account, &record).await;
        assert!(task == here && call != here);
    }

    #[tokio::test]
    async fn a_call_that_nobody_waits_for_ends() {
        let (lane, record) = (Lane::start().unwrap(), Record::default());
        let account = Accounts::new(&Capacity::default()).of("acme");
        let (held, gone) = tokio::sync::oneshot::channel::<()>();
        let call = async move {
            compute(QUICK * 5).await;
            std::future::pending::<()>().await;
            drop(held);
        };
        let running = tokio::time::timeout(QUICK * 20, lane.run(call, account, &record));
        assert!(running.await.is_err());
        // It comes back once the call is gone, and not before.
        assert!(gone.await.is_err());
    }
}
