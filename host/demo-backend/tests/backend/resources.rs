//! What each resource does when it is used as it is meant to be.

use serde_json::{Value, json};

use crate::shop::{Shop, refund_of, usd};

#[tokio::test]
async fn customers_are_found_by_email_whatever_its_capitals_and_changed() {
    let shop = Shop::open().await;
    let sarah = shop.get("/customers/C-1001").await.body;
    assert_eq!(
        shop.get("/customers?email=SARAH%40Example.com").await.body,
        json!({ "customers": [sarah] })
    );
    assert_eq!(
        shop.get("/customers?email=nobody%40example.com").await.body,
        json!({ "customers": [] })
    );

    let taken = shop
        .patch(
            "/customers/C-1001",
            &json!({ "email": "Marcus.Bell@example.com" }),
        )
        .await;
    assert_eq!(taken.refusal(), (422, "not_eligible"));
    let changed = shop
        .patch(
            "/customers/C-1001",
            &json!({ "email": "sarah.m@example.com" }),
        )
        .await
        .body;
    assert_eq!(
        (&changed["email"], &changed["phone"]),
        (&json!("sarah.m@example.com"), &sarah["phone"])
    );
    assert_eq!(
        shop.get("/customers?email=sarah%40example.com").await.body,
        json!({ "customers": [] })
    );
    assert_eq!(
        shop.get("/customers?email=sarah.m%40example.com")
            .await
            .body["customers"][0]["id"],
        "C-1001"
    );
}

#[tokio::test]
async fn an_order_is_cancelled_only_until_it_is_shipped() {
    let shop = Shop::open().await;
    for (order, refundable) in [("ORD-9102", false), ("ORD-9110", true)] {
        let cancelled = shop
            .post(
                &format!("/orders/{order}/cancel"),
                &json!({ "reason": "changed my mind" }),
            )
            .await;
        assert_eq!(
            (cancelled.status.as_u16(), &cancelled.body["status"]),
            (200, &json!("cancelled"))
        );
        assert_eq!(cancelled.body["refund_eligible"], refundable, "{order}");
        assert_eq!(
            shop.get(&format!("/orders/{order}")).await.body,
            cancelled.body
        );
    }
    for order in ["ORD-8901", "ORD-8842", "ORD-8850", "ORD-8580", "ORD-9110"] {
        let before = shop.get(&format!("/orders/{order}")).await.body;
        let refused = shop
            .post(
                &format!("/orders/{order}/cancel"),
                &json!({ "reason": "too late" }),
            )
            .await;
        assert_eq!(refused.refusal(), (422, "not_eligible"), "{order}");
        assert_eq!(shop.get(&format!("/orders/{order}")).await.body, before);
    }
}

#[tokio::test]
async fn refunds_add_up_and_end_eligibility_but_are_never_prevented() {
    let shop = Shop::open().await;
    let part = shop.post("/refunds", &refund_of("ORD-8842", 1000)).await;
    assert_eq!(
        (part.status.as_u16(), &part.body["status"]),
        (201, &json!("succeeded"))
    );
    let order = shop.get("/orders/ORD-8842").await.body;
    assert_eq!(
        (&order["refunded"], &order["refund_eligible"]),
        (&usd(1000), &json!(true))
    );
    assert_eq!(
        order["refund_note"],
        "10.00 USD of 49.99 USD has been refunded already"
    );

    shop.post("/refunds", &refund_of("ORD-8842", 3999)).await;
    let order = shop.get("/orders/ORD-8842").await.body;
    assert_eq!(
        (&order["refunded"], &order["refund_eligible"]),
        (&usd(4999), &json!(false))
    );
    assert_eq!(order["refund_note"], "already refunded: 49.99 USD");

    assert_eq!(
        shop.post("/refunds", &refund_of("ORD-8842", 100_000))
            .await
            .status,
        201
    );
    let refunds = shop.get("/refunds?order_id=ORD-8842").await.body["refunds"].clone();
    let amounts: Vec<_> = refunds
        .as_array()
        .unwrap()
        .iter()
        .map(|refund| refund["amount"]["minor"].clone())
        .collect();
    assert_eq!(amounts, [1000, 3999, 100_000]);
    assert!(
        shop.get("/refunds").await.body["refunds"]
            .as_array()
            .unwrap()
            .len()
            > 3
    );
}

#[tokio::test]
async fn a_return_has_a_label_that_can_be_printed() {
    let shop = Shop::open().await;
    let wanted = json!({ "order_id": "ORD-8842", "reason": "broken" });
    let made = shop.post("/returns", &wanted).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let url = made.body["label_url"].as_str().unwrap();
    let label = reqwest::get(url).await.unwrap();
    assert_eq!(label.headers()["content-type"], "image/svg+xml");
    assert!(
        label
            .text()
            .await
            .unwrap()
            .contains(made.body["tracking_number"].as_str().unwrap())
    );
    assert_eq!(
        shop.get("/returns?order_id=ORD-8842").await.body,
        json!({ "returns": [made.body] })
    );
    for order in ["ORD-9102", "ORD-9110", "ORD-8850", "ORD-8580", "ORD-8790"] {
        let refused = shop
            .post(
                "/returns",
                &json!({ "order_id": order, "reason": "broken" }),
            )
            .await;
        assert_eq!(refused.refusal(), (422, "not_eligible"), "{order}");
    }
}

