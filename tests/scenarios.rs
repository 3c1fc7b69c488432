//! The mission's scenarios, told over the chat interface.

use serde_json::json;

use crate::desk::{Desk, Reply};

const BLENDER: &str =
    "Hi, email sarah@example.com. My blender arrived broken, order ORD-8842. I want a refund.";
/// Words that belong to the host, the rules or the operators, and to no customer.
const INTERNAL: &[&str] = &[
    "NOT_OWNER",
    "LIMIT",
    "RULE",
    "policy",
    "process_refund",
    "lookup_order",
    "150",
    "window",
    "P1",
    "P2",
];

#[tokio::test]
async fn a_broken_blender_is_refunded_once_and_in_one_turn() {
    let desk = Desk::open().await;
    let reply = desk.customer("s1").says(BLENDER).await;
    assert_eq!(reply.status(), "resolved", "{reply:?}");
    assert_eq!(reply.outcome_of("process_refund"), Some("ok"));
    reply.mentions(&["49.99"]);
    assert_eq!(desk.shop.refunds("ORD-8842").await, [4_999]);
}

#[tokio::test]
async fn asking_again_refunds_nothing_more() {
    let desk = Desk::open().await;
    for session in ["s1", "s1", "s2", "s3"] {
        let reply = desk.customer(session).says(BLENDER).await;
        assert_eq!(desk.shop.refunds("ORD-8842").await, [4_999], "{reply:?}");
    }
    desk.post("/api/chat/reset", json!({ "session_id": "s1" }))
        .await
        .expect(200);
    desk.customer("s1")
        .says("sarah@example.com here, please refund order ORD-8842, I never got my money")
        .await;
    assert_eq!(desk.shop.refunds("ORD-8842").await, [4_999]);
}

#[tokio::test]
async fn the_story_may_take_several_turns() {
    let desk = Desk::open().await;
    let sarah = desk.customer("s1");
    let asks = sarah
        .says("My blender is broken and I'd like my money back")
        .await;
    assert_eq!(asks.status(), "open", "{asks:?}");
    sarah.says("it's Sarah@Example.com").await;
    let done = sarah.says("the order is ord 8842").await;
    assert_eq!(done.status(), "resolved", "{done:?}");
    assert_eq!(desk.shop.refunds("ORD-8842").await, [4_999]);
}

#[tokio::test]
async fn words_of_distress_call_people_before_anything_is_written() {
    for (words, priority) in [
        (
            "I will call my lawyer if you don't refund ORD-8842, sarah@example.com",
            Some("P1"),
        ),
        (
            "I'm going to sue you over order ORD-8842 (sarah@example.com), refund me",
            Some("P1"),
        ),
        (
            "This is fraud! sarah@example.com ORD-8842, I want a refund",
            Some("P1"),
        ),
        (
            "This is unacceptable. sarah@example.com, ORD-8842 arrived broken, refund it",
            None,
        ),
    ] {
        let desk = Desk::open().await;
        let reply = desk.customer("s1").says(words).await;
        assert_eq!(reply.status(), "escalated", "{words}: {reply:?}");
        if priority.is_some() {
            assert_eq!(reply.priority(), priority, "{words}: {reply:?}");
        }
        desk.shop.saw_no_write().await;
        assert_eq!(desk.shop.escalations().await.len(), 1, "{words}");
    }
}

#[tokio::test]
async fn who_asks_for_a_person_gets_one_with_a_complete_hand_off() {
    for words in [
        "I want to talk to a human",
        "let me speak to your manager",
        "Can a real person help me please?",
    ] {
        let desk = Desk::open().await;
        desk.customer("s1")
            .says("Hi, I'm sarah@example.com and I have a question about ORD-8842")
            .await;
        let reply = desk.customer("s1").says(words).await;
        assert_eq!(
            (reply.status(), reply.priority()),
            ("escalated", Some("P1")),
            "{words}: {reply:?}"
        );
        let escalations = desk.shop.escalations().await;
        let hand_off = escalations[0]["summary"].as_str().unwrap();
        assert!(
            hand_off.contains("C-1001") && hand_off.contains(words),
            "{hand_off}"
        );
        desk.shop.saw_no_write().await;
    }
}

#[tokio::test]
async fn an_order_outside_the_window_is_explained_and_handed_over() {
    let desk = Desk::open().await;
    let reply = desk
        .customer("s1")
        .says("Hello, priya.nair@example.com, order ORD-8120 is faulty. Please refund it.")
        .await;
    assert_eq!(desk.shop.refunds("ORD-8120").await, Vec::<i64>::new());
    assert!(
        !desk
            .shop
            .writes()
            .await
            .contains(&"POST /refunds".to_owned())
    );
    let handed_over =
        reply.status() == "escalated" || reply.outcome_of("create_ticket") == Some("ok");
    assert!(handed_over, "{reply:?}");
    reply.hides(&["OUTSIDE", "_", "RETURN_WINDOW", "P2"]);
}

