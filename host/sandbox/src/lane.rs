//! Where calls compute: quick ones on the thread that asks, long ones on a few threads of lower priority, and all of them
//! paced by what their tenant may compute.
//!
//! In the slow lane, tenants take turns: see [`crate::turns`].
//!
//! Most calls compute for microseconds, and a change of threads would cost more than they do. One that goes on computing is
//! taken over by the slow lane, and so are the next calls of its plugin from their start; what has to be quick, the host's
//! own work and its other calls, has the machine before them.

use std::cell::Cell;
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
use crate::turns::Turn;

/// Computing that a call may do on the thread that asked for it: what everybody else there may have to wait.
const QUICK: Duration = Duration::from_micros(256);
/// A plugin's calls begin in the slow lane above this much that is held against it; one call that took a little longer, as any
/// does where the machine is busy, is not.
const TRUSTED: Duration = QUICK.saturating_mul(2);
/// More is not, however long its calls take.
const HELD: Duration = QUICK.saturating_mul(16);
/// What a quick call makes good, whatever it takes itself: little, so that few of them do not buy a long one.
const MADE_GOOD: Duration = QUICK.checked_div(16).unwrap();
/// How far the slow lane stands back behind the host's other threads (`nice`).
const NICENESS: i32 = 10;

/// How a plugin's recent calls computed: nanoseconds of long ones, beyond what quick ones take, that quick ones have not made good.
#[derive(Default)]
pub(crate) struct Record(AtomicU32);

impl Record {
    fn is_slow(&self) -> bool {
        self.held() > TRUSTED
    }

    /// A call computes on, so much longer than quick ones do.
    fn hold(&self, beyond: Duration) {
        self.change(|held| held.saturating_add(beyond).min(HELD));
    }

    /// A call was quick.
    fn make_good(&self) {
        if !self.held().is_zero() {
            self.change(|held| held.saturating_sub(MADE_GOOD));
        }
    }

    fn held(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed).into())
    }

    fn change(&self, change: impl Fn(Duration) -> Duration) {
        let changed = |held: u32| {
            let held = change(Duration::from_nanos(held.into()));
            u32::try_from(held.as_nanos()).ok()
        };
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, changed);
    }
}

/// The threads for calls that compute long.
pub(crate) struct Lane(Option<Runtime>);

impl Lane {
    /// Starts the threads: one more than a tenant's calls may have at a time, so that they never have all.
    pub(crate) fn start() -> Result<Self, LoadError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(turns() + 1)
            .thread_name("sandbox-slow")
            .on_thread_start(stand_back)
            .build();
        let runtime = runtime
            .map_err(|error| LoadError::Sandbox(format!("no threads for long calls: {error}")))?;
        Ok(Self(Some(runtime)))
    }

    /// Runs a call to its end. It is cut short where this is dropped.
    pub(crate) async fn run<F>(
        &self,
        call: F,
        account: Arc<Account>,
        record: Arc<Record>,
    ) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let mut call = Paced::new(call, account, record);
        if let Some(output) = call.while_quick().await {
            return output;
        }
        let Some(threads) = &self.0 else {
            return call.await;
        };
        let call = AbortOnDropHandle::new(threads.spawn(call));
        match call.await {
            Ok(output) => output,
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

/// How many calls of a tenant compute in the lane at a time: half as many as the machine has cores.
pub(crate) fn turns() -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    (cores / 2).max(1)
}

/// Lets others compute first, who wait for the thread or for the turn.
pub(crate) async fn give_way() {
    GAVE_WAY.set(true);
    tokio::task::yield_now().await;
}

thread_local! {
    static GAVE_WAY: Cell<bool> = const { Cell::new(false) };
    static STANDS_BACK: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is a thread of the lane. Threads that are started from it have its priority, for ever.
pub(crate) fn stands_back() -> bool {
    STANDS_BACK.get()
}

/// Does what may start threads, to resolve a name say: not from a thread of the lane, but in a task where the call came from. None
/// where that broke.
pub(crate) async fn at_home<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    if !stands_back() {
        return Some(work.await);
    }
    AbortOnDropHandle::new(tokio::spawn(work)).await.ok()
}

#[cfg(target_os = "linux")]
fn stand_back() {
    STANDS_BACK.set(true);
    // Linux has it per thread: none is this one, not the process.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::warn!(%error, "calls that compute long have the same priority as everything else");
    }
}

/// Other systems give threads no priority of their own.
#[cfg(not(target_os = "linux"))]
fn stand_back() {
    STANDS_BACK.set(true);
}

