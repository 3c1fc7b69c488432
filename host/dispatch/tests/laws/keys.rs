//! What plugins remember: kept exactly once, with the settlement, and changed by no read.

use dispatch::policy::Nature;
use dispatch::{Audit, KeyValues};
use serde_json::json;

use crate::desk::{Desk, REFUND, Step};

fn keeps(value: &str, status: u16) -> Step {
    Step::Keeps("points", value.into(), status)
}

async fn kept(desk: &Desk) -> Option<String> {
    let value = desk.store.value("demo", "scripted", "points").await;
    value
        .unwrap()
        .map(|value| String::from_utf8(value).unwrap())
}

#[tokio::test]
async fn a_key_is_kept_with_the_effect_that_it_came_with() {
    let desk = Desk::open(Nature::Deduplicates, &[keeps("1", 201)]).await;
    assert_eq!(desk.refund("49.99").await.word(), "ok");
    assert_eq!(kept(&desk).await.as_deref(), Some("1"));
    // A replay runs nothing, so it changes nothing.
    desk.then(keeps("2", 201));
    assert_eq!(desk.refund("49.99").await.word(), "replayed");
    assert_eq!(kept(&desk).await.as_deref(), Some("1"));
    assert_eq!(desk.restart().await.seen().len(), 1);
}

#[tokio::test]
async fn what_was_refused_leaves_no_key() {
    let desk = Desk::open(Nature::Deduplicates, &[keeps("1", 422)]).await;
    assert_eq!(desk.refund("49.99").await.word(), "failed");
    assert_eq!(kept(&desk).await, None);
}

#[tokio::test]
async fn a_key_waits_for_the_try_that_succeeds() {
    let desk = Desk::open(Nature::Deduplicates, &[keeps("1", 503), keeps("2", 201)]).await;
    assert_eq!(desk.refund("49.99").await.word(), "ok");
    assert_eq!(kept(&desk).await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_read_changes_no_key() {
    let desk = Desk::open(Nature::Deduplicates, &[keeps("1", 201)]).await;
    let read = desk
        .call("lookup_order", json!({ "order_id": "ORD-1" }))
        .await;
    assert_ne!(read.word(), "ok", "{read:?}");
    assert_eq!(kept(&desk).await, None);
    assert!(desk.seen().is_empty());
    let records = desk.store.records(Some(&desk.case), 100).await.unwrap();
    let refused = records.iter().any(|record| {
        let detail = &record.entry.detail;
        detail["capability"] == "keyvalue" && detail["code"] == "READ_CANNOT_WRITE"
    });
    assert!(refused, "{records:?}");
}

#[tokio::test]
async fn keys_and_values_that_do_not_fit_are_refused_before_anything_is_sent() {
    let long: &str = Box::leak("k".repeat(257).into_boxed_str());
    for (key, value) in [
        ("", vec![1]),
        ("a\0b", vec![1]),
        (long, vec![1]),
        ("big", vec![0; 1024 * 1024]),
    ] {
        let step = Step::Keeps(key, value, 201);
        let desk = Desk::open(Nature::Deduplicates, &[step]).await;
        let arguments = json!({ "order_id": "ORD-1", "reason": "broken",
            "amount": { "amount": "49.99", "currency": "USD" } });
        let outcome = desk.call(REFUND, arguments).await;
        assert_eq!(outcome.word(), "failed", "{outcome:?}");
        assert!(desk.seen().is_empty());
        let keys = desk.store.keys("demo", "scripted").await.unwrap();
        assert!(keys.is_empty(), "{keys:?}");
    }
}
