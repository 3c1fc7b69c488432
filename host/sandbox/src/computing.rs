//! How long a thread computes at something: nobody pays for being interrupted, and asking costs less than what is measured.
//!
//! A thread's own clock is a system call away, the common one is not. So the common one tells the length of what is short, and
//! the thread's own is asked where something took long, and every now and then, so that there is a time to count from.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Up to here, an interruption cannot be long enough to matter.
const SHORT: Duration = Duration::from_micros(100);
/// How old the thread's own time may be that is counted from; so much more than was computed may be paid for.
const FRESH: Duration = Duration::from_micros(400);

/// The thread's own time at some moment.
#[derive(Clone, Copy)]
struct Mark {
    at: Instant,
    computed: Duration,
}

thread_local! {
    static MARK: Cell<Option<Mark>> = const { Cell::new(None) };
}

/// Something that this thread has begun to compute, and goes on with until [`Computing::end`].
pub(crate) struct Computing {
    began: Instant,
    mark: Mark,
}

impl Computing {
    pub(crate) fn begin() -> Self {
        let began = Instant::now();
        let known = MARK.get();
        let fresh = known.filter(|mark| began.saturating_duration_since(mark.at) < FRESH);
        let mark = fresh.unwrap_or_else(|| mark(began));
        Self { began, mark }
    }

    /// What it took of the thread's time, or a little more.
    pub(crate) fn end(self) -> Duration {
        let now = Instant::now();
        let passed = now.saturating_duration_since(self.began);
        if passed < SHORT {
            return passed;
        }
        let computed = mark(now).computed.saturating_sub(self.mark.computed);
        passed.min(computed)
    }
}

fn mark(at: Instant) -> Mark {
    let computed = thread_time();
    let mark = Mark { at, computed };
    MARK.set(Some(mark));
    mark
}

/// What this thread has computed so far.
#[cfg(target_os = "linux")]
pub(crate) fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Elsewhere the time that passes has to do.
#[cfg(not(target_os = "linux"))]
pub(crate) fn thread_time() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    START.elapsed()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn compute(time: Duration) {
        let since = thread_time();
        while thread_time().saturating_sub(since) < time {}
    }

    #[test]
    fn who_computes_pays_for_it_and_who_is_kept_waiting_does_not() {
        let work = Duration::from_millis(3);
        for _ in 0..10 {
            let computing = Computing::begin();
            compute(work);
            let paid = computing.end();
            assert!(paid >= work, "{paid:?}");
            let waiting = Computing::begin();
            std::thread::sleep(work);
            let paid = waiting.end();
            assert!(paid < work / 2, "{paid:?}");
        }
    }

    #[test]
    fn many_short_ones_are_paid_for_too() {
        let short = SHORT / 4;
        let paid: Duration = (0..200)
            .map(|_| {
                let computing = Computing::begin();
                compute(short);
                computing.end()
            })
            .sum();
        assert!(paid >= short * 200, "{paid:?}");
    }
}