#[tokio::test]
async fn another_customers_order_stays_theirs() {
    let desk = Desk::open().await;
    let reply = desk
        .customer("s1")
        .says("Hi, sarah@example.com here. Please refund my order ORD-8824, it is broken")
        .await;
    assert_eq!(
        (reply.status(), reply.priority()),
        ("escalated", Some("P1")),
        "{reply:?}"
    );
    reply.hides(&["49.99", "blender", "C-1023", "delivered"]);
    reply.hides(INTERNAL);
    desk.shop.saw_no_write().await;
    assert_eq!(desk.shop.refunds("ORD-8824").await, Vec::<i64>::new());
}

#[tokio::test]
async fn a_large_refund_waits_for_a_supervisor() {
    let desk = Desk::open().await;
    let marcus = desk.customer("s1");
    let reply = marcus
        .says("marcus.bell@example.com, the mixer of ORD-9001 is broken, refund please")
        .await;
    assert_eq!(
        (reply.status(), reply.priority()),
        ("escalated", Some("P2")),
        "{reply:?}"
    );
    reply.hides(INTERNAL);
    desk.shop.saw_no_write().await;
    let approvals = desk.approvals().await;
    assert_eq!(approvals.len(), 1);
    let escalations = desk.shop.escalations().await;
    let hand_off = escalations[0]["summary"].as_str().unwrap();
    for part in [
        "(matched)",
        approvals[0]["case"].as_str().unwrap(),
        "amount: 289.00 USD",
        "LIMIT_EXCEEDED",
        "the mixer of ORD-9001 is broken",
    ] {
        assert!(hand_off.contains(part), "{part}: {hand_off}");
    }
    desk.approve(&approvals[0], "grant").await.expect(200);
    assert_eq!(desk.shop.refunds("ORD-9001").await, [28_900]);
    assert_eq!(desk.approve(&approvals[0], "grant").await.status, 409);
    assert_eq!(desk.shop.refunds("ORD-9001").await, [28_900]);
}

#[tokio::test]
async fn a_supervisors_no_refunds_nothing() {
    let desk = Desk::open().await;
    desk.customer("s1")
        .says("marcus.bell@example.com, ORD-9001 is broken, refund please")
        .await;
    let approvals = desk.approvals().await;
    desk.approve(&approvals[0], "deny").await.expect(200);
    desk.shop.saw_no_write().await;
    assert!(desk.approvals().await.is_empty());
}

#[tokio::test]
async fn a_tool_that_keeps_failing_is_handed_over() {
    let desk = Desk::open().await;
    desk.shop
        .misbehaves(
            "GET",
            "/orders/",
            9,
            json!({ "kind": "status", "status": 500 }),
        )
        .await;
    let reply = desk
        .customer("s1")
        .says("sarah@example.com: where is my order ORD-8842?")
        .await;
    assert_eq!(
        (reply.status(), reply.priority()),
        ("escalated", Some("P2")),
        "{reply:?}"
    );
    let lookups = desk.shop.requests().await;
    let lookups = lookups
        .iter()
        .filter(|r| r["path"] == "/orders/ORD-8842")
        .count();
    assert_eq!(lookups, 3, "one try and two retries");
    desk.shop.saw_no_write().await;
}

#[tokio::test]
async fn who_is_not_understood_twice_gets_a_person() {
    let desk = Desk::open().await;
    let customer = desk.customer("s1");
    let first = customer.says("flurbl the wug").await;
    assert_eq!(first.status(), "open", "{first:?}");
    let second = customer.says("gronk gronk").await;
    let third = if second.status() == "escalated" {
        second
    } else {
        customer.says("wibble").await
    };
    assert_eq!(
        (third.status(), third.priority()),
        ("escalated", Some("P3")),
        "{third:?}"
    );
}

#[tokio::test]
async fn an_unshipped_order_is_cancelled_after_a_yes() {
    let desk = Desk::open().await;
    let customer = desk.customer("s1");
    let asked = customer
        .says(&format!(
            "{}: please cancel my order ORD-9102",
            unshipped_owner(&desk).await
        ))
        .await;
    assert_eq!(asked.status(), "awaiting_consent", "{asked:?}");
    asked.mentions(&["ORD-9102"]);
    desk.shop.saw_no_write().await;
    let done = customer.says("yes please").await;
    assert_eq!(done.status(), "resolved", "{done:?}");
    assert_eq!(
        desk.shop.get("/orders/ORD-9102").await["status"],
        "cancelled"
    );
}

#[tokio::test]
async fn a_no_cancels_nothing() {
    let desk = Desk::open().await;
    let customer = desk.customer("s1");
    customer
        .says(&format!(
            "{}: please cancel my order ORD-9102",
            unshipped_owner(&desk).await
        ))
        .await;
    let kept = customer.says("no, keep it").await;
    kept.hides(&["has been cancelled"]);
    desk.shop.saw_no_write().await;
    customer.says("yes").await;
    desk.shop.saw_no_write().await;
}

async fn unshipped_owner(desk: &Desk) -> String {
    email_of(desk, "ORD-9102").await
}

