//! The ledger: one intent per key, budgets that hold, and states that only go forward.

use std::sync::Arc;

use dispatch::policy::Level;
use dispatch::{IntentState, Leave, NewIntent, Reserved, Settlement, ToolError};
use serde_json::json;

use crate::world::{TENANT, World, charge, race, request, reserve};

const TASKS: usize = 64;

fn failed() -> Settlement {
    Settlement::Failed(ToolError::NotEligible {
        message: "too late".into(),
    })
}

pub(crate) async fn tasks_that_race_for_one_key_get_one_new(world: World) {
    let answers = race(TASKS, |n| {
        let (store, intent) = (
            Arc::clone(&world.store),
            world.intent(&format!("i{n}"), "refund"),
        );
        async move {
            (
                intent.id.clone(),
                reserve(store.as_ref(), intent).await.unwrap(),
            )
        }
    })
    .await;
    let new: Vec<_> = answers
        .iter()
        .filter(|(_, r)| matches!(r, Reserved::New(_)))
        .collect();
    assert_eq!(new.len(), 1);
    let winner = &new[0].0;
    let lost = |(_, r): &&(String, Reserved)| matches!(r, Reserved::Taken(by) if by.id == *winner);
    assert_eq!(answers.iter().filter(lost).count(), TASKS - 1);
}

pub(crate) async fn tasks_that_race_for_one_budget_never_pass_it(world: World) {
    let answers = race(TASKS, |n| {
        let intent = world.charged(&format!("i{n}"), vec![charge("day", 300, 5_000)]);
        let store = Arc::clone(&world.store);
        async move { reserve(store.as_ref(), intent).await.unwrap() }
    })
    .await;
    let new = answers
        .iter()
        .filter(|r| matches!(r, Reserved::New(_)))
        .count();
    let over = answers
        .iter()
        .filter(|r| matches!(r, Reserved::OverBudget(_)))
        .count();
    assert_eq!((new, over), (16, TASKS - 16));
    assert_eq!(world.spent("day").await, 4_800);
    assert_eq!(world.store.open_intents().await.unwrap().len(), 16);
}

pub(crate) async fn one_full_budget_leaves_the_others_and_the_key_alone(world: World) {
    let charges = vec![charge("roomy", 100, 1_000), charge("full", 100, 99)];
    let over = world.reserve(world.charged("i1", charges)).await.unwrap();
    assert!(matches!(over, Reserved::OverBudget(full) if full == charge("full", 100, 99)));
    assert_eq!(world.spent("roomy").await, 0);
    assert_eq!(world.state("i1").await, None);
}

pub(crate) async fn a_budget_can_be_used_up_to_its_limit(world: World) {
    let first = world.charged("i1", vec![charge("day", 60, 100)]);
    let second = world.charged("i2", vec![charge("day", 40, 100)]);
    let third = world.charged("i3", vec![charge("day", 1, 100)]);
    assert!(matches!(
        world.reserve(first).await.unwrap(),
        Reserved::New(_)
    ));
    assert!(matches!(
        world.reserve(second).await.unwrap(),
        Reserved::New(_)
    ));
    assert!(matches!(
        world.reserve(third).await.unwrap(),
        Reserved::OverBudget(_)
    ));
}

pub(crate) async fn absurd_charges_neither_overflow_nor_give_money(world: World) {
    let all = || vec![charge("day", i64::MAX, i64::MAX)];
    let new = world.reserve(world.charged("i1", all())).await.unwrap();
    assert!(matches!(new, Reserved::New(_)));
    let over = world.reserve(world.charged("i2", all())).await.unwrap();
    assert!(matches!(over, Reserved::OverBudget(_)));
    let negative = world.charged(
        "i3",
        vec![charge("week", 5, 9), charge("day", -1, i64::MIN)],
    );
    assert!(world.reserve(negative).await.is_err());
    assert_eq!(
        (world.spent("day").await, world.spent("week").await),
        (i64::MAX, 0)
    );
}

pub(crate) async fn a_failure_gives_back_once_and_frees_the_key(world: World) {
    let charges = vec![
        charge("day", 30, 100),
        charge("day", 5, 100),
        charge("week", 30, 100),
    ];
    world
        .reserve(world.charged("other", charges.clone()))
        .await
        .unwrap();
    world.reserve(world.charged("i1", charges)).await.unwrap();
    assert_eq!(
        (world.spent("day").await, world.spent("week").await),
        (70, 60)
    );
    world.settle("i1", failed()).await.unwrap();
    world.settle("i1", failed()).await.unwrap();
    assert_eq!(
        (world.spent("day").await, world.spent("week").await),
        (35, 30)
    );
    let again = world.reserve(world.intent("i2", "i1")).await.unwrap();
    assert!(matches!(again, Reserved::New(_)));
}

pub(crate) async fn an_unknown_end_keeps_money_and_key(world: World) {
    world
        .reserve(world.charged("i1", vec![charge("day", 30, 100)]))
        .await
        .unwrap();
    let leave = world.sent("i1", request(1, "body")).await.unwrap();
    assert_eq!(leave, Leave::First);
    world.settle("i1", Settlement::Unknown).await.unwrap();
    assert_eq!(world.spent("day").await, 30);
    let taken = world.reserve(world.intent("i2", "i1")).await.unwrap();
    assert!(matches!(taken, Reserved::Taken(by) if by.state == IntentState::Unknown));
    world.settle("i1", failed()).await.unwrap();
    assert_eq!(world.spent("day").await, 0);
}

