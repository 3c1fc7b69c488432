//! One key, one effect: replayed, refused for another request, raced, and remembered across a restart.

use reqwest::Method;
use serde_json::json;

use crate::shop::{Shop, TOKEN, refund_of};

#[tokio::test]
async fn the_same_request_again_is_answered_again_and_pays_once() {
    let shop = Shop::open().await;
    let first = shop.refund("key-1").await.unwrap();
    let again = shop.refund("key-1").await.unwrap();
    assert_eq!((first.status.as_u16(), first.replayed), (201, false));
    assert_eq!((again.status.as_u16(), again.replayed), (201, true));
    assert_eq!(first.body, again.body);
    assert_eq!(shop.refunds_of("ORD-8842").await, 1);
}

#[tokio::test]
async fn a_key_stands_for_one_request_only() {
    let shop = Shop::open().await;
    shop.refund("key-1").await.unwrap();
    let other_body = shop
        .send(
            Method::POST,
            "/refunds",
            "key-1",
            &refund_of("ORD-8842", 100),
        )
        .await
        .unwrap();
    let other_path = shop
        .send(
            Method::POST,
            "/credits",
            "key-1",
            &refund_of("ORD-8842", 4999),
        )
        .await
        .unwrap();
    assert_eq!(other_body.refusal(), (422, "key_reuse"));
    assert_ne!(other_path.status, 201);
    assert_eq!(shop.refunds_of("ORD-8842").await, 1);

    let ticket = json!({ "subject": "Hello", "description": "Hello", "priority": "normal" });
    let other_resource = shop
        .send(Method::POST, "/tickets", "key-1", &ticket)
        .await
        .unwrap();
    assert_eq!(other_resource.refusal(), (422, "key_reuse"));
}

#[tokio::test]
async fn without_a_key_every_request_pays() {
    let shop = Shop::open().await;
    shop.refund("").await.unwrap();
    shop.refund("").await.unwrap();
    assert_eq!(shop.refunds_of("ORD-8842").await, 2);
}

#[tokio::test]
async fn a_shop_that_requires_keys_refuses_without_one() {
    let shop = Shop::open_with(|options| options.require_idempotency_key = true).await;
    assert_eq!(shop.refund("").await.unwrap().refusal(), (400, "invalid"));
    assert_eq!(shop.refunds_of("ORD-8842").await, 0);
    assert_eq!(shop.refund("key-1").await.unwrap().status, 201);
}

#[tokio::test]
async fn unusable_keys_are_refused() {
    let shop = Shop::open().await;
    let too_long = "k".repeat(256);
    for key in [" ", too_long.as_str()] {
        let request = shop
            .bare(Method::POST, "/refunds")
            .bearer_auth(TOKEN)
            .header("Idempotency-Key", key);
        let response = request
            .json(&refund_of("ORD-8842", 4999))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 400, "{key:?}");
    }
    assert_eq!(shop.refunds_of("ORD-8842").await, 0);
}

#[tokio::test]
async fn racing_requests_with_one_key_act_once() {
    let shop = Shop::open().await;
    let racers: Vec<_> = (0..16).map(|_| shop.refund("key-1")).collect();
    let mut fresh = 0;
    for racer in join_all(racers).await {
        match (racer.status.as_u16(), racer.replayed) {
            (201, false) => fresh += 1,
            (201, true) => {}
            _ => assert_eq!(racer.refusal(), (409, "conflict")),
        }
    }
    assert_eq!(fresh, 1);
    assert_eq!(shop.refunds_of("ORD-8842").await, 1);
}

#[tokio::test]
async fn racing_requests_with_their_own_keys_all_act() {
    let shop = Shop::open().await;
    let keys: Vec<String> = (0..16).map(|number| format!("key-{number}")).collect();
    let answers = join_all(keys.iter().map(|key| shop.refund(key)).collect()).await;
    assert!(answers.iter().all(|answer| answer.status == 201));
    assert_eq!(shop.refunds_of("ORD-8842").await, 16);
}

#[tokio::test]
async fn a_refused_request_does_not_use_its_key_up() {
    let shop = Shop::open().await;
    let cancel = json!({ "reason": "too late" });
    let refused = shop
        .send(Method::POST, "/orders/ORD-8842/cancel", "key-1", &cancel)
        .await
        .unwrap();
    assert_eq!(refused.refusal(), (422, "not_eligible"));
    assert_eq!(shop.refund("key-1").await.unwrap().status, 201);
}

#[tokio::test]
async fn effects_and_keys_outlive_a_restart() {
    let shop = Shop::open().await;
    let first = shop.refund("key-1").await.unwrap();
    let shop = shop.reopen().await;
    assert_eq!(shop.refunds_of("ORD-8842").await, 1);
    let again = shop.refund("key-1").await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.body, first.body);
    assert_eq!(shop.refunds_of("ORD-8842").await, 1);
}

async fn join_all(
    requests: Vec<impl Future<Output = reqwest::Result<crate::shop::Answer>>>,
) -> Vec<crate::shop::Answer> {
    futures::future::try_join_all(requests).await.unwrap()
}
