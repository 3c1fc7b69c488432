//! A token bucket that never refuses: what is taken beyond its contents says how long to stand back.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an unused rate keeps: a bucket holds what flows in within this time.
const KEEPS: Duration = Duration::from_secs(1);

/// Holds one second of its rate.
#[derive(Default)]
pub(crate) struct Bucket(Mutex<Level>);

#[derive(Default)]
struct Level {
    per_second: u64,
    /// When everything that was taken will have flowed in; none before the first.
    covered: Option<Instant>,
}

impl Bucket {
    /// From now on so much flows in each second.
    pub(crate) fn refill(&self, per_second: u64) {
        self.level().per_second = per_second.max(1);
    }

    /// Takes so much, and says how long to wait until it is there. Whoever takes next waits longer: those who stand back
    /// go on one after the other, not together.
    pub(crate) fn take(&self, much: u64) -> Duration {
        self.take_at(Instant::now(), much)
    }

    fn take_at(&self, now: Instant, much: u64) -> Duration {
        let mut level = self.level();
        let covered = level.covered.map_or(now, |covered| covered.max(now));
        let covered = covered + inflow(much, level.per_second);
        level.covered = Some(covered);
        covered.saturating_duration_since(now + KEEPS)
    }

    fn level(&self) -> std::sync::MutexGuard<'_, Level> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long so much takes to flow in; an hour at most, which no call lives.
fn inflow(much: u64, per_second: u64) -> Duration {
    let nanos = u128::from(much) * 1_000_000_000 / u128::from(per_second.max(1));
    let longest = Duration::from_hours(1);
    u64::try_from(nanos).map_or(longest, |nanos| Duration::from_nanos(nanos).min(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(per_second: u64) -> Bucket {
        let bucket = Bucket::default();
        bucket.refill(per_second);
        bucket
    }

    #[test]
    fn one_second_of_the_rate_is_there_at_once() {
        let (bucket, now) = (bucket(1_000), Instant::now());
        assert_eq!(bucket.take_at(now, 1_000), Duration::ZERO);
        assert_eq!(bucket.take_at(now, 100), Duration::from_millis(100));
    }

    #[test]
    fn those_who_stand_back_go_on_one_after_the_other() {
        let (bucket, now) = (bucket(1_000), Instant::now());
        bucket.take_at(now, 1_000);
        let waits = [(); 3].map(|()| bucket.take_at(now, 10).as_millis());
        assert_eq!(waits, [10, 20, 30]);
    }

    #[test]
    fn what_flows_in_meanwhile_is_there_and_no_more_than_a_second_keeps() {
        let (bucket, now) = (bucket(1_000), Instant::now());
        bucket.take_at(now, 2_000);
        let later = now + Duration::from_millis(1_500);
        assert_eq!(bucket.take_at(later, 0), Duration::ZERO);
        let much_later = now + Duration::from_hours(1);
        let wait = bucket.take_at(much_later, 1_500);
        assert_eq!(wait, Duration::from_millis(500));
    }

    #[test]
    fn the_largest_amounts_and_no_rate_at_all_only_wait_long() {
        assert!(bucket(0).take(u64::MAX) > Duration::from_mins(59));
    }
}
