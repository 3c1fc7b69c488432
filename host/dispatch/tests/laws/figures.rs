//! Figures: what a durable intent costs the store, and what a replay costs the caller.

use std::time::Instant;

use dispatch::policy::{Nature, Settings};

use crate::bank::{At, Branch, Fault};

const WRITES: usize = 32;
const REPLAYS: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_durable_intent_is_one_transaction_before_the_effect_and_one_after() {
    let orders: Vec<String> = (0..WRITES).map(|n| format!("ORD-{n}")).collect();
    let names: Vec<&str> = orders.iter().map(String::as_str).collect();
    let mut settings = Settings::default();
    settings
        .budgets
        .get_mut("refund_customer_day")
        .unwrap()
        .limit = i64::MAX;
    let branch = Branch::open_with(Nature::Deduplicates, settings, &names).await;
    let (mut before, mut after) = (vec![], vec![]);
    for order in &orders {
        // What the last write left behind is committed first.
        dispatch::Audit::records(branch.store.as_ref(), None, 1)
            .await
            .unwrap();
        let start = branch.store.commits();
        branch.plan(At::Leave, Fault::Pause);
        let call = branch.refund_beside(order);
        branch.reached().await;
        let may_leave = branch.store.commits();
        branch.wake();
        assert_eq!(call.await.unwrap().unwrap().word(), "ok");
        before.push(may_leave - start);
        after.push(branch.store.commits() - may_leave);
    }
    before.sort_unstable();
    after.sort_unstable();
    println!(
        "durable intent: {} transaction before the effect, {} after (medians of {WRITES} writes, one at a time)",
        before[WRITES / 2],
        after[WRITES / 2]
    );
    // Slow machines let a gathering of audit records pass by itself now and then; the least is what a write needs.
    assert_eq!((before[0], after[0]), (1, 1), "{before:?} {after:?}");
}

#[tokio::test]
async fn a_settled_key_is_replayed() {
    let branch = Branch::open(Nature::Deduplicates).await;
    assert_eq!(branch.refund("ORD-1").await.unwrap().word(), "ok");
    let mut times = vec![];
    for _ in 0..REPLAYS {
        let start = Instant::now();
        let outcome = branch.refund("ORD-1").await.unwrap();
        times.push(start.elapsed());
        assert_eq!(outcome.word(), "replayed");
    }
    times.sort_unstable();
    println!(
        "replay of a settled key: median {} µs, 99th percentile {} µs, of {REPLAYS} (limit 1 ms)",
        times[REPLAYS / 2].as_micros(),
        times[REPLAYS * 99 / 100].as_micros()
    );
    assert_eq!(branch.bank.effects().len(), 1);
}
