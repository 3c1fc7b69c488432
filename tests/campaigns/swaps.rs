//! The swap campaign: two versions of a plugin take each other's place in the running program, again and again, while many
//! connections call it. No call fails, none is answered by a version that had been replaced, and none by a bit of both.

mod caller;
mod verdict;
mod versions;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::kills::runtime;
use crate::served::Served;
use crate::size;
use verdict::{Call, Swap, Verdict};
use versions::{PLUGIN, VERSIONS};

/// Swaps in an ordinary run, in `SWAP_SECONDS`, from so many `CONNECTIONS`.
const SLICE: u32 = 6;
const SECONDS: u32 = 3;
const CONNECTIONS: usize = 8;

/// Makes `SWAPS` swaps under load, prints the figures, and fails if a call failed or met a wrong version.
pub(crate) fn run() {
    let swaps = size::number("SWAPS", SLICE);
    let seconds = size::number("SWAP_SECONDS", SECONDS);
    let connections = size::number("CONNECTIONS", CONNECTIONS);
    if cfg!(debug_assertions) {
        println!("  This is a debug build: its times mean nothing.");
    }
    let folder = tempfile::tempdir().unwrap();
    let (calls, made) = runtime().block_on(async {
        let components = versions::build(folder.path()).await;
        let served = Served::start(folder.path()).await;
        for component in components {
            let offered = json!({ "source": component, "accept": true });
            served.operate("/api/plugins", &offered).await.unwrap();
        }
        let cases = served.open_cases(connections).await;
        let measured = load(&served, cases, swaps, Duration::from_secs(seconds.into())).await;
        served.end().await;
        measured
    });
    let verdict = Verdict::of(&calls, &made);
    verdict.print(connections, seconds);
    assert!(verdict.certain > 0, "no call says anything");
    assert!(verdict.failed.is_empty(), "{:?}", verdict.failed.first());
    assert!(verdict.wrong.is_empty(), "{:?}", verdict.wrong.first());
    assert_eq!(
        verdict.unseen, 0,
        "a version that was swapped in never answered"
    );
}

/// Half of `time` without a swap, `time` with all of them, and half of it without.
async fn load(
    served: &Served,
    cases: Vec<String>,
    swaps: u32,
    time: Duration,
) -> (Vec<Call>, Vec<Swap>) {
    at_rest(served).await;
    let over = Arc::new(AtomicBool::new(false));
    let calling = cases.into_iter().map(|case| {
        let (over, address) = (Arc::clone(&over), served.address());
        caller::call_until(over, address, case)
    });
    let calling: JoinSet<_> = calling.collect();
    sleep(time / 2).await;
    let mut due = interval(time / swaps);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut made = vec![];
    for number in 1..=swaps {
        due.tick().await;
        let to = usize::try_from(number).unwrap() % VERSIONS.len();
        let sent = Instant::now();
        swap(served, to).await;
        let answered = Instant::now();
        made.push(Swap { sent, answered, to });
    }
    due.tick().await;
    sleep(time / 2).await;
    over.store(true, Ordering::Relaxed);
    (calling.join_all().await.concat(), made)
}

/// Swaps there and back while nobody calls: what a swap takes by itself. Both versions are compiled by now.
async fn at_rest(served: &Served) {
    let mut took = vec![];
    for to in [1, 0, 1, 0, 1, 0] {
        let since = Instant::now();
        swap(served, to).await;
        took.push(since.elapsed());
    }
    took.sort_unstable();
    println!(
        "  while nobody calls, a swap's request is answered, and its version visible, after {:.1?}, {:.1?} at most",
        took[took.len() / 2],
        took[took.len() - 1]
    );
}

/// Puts a version in the place of the one that is live. Every call that begins after this is the new version's.
async fn swap(served: &Served, to: usize) {
    let body = json!({ "version": VERSIONS[to].0, "reason": "the campaign" });
    let path = format!("/api/plugins/{PLUGIN}/swap");
    let plugin = served.operate(&path, &body).await.unwrap();
    assert_eq!(plugin["stable"]["version"], VERSIONS[to].0, "{plugin}");
}