/// A call that pays for the time it computes, and stands back while its tenant has computed too much.
struct Paced<F> {
    call: Pin<Box<F>>,
    account: Arc<Account>,
    record: Arc<Record>,
    computed: Duration,
    pause: Option<Pin<Box<Sleep>>>,
    /// Among the calls of its tenant in the slow lane.
    turn: Option<Turn>,
    /// Timers, connections and tasks of the call belong where it came from: the slow lane carries only its computing.
    home: Handle,
}

impl<F: Future> Paced<F> {
    fn new(call: F, account: Arc<Account>, record: Arc<Record>) -> Self {
        let mut paced = Self {
            call: Box::pin(call),
            account,
            record,
            computed: Duration::ZERO,
            pause: None,
            turn: None,
            home: Handle::current(),
        };
        paced.pay(Duration::ZERO);
        paced
    }

    /// The end of the call; none once it, or another of its plugin, has computed for longer than quick calls do.
    async fn while_quick(&mut self) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            if self.record.is_slow() {
                return Poll::Ready(None);
            }
            match Pin::new(&mut *self).poll(context) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending if self.computed > QUICK => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    fn pay(&mut self, computed: Duration) {
        let before = self.computed;
        self.computed += computed;
        if before > QUICK {
            self.record.hold(computed);
        } else if self.computed > QUICK {
            // Only what is beyond: whoever is a little too long because somebody else has the memory's bandwidth stays here.
            self.record.hold(self.computed.saturating_sub(QUICK));
        }
        let pause = self.account.computed(computed);
        self.pause = (!pause.is_zero()).then(|| Box::pin(sleep(pause)));
    }
}

