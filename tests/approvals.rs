//! What supervisors answer: by keys of their own, for another amount, and never past the rules.

use serde_json::{Value, json};

use crate::desk::{Answer, Desk, STAFF_KEYS};

/// Marcus' mixer is 289.00, above the limit: his refund waits for a supervisor.
async fn waiting() -> (Desk, String) {
    let desk = Desk::open().await;
    desk.customer("s")
        .says("marcus.bell@example.com, ORD-9001 is broken, refund please")
        .await;
    let id = desk.approvals().await[0]["id"].as_str().unwrap().to_owned();
    (desk, id)
}

fn key_of(name: &str) -> &'static str {
    let mut entries = STAFF_KEYS.split(' ');
    let entry = entries.find(|entry| entry.starts_with(name)).unwrap();
    entry.rsplit(':').next().unwrap()
}

async fn answer(desk: &Desk, id: &str, key: &str, body: Value) -> Answer {
    let request = desk.http.post(desk.url(&format!("/api/approvals/{id}")));
    Answer::of(request.bearer_auth(key).json(&body).send().await.unwrap()).await
}

#[tokio::test]
async fn a_supervisor_grants_less_than_was_asked() {
    let (desk, id) = waiting().await;
    let body = json!({ "decision": "grant", "amount": "120.50" });
    let granted = answer(&desk, &id, key_of("dana"), body.clone()).await;
    assert_eq!(granted.status, 200, "{granted:?}");
    assert_eq!(granted.body["state"], "granted");
    assert_eq!(granted.body["result"]["outcome"], "ok");
    assert_eq!(desk.shop.refunds("ORD-9001").await, [12_050]);
    assert_eq!(answer(&desk, &id, key_of("ravi"), body).await.status, 409);
    assert_eq!(desk.shop.refunds("ORD-9001").await, [12_050]);
}

#[tokio::test]
async fn an_amount_that_cannot_be_paid_leaves_the_question_where_it_was() {
    let (desk, id) = waiting().await;
    for (amount, status) in [
        ("289.01", 200),
        ("0.00", 200),
        ("-5.00", 200),
        ("a lot", 400),
        ("12.345", 400),
        ("", 400),
    ] {
        let body = json!({ "decision": "grant", "amount": amount });
        let refused = answer(&desk, &id, key_of("dana"), body).await;
        assert_eq!(refused.status, status, "{amount}: {refused:?}");
        if status == 200 {
            assert_eq!(refused.body["state"], "pending", "{amount}: {refused:?}");
            assert_eq!(refused.body["result"]["outcome"], "denied", "{amount}");
        }
    }
    let odd = json!({ "decision": "deny", "amount": "1.00" });
    assert_eq!(answer(&desk, &id, key_of("dana"), odd).await.status, 400);
    desk.shop.saw_no_write().await;
    assert_eq!(desk.approvals().await.len(), 1);
    let whole = answer(&desk, &id, key_of("ravi"), json!({ "decision": "grant" })).await;
    assert_eq!(whole.body["result"]["outcome"], "ok", "{whole:?}");
    assert_eq!(desk.shop.refunds("ORD-9001").await, [28_900]);
}
