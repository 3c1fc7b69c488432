//! Leases: one process at a time runs an intent, a late one changes nothing, and a person settles what nobody runs.

use std::sync::Arc;

use dispatch::{
    ByHand, Held, IntentFilter, IntentState, Lease, Leave, Reserved, Settlement, Store, ToolError,
};
use serde_json::json;

use crate::world::{
    TENANT, World, charge, first_lease, holder, ledger_entry, race, request, settle,
};

fn failed() -> Settlement {
    Settlement::Failed(ToolError::NotEligible {
        message: "no trace of it".into(),
    })
}

async fn take(world: &World, intent: &str, name: &str) -> Option<Held> {
    world.store.take(intent, &holder(name)).await.unwrap()
}

async fn by_hand(world: &World, intent: &str, settlement: Settlement) -> ByHand {
    let entry = ledger_entry(intent, "by hand");
    let settled = world
        .store
        .settle_by_hand(TENANT, intent, settlement, entry);
    settled.await.unwrap()
}

/// How often the audit log tells of an intent.
async fn told(world: &World, intent: &str) -> usize {
    let records = world.store.records(None, 1_000).await.unwrap();
    let of_it = records
        .iter()
        .filter(|r| r.entry.detail["intent"] == intent);
    of_it.count()
}

pub(crate) async fn whoever_reserves_holds_it_until_the_lease_runs_out(world: World) {
    let reserved = world.reserve(world.intent("i1", "refund")).await.unwrap();
    assert!(matches!(reserved, Reserved::New(lease) if lease == first_lease("i1")));
    assert_eq!(take(&world, "i1", "second").await, None);
    world.clock.advance(59);
    assert_eq!(take(&world, "i1", "second").await, None);
    assert!(world.store.renew(&first_lease("i1"), 60).await.unwrap());
    world.clock.advance(59);
    assert_eq!(take(&world, "i1", "second").await, None);
    world.clock.advance(1);
    let held = take(&world, "i1", "second").await.unwrap();
    assert_eq!(held.intent.holder.as_deref(), Some("second"));
    assert!(held.lease.epoch > 1);
    assert!(!world.store.renew(&first_lease("i1"), 60).await.unwrap());
}

pub(crate) async fn of_many_that_take_over_one_does(world: World) {
    world.reserve(world.intent("i1", "refund")).await.unwrap();
    world.clock.advance(60);
    let held = race(64, |n| {
        let store = Arc::clone(&world.store);
        async move { store.take("i1", &holder(&format!("p{n}"))).await.unwrap() }
    })
    .await;
    assert_eq!(held.iter().flatten().count(), 1);
}

pub(crate) async fn a_late_worker_changes_nothing(world: World) {
    let charges = vec![charge("day", 30, 100)];
    world.reserve(world.charged("i1", charges)).await.unwrap();
    world.clock.advance(60);
    let held = take(&world, "i1", "second").await.unwrap();
    let before = told(&world, "i1").await;
    let late = first_lease("i1");
    let leave = world.store.sent(&late, request(1, "body")).await.unwrap();
    assert_eq!(leave, Leave::Void);
    for settlement in [Settlement::Done(json!(1)), failed(), Settlement::Unknown] {
        assert!(!world.settle("i1", settlement).await.unwrap());
    }
    let history = world.store.history(TENANT, "i1").await.unwrap().unwrap();
    assert_eq!(history.intent.state, IntentState::Reserved);
    assert_eq!(history.requests, []);
    assert_eq!(world.spent("day").await, 30);
    assert_eq!(
        told(&world, "i1").await,
        before,
        "nothing happened, so nothing is on record"
    );
    let leave = world.store.sent(&held.lease, request(1, "body")).await;
    assert_eq!(leave.unwrap(), Leave::First);
}

pub(crate) async fn an_unknown_end_gives_the_lease_back_and_keeps_its_age(world: World) {
    world.reserve(world.intent("i1", "refund")).await.unwrap();
    assert!(world.settle("i1", Settlement::Unknown).await.unwrap());
    let age = |world: &World| {
        let store = Arc::clone(&world.store);
        async move {
            store
                .intent(TENANT, "refund")
                .await
                .unwrap()
                .unwrap()
                .updated_at
        }
    };
    let at = age(&world).await;
    world.clock.advance(10);
    let held = take(&world, "i1", "second").await.unwrap();
    let before = told(&world, "i1").await;
    let store: &dyn Store = world.store.as_ref();
    assert!(
        settle(store, &held.lease, Settlement::Unknown)
            .await
            .unwrap()
    );
    assert_eq!(age(&world).await, at);
    assert_eq!(told(&world, "i1").await, before);
    assert!(take(&world, "i1", "third").await.is_some());
}

pub(crate) async fn a_settled_intent_is_nobodys(world: World) {
    world.reserve(world.intent("i1", "refund")).await.unwrap();
    assert!(
        world
            .settle("i1", Settlement::Done(json!({})))
            .await
            .unwrap()
    );
    assert!(!world.store.renew(&first_lease("i1"), 60).await.unwrap());
    assert_eq!(take(&world, "i1", "second").await, None);
    assert_eq!(take(&world, "no such intent", "second").await, None);
}