impl<F: Future> Future for Paced<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        let home = this.home.clone();
        let _at_home = home.enter();
        if let Some(pause) = &mut this.pause {
            ready!(pause.as_mut().poll(context));
            this.pause = None;
        }
        if stands_back() {
            let turn = this.turn.get_or_insert_with(|| this.account.turn());
            ready!(turn.poll(context));
        }
        GAVE_WAY.set(false);
        let computing = Computing::begin();
        let polled = this.call.as_mut().poll(context);
        // While it computes, not at its end: nobody may wait for that any more.
        this.pay(computing.end());
        // Whoever gave way keeps the turn until it comes again. Those of its own line that were called by it now would run before
        // everybody else who waits for the thread.
        let comes_again = GAVE_WAY.get() && this.pause.is_none();
        if let Some(turn) = this.turn.as_mut().filter(|_| !comes_again) {
            turn.end();
        }
        if polled.is_ready() && this.computed <= QUICK {
            this.record.make_good();
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::Capacity;
    use crate::computing::thread_time;
    use crate::share::Accounts;

    /// Computes for as long, giving way in between as plugins do; says where it came to its end.
    async fn compute(time: Duration) -> bool {
        let mut computed = Duration::ZERO;
        while computed < time {
            computed += spin(QUICK / 10);
            tokio::task::yield_now().await;
        }
        is_slow()
    }

    fn spin(time: Duration) -> Duration {
        let since = thread_time();
        loop {
            let passed = thread_time().saturating_sub(since);
            if passed >= time {
                return passed;
            }
        }
    }

    fn is_slow() -> bool {
        thread::current().name() == Some("sandbox-slow")
    }

    fn account() -> Arc<Account> {
        Accounts::new(&Capacity::default()).of("acme")
    }

    async fn where_it_ends(lane: &Lane, record: &Arc<Record>, time: Duration) -> bool {
        lane.run(compute(time), account(), Arc::clone(record)).await
    }

    #[test]
    fn what_is_held_against_a_plugin_is_the_time_that_its_long_calls_took() {
        let until_trusted = |longs: &[Duration]| {
            let record = Record::default();
            for long in longs {
                record.hold(*long);
            }
            (0..1_000).find(|_| {
                let trusted = !record.is_slow();
                record.make_good();
                trusted
            })
        };
        let little = QUICK + QUICK / 5;
        assert_eq!(until_trusted(&[]), Some(0));
        assert_eq!(until_trusted(&[little]), Some(0));
        assert_eq!(until_trusted(&[little, little]), Some(7));
        assert_eq!(until_trusted(&[QUICK * 10]), Some(128));
        // However long it was, there is an end to it.
        assert_eq!(until_trusted(&[Duration::MAX]), Some(224));
    }

    #[tokio::test]
    async fn who_computes_long_goes_on_in_the_slow_lane_and_begins_there_for_a_while() {
        let (lane, record) = (Lane::start().unwrap(), Arc::default());
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
        let (lane, record) = (Lane::start().unwrap(), Arc::default());
        let call = async {
            spin(QUICK * 5);
            is_slow()
        };
        assert!(!lane.run(call, account(), Arc::clone(&record)).await);
        assert!(where_it_ends(&lane, &record, Duration::ZERO).await);
    }

    #[tokio::test]
    async fn a_long_call_is_held_against_its_plugin_though_nobody_waits_for_its_end() {
        let (lane, record) = (Lane::start().unwrap(), Arc::default());
        let call = compute(Duration::from_mins(1));
        let running =
            tokio::time::timeout(QUICK * 40, lane.run(call, account(), Arc::clone(&record)));
        assert!(running.await.is_err());
        assert!(where_it_ends(&lane, &record, Duration::ZERO).await);
    }

    #[tokio::test]
    async fn a_call_that_waits_goes_on_in_the_slow_lane_once_another_was_long() {
        let (lane, record) = (Lane::start().unwrap(), Arc::<Record>::default());
        let (go_on, waits) = tokio::sync::oneshot::channel::<()>();
        let call = async {
            waits.await.unwrap();
            is_slow()
        };
        let waiting = lane.run(call, account(), Arc::clone(&record));
        let other = async {
            tokio::task::yield_now().await;
            record.hold(HELD);
            go_on.send(()).unwrap();
        };
        assert!(tokio::join!(waiting, other).0);
    }

    /// Otherwise whoever has eight calls for each thread would be before another's next turn eight times.
    #[tokio::test]
    async fn tenants_take_turns_however_many_calls_each_has() {
        let lane = Arc::new(Lane::start().unwrap());
        let slices = Arc::new(Mutex::new(Vec::new()));
        let call = |who: &'static str, account: &Arc<Account>| {
            let (lane, slices, account) = (lane.clone(), slices.clone(), account.clone());
            let call = async move {
                let mut own = 0;
                while own < 30 {
                    spin(QUICK * 2);
                    if is_slow() {
                        own += 1;
                        slices.lock().unwrap().push(who);
                    }
                    give_way().await;
                }
            };
            tokio::spawn(async move { lane.run(call, account, Arc::default()).await })
        };
        let (storm, neighbour) = (account(), account());
        let storming: Vec<_> = (0..8 * turns()).map(|_| call("storm", &storm)).collect();
        call("neighbour", &neighbour).await.unwrap();
        storming.iter().for_each(tokio::task::JoinHandle::abort);
        let slices = slices.lock().unwrap();
        let is_its = |who: &&str| *who == "neighbour";
        let first = slices.iter().position(is_its).unwrap();
        let last = slices.iter().rposition(is_its).unwrap();
        let storms = (last - first + 1) - 30;
        let most = 30 * 3 * turns();
        assert!(
            storms <= most,
            "{storms} before 30 of the neighbour's: {slices:?}"
        );
    }

    /// Filling a large memory, say, gives no way before it is done.
    #[tokio::test]
    async fn calls_that_never_give_way_leave_a_thread_to_other_tenants() {
        let lane = Arc::new(Lane::start().unwrap());
        let stop = Arc::new(AtomicBool::new(false));
        let record = Arc::<Record>::default();
        record.hold(HELD);
        let storm = account();
        let storming: Vec<_> = (0..8)
            .map(|_| {
                let (lane, stop) = (Arc::clone(&lane), Arc::clone(&stop));
                let (storm, record) = (Arc::clone(&storm), Arc::clone(&record));
                let call = async move {
                    while !stop.load(Ordering::Relaxed) {
                        thread::yield_now();
                    }
                };
                tokio::spawn(async move { lane.run(call, storm, record).await })
            })
            .collect();
        tokio::time::sleep(QUICK * 40).await;
        let neighbour = lane.run(async { is_slow() }, account(), Arc::clone(&record));
        let ended = tokio::time::timeout(Duration::from_secs(20), neighbour).await;
        stop.store(true, Ordering::Relaxed);
        for call in storming {
            call.await.unwrap();
        }
        assert_eq!(ended, Ok(true), "it waited for calls that never end");
    }

    #[tokio::test]
    async fn what_a_call_starts_belongs_where_it_came_from() {
        let lane = Lane::start().unwrap();
        let here = thread::current().id();
        let call = async move {
            compute(QUICK * 5).await;
            // A timer, and a task of its own.
            sleep(Duration::from_millis(1)).await;
            let task = tokio::spawn(async { thread::current().id() });
            (task.await.unwrap(), thread::current().id())
        };
        let (task, call) = lane.run(call, account(), Arc::default()).await;
        assert!(task == here && call != here);
    }

    #[tokio::test]
    async fn a_call_that_nobody_waits_for_ends() {
        let lane = Lane::start().unwrap();
        let (held, gone) = tokio::sync::oneshot::channel::<()>();
        let call = async move {
            compute(QUICK * 5).await;
            std::future::pending::<()>().await;
            drop(held);
        };
        let running = tokio::time::timeout(QUICK * 20, lane.run(call, account(), Arc::default()));
        assert!(running.await.is_err());
        // It comes back once the call is gone, and not before.
        assert!(gone.await.is_err());
    }
}