async fn email_of(desk: &Desk, order: &str) -> String {
    let order = desk.shop.get(&format!("/orders/{order}")).await;
    let customer = desk
        .shop
        .get(&format!(
            "/customers/{}",
            order["customer_id"].as_str().unwrap()
        ))
        .await;
    desk.shop.forget_requests().await;
    customer["email"].as_str().unwrap().to_owned()
}

async fn too_late_to_cancel(desk: &Desk) -> Reply {
    let email = email_of(desk, "ORD-8901").await;
    let reply = desk
        .customer("s1")
        .says(&format!("{email}, please cancel order ORD-8901"))
        .await;
    assert_eq!(desk.shop.get("/orders/ORD-8901").await["status"], "shipped");
    desk.shop.saw_no_write().await;
    reply
}

#[tokio::test]
async fn a_shipped_order_is_not_cancelled_but_there_are_options() {
    let desk = Desk::open().await;
    let reply = too_late_to_cancel(&desk).await;
    reply.mentions(&["refuse", "return", "supervisor"]);
    reply.hides(&["has been cancelled", "I've created", "I have created"]);
}

#[tokio::test]
async fn a_return_label_is_really_created() {
    let desk = Desk::open().await;
    too_late_to_cancel(&desk).await;
    let reply = desk
        .customer("s1")
        .says("then send me a return label please")
        .await;
    assert_eq!(reply.outcome_of("create_return"), Some("ok"), "{reply:?}");
    let returns = desk.shop.get("/returns?order_id=ORD-8901").await;
    assert_eq!(returns["returns"].as_array().unwrap().len(), 1);
    reply.mentions(&[returns["returns"][0]["label_url"].as_str().unwrap()]);
}

#[tokio::test]
async fn a_supervisor_is_really_called() {
    let desk = Desk::open().await;
    too_late_to_cancel(&desk).await;
    let reply = desk
        .customer("s1")
        .says("I'd rather have a supervisor look at it")
        .await;
    assert_eq!(reply.status(), "escalated", "{reply:?}");
    assert_eq!(desk.shop.escalations().await.len(), 1);
    desk.shop.saw_no_write().await;
}

#[tokio::test]
async fn a_credit_is_really_booked() {
    let desk = Desk::open().await;
    let owner = desk.shop.get("/orders/ORD-8901").await["customer_id"]
        .as_str()
        .unwrap()
        .to_owned();
    too_late_to_cancel(&desk).await;
    let reply = desk
        .customer("s1")
        .says("ok, a credit would be fine with me")
        .await;
    assert_eq!(reply.outcome_of("add_credit"), Some("ok"), "{reply:?}");
    let credits = desk
        .shop
        .get(&format!("/credits?customer_id={owner}"))
        .await;
    assert_eq!(credits["credits"].as_array().unwrap().len(), 1, "{credits}");
}

#[tokio::test]
async fn where_is_my_order() {
    let desk = Desk::open().await;
    let email = email_of(&desk, "ORD-8901").await;
    let shipment = desk.shop.get("/shipments?order_id=ORD-8901").await["shipments"][0].clone();
    let reply = desk
        .customer("s1")
        .says(&format!("where's my parcel? order 8901, {email}"))
        .await;
    reply.mentions(&[shipment["tracking_number"].as_str().unwrap()]);
    assert_eq!(reply.status(), "resolved", "{reply:?}");
    desk.shop.saw_no_write().await;
}

#[tokio::test]
async fn a_product_question_is_answered_from_the_articles() {
    let desk = Desk::open().await;
    let reply = desk
        .customer("s1")
        .says("How long do I have to return something?")
        .await;
    assert_eq!(
        reply.outcome_of("search_knowledge_base"),
        Some("ok"),
        "{reply:?}"
    );
    reply.mentions(&["30 days", "http"]);
    desk.shop.saw_no_write().await;
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_happens_once() {
    let desk = Desk::open().await;
    desk.shop
        .misbehaves("POST", "/refunds", 1, json!({ "kind": "act_then_drop" }))
        .await;
    let reply = desk.customer("s1").says(BLENDER).await;
    assert_eq!(desk.shop.refunds("ORD-8842").await, [4_999], "{reply:?}");
    assert_eq!(reply.status(), "resolved", "{reply:?}");
    let requests = desk.shop.requests().await;
    let keys: Vec<_> = requests
        .iter()
        .filter(|r| r["method"] == "POST" && r["path"] == "/refunds")
        .map(|r| &r["idempotency_key"])
        .collect();
    assert_eq!(keys.len(), 2, "sent, lost, and sent again");
    assert_eq!(keys[0], keys[1]);
}

#[tokio::test]
async fn who_declines_a_refund_gets_none() {
    for words in [
        "sarah@example.com ORD-8842: I don't want a refund, I want a replacement",
        "please do not refund ORD-8842, sarah@example.com, just tell me when it was delivered",
        "sarah@example.com how do I get a refund for ORD-8842? just asking, don't do anything yet",
    ] {
        let desk = Desk::open().await;
        let reply = desk.customer("s1").says(words).await;
        assert_eq!(
            desk.shop.refunds("ORD-8842").await,
            Vec::<i64>::new(),
            "{words}: {reply:?}"
        );
        reply.hides(&["have refunded"]);
    }
}
