//! Every bad input gets one clear message that says what to do, a proper status, and changes nothing.

use reqwest::header::{CONTENT_TYPE, HOST};
use serde_json::{Value, json};

use crate::desk::{Answer, Desk};

/// The message of an error answer; it must say something.
fn message(answer: &Answer) -> String {
    let body = &answer.body;
    let text = body["error"]["message"]
        .as_str()
        .or_else(|| body["message"].as_str());
    let text = text.unwrap_or_else(|| panic!("no message: {answer:?}"));
    assert!(text.len() > 10, "{text:?} says too little");
    text.to_owned()
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "a table, a row for each way of being wrong"
)]
async fn arguments_that_do_not_fit_name_the_field() {
    let desk = Desk::open().await;
    desk.know_sarah("c").await;
    desk.shop.forget_requests().await;
    let money = |amount: Value, currency: &str| {
        json!({ "order_id": "ORD-8842", "reason": "x",
        "amount": { "amount": amount, "currency": currency } })
    };
    for (tool, arguments, field) in [
        ("process_refund", json!({}), "/order_id"),
        (
            "process_refund",
            json!({ "order_id": 8842, "reason": "x" }),
            "/order_id",
        ),
        (
            "process_refund",
            json!({ "order_id": "ORD-8842", "amount": "49.99", "reason": "x" }),
            "/amount",
        ),
        ("process_refund", money(json!(49.99), "USD"), "/amount"),
        ("process_refund", money(json!("49.999"), "USD"), "/amount"),
        ("process_refund", money(json!("1e3"), "USD"), "/amount"),
        (
            "process_refund",
            money(json!("99999999999999999999"), "USD"),
            "/amount",
        ),
        (
            "process_refund",
            money(json!("49.99"), "US Dollars"),
            "/amount",
        ),
        ("process_refund", money(json!("49.99"), "ZZZ"), "/amount"),
        (
            "lookup_order",
            json!({ "order_id": "ORD\u{7}8842" }),
            "/order_id",
        ),
        (
            "lookup_order",
            json!({ "order_id": "X".repeat(10_000) }),
            "/order_id",
        ),
        ("lookup_order", json!({ "order_id": "" }), "/order_id"),
        (
            "lookup_order",
            json!({ "order_id": "ORD-8842", "as_admin": true }),
            "/as_admin",
        ),
        (
            "lookup_order",
            json!({ "order_id": "ORD-8842", "customer_id": "C-1002" }),
            "/customer_id",
        ),
        (
            "get_customer_orders",
            json!({ "customer_id": "C-1002" }),
            "/customer_id",
        ),
        (
            "get_customer",
            json!({ "email": "not an address" }),
            "/email",
        ),
        (
            "create_ticket",
            json!({ "subject": "s", "description": "d", "priority": "soonish" }),
            "/priority",
        ),
    ] {
        let answer = desk.tool("c", tool, arguments.clone()).await;
        assert_eq!(answer.status, 400, "{tool} {arguments}: {answer:?}");
        let violations = answer.body["violations"].as_array().unwrap();
        let names: Vec<_> = violations
            .iter()
            .map(|v| v["field"].as_str().unwrap())
            .collect();
        assert!(
            names.iter().any(|name| name.starts_with(field)),
            "{tool} {arguments}: {names:?}"
        );
        assert!(
            violations
                .iter()
                .all(|v| !v["message"].as_str().unwrap().is_empty())
        );
    }
    assert_eq!(desk.shop.requests().await, Vec::<Value>::new());
}

#[tokio::test]
async fn bodies_that_are_no_request_are_refused() {
    let desk = Desk::open().await;
    let send = |body: Vec<u8>| {
        desk.http
            .post(desk.url("/api/chat"))
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .send()
    };
    for (name, body, status) in [
        ("nothing", vec![], 400),
        ("no JSON", b"{\"session_id\": ".to_vec(), 400),
        (
            "no UTF-8",
            b"{\"session_id\": \"s\", \"message\": \"\xff\xfe\"}".to_vec(),
            400,
        ),
        ("a list", b"[]".to_vec(), 400),
        ("no message", b"{\"session_id\": \"s\"}".to_vec(), 400),
        (
            "a wrong type",
            b"{\"session_id\": 7, \"message\": \"hi\"}".to_vec(),
            400,
        ),
        (
            "an unknown key",
            b"{\"session_id\": \"s\", \"message\": \"hi\", \"role\": \"admin\"}".to_vec(),
            400,
        ),
        (
            "an empty message",
            b"{\"session_id\": \"s\", \"message\": \"  \"}".to_vec(),
            400,
        ),
        (
            "an empty session",
            b"{\"session_id\": \"\", \"message\": \"hi\"}".to_vec(),
            400,
        ),
        (
            "a message of 1 MB",
            json!({ "session_id": "s", "message": "a".repeat(1_000_000) })
                .to_string()
                .into(),
            413,
        ),
        ("a body of 5 MB", vec![b' '; 5_000_000], 413),
    ] {
        let answer = Answer::of(send(body).await.unwrap()).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        message(&answer);
    }
    assert_eq!(desk.shop.requests().await, Vec::<Value>::new());
    let reply = desk.customer("s").says("hello").await;
    assert_eq!(
        reply.status(),
        "open",
        "the session is as if nothing had been said: {reply:?}"
    );
}

#[tokio::test]
async fn what_does_not_exist_is_said_plainly() {
    let desk = Desk::open().await;
    for (answer, status) in [
        (desk.tool("c", "delete_everything", json!({})).await, 404),
        (
            desk.post("/api/chat/reset", json!({ "session_id": "never-seen" }))
                .await,
            404,
        ),
        (desk.get("/nothing/here").await, 404),
        (desk.get("/api/chat").await, 405),
        (desk.get("/faq/search").await, 400),
        (desk.get("/customers/C-4711").await, 404),
        (
            desk.approve(&json!({ "id": "no-such-approval" }), "grant")
                .await,
            404,
        ),
    ] {
        assert_eq!(answer.status, status, "{answer:?}");
        message(&answer);
    }
    desk.shop.saw_no_write().await;
}

#[tokio::test]
async fn approvals_are_for_those_who_hold_the_key() {
    let desk = Desk::open().await;
    desk.customer("s")
        .says("marcus.bell@example.com, ORD-9001 is broken, refund please")
        .await;
    let id = desk.approvals().await[0]["id"].as_str().unwrap().to_owned();
    for token in ["", "wrong", "operator-key-of-the-tests-012345678"] {
        let request = desk
            .http
            .post(desk.url(&format!("/api/approvals/{id}")))
            .bearer_auth(token);
        let answer = Answer::of(
            request
                .json(&json!({ "decision": "grant" }))
                .send()
                .await
                .unwrap(),
        )
        .await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    desk.shop.saw_no_write().await;
}

#[tokio::test]
async fn a_page_of_another_site_cannot_reach_the_desk_by_a_name_of_its_own() {
    let desk = Desk::open().await;
    let body = json!({ "session_id": "s", "message": "hi" });
    let request = desk
        .http
        .post(desk.url("/api/chat"))
        .header(HOST, "evil.example")
        .json(&body);
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert!((400..500).contains(&answer.status), "{answer:?}");
    message(&answer);
}
