//! One intent, at most one effect: what each way of answering makes of a write, and what asking again makes of it.

use std::collections::BTreeSet;

use dispatch::policy::Nature;
use dispatch::{Ledger, Outcome, ToolError};
use serde_json::json;

use crate::desk::{Desk, Step};

/// One row: what the backend does, how the call ends, how often the effect's request was seen, and how many keys it had.
struct Row {
    name: &'static str,
    nature: Nature,
    steps: Vec<Step>,
    first: &'static str,
    seen: usize,
    /// The same call again.
    again: &'static str,
    seen_after: usize,
}

fn row(
    name: &'static str,
    nature: Nature,
    steps: &[Step],
    (first, seen): (&'static str, usize),
    (again, seen_after): (&'static str, usize),
) -> Row {
    Row {
        name,
        nature,
        steps: steps.to_vec(),
        first,
        seen,
        again,
        seen_after,
    }
}

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    use Nature::{Deduplicates, Neither};
    use Step::{Fails, NoAnswer, NotSent, OtherBody, RetriesInside, Status, Trap, TrapAfterSend};
    let unavailable = || Fails(ToolError::Unavailable { message: "down".into(), retry_after_seconds: None });
    let queryable = Nature::Queryable { after_seconds: 60 };
    let not_found = || Fails(ToolError::NotFound { message: "gone".into() });
    vec![
        row("done, then replayed", Deduplicates, &[Status(201)], ("ok", 1), ("replayed", 1)),
        row("done at a careless backend", Neither, &[Status(201)], ("ok", 1), ("replayed", 1)),
        row("refused by the backend", Deduplicates, &[Status(422)], ("failed", 1), ("ok", 2)),
        row("refused as malformed", Neither, &[Status(400)], ("failed", 1), ("ok", 2)),
        row("refused for the credentials", Neither, &[Status(401)], ("failed", 1), ("ok", 2)),
        row("busy, then done", Neither, &[Status(429), Status(201)], ("ok", 2), ("replayed", 2)),
        row("busy for good", Neither, &[Status(429), Status(429), Status(429)], ("failed", 3), ("ok", 4)),
        row("never sent, then done", Neither, &[NotSent, Status(201)], ("ok", 1), ("replayed", 1)),
        row("never sent", Neither, &[NotSent, NotSent, NotSent], ("failed", 0), ("ok", 1)),
        row("no answer, then done", Deduplicates, &[NoAnswer, Status(201)], ("ok", 2), ("replayed", 2)),
        row("no answer at all", Deduplicates, &[NoAnswer, NoAnswer, NoAnswer], ("unknown", 3), ("ok", 4)),
        row("no answer, careless", Neither, &[NoAnswer], ("unknown", 1), ("unknown", 1)),
        row("no answer, queryable", queryable, &[NoAnswer], ("unknown", 1), ("unknown", 1)),
        row("broken, then done", Deduplicates, &[Status(500), Status(201)], ("ok", 2), ("replayed", 2)),
        row("broken, careless", Neither, &[Status(500)], ("unknown", 1), ("unknown", 1)),
        row("broken for good", Deduplicates, &[Status(503), Status(503), Status(503)], ("unknown", 3), ("ok", 4)),
        row("key in flight there", Deduplicates, &[Status(409), Status(201)], ("ok", 2), ("replayed", 2)),
        row("key in flight, careless", Neither, &[Status(409)], ("unknown", 1), ("unknown", 1)),
        row("timed out there", Neither, &[Status(408)], ("unknown", 1), ("unknown", 1)),
        row("trap before", Deduplicates, &[Trap], ("failed", 0), ("ok", 1)),
        row("trap after", Deduplicates, &[TrapAfterSend, Status(201)], ("ok", 2), ("replayed", 2)),
        row("trap after, careless", Neither, &[TrapAfterSend], ("unknown", 1), ("unknown", 1)),
        row("retries inside the plugin", Deduplicates, &[RetriesInside, Status(201)], ("ok", 2), ("replayed", 2)),
        row("retries inside, careless", Neither, &[RetriesInside], ("unknown", 1), ("unknown", 1)),
        row("fails before", Neither, &[not_found()], ("failed", 0), ("ok", 1)),
        row("unavailable, then done", Neither, &[unavailable(), Status(201)], ("ok", 1), ("replayed", 1)),
        row("unavailable for good", Neither, &[unavailable(), unavailable(), unavailable()], ("failed", 0), ("ok", 1)),
        // Once it may have happened, no later refusal and no failed connection makes it a failure.
        row("no answer, then gone", Deduplicates, &[NoAnswer, NotSent, NotSent], ("unknown", 1), ("ok", 2)),
        row("broken, then refused", Deduplicates, &[Status(500), Status(422), Status(422)], ("unknown", 3), ("ok", 4)),
        row("no answer, then busy", Deduplicates, &[NoAnswer, Status(429), Status(201)], ("ok", 3), ("replayed", 3)),
        // A plugin that asks for other bytes the second time may not have them: what was sent first is unknown.
        row("other bytes", Deduplicates, &[NoAnswer, OtherBody(201), OtherBody(201)], ("unknown", 1), ("ok", 2)),
    ]
}

#[tokio::test]
async fn every_answer_of_a_backend_ends_in_the_right_state() {
    for row in rows() {
        let desk = Desk::open(row.nature, &row.steps).await;
        let first = desk.refund("49.99").await;
        assert_eq!(
            (first.word(), desk.seen().len()),
            (row.first, row.seen),
            "{}: first: {first:?}",
            row.name
        );
        let again = desk.refund("49.99").await;
        assert_eq!(
            (again.word(), desk.seen().len()),
            (row.again, row.seen_after),
            "{}: again: {again:?}",
            row.name
        );
        if row.first == "ok" || row.first == "unknown" {
            let keys: BTreeSet<String> = desk.seen().into_iter().map(|(key, _)| key).collect();
            assert!(
                keys.len() <= 1,
                "{}: one intent left under several keys: {keys:?}",
                row.name
            );
        }
    }
}

#[tokio::test]
async fn the_same_order_on_other_terms_is_a_conflict() {
    let desk = Desk::open(Nature::Deduplicates, &[]).await;
    assert_eq!(desk.refund("20.00").await.word(), "ok");
    let other = desk.refund("25.00").await;
    assert!(
        matches!(other, Outcome::Conflict { .. } | Outcome::Denied { .. }),
        "{other:?}"
    );
    assert_eq!(desk.seen().len(), 1);
}

#[tokio::test]
async fn a_value_that_is_set_back_is_set_again() {
    let ticket =
        json!({ "ticket_id": "T-1", "customer_id": "C-1", "status": "open", "priority": "low" });
    let desk = Desk::open(Nature::Deduplicates, &[]).await;
    desk.then(Step::Returns(ticket.clone()));
    let seen = desk.call("get_ticket", json!({ "ticket_id": "T-1" })).await;
    assert_eq!(seen.word(), "ok", "{seen:?}");
    for (note, word) in [
        ("a", "ok"),
        ("a", "replayed"),
        ("b", "ok"),
        ("a", "ok"),
        ("a", "replayed"),
    ] {
        if word == "ok" {
            desk.then(Step::Returns(ticket.clone()));
        }
        let arguments = json!({ "ticket_id": "T-1", "note": note });
        let outcome = desk.call("update_ticket", arguments).await;
        assert_eq!(outcome.word(), word, "{note}: {outcome:?}");
    }
}

#[tokio::test]
async fn other_words_for_the_reason_are_the_same_intent() {
    let desk = Desk::open(Nature::Deduplicates, &[]).await;
    assert_eq!(desk.refund("49.99").await.word(), "ok");
    let arguments = json!({ "order_id": "ORD-1", "amount": { "amount": "49.99", "currency": "USD" },
        "reason": "it really is broken" });
    assert_eq!(
        desk.call("process_refund", arguments).await.word(),
        "replayed"
    );
    assert_eq!(desk.seen().len(), 1);
}

#[tokio::test]
async fn sixty_four_callers_of_one_intent_have_one_effect() {
    let desk = Desk::open(Nature::Deduplicates, &[]).await;
    let calls = (0..64).map(|_| {
        let dispatcher = desk.dispatcher.clone();
        let request = desk.request(
            "process_refund",
            json!({ "order_id": "ORD-1", "amount": { "amount": "49.99", "currency": "USD" }, "reason": "broken" }),
        );
        tokio::spawn(async move { dispatcher.call(request).await.unwrap() })
    });
    let outcomes = futures::future::join_all(calls).await;
    let words: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap().word())
        .collect();
    assert_eq!(desk.seen().len(), 1, "{words:?}");
    assert_eq!(
        words.iter().filter(|word| **word == "ok").count(),
        1,
        "{words:?}"
    );
    assert!(
        words
            .iter()
            .all(|word| ["ok", "replayed", "in_flight"].contains(word)),
        "{words:?}"
    );
}

