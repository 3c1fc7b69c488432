//! Faults do what they say, to the requests they are meant for, as often as they say.

use reqwest::{Method, Response};
use serde_json::json;

use crate::shop::{Shop, TOKEN, answer, refund_of};

#[tokio::test]
async fn act_then_drop_pays_once_and_says_nothing() {
    let shop = Shop::open().await;
    shop.arm(json!({ "method": "POST", "path_prefix": "/refunds", "times": 1, "fault": { "kind": "act_then_drop" } })).await;
    let dropped = shop.refund("key-1").await.unwrap_err();
    assert!(!dropped.is_status() && !dropped.is_timeout(), "{dropped:?}");
    assert_eq!(shop.refunds_of("ORD-8842").await, 1);
    assert!(shop.refund("key-1").await.unwrap().replayed);
    assert_eq!(shop.refunds_of("ORD-8842").await, 1);
}

#[tokio::test]
async fn drop_before_pays_nothing() {
    let shop = Shop::open().await;
    shop.arm(json!({ "path_prefix": "/refunds", "times": 1, "fault": { "kind": "drop_before" } }))
        .await;
    assert!(shop.refund("key-1").await.is_err());
    assert_eq!(shop.refunds_of("ORD-8842").await, 0);
    assert!(!shop.refund("key-1").await.unwrap().replayed);
}

#[tokio::test]
async fn a_dropped_answer_is_not_a_single_byte() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let shop = Shop::open().await;
    shop.arm(json!({ "times": 1, "fault": { "kind": "act_then_drop" } }))
        .await;
    let mut stream = tokio::net::TcpStream::connect(shop.addr()).await.unwrap();
    stream
        .write_all(b"GET /orders/ORD-8842 HTTP/1.1\r\nhost: shop\r\n\r\n")
        .await
        .unwrap();
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.unwrap();
    assert!(heard.is_empty(), "{}", String::from_utf8_lossy(&heard));
}

#[tokio::test]
async fn a_status_fault_answers_so_and_does_not_act() {
    let shop = Shop::open().await;
    shop.arm(json!({ "method": "post", "times": 2, "fault": { "kind": "status", "status": 429, "retry_after": 7 } })).await;
    for _ in 0..2 {
        let answer = shop.refund("key-1").await.unwrap();
        assert_eq!(answer.refusal(), (429, "rate_limited"));
        assert_eq!(answer.retry_after.as_deref(), Some("7"));
    }
    assert_eq!(shop.refunds_of("ORD-8842").await, 0);
    assert_eq!(shop.refund("key-1").await.unwrap().status, 201);
}

#[tokio::test]
async fn faults_spare_other_methods_and_paths() {
    let shop = Shop::open().await;
    shop.arm(json!({ "method": "POST", "path_prefix": "/refunds", "times": 5, "fault": { "kind": "status", "status": 500 } })).await;
    assert_eq!(shop.get("/refunds").await.status, 200);
    let credit = json!({ "customer_id": "C-1001", "amount": { "minor": 500, "currency": "USD" }, "reason": "sorry" });
    assert_eq!(shop.post("/credits", &credit).await.status, 201);
    assert_eq!(shop.refund("").await.unwrap().refusal(), (500, "injected"));
}

#[tokio::test]
async fn disarming_ends_all_faults() {
    let shop = Shop::open().await;
    shop.arm(json!({ "times": 100, "fault": { "kind": "status", "status": 503 } }))
        .await;
    assert_eq!(shop.get("/healthz").await.status, 503);
    let cleared = shop
        .bare(Method::DELETE, "/_control/faults")
        .bearer_auth(TOKEN)
        .send()
        .await
        .unwrap();
    assert_eq!(cleared.status(), 204);
    assert_eq!(shop.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn while_a_slow_request_is_in_progress_its_key_conflicts() {
    let shop = Shop::open().await;
    shop.arm(json!({ "method": "POST", "times": 1, "fault": { "kind": "delay", "ms": 600_000 } }))
        .await;
    let slow = tokio::spawn(sarahs_refund(&shop));
    until_disarmed(&shop).await;
    assert_eq!(
        shop.refund("key-1").await.unwrap().refusal(),
        (409, "conflict")
    );
    assert_eq!(shop.refunds_of("ORD-8842").await, 0);
    // A shutdown does not wait ten minutes, and the request that it cuts short has not acted.
    let shop = shop.reopen().await;
    assert!(slow.await.unwrap().is_err());
    assert_eq!(shop.refunds_of("ORD-8842").await, 0);
}

#[tokio::test]
async fn a_late_answer_comes_after_the_effect_and_its_key_replays_meanwhile() {
    let shop = Shop::open().await;
    shop.arm(json!({ "method": "POST", "times": 1, "fault": { "kind": "act_then_delay", "ms": 600_000 } })).await;
    let late = tokio::spawn(sarahs_refund(&shop));
    until_refunded(&shop).await;
    while shop.refund("key-1").await.unwrap().status == 409 {
        tokio::task::yield_now().await;
    }
    assert!(shop.refund("key-1").await.unwrap().replayed);
    assert!(!late.is_finished());
    assert_eq!(shop.refunds_of("ORD-8842").await, 1);
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_stop_the_payment() {
    let shop = Shop::open().await;
    shop.arm(json!({ "method": "POST", "times": 1, "fault": { "kind": "delay", "ms": 300 } }))
        .await;
    let impatient = tokio::spawn(sarahs_refund(&shop));
    until_disarmed(&shop).await;
    impatient.abort();
    assert!(impatient.await.unwrap_err().is_cancelled());
    until_refunded(&shop).await;
}

#[tokio::test]
async fn nonsense_faults_are_refused() {
    let shop = Shop::open().await;
    for fault in [
        json!({}),
        json!({ "times": 0, "fault": { "kind": "drop_before" } }),
        json!({ "times": 1, "fault": { "kind": "explode" } }),
        json!({ "times": 1, "fault": { "kind": "status", "status": 200 } }),
        json!({ "times": 1, "fault": { "kind": "delay", "ms": 10_000_000 } }),
        json!({ "times": 1, "fault": { "kind": "delay" } }),
        json!({ "times": 1, "path": "/refunds", "fault": { "kind": "drop_before" } }),
    ] {
        assert_eq!(
            shop.post("/_control/faults", &fault).await.refusal(),
            (400, "invalid"),
            "{fault}"
        );
    }
    assert_eq!(shop.get("/healthz").await.status, 200);
}

/// A request for Sarah's refund under `key-1`, to be sent beside the test.
fn sarahs_refund(shop: &Shop) -> impl Future<Output = reqwest::Result<Response>> + use<> {
    let request = shop.bare(Method::POST, "/refunds").bearer_auth(TOKEN);
    request
        .header("Idempotency-Key", "key-1")
        .json(&refund_of("ORD-8842", 4999))
        .send()
}

async fn until_refunded(shop: &Shop) {
    while shop.refunds_of("ORD-8842").await == 0 {
        tokio::task::yield_now().await;
    }
}

/// Returns once every armed fault has met its request.
async fn until_disarmed(shop: &Shop) {
    loop {
        let armed = shop
            .bare(Method::GET, "/_control/faults")
            .bearer_auth(TOKEN)
            .send();
        if answer(armed.await.unwrap()).await.body["faults"] == json!([]) {
            return;
        }
        tokio::task::yield_now().await;
    }
}