pub(crate) async fn a_done_intent_keeps_its_output_and_its_money(world: World) {
    world
        .reserve(world.charged("i1", vec![charge("day", 30, 100)]))
        .await
        .unwrap();
    world.clock.advance(5);
    world
        .settle("i1", Settlement::Done(json!({ "refund": "R1" })))
        .await
        .unwrap();
    let done = world.store.intent(TENANT, "i1").await.unwrap().unwrap();
    assert_eq!(done.outcome, Some(json!({ "refund": "R1" })));
    assert_eq!(done.updated_at - done.created_at, 5);
    assert_eq!(world.spent("day").await, 30);
    assert_eq!(world.store.open_intents().await.unwrap(), []);
}

pub(crate) async fn a_settled_intent_stays_settled(world: World) {
    world
        .reserve(world.charged("i1", vec![charge("day", 30, 100)]))
        .await
        .unwrap();
    let leave = world.sent("i1", request(1, "body")).await.unwrap();
    assert_eq!(leave, Leave::First);
    world
        .settle("i1", Settlement::Done(json!(1)))
        .await
        .unwrap();
    world
        .settle("i1", Settlement::Done(json!(2)))
        .await
        .unwrap();
    world.settle("i1", Settlement::Unknown).await.unwrap();
    assert!(world.settle("i1", failed()).await.is_err());
    assert_eq!(
        world.sent("i1", request(1, "body")).await.unwrap(),
        Leave::Void
    );
    assert_eq!(
        world.sent("i1", request(2, "body")).await.unwrap(),
        Leave::Void
    );
    let done = world.store.intent(TENANT, "i1").await.unwrap().unwrap();
    assert_eq!(
        (done.state, done.outcome),
        (IntentState::Done, Some(json!(1)))
    );
    assert_eq!(world.spent("day").await, 30);
}

pub(crate) async fn a_request_is_recorded_once_per_ordinal(world: World) {
    world.reserve(world.intent("i1", "refund")).await.unwrap();
    assert_eq!(
        world.sent("i1", request(1, "first")).await.unwrap(),
        Leave::First
    );
    assert_eq!(world.state("refund").await, Some(IntentState::Sent));
    let earlier = world.sent("i1", request(1, "other")).await.unwrap();
    assert_eq!(earlier, Leave::Again(request(1, "first")));
    assert_eq!(
        world.sent("i1", request(2, "other")).await.unwrap(),
        Leave::First
    );
}

pub(crate) async fn a_request_after_an_unknown_end_is_sent_again(world: World) {
    world.reserve(world.intent("i1", "refund")).await.unwrap();
    world.settle("i1", Settlement::Unknown).await.unwrap();
    let leave = world.sent("i1", request(1, "first")).await.unwrap();
    assert_eq!(leave, Leave::First);
    assert_eq!(world.state("refund").await, Some(IntentState::Sent));
}

pub(crate) async fn open_intents_come_oldest_first(world: World) {
    for id in ["i3", "i1", "i2", "i0"] {
        world.reserve(world.intent(id, id)).await.unwrap();
    }
    world
        .settle("i1", Settlement::Done(json!({})))
        .await
        .unwrap();
    world.settle("i2", failed()).await.unwrap();
    let leave = world.sent("i0", request(1, "body")).await.unwrap();
    assert_eq!(leave, Leave::First);
    let open = world.store.open_intents().await.unwrap();
    let ids: Vec<_> = open
        .iter()
        .map(|intent| (intent.id.as_str(), intent.state))
        .collect();
    assert_eq!(
        ids,
        [("i3", IntentState::Reserved), ("i0", IntentState::Sent)]
    );
}

pub(crate) async fn tenants_share_neither_keys_nor_budgets(world: World) {
    let case = world
        .store
        .case_of_session("other", "chat:s")
        .await
        .unwrap()
        .id;
    let theirs = NewIntent {
        tenant: "other".into(),
        case,
        ..world.charged("i2", vec![charge("day", 70, 100)])
    };
    let ours = NewIntent {
        key: "i2".into(),
        ..world.charged("i1", vec![charge("day", 70, 100)])
    };
    assert!(matches!(
        world.reserve(theirs).await.unwrap(),
        Reserved::New(_)
    ));
    assert!(matches!(
        world.reserve(ours).await.unwrap(),
        Reserved::New(_)
    ));
    assert_eq!(world.spent("day").await, 70);
}

pub(crate) async fn an_intent_in_another_tenants_case_is_refused(world: World) {
    let case = world
        .store
        .case_of_session("other", "chat:s")
        .await
        .unwrap()
        .id;
    let crossed = NewIntent {
        case,
        ..world.intent("i1", "refund")
    };
    assert!(world.reserve(crossed).await.is_err());
    assert_eq!(world.state("refund").await, None);
}

pub(crate) async fn what_fails_does_not_take_its_neighbours_along(world: World) {
    let answers = race(TASKS, |n| {
        let store = Arc::clone(&world.store);
        let mut intent = world.charged(&format!("i{n}"), vec![charge("day", 1, 1_000)]);
        if n % 2 == 1 {
            intent.case = "no such case".into();
        }
        async move { reserve(store.as_ref(), intent).await.is_ok() }
    })
    .await;
    assert_eq!(answers.iter().filter(|ok| **ok).count(), TASKS / 2);
    assert_eq!(world.spent("day").await, 32);
    assert!(
        world
            .store
            .identify("no such case", "CUST-1", Level::Claimed)
            .await
            .is_err()
    );
}

pub(crate) async fn sums_come_in_the_order_asked(world: World) {
    let charges = vec![charge("a", 1, 9), charge("b", 2, 9)];
    world.reserve(world.charged("i1", charges)).await.unwrap();
    let of = ["b", "none", "a"].map(|budget| (budget.to_owned(), "CUST-1".to_owned(), 0));
    assert_eq!(world.store.spent(TENANT, &of).await.unwrap(), [2, 0, 1]);
}
