//! For each shipped rule that refuses: the call is refused, for that reason, and no backend saw a write.

use serde_json::{Value, json};

use crate::desk::Desk;

/// Who the case's customer is before the refused call.
#[derive(Clone, Copy)]
enum Known {
    Nobody,
    /// By e-mail alone.
    Claimed(&'static str),
    /// By e-mail and order number.
    Matched(&'static str, &'static str),
}

struct Refused {
    known: Known,
    tool: &'static str,
    arguments: Value,
    status: u16,
    /// The rule's code, or the consent's giver.
    because: &'static str,
}

const SARAH: Known = Known::Matched("sarah@example.com", "ORD-8842");

fn refused(
    known: Known,
    tool: &'static str,
    arguments: Value,
    status: u16,
    because: &'static str,
) -> Refused {
    Refused {
        known,
        tool,
        arguments,
        status,
        because,
    }
}

fn refund(order: &str, amount: &str) -> Value {
    refund_in(order, amount, "USD")
}

fn refund_in(order: &str, amount: &str, currency: &str) -> Value {
    json!({ "order_id": order, "amount": { "amount": amount, "currency": currency }, "reason": "broken" })
}

#[expect(clippy::too_many_lines, reason = "a table, a row for each rule")]
fn table() -> Vec<Refused> {
    use Known::{Claimed, Matched, Nobody};
    let order = |id: &str| json!({ "order_id": id });
    let credit = |amount: &str| json!({ "amount": { "amount": amount, "currency": "USD" }, "reason": "sorry" });
    vec![
        // Ordering.
        refused(
            Nobody,
            "lookup_order",
            order("ORD-8842"),
            403,
            "CUSTOMER_UNKNOWN",
        ),
        refused(
            Nobody,
            "process_refund",
            refund("ORD-8842", "49.99"),
            403,
            "CUSTOMER_UNKNOWN",
        ),
        refused(
            Nobody,
            "get_tracking_info",
            order("ORD-8842"),
            403,
            "CUSTOMER_UNKNOWN",
        ),
        refused(
            SARAH,
            "process_refund",
            refund("ORD-8824", "49.99"),
            403,
            "LOOKUP_FIRST",
        ),
        refused(
            SARAH,
            "cancel_order",
            json!({ "order_id": "ORD-9102", "reason": "x" }),
            403,
            "LOOKUP_FIRST",
        ),
        refused(
            SARAH,
            "create_return",
            json!({ "order_id": "ORD-8901", "reason": "x" }),
            403,
            "LOOKUP_FIRST",
        ),
        // Identity.
        refused(
            Claimed("sarah@example.com"),
            "get_customer_orders",
            json!({}),
            403,
            "IDENTITY_NOT_MATCHED",
        ),
        refused(
            Claimed("sarah@example.com"),
            "process_refund",
            refund("ORD-8842", "49.99"),
            403,
            "LOOKUP_FIRST",
        ),
        refused(
            Claimed("sarah@example.com"),
            "add_credit",
            credit("5.00"),
            403,
            "IDENTITY_NOT_MATCHED",
        ),
        refused(
            Claimed("sarah@example.com"),
            "update_customer_info",
            json!({ "phone": "+1 555 0111" }),
            403,
            "IDENTITY_NOT_MATCHED",
        ),
        // Somebody else's.
        refused(SARAH, "lookup_order", order("ORD-8824"), 403, "NOT_OWNER"),
        refused(
            SARAH,
            "get_customer",
            json!({ "email": "marcus.bell@example.com" }),
            403,
            "NOT_OWNER",
        ),
        // Money.
        refused(
            SARAH,
            "process_refund",
            refund("ORD-8842", "0.00"),
            403,
            "AMOUNT_INVALID",
        ),
        refused(
            SARAH,
            "process_refund",
            refund("ORD-8842", "-5.00"),
            403,
            "AMOUNT_INVALID",
        ),
        refused(
            SARAH,
            "process_refund",
            refund("ORD-8842", "60.00"),
            403,
            "ABOVE_ORDER",
        ),
        refused(
            SARAH,
            "process_refund",
            refund_in("ORD-8842", "49.99", "EUR"),
            403,
            "CURRENCY_MISMATCH",
        ),
        refused(
            Matched("priya.nair@example.com", "ORD-8120"),
            "process_refund",
            refund("ORD-8120", "10.00"),
            403,
            "WINDOW_PASSED",
        ),
        refused(
            Matched("tom.okafor@example.com", "ORD-8733"),
            "process_refund",
            refund("ORD-8733", "10.00"),
            403,
            "NOT_ELIGIBLE",
        ),
        refused(
            Matched("marcus.bell@example.com", "ORD-9001"),
            "process_refund",
            refund("ORD-9001", "289.00"),
            202,
            "staff",
        ),
        refused(SARAH, "add_credit", credit("20.01"), 202, "staff"),
        refused(SARAH, "add_credit", credit("0.00"), 403, "AMOUNT_INVALID"),
        // Orders in the wrong state, and consent.
        refused(
            SARAH,
            "cancel_order",
            json!({ "order_id": "ORD-8842", "reason": "x" }),
            403,
            "ALREADY_SHIPPED",
        ),
        refused(
            SARAH,
            "update_customer_info",
            json!({ "phone": "+1 555 0111" }),
            202,
            "customer",
        ),
        // Tickets.
        refused(
            SARAH,
            "update_ticket",
            json!({ "ticket_id": "T-902", "status": "resolved" }),
            403,
            "LOOKUP_FIRST",
        ),
    ]
}

#[tokio::test]
async fn what_the_rules_refuse_reaches_no_backend() {
    let desk = Desk::open().await;
    for (number, row) in table().into_iter().enumerate() {
        let case = format!("case-{number}");
        match row.known {
            Known::Nobody => {}
            Known::Claimed(email) => {
                desk.tool(&case, "get_customer", json!({ "email": email }))
                    .await
                    .expect(200);
            }
            Known::Matched(email, order) => desk.know(&case, email, order).await,
        }
        desk.shop.forget_requests().await;
        let answer = desk.tool(&case, row.tool, row.arguments.clone()).await;
        let context = format!("{} {}: {:#}", row.tool, row.arguments, answer.body);
        assert_eq!(answer.status, row.status, "{context}");
        let because = match row.status {
            202 => &answer.body["consent"]["from"],
            _ => &answer.body["code"],
        };
        assert_eq!(because, row.because, "{context}");
        assert_eq!(desk.shop.writes().await, Vec::<String>::new(), "{context}");
    }
}

#[tokio::test]
async fn a_guessed_customer_id_opens_nothing() {
    let desk = Desk::open().await;
    let said = json!({ "session_id": "s", "message": "refund ORD-8842, it is broken", "customer_id": "C-1001" });
    let reply = desk.post("/api/chat", said).await.expect(200);
    assert_eq!(reply["status"], "open", "{reply}");
    let guessed = desk
        .tool("c", "get_customer", json!({ "id": "C-1001" }))
        .await;
    assert_eq!(guessed.status, 403, "{:#}", guessed.body);
    let ticket = json!({ "ticket_id": "T-902", "note": "mine now" });
    assert_eq!(desk.tool("c", "update_ticket", ticket).await.status, 403);
    let tag = json!({ "conversation_id": "CV-501", "tag": "vip" });
    assert_eq!(desk.tool("c", "add_tag", tag).await.status, 403);
    desk.shop.saw_no_write().await;
}

#[tokio::test]
async fn a_ticket_is_resolved_after_a_sure_suggestion_only() {
    let desk = Desk::open().await;
    desk.know_sarah("c").await;
    let ticket = json!({ "subject": "How long do refunds take?", "priority": "low",
        "description": "I returned my blender and wonder when the refund arrives on my card." });
    let created = desk.tool("c", "create_ticket", ticket).await.expect(200);
    let id = created["output"]["ticket_id"].as_str().unwrap().to_owned();
    let resolve = json!({ "ticket_id": id, "status": "resolved" });
    assert_eq!(
        desk.tool("c", "update_ticket", resolve.clone())
            .await
            .status,
        202
    );
    let suggestion = desk
        .tool("c", "suggest_response", json!({ "ticket_id": id }))
        .await
        .expect(200);
    let sure = suggestion["output"]["confidence"].as_f64().unwrap() >= 0.85;
    let answer = desk.tool("c", "update_ticket", resolve).await;
    assert_eq!(
        answer.status,
        if sure { 200 } else { 202 },
        "{suggestion} {:#}",
        answer.body
    );
    let status = desk.shop.get(&format!("/tickets/{id}")).await["status"].clone();
    assert_eq!(status == "resolved", sure, "{status}");
}

#[tokio::test]
async fn a_daily_budget_holds_over_many_orders() {
    let desk = Desk::open_with(|config| {
        config.budgets.refund_customer_day = "150.00".to_owned().try_into().unwrap();
    })
    .await;
    desk.know("c", "aisha.rahman@example.com", "ORD-8888").await;
    desk.tool("c", "lookup_order", json!({ "order_id": "ORD-8150" }))
        .await
        .expect(200);
    desk.tool("c", "process_refund", refund("ORD-8888", "145.50"))
        .await
        .expect(200);
    let over = desk
        .tool("c", "process_refund", refund("ORD-8150", "10.00"))
        .await;
    assert_eq!(
        (over.status, &over.body["code"]),
        (403, &json!("BUDGET_EXCEEDED")),
        "{:#}",
        over.body
    );
    assert_eq!(over.body["escalation"]["priority"], "P2");
    assert_eq!(desk.shop.refunds("ORD-8150").await, Vec::<i64>::new());
    // Asking again for what is settled draws on nothing.
    let again = desk
        .tool("c", "process_refund", refund("ORD-8888", "145.50"))
        .await;
    assert_eq!(again.body["outcome"], "replayed");
    assert_eq!(desk.shop.refunds("ORD-8888").await, [14_550]);
}

#[tokio::test]
async fn a_replayed_refund_is_given_to_its_owner_alone() {
    let desk = Desk::open().await;
    desk.know_sarah("sarahs").await;
    desk.tool("sarahs", "process_refund", refund("ORD-8842", "49.99"))
        .await
        .expect(200);
    desk.know("marcus", "marcus.bell@example.com", "ORD-9001")
        .await;
    let answer = desk
        .tool("marcus", "process_refund", refund("ORD-8842", "49.99"))
        .await;
    assert_eq!(answer.status, 403, "{:#}", answer.body);
    assert_eq!(desk.shop.refunds("ORD-8842").await, [4_999]);
}

#[tokio::test]
async fn a_signed_session_is_one_customers_and_no_other() {
    let desk = Desk::open().await;
    let verified = crate::chat::signed("C-1001", 600);
    let ask = |token: Option<String>, arguments: Value| {
        let request = desk.http.post(desk.url("/api/tools/lookup_order"));
        let request = request.json(&json!({ "case": "signed", "arguments": arguments }));
        token
            .into_iter()
            .fold(request, reqwest::RequestBuilder::bearer_auth)
            .send()
    };
    let own = ask(Some(verified.clone()), json!({ "order_id": "ORD-8842" }))
        .await
        .unwrap();
    assert_eq!(own.status().as_u16(), 200);
    let without = ask(None, json!({ "order_id": "ORD-8842" })).await.unwrap();
    assert_ne!(
        without.status().as_u16(),
        200,
        "a case is no proof of who one is"
    );
    let other = ask(Some(verified), json!({ "order_id": "ORD-9001" }))
        .await
        .unwrap();
    assert_eq!(other.status().as_u16(), 403);
}

#[tokio::test]
async fn no_plugin_and_no_answer_holds_the_backends_token() {
    let desk = Desk::open().await;
    desk.know_sarah("c").await;
    let token = desk.running.backend_token.expose().to_owned();
    let refunded = desk
        .tool("c", "process_refund", refund("ORD-8842", "49.99"))
        .await
        .expect(200);
    assert!(!refunded.to_string().contains(&token));
    let requests = desk.shop.requests().await;
    let write = requests.iter().find(|r| r["path"] == "/refunds").unwrap();
    assert_eq!(
        write["authorized"], true,
        "the host adds the credential on the way out"
    );
}
