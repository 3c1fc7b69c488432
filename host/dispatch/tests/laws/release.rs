//! What belongs to somebody else reaches nobody, and what the host saw becomes a fact.

use dispatch::policy::{Level, Nature};
use dispatch::{Cases, Outcome};
use serde_json::{Value, json};

use crate::desk::{Desk, Step};

fn order(owner: &str) -> Value {
    json!({ "order_id": "ORD-7", "customer_id": owner, "status": "delivered", "refund_eligible": true,
        "total": { "amount": "812.34", "currency": "USD" }, "refunded": { "amount": "0.00", "currency": "USD" },
        "items": [{ "name": "SECRET-ITEM" }] })
}

#[tokio::test]
async fn another_customers_order_is_withheld_and_people_are_called() {
    let desk = Desk::open(Nature::Deduplicates, &[Step::Returns(order("C-2"))]).await;
    let outcome = desk
        .call("lookup_order", json!({ "order_id": "ORD-7" }))
        .await;
    let Outcome::Withheld {
        escalation: Some(escalation),
        ..
    } = &outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!(format!("{:?}", escalation.priority), "P1");
    let told = outcome.for_model().to_string();
    assert!(
        !told.contains("SECRET-ITEM") && !told.contains("812.34") && !told.contains("C-2"),
        "{told}"
    );
}

#[tokio::test]
async fn a_withheld_order_is_not_fetched_again() {
    let desk = Desk::open(Nature::Deduplicates, &[Step::Returns(order("C-2"))]).await;
    desk.call("lookup_order", json!({ "order_id": "ORD-7" }))
        .await;
    desk.then(Step::Returns(order("C-2")));
    let again = desk
        .call("lookup_order", json!({ "order_id": "ORD-7" }))
        .await;
    assert_eq!(again.word(), "denied", "{again:?}");
}

#[tokio::test]
async fn a_result_without_an_owner_belongs_to_nobody() {
    let mut unowned = order("C-1");
    unowned.as_object_mut().unwrap().remove("customer_id");
    let desk = Desk::open(Nature::Deduplicates, &[Step::Returns(unowned)]).await;
    let outcome = desk
        .call("lookup_order", json!({ "order_id": "ORD-7" }))
        .await;
    assert_eq!(outcome.word(), "withheld");
}

#[tokio::test]
async fn an_own_order_found_by_its_number_matches_the_claimed_customer() {
    let desk = Desk::open(Nature::Deduplicates, &[]).await;
    let case = desk
        .store
        .case_of_session("demo", "another")
        .await
        .unwrap()
        .id;
    desk.store
        .identify(&case, "C-1", Level::Claimed)
        .await
        .unwrap();
    desk.then(Step::Returns(order("C-1")));
    let mut request = desk.request("lookup_order", json!({ "order_id": "ORD-7" }));
    request.case.clone_from(&case);
    assert_eq!(desk.dispatcher.call(request).await.unwrap().word(), "ok");
    let identity = desk
        .store
        .case("demo", &case)
        .await
        .unwrap()
        .unwrap()
        .identity;
    assert_eq!(identity.level, Level::Matched);
}

#[tokio::test]
async fn private_fields_wait_for_a_matched_identity() {
    let desk = Desk::open(Nature::Deduplicates, &[]).await;
    let case = desk
        .store
        .case_of_session("demo", "another")
        .await
        .unwrap()
        .id;
    desk.then(Step::Returns(
        json!({ "id": "C-1", "name": "Sarah", "email": "s@example.com", "phone": "+1 555 0100" }),
    ));
    let mut request = desk.request("get_customer", json!({ "email": "s@example.com" }));
    request.case = case;
    let Outcome::Done { output, .. } = desk.dispatcher.call(request).await.unwrap() else {
        panic!()
    };
    assert_eq!(output["name"], "Sarah");
    assert_eq!(output.get("phone"), None);
}
