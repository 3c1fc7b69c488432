//! A person's yes over MCP: asked in the middle of a call, or in a second round of it; bound to what was asked.

use serde_json::{Value, json};

use super::client::{Session, Stateless};
use crate::desk::{Desk, STAFF_KEYS};

const SARAH: &str = "sarah@example.com";

fn can_ask() -> Value {
    json!({ "elicitation": {} })
}

fn says(yes: bool) -> Value {
    json!({ "action": "accept", "content": { "confirm": yes } })
}

fn new_phone() -> Value {
    json!({ "phone": "+1 555 0111" })
}

async fn know(session: &Session<'_>) {
    session
        .tool("get_customer", json!({ "email": SARAH }))
        .await;
    session
        .tool("lookup_order", json!({ "order_id": "ORD-8842" }))
        .await;
}

async fn phone(desk: &Desk) -> Value {
    desk.shop.get("/customers/C-1001").await["phone"].clone()
}

#[tokio::test]
async fn a_yes_in_the_middle_of_the_call_lets_it_run() {
    let desk = Desk::open().await;
    let session = Session::open_as(&desk, None, can_ask()).await;
    know(&session).await;
    let (asked, done) = session
        .tool_answering("update_customer_info", new_phone(), &says(true))
        .await;
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0]["method"], "elicitation/create");
    let question = asked[0]["params"]["message"].as_str().unwrap();
    assert!(
        question.contains("+1 555 0111"),
        "the exact effect: {question}"
    );
    assert_ne!(done["isError"], true, "{done}");
    assert_eq!(phone(&desk).await, "+1 555 0111");
}

#[tokio::test]
async fn without_a_yes_nothing_is_done() {
    let desk = Desk::open().await;
    let session = Session::open_as(&desk, None, can_ask()).await;
    know(&session).await;
    for (said, outcome) in [
        (json!({ "action": "decline" }), "denied"),
        (says(false), "denied"),
        (json!({ "action": "cancel" }), "awaiting_consent"),
        (json!({ "action": "accept" }), "awaiting_consent"),
        (
            json!({ "action": "accept", "content": { "confirm": "yes" } }),
            "awaiting_consent",
        ),
    ] {
        let (asked, ended) = session
            .tool_answering("update_customer_info", new_phone(), &said)
            .await;
        assert_eq!(
            (asked.len(), &ended["isError"]),
            (1, &json!(true)),
            "{said} {ended}"
        );
        assert_eq!(
            ended["structuredContent"]["outcome"], outcome,
            "{said} {ended}"
        );
    }
    desk.shop.saw_no_write().await;
}

#[tokio::test]
async fn a_client_that_cannot_ask_is_told_what_to_do() {
    let desk = Desk::open().await;
    let session = Session::open(&desk).await;
    know(&session).await;
    let pending = session.tool("update_customer_info", new_phone()).await;
    assert_eq!(
        pending["structuredContent"]["outcome"], "awaiting_consent",
        "{pending}"
    );
    assert!(
        pending["structuredContent"]["next"].is_string(),
        "{pending}"
    );
    let newest = Stateless::new(&desk);
    newest.tool("get_customer", json!({ "email": SARAH })).await;
    newest
        .tool("lookup_order", json!({ "order_id": "ORD-8842" }))
        .await;
    let pending = newest.tool("update_customer_info", new_phone()).await;
    assert_eq!(
        pending["structuredContent"]["outcome"], "awaiting_consent",
        "{pending}"
    );
    desk.shop.saw_no_write().await;
}

/// Sarah's desk in the newest revision, up to the question: what the server sealed, and what it asks.
async fn asked(desk: &Desk) -> (Stateless<'_>, Value) {
    let client = Stateless {
        capabilities: can_ask(),
        ..Stateless::new(desk)
    };
    client.tool("get_customer", json!({ "email": SARAH })).await;
    client
        .tool("lookup_order", json!({ "order_id": "ORD-8842" }))
        .await;
    let asked = client.tool("update_customer_info", new_phone()).await;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    assert!(asked["requestState"].is_string(), "{asked}");
    let question = &asked["inputRequests"]["consent"];
    assert_eq!(question["method"], "elicitation/create", "{asked}");
    assert!(
        question["params"]["message"]
            .as_str()
            .unwrap()
            .contains("+1 555 0111"),
        "{asked}"
    );
    (client, asked["requestState"].clone())
}

fn second_round(arguments: &Value, state: &Value, said: &Value) -> Value {
    json!({ "name": "update_customer_info", "arguments": arguments, "requestState": state,
        "inputResponses": { "consent": said } })
}

