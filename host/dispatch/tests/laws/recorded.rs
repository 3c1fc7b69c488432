//! Every decision is recorded with all that it was taken on: whoever takes it again comes to the same.

use std::sync::Arc;

use dispatch::policy::{DecisionInput, DecisionKind, DecisionSummary, Nature};
use dispatch::{Audit, Outcome};
use serde_json::{Value, json};
use store::{Recorded, RecordedDecision, visit_decisions};

use crate::desk::{Desk, Step};

async fn recorded(desk: &Desk) -> Vec<RecordedDecision> {
    // Waits for what is still in line.
    desk.store.records(None, 1).await.unwrap();
    let mut found = vec![];
    let folder = desk.folder.path();
    visit_decisions(folder, Recorded::Since(0), &mut |one| found.push(one)).unwrap();
    found
}

fn lookup() -> Step {
    Step::Returns(
        json!({ "order_id": "ORD-1", "customer_id": "C-1", "status": "delivered",
        "total": { "amount": "49.99", "currency": "USD" }, "refunded": { "amount": "0.00", "currency": "USD" },
        "refund_eligible": true }),
    )
}

#[tokio::test]
async fn a_decision_can_be_taken_again_from_its_record() {
    let desk = Desk::open(Nature::Deduplicates, &[lookup()]).await;
    let order = json!({ "order_id": "ORD-1" });
    assert_eq!(desk.call("lookup_order", order).await.word(), "ok");
    desk.refund("49.99").await;
    desk.refund("49.99").await;
    let refused = desk.call("get_tracking_info", json!({ "order_id": "ORD-9" }));
    assert!(matches!(refused.await, Outcome::Denied { .. }));
    desk.call("no_rule_knows_it", json!({})).await;
    let rulebook = desk.dispatcher.rulebook("demo").unwrap();
    let mut kinds = vec![];
    for one in recorded(&desk).await {
        let input: DecisionInput<'_> = serde_json::from_str(&one.input).unwrap();
        let then: DecisionSummary = serde_json::from_value(one.record.entry.detail).unwrap();
        let call = input.call.into_owned();
        let now = rulebook
            .decide(call, &input.facts, &Arc::from([]))
            .summary();
        assert_eq!(now, then, "{}", one.input);
        assert!(one.is_genuine);
        kinds.push(then.decision);
    }
    assert_eq!(
        kinds,
        [
            DecisionKind::Allow,
            DecisionKind::Allow,
            DecisionKind::Replay,
            DecisionKind::Deny
        ]
    );
}

/// Rules see no other entity than the one that the call names, so no other is kept.
#[tokio::test]
async fn no_more_is_kept_than_rules_can_see() {
    let desk = Desk::open(Nature::Deduplicates, &[]).await;
    desk.know("C-1", "ORD-2", "C-1").await;
    desk.refund("10.00").await;
    let found = recorded(&desk).await;
    let input: Value = serde_json::from_str(&found[0].input).unwrap();
    let entities = input["facts"]["entities"].as_array().unwrap();
    assert_eq!(entities.len(), 1);
    assert_eq!(entities[0]["id"], "ORD-1");
}
