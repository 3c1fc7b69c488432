//! Bad input gets one clear answer and changes nothing; the token guards writes; the journal sees everything.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::shop::{Shop, TOKEN, answer, refund_of, usd};

#[tokio::test]
async fn writes_need_the_token_and_reads_do_not() {
    let shop = Shop::open().await;
    let body = refund_of("ORD-8842", 4999);
    for wrong in ["", "Bearer ", "Bearer nonsense", "Basic dXNlcg==", TOKEN] {
        let request = shop
            .bare(Method::POST, "/refunds")
            .header("authorization", wrong)
            .json(&body);
        assert_eq!(
            answer(request.send().await.unwrap()).await.refusal(),
            (401, "unauthorized"),
            "{wrong}"
        );
    }
    for (method, path) in [
        (Method::PATCH, "/customers/C-1001"),
        (Method::POST, "/orders/ORD-9102/cancel"),
        (Method::POST, "/escalations"),
        (Method::PATCH, "/contacts/CT-101"),
        (Method::POST, "/_control/faults"),
        (Method::DELETE, "/_control/faults"),
        (Method::GET, "/_control/requests"),
        (Method::DELETE, "/_control/requests"),
    ] {
        let refused = shop
            .bare(method.clone(), path)
            .json(&json!({}))
            .send()
            .await
            .unwrap();
        assert_eq!(refused.status(), 401, "{method} {path}");
    }
    assert_eq!(shop.refunds_of("ORD-8842").await, 0);
    assert_eq!(shop.get("/orders/ORD-9102").await.body["status"], "pending");
}

#[tokio::test]
async fn amounts_that_cannot_be_paid_are_refused() {
    let shop = Shop::open().await;
    let refund =
        |amount: Value| json!({ "order_id": "ORD-8842", "amount": amount, "reason": "broken" });
    let over_i64: Value =
        serde_json::from_str("{\"minor\": 99999999999999999999, \"currency\": \"USD\"}").unwrap();
    for amount in [
        usd(0),
        usd(-4999),
        usd(i64::MAX),
        usd(i64::MIN),
        over_i64,
        json!({ "minor": 49.99, "currency": "USD" }),
        json!({ "minor": "4999", "currency": "USD" }),
        json!({ "minor": 4999 }),
        json!({ "minor": 4999, "currency": "usd" }),
        json!({ "minor": 4999, "currency": "DOLLAR" }),
        json!("49.99"),
        Value::Null,
    ] {
        assert_eq!(
            shop.post("/refunds", &refund(amount.clone()))
                .await
                .refusal(),
            (400, "invalid"),
            "{amount}"
        );
        let credit = json!({ "customer_id": "C-1001", "amount": amount, "reason": "sorry" });
        assert_eq!(
            shop.post("/credits", &credit).await.refusal(),
            (400, "invalid"),
            "{amount}"
        );
    }
    let wrong_currency = shop
        .post(
            "/refunds",
            &refund(json!({ "minor": 4999, "currency": "EUR" })),
        )
        .await;
    assert_eq!(wrong_currency.refusal(), (422, "not_eligible"));
    assert_eq!(shop.refunds_of("ORD-8842").await, 0);
    assert_eq!(
        shop.get("/credits?customer_id=C-1001").await.body["credits"],
        json!([])
    );
}

#[tokio::test]
async fn unknown_and_odd_ids_are_not_found() {
    let shop = Shop::open().await;
    let endless = "9".repeat(10_000);
    for id in [
        "ORD-0000",
        "%00",
        "%0d%0a",
        "%ff%fe",
        "..%2f..",
        "%F0%9F%92%A9",
        "ORD-8842'--",
        "%20",
        &endless,
    ] {
        for resource in [
            "orders",
            "customers",
            "tickets",
            "articles",
            "escalations",
            "conversations",
        ] {
            assert_eq!(
                shop.get(&format!("/{resource}/{id}")).await.refusal(),
                (404, "not_found"),
                "{resource} {id}"
            );
        }
        let cancel = shop
            .post(&format!("/orders/{id}/cancel"), &json!({ "reason": "x" }))
            .await;
        assert_eq!(cancel.refusal(), (404, "not_found"), "{id}");
    }
    assert_eq!(
        shop.post("/refunds", &refund_of("ORD-\u{0}", 1))
            .await
            .refusal(),
        (404, "not_found")
    );
    assert_eq!(shop.get("/nowhere").await.refusal(), (404, "not_found"));
    assert_eq!(
        shop.post("/orders/ORD-8842", &json!({})).await.refusal(),
        (405, "method_not_allowed")
    );
}

