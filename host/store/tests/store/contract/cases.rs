//! The cases: one per session, an identity that only grows, facts that merge, events in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dispatch::policy::{Identity, Level};
use dispatch::{CaseStatus, Event};
use serde_json::json;

use crate::world::{START, TENANT, World, order, race};

pub(crate) async fn a_session_that_many_open_has_one_case(world: World) {
    let ids = race(64, |_| {
        let store = Arc::clone(&world.store);
        async move { store.case_of_session(TENANT, "chat:new").await.unwrap().id }
    })
    .await;
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 1);
    let theirs = world
        .store
        .case_of_session("other", "chat:new")
        .await
        .unwrap();
    assert_ne!(theirs.id, ids[0]);
    assert_eq!(world.store.case(TENANT, &theirs.id).await.unwrap(), None);
}

pub(crate) async fn a_reset_session_opens_another_case(world: World) {
    assert!(
        !world
            .store
            .reset_session(TENANT, "chat:none")
            .await
            .unwrap()
    );
    assert!(
        world
            .store
            .reset_session(TENANT, "chat:world")
            .await
            .unwrap()
    );
    assert!(
        !world
            .store
            .reset_session(TENANT, "chat:world")
            .await
            .unwrap()
    );
    let next = world
        .store
        .case_of_session(TENANT, "chat:world")
        .await
        .unwrap();
    assert_ne!(next.id, world.case);
    assert!(
        world
            .store
            .case(TENANT, &world.case)
            .await
            .unwrap()
            .is_some()
    );
}

pub(crate) async fn an_identity_only_grows(world: World) {
    let steps = [
        ("CUST-1", Level::Claimed, true),
        ("CUST-2", Level::Claimed, true),
        ("CUST-2", Level::Matched, true),
        ("CUST-2", Level::Claimed, false),
        ("CUST-1", Level::Claimed, false),
        ("CUST-1", Level::Matched, false),
        ("CUST-1", Level::Verified, false),
        ("CUST-2", Level::Matched, true),
        ("CUST-2", Level::Verified, true),
        ("CUST-2", Level::Matched, false),
    ];
    for (customer, level, expected) in steps {
        let answer = world
            .store
            .identify(&world.case, customer, level)
            .await
            .unwrap();
        assert_eq!(answer, expected, "{customer} {level:?}");
    }
    let case = world
        .store
        .case(TENANT, &world.case)
        .await
        .unwrap()
        .unwrap();
    let verified = Identity {
        level: Level::Verified,
        customer: Some("CUST-2".into()),
    };
    assert_eq!(case.identity, verified);
}

pub(crate) async fn customers_that_race_for_one_case_get_it_once(world: World) {
    let answers = race(64, |n| {
        let (store, case) = (Arc::clone(&world.store), world.case.clone());
        async move {
            store
                .identify(&case, &format!("CUST-{n}"), Level::Matched)
                .await
                .unwrap()
        }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| **answer).count(), 1);
}

pub(crate) async fn a_status_is_kept(world: World) {
    world
        .store
        .set_status(&world.case, CaseStatus::AwaitingConsent)
        .await
        .unwrap();
    let case = world
        .store
        .case_of_session(TENANT, "chat:world")
        .await
        .unwrap();
    assert_eq!(
        (case.status, case.created_at),
        (CaseStatus::AwaitingConsent, START)
    );
}

pub(crate) async fn facts_merge_attribute_by_attribute(world: World) {
    let facts = [
        order(
            "A",
            20,
            json!({ "status": "shipped", "total": { "amount": "49.99" } }),
        ),
        order("A", 30, json!({ "status": "delivered" })),
        order("A", 10, json!({ "status": "open", "owner": "CUST-1" })),
        order("B", 5, json!({})),
    ];
    for fact in facts {
        world
            .store
            .establish(&world.case, vec![fact])
            .await
            .unwrap();
    }
    let merged =
        json!({ "status": "delivered", "total": { "amount": "49.99" }, "owner": "CUST-1" });
    let expected = BTreeMap::from([order("A", 30, merged), order("B", 5, json!({}))]);
    assert_eq!(world.store.facts(&world.case).await.unwrap(), expected);
}

pub(crate) async fn events_keep_their_order_without_gaps(world: World) {
    race(64, |n| {
        let (store, case) = (Arc::clone(&world.store), world.case.clone());
        async move {
            store
                .append(
                    &case,
                    Event::Text {
                        text: n.to_string(),
                    },
                )
                .await
                .unwrap()
        }
    })
    .await;
    let last = world
        .store
        .append(
            &world.case,
            Event::Done {
                status: CaseStatus::Open,
            },
        )
        .await;
    let events = world.store.events(&world.case).await.unwrap();
    assert_eq!(last.unwrap(), 65);
    assert!(events.iter().map(|event| event.seq).eq(1..=65));
    assert_eq!(
        events[64].event,
        Event::Done {
            status: CaseStatus::Open
        }
    );
    assert_eq!(events[64].at, START);
}

pub(crate) async fn a_case_that_does_not_exist_takes_nothing(world: World) {
    let text = Event::Text {
        text: "hello".into(),
    };
    assert!(world.store.append("none", text).await.is_err());
    assert!(
        world
            .store
            .set_status("none", CaseStatus::Open)
            .await
            .is_err()
    );
    assert!(
        world
            .store
            .establish("none", vec![order("A", 1, json!({}))])
            .await
            .is_err()
    );
    assert!(world.store.events("none").await.unwrap().is_empty());
}