#[tokio::test]
async fn credits_are_booked_on_accounts_that_exist() {
    let shop = Shop::open().await;
    let credit =
        |customer: &str| json!({ "customer_id": customer, "amount": usd(500), "reason": "sorry" });
    let booked = shop.post("/credits", &credit("C-1001")).await;
    assert_eq!(booked.status, 201);
    assert_eq!(
        shop.post("/credits", &credit("C-9999")).await.refusal(),
        (404, "not_found")
    );
    assert_eq!(
        shop.get("/credits?customer_id=C-1001").await.body,
        json!({ "credits": [booked.body] })
    );
}

#[tokio::test]
async fn tickets_move_and_collect_notes() {
    let shop = Shop::open().await;
    let wanted = json!({ "customer_id": "C-1001", "subject": "Broken blender", "description": "It arrived broken.", "priority": "high" });
    let made = shop.post("/tickets", &wanted).await;
    assert_eq!(
        (made.status.as_u16(), &made.body["id"], &made.body["status"]),
        (201, &json!("T-1001"), &json!("open"))
    );
    let wanted = json!({ "status": "pending", "assignee": "nina", "note": "Asked for a photo." });
    let changed = shop.patch("/tickets/T-1001", &wanted).await.body;
    assert_eq!(
        (&changed["status"], &changed["priority"]),
        (&json!("pending"), &json!("high"))
    );
    let texts: Vec<_> = changed["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| json!([m["from"], m["text"]]))
        .collect();
    assert_eq!(
        texts,
        [
            json!(["customer", "It arrived broken."]),
            json!(["agent", "Asked for a photo."])
        ]
    );
    assert_eq!(shop.get("/tickets/T-1001").await.body, changed);
    let stranger =
        json!({ "customer_id": "C-9999", "subject": "x", "description": "x", "priority": "low" });
    assert_eq!(
        shop.post("/tickets", &stranger).await.refusal(),
        (404, "not_found")
    );
}

#[tokio::test]
async fn escalations_are_queued() {
    let shop = Shop::open().await;
    let wanted = json!({ "reason": "Mentions a lawyer", "priority": "P1", "team": "legal", "summary": "Wants 49.99 back.", "case_id": "case-7" });
    let made = shop.post("/escalations", &wanted).await;
    assert_eq!(
        (made.status.as_u16(), &made.body["id"], &made.body["status"]),
        (201, &json!("E-1001"), &json!("open"))
    );
    assert_eq!(shop.get("/escalations/E-1001").await.body, made.body);
    assert_eq!(
        shop.get("/escalations").await.body,
        json!({ "escalations": [made.body] })
    );
}

#[tokio::test]
async fn conversations_are_answered_assigned_and_tagged() {
    let shop = Shop::open().await;
    let made = shop
        .post(
            "/conversations",
            &json!({ "contact_id": "CT-101", "body": "Hello Sarah" }),
        )
        .await;
    assert_eq!(
        (made.status.as_u16(), &made.body["parts"][0]["author"]),
        (201, &json!("bot"))
    );
    let path = format!("/conversations/{}", made.body["id"].as_str().unwrap());
    shop.post(
        &format!("{path}/reply"),
        &json!({ "body": "Hi!", "author": "contact" }),
    )
    .await;
    shop.post(
        &format!("{path}/assign"),
        &json!({ "team_id": "team-billing" }),
    )
    .await;
    shop.post(&format!("{path}/tags"), &json!({ "name": "refund" }))
        .await;
    let tagged = shop
        .post(&format!("{path}/tags"), &json!({ "name": "refund" }))
        .await;
    let now = shop.get(&path).await.body;
    assert_eq!(tagged.body, now);
    assert_eq!(
        (&now["assignee"], &now["tags"]),
        (&json!("team-billing"), &json!(["refund"]))
    );
    let bodies: Vec<_> = now["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["body"].clone())
        .collect();
    assert_eq!(bodies, ["Hello Sarah", "Hi!"]);
    let nobody = shop
        .post(
            "/conversations",
            &json!({ "contact_id": "CT-999", "body": "Hello" }),
        )
        .await;
    assert_eq!(nobody.refusal(), (404, "not_found"));
    let reopened = shop
        .post(
            "/conversations/CV-505/reply",
            &json!({ "body": "One more thing", "author": "contact" }),
        )
        .await;
    assert_eq!(reopened.body["state"], "open");
}

#[tokio::test]
async fn contacts_are_searched_and_changed() {
    let shop = Shop::open().await;
    let names = |body: &Value| {
        body["contacts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(&shop.get("/contacts?query=REYES").await.body),
        ["CT-104", "CT-105"]
    );
    assert_eq!(
        names(&shop.get("/contacts?query=visitor-77").await.body),
        ["CT-109"]
    );
    assert_eq!(
        names(&shop.get("/contacts?query=%25").await.body),
        Vec::<Value>::new()
    );
    let wanted = json!({ "name": "Sarah M.", "custom": { "plan": null, "language": "en" } });
    let changed = shop.patch("/contacts/CT-101", &wanted).await.body;
    assert_eq!(changed["name"], "Sarah M.");
    assert_eq!(
        changed["custom"],
        json!({ "customer_id": "C-1001", "newsletter": true, "language": "en" })
    );
    let nested = shop
        .patch("/contacts/CT-101", &json!({ "custom": { "list": [1] } }))
        .await;
    assert_eq!(nested.refusal(), (400, "invalid"));
}