#[tokio::test]
async fn bodies_that_are_no_such_json_are_refused() {
    let shop = Shop::open().await;
    for body in [
        &b""[..],
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{\"order_id\":\"ORD-8842\"}",
        b"{\"unknown\":1}",
    ] {
        let request = shop
            .bare(Method::POST, "/refunds")
            .bearer_auth(TOKEN)
            .body(body);
        assert_eq!(
            answer(request.send().await.unwrap()).await.refusal(),
            (400, "invalid"),
            "{body:?}"
        );
    }
    for (path, body) in [
        (
            "/tickets",
            json!({ "subject": " ", "description": "x", "priority": "normal" }),
        ),
        (
            "/tickets",
            json!({ "subject": "x", "description": "x", "priority": "P9" }),
        ),
        (
            "/tickets",
            json!({ "subject": "x\ny", "description": "x", "priority": "low" }),
        ),
        (
            "/escalations",
            json!({ "reason": "x", "priority": "P4", "team": "legal", "summary": "x" }),
        ),
        (
            "/refunds",
            json!({ "order_id": "ORD-8842", "amount": usd(1), "reason": "x".repeat(20_001) }),
        ),
        ("/conversations/CV-501/assign", json!({})),
        (
            "/conversations/CV-501/assign",
            json!({ "admin_id": "a", "team_id": "b" }),
        ),
    ] {
        assert_eq!(
            shop.post(path, &body).await.refusal(),
            (400, "invalid"),
            "{path} {body}"
        );
    }
    for email in [
        "",
        "sarah",
        "@example.com",
        "a@b",
        "a b@example.com",
        "a@b@c.com",
    ] {
        let refused = shop
            .patch("/customers/C-1001", &json!({ "email": email }))
            .await;
        assert_eq!(refused.refusal(), (400, "invalid"), "{email}");
    }
    assert_eq!(shop.refunds_of("ORD-8842").await, 0);
}

#[tokio::test]
async fn a_body_over_one_megabyte_is_too_large() {
    let shop = Shop::open().await;
    for size in [1024 * 1024 + 1, 5 * 1024 * 1024] {
        let request = shop
            .bare(Method::POST, "/refunds")
            .bearer_auth(TOKEN)
            .body(vec![b' '; size]);
        assert_eq!(
            answer(request.send().await.unwrap()).await.refusal(),
            (413, "too_large"),
            "{size}"
        );
    }
    assert_eq!(shop.get("/healthz").await.body, json!({ "status": "ok" }));
}

#[tokio::test]
async fn parameters_are_checked() {
    let shop = Shop::open().await;
    for path in [
        "/customers",
        "/shipments",
        "/articles/search",
        "/articles/search?q=blender&limit=0",
        "/articles/search?q=blender&limit=51",
        "/articles/search?q=blender&limit=many",
        "/contacts?query=",
    ] {
        assert_eq!(shop.get(path).await.refusal(), (400, "invalid"), "{path}");
    }
}

#[tokio::test]
async fn the_journal_tells_what_was_asked_and_how() {
    let shop = Shop::open().await;
    shop.get("/customers?email=sarah%40example.com").await;
    shop.refund("key-1").await.unwrap();
    shop.bare(Method::POST, "/credits")
        .body("no json")
        .send()
        .await
        .unwrap();
    let seen = shop.seen().await;
    let told: Vec<Value> = seen
        .iter()
        .map(|entry| {
            json!([
                entry["seq"],
                entry["method"],
                entry["path"],
                entry["query"],
                entry["idempotency_key"],
                entry["authorized"],
                entry["body"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!([
                1,
                "GET",
                "/customers",
                "email=sarah%40example.com",
                null,
                false,
                null
            ]),
            json!([
                2,
                "POST",
                "/refunds",
                null,
                "key-1",
                true,
                refund_of("ORD-8842", 4999)
            ]),
            json!([3, "POST", "/credits", null, null, false, "no json"]),
        ]
    );
    let cleared = shop
        .bare(Method::DELETE, "/_control/requests")
        .bearer_auth(TOKEN)
        .send()
        .await
        .unwrap();
    assert_eq!(cleared.status(), StatusCode::NO_CONTENT);
    shop.get("/healthz").await;
    let seen = shop.seen().await;
    assert_eq!((seen.len(), &seen[0]["seq"]), (1, &json!(4)));
}