pub(crate) async fn what_leaves_again_counts_from_then(world: World) {
    world.reserve(world.intent("i1", "refund")).await.unwrap();
    let lease: Lease = first_lease("i1");
    let sent_at = |world: &World| {
        let store = Arc::clone(&world.store);
        async move { store.history(TENANT, "i1").await.unwrap().unwrap().requests[0].0 }
    };
    let first = world.store.sent(&lease, request(1, "body")).await.unwrap();
    assert_eq!(first, Leave::First);
    let at = sent_at(&world).await;
    world.clock.advance(7);
    let other = world.store.sent(&lease, request(1, "other")).await.unwrap();
    assert_eq!(other, Leave::Again(request(1, "body")));
    assert_eq!(sent_at(&world).await, at, "it may not leave");
    let same = world.store.sent(&lease, request(1, "body")).await.unwrap();
    assert_eq!(same, Leave::Again(request(1, "body")));
    assert_eq!(sent_at(&world).await, at + 7);
}

pub(crate) async fn a_person_settles_what_nobody_runs(world: World) {
    world.reserve(world.intent("i1", "refund")).await.unwrap();
    let until = world.clock.now() + 60;
    let running = by_hand(&world, "i1", Settlement::Done(json!(null))).await;
    assert_eq!(running, ByHand::Running { until });
    assert!(world.settle("i1", Settlement::Unknown).await.unwrap());
    let before = told(&world, "i1").await;
    let done = by_hand(&world, "i1", Settlement::Done(json!({ "by": "hand" }))).await;
    assert_eq!(done, ByHand::Settled);
    assert_eq!(told(&world, "i1").await, before + 1);
    let again = by_hand(&world, "i1", failed()).await;
    assert_eq!(again, ByHand::Ended(IntentState::Done));
    assert_eq!(by_hand(&world, "i2", failed()).await, ByHand::Missing);
    let entry = ledger_entry("i1", "by hand");
    let elsewhere = world.store.settle_by_hand("other", "i1", failed(), entry);
    assert_eq!(elsewhere.await.unwrap(), ByHand::Missing);
    assert_eq!(
        told(&world, "i1").await,
        before + 1,
        "refusals leave no record of a settlement"
    );
}

pub(crate) async fn a_failure_by_hand_gives_back_and_frees_the_key(world: World) {
    let charges = vec![charge("day", 30, 100)];
    world.reserve(world.charged("i1", charges)).await.unwrap();
    let leave = world.sent("i1", request(1, "body")).await.unwrap();
    assert_eq!(leave, Leave::First);
    world.clock.advance(60);
    assert_eq!(by_hand(&world, "i1", failed()).await, ByHand::Settled);
    assert_eq!(world.spent("day").await, 0);
    assert_eq!(world.state("i1").await, None);
    // The process that ran it wakes up.
    assert!(
        !world
            .settle("i1", Settlement::Done(json!({})))
            .await
            .unwrap()
    );
    assert_eq!(world.spent("day").await, 0);
}

pub(crate) async fn intents_are_listed_by_state_and_tool(world: World) {
    for id in ["i1", "i2", "i3"] {
        world.reserve(world.intent(id, id)).await.unwrap();
        world.clock.advance(10);
    }
    assert!(world.settle("i2", Settlement::Unknown).await.unwrap());
    let listed = |of: IntentFilter| {
        let store = Arc::clone(&world.store);
        async move {
            let intents = store.intents(TENANT, &of).await.unwrap();
            intents
                .into_iter()
                .map(|intent| intent.id)
                .collect::<Vec<_>>()
        }
    };
    let all = IntentFilter {
        limit: 10,
        ..IntentFilter::default()
    };
    assert_eq!(listed(all.clone()).await, ["i3", "i2", "i1"]);
    let two = IntentFilter {
        limit: 2,
        ..all.clone()
    };
    assert_eq!(listed(two).await, ["i3", "i2"]);
    let since = world.clock.now() - 10;
    assert_eq!(
        listed(IntentFilter {
            since,
            ..all.clone()
        })
        .await,
        ["i3", "i2"]
    );
    let unknown = vec![IntentState::Unknown, IntentState::Failed];
    assert_eq!(
        listed(IntentFilter {
            states: unknown,
            ..all.clone()
        })
        .await,
        ["i2"]
    );
    let tool = Some("cancel_order".to_owned());
    assert!(listed(IntentFilter { tool, ..all }).await.is_empty());
    let any = IntentFilter {
        limit: 9,
        ..IntentFilter::default()
    };
    assert_eq!(world.store.intents("other", &any).await.unwrap(), []);
}

pub(crate) async fn an_intent_has_a_history(world: World) {
    let charges = vec![charge("day", 30, 100), charge("week", 5, 100)];
    world.reserve(world.charged("i1", charges)).await.unwrap();
    let leave = world.sent("i1", request(1, "body")).await.unwrap();
    assert_eq!(leave, Leave::First);
    let history = world.store.history(TENANT, "i1").await.unwrap().unwrap();
    assert_eq!(history.intent.state, IntentState::Sent);
    assert_eq!(history.rulebook, "r1");
    assert_eq!(history.requests, [(world.clock.now(), request(1, "body"))]);
    assert_eq!(
        history.charges,
        [charge("day", 30, 0), charge("week", 5, 0)]
    );
    assert_eq!(world.store.history("other", "i1").await.unwrap(), None);
}
