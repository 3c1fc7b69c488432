//! What calls and swaps amount to: which call met a version that it must not have met, and what it all took.

use std::time::{Duration, Instant};

use super::versions::VERSIONS;

/// What swaps may make of the p99, as a multiple of that without.
const MOST: f64 = 2.0;
/// How soon a version is meant to be visible.
const SOON: Duration = Duration::from_millis(50);

/// One call, and the version that it says it was answered by, or why not.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) began: Instant,
    pub(super) ended: Instant,
    pub(super) told: Result<usize, String>,
}

/// One swap, as its operator saw it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Swap {
    pub(super) sent: Instant,
    pub(super) answered: Instant,
    pub(super) to: usize,
}

pub(super) struct Verdict {
    calls: usize,
    swaps: usize,
    /// Calls that only one version may have answered.
    pub(super) certain: usize,
    pub(super) failed: Vec<String>,
    pub(super) wrong: Vec<String>,
    /// Swaps after which the new version never answered.
    pub(super) unseen: usize,
    /// From sending a swap to the end of the first call that the new version answered.
    visible: Vec<Duration>,
    /// From sending a swap to its answer.
    answered: Vec<Duration>,
    steady: Vec<Duration>,
    swapping: Vec<Duration>,
}

impl Verdict {
    /// Version 0 is live before the first swap.
    pub(super) fn of(calls: &[Call], swaps: &[Swap]) -> Self {
        let mut verdict = Self {
            calls: calls.len(),
            swaps: swaps.len(),
            certain: 0,
            failed: vec![],
            wrong: vec![],
            unseen: 0,
            visible: vec![],
            answered: swaps.iter().map(|s| s.answered - s.sent).collect(),
            steady: vec![],
            swapping: vec![],
        };
        let (first, last) = (swaps[0].sent, swaps[swaps.len() - 1].answered);
        for call in calls {
            verdict.judge(call, swaps);
            let is_swapping = call.ended >= first && call.began <= last;
            let times = if is_swapping {
                &mut verdict.swapping
            } else {
                &mut verdict.steady
            };
            times.push(call.ended - call.began);
        }
        for (number, swap) in swaps.iter().enumerate() {
            // Only since the swap before was answered is the version before it gone.
            let since = number.checked_sub(1).map_or(first, |n| swaps[n].answered);
            let until = swaps.get(number + 1).map(|next| next.sent);
            let seen = first_answer(calls, swap, since, until);
            verdict.unseen += usize::from(seen.is_none());
            verdict.visible.extend(seen.map(|seen| seen - swap.sent));
        }
        verdict
    }

    fn judge(&mut self, call: &Call, swaps: &[Swap]) {
        let version = match &call.told {
            Ok(version) => *version,
            Err(why) => return self.failed.push(why.clone()),
        };
        // A version may answer that was live when the call began, or became so before it ended.
        let before = swaps.iter().rev().find(|s| s.answered <= call.began);
        let during = |s: &&Swap| s.answered > call.began && s.sent <= call.ended;
        let mut may = vec![before.map_or(0, |swap| swap.to)];
        may.extend(swaps.iter().filter(during).map(|swap| swap.to));
        self.certain += usize::from(may.iter().all(|one| *one == may[0]));
        if !may.contains(&version) {
            let (said, expected) = (VERSIONS[version].0, VERSIONS[may[0]].0);
            self.wrong.push(format!("{said} in place of {expected}"));
        }
    }

    pub(super) fn print(&self, connections: usize, seconds: u32) {
        let (steady, swapping) = (at(&self.steady, 99), at(&self.swapping, 99));
        let ratio = swapping.as_secs_f64() / steady.as_secs_f64();
        println!(
            "  {} swaps in {seconds} s under {connections} connections; {} calls, {} of which only one version may have answered",
            self.swaps, self.calls, self.certain
        );
        println!(
            "  {} calls failed, {} were answered by a wrong version",
            self.failed.len(),
            self.wrong.len()
        );
        println!(
            "  p50 {:.2?} and p99 {steady:.2?} without swaps ({} calls), p50 {:.2?} and p99 {swapping:.2?} with them ({} calls): {ratio:.2} times; goal of {MOST}: {}",
            at(&self.steady, 50),
            self.steady.len(),
            at(&self.swapping, 50),
            self.swapping.len(),
            met(ratio <= MOST)
        );
        let slowest = at(&self.visible, 100);
        println!(
            "  from a swap's request to the first answer of the new version p50 {:.1?}, p90 {:.1?}, {slowest:.1?} at most (to its own answer p50 {:.1?}, {:.1?} at most); goal of {SOON:?}: {} by half of them, {} by all",
            at(&self.visible, 50),
            at(&self.visible, 90),
            at(&self.answered, 50),
            at(&self.answered, 100),
            met(at(&self.visible, 50) <= SOON),
            met(slowest <= SOON)
        );
    }
}

/// When the new version first answered a call.
fn first_answer(
    calls: &[Call],
    swap: &Swap,
    since: Instant,
    until: Option<Instant>,
) -> Option<Instant> {
    let by_it = |call: &&Call| call.told.as_ref() == Ok(&swap.to) && call.began >= since;
    let ended = calls.iter().filter(by_it).map(|call| call.ended);
    let first = ended.filter(|ended| *ended >= swap.sent).min()?;
    until.is_none_or(|until| first < until).then_some(first)
}

fn met(is_met: bool) -> &'static str {
    if is_met { "met" } else { "missed" }
}

fn at(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let index = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(index).copied().unwrap_or_default()
}