#[tokio::test]
async fn a_yes_in_the_second_round_lets_it_run_once() {
    let desk = Desk::open().await;
    let (client, state) = asked(&desk).await;
    desk.shop.saw_no_write().await;
    let again = second_round(&new_phone(), &state, &says(true));
    let first = client.ask("tools/call", again.clone()).await["result"].clone();
    assert_ne!(first["isError"], true, "{first}");
    assert_eq!(phone(&desk).await, "+1 555 0111");
    // A client whose stream broke sends the round again.
    let writes = desk.shop.writes().await;
    let repeated = client.ask("tools/call", again).await["result"].clone();
    assert_eq!(
        repeated["_meta"]["switchboard/outcome"], "replayed",
        "{repeated}"
    );
    assert_eq!(desk.shop.writes().await, writes);
}

#[tokio::test]
async fn a_no_in_the_second_round_does_nothing() {
    let desk = Desk::open().await;
    let (client, state) = asked(&desk).await;
    // A client whose stream broke sends the round again: a no stays a no, and nothing new is asked.
    for _ in 0..2 {
        let declined = second_round(&new_phone(), &state, &json!({ "action": "decline" }));
        let declined = client.ask("tools/call", declined).await["result"].clone();
        assert_eq!(
            declined["structuredContent"]["outcome"], "denied",
            "{declined}"
        );
    }
    desk.shop.saw_no_write().await;
}

#[tokio::test]
async fn a_state_is_good_for_its_own_call_and_caller_alone() {
    let desk = Desk::open().await;
    let (client, state) = asked(&desk).await;
    let key = STAFF_KEYS
        .split(' ')
        .next()
        .unwrap()
        .rsplit(':')
        .next()
        .unwrap();
    let another = Stateless {
        key: Some(key),
        capabilities: can_ask(),
        desk: &desk,
    };
    let mut cut = state.as_str().unwrap().to_owned();
    cut.truncate(cut.len() - 4);
    let cases = [
        (
            &client,
            second_round(&json!({ "phone": "+1 555 0999" }), &state, &says(true)),
        ),
        (
            &client,
            second_round(&new_phone(), &json!(format!("{cut}AAAA")), &says(true)),
        ),
        (
            &client,
            second_round(&new_phone(), &json!("mine"), &says(true)),
        ),
        (&another, second_round(&new_phone(), &state, &says(true))),
    ];
    for (who, round) in cases {
        let refused = who.ask("tools/call", round.clone()).await;
        assert_eq!(refused["error"]["code"], -32602, "{round} {refused}");
    }
    let mut named = second_round(&new_phone(), &state, &says(true));
    named["_meta"] = json!({ "switchboard/case": "another" });
    let refused = client.ask("tools/call", named).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    desk.shop.saw_no_write().await;
}

#[tokio::test]
async fn without_an_answer_the_question_is_put_again() {
    let desk = Desk::open().await;
    let (client, state) = asked(&desk).await;
    for said in [
        json!(7),
        json!({ "action": "accept" }),
        json!({ "action": "perhaps" }),
    ] {
        let again = client
            .ask("tools/call", second_round(&new_phone(), &state, &said))
            .await;
        assert_eq!(again["result"]["resultType"], "input_required", "{again}");
    }
    desk.shop.saw_no_write().await;
}

#[tokio::test]
async fn what_is_asked_of_staff_is_not_asked_of_an_agents_client() {
    let desk = Desk::open().await;
    let session = Session::open_as(&desk, None, can_ask()).await;
    session
        .tool(
            "get_customer",
            json!({ "email": "marcus.bell@example.com" }),
        )
        .await;
    session
        .tool("lookup_order", json!({ "order_id": "ORD-9001" }))
        .await;
    let refund = json!({ "order_id": "ORD-9001", "amount": { "amount": "289.00", "currency": "USD" }, "reason": "broken" });
    let (asked, pending) = session
        .tool_answering("process_refund", refund, &says(true))
        .await;
    assert_eq!(asked, Vec::<Value>::new());
    assert_eq!(
        pending["structuredContent"]["outcome"], "awaiting_consent",
        "{pending}"
    );
    assert_eq!(desk.shop.refunds("ORD-9001").await, Vec::<i64>::new());
    assert_eq!(desk.approvals().await.len(), 1);
}

#[tokio::test]
async fn a_supervisors_client_asks_the_supervisor() {
    let desk = Desk::open().await;
    let key = STAFF_KEYS
        .split(' ')
        .next()
        .unwrap()
        .rsplit(':')
        .next()
        .unwrap();
    let session = Session::open_as(&desk, Some(key), can_ask()).await;
    let ticket = json!({ "ticket_id": "T-902" });
    session.tool("get_ticket", ticket).await;
    let resolve = json!({ "ticket_id": "T-902", "status": "resolved" });
    let (asked, done) = session
        .tool_answering("update_ticket", resolve, &says(true))
        .await;
    assert_eq!(asked.len(), 1, "{done}");
    assert_ne!(done["isError"], true, "{done}");
    let ticket = desk.shop.get("/tickets/T-902").await;
    assert_eq!(ticket["status"], "resolved", "{ticket}");
}