#[tokio::test]
async fn a_process_that_dies_after_sending_sends_the_same_again_where_the_backend_deduplicates() {
    let desk = Desk::open(Nature::Deduplicates, &[Step::Hang]).await;
    let call = tokio::spawn({
        let (dispatcher, request) = (
            desk.dispatcher.clone(),
            desk.request("process_refund", refund_arguments()),
        );
        async move { dispatcher.call(request).await }
    });
    desk.hanging().await;
    call.abort();
    let desk = desk.restart().await;
    let recovery = desk.dispatcher.recover().await.unwrap();
    assert_eq!((recovery.settled, recovery.parked), (1, 0));
    let seen = desk.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0], seen[1], "the same bytes under the same key");
    assert_eq!(desk.refund("49.99").await.word(), "replayed");
}

#[tokio::test]
async fn a_process_that_dies_after_sending_parks_the_intent_where_the_backend_does_not() {
    let desk = Desk::open(Nature::Neither, &[Step::Hang]).await;
    let call = tokio::spawn({
        let (dispatcher, request) = (
            desk.dispatcher.clone(),
            desk.request("process_refund", refund_arguments()),
        );
        async move { dispatcher.call(request).await }
    });
    desk.hanging().await;
    call.abort();
    let desk = desk.restart().await;
    let recovery = desk.dispatcher.recover().await.unwrap();
    assert_eq!((recovery.settled, recovery.parked), (0, 1));
    assert_eq!(desk.refund("49.99").await.word(), "unknown");
    assert_eq!(desk.seen().len(), 1);
}

#[tokio::test]
async fn a_budget_is_kept_by_the_reservation_and_given_back_by_a_failure() {
    let desk = Desk::open(
        Nature::Deduplicates,
        &[Step::Status(422), Step::Status(201)],
    )
    .await;
    let spent = |desk: &Desk| {
        let store = desk.store.clone();
        async move {
            let now = store.now().await.unwrap();
            let day = now - now.rem_euclid(86_400);
            store
                .spent("demo", &[("refund_customer_day".into(), "C-1".into(), day)])
                .await
                .unwrap()[0]
        }
    };
    assert_eq!(desk.refund("49.99").await.word(), "failed");
    assert_eq!(spent(&desk).await, 0);
    assert_eq!(desk.refund("49.99").await.word(), "ok");
    assert_eq!(spent(&desk).await, 4_999);
}

fn refund_arguments() -> serde_json::Value {
    json!({ "order_id": "ORD-1", "amount": { "amount": "49.99", "currency": "USD" }, "reason": "broken" })
}
