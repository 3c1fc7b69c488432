//! MCP as a client on the wire sees it, in both revisions, on top of the same dispatch.

mod changes;
mod client;
mod conformance;
mod consent;
mod page;
mod reading;
mod waiting;

use serde_json::json;

use crate::desk::Desk;
pub(crate) use client::Session;
use client::{post, rpc, stateless};

#[tokio::test]
async fn tools_are_listed_with_schemas_and_annotations() {
    let desk = Desk::open().await;
    let listed = Session::open(&desk)
        .await
        .ask("tools/list", json!({}))
        .await;
    let tools = listed["result"]["tools"].as_array().unwrap().clone();
    let tool = |name: &str| {
        tools
            .iter()
            .find(|tool| tool["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(tool("lookup_order")["annotations"]["readOnlyHint"], true);
    assert_eq!(tool("process_refund")["annotations"]["readOnlyHint"], false);
    assert_eq!(
        tool("process_refund")["inputSchema"]["required"],
        json!(["order_id", "amount", "reason"])
    );
    // The output, or what became of a call that was not carried out.
    let outputs = tool("process_refund")["outputSchema"]["anyOf"].clone();
    assert!(
        outputs[0]["properties"]["refund_id"].is_object(),
        "{outputs}"
    );
}

#[tokio::test]
async fn a_session_is_a_case_and_a_refund_is_refunded_once() {
    let desk = Desk::open().await;
    let session = Session::open(&desk).await;
    let refund = json!({ "order_id": "ORD-8842", "amount": { "amount": "49.99", "currency": "USD" }, "reason": "broken" });
    let early = session.tool("process_refund", refund.clone()).await;
    assert_eq!(early["isError"], true, "{early}");
    desk.shop.saw_no_write().await;
    session
        .tool("get_customer", json!({ "email": "sarah@example.com" }))
        .await;
    let order = session
        .tool("lookup_order", json!({ "order_id": "ORD-8842" }))
        .await;
    assert_eq!(
        order["structuredContent"]["order_id"], "ORD-8842",
        "{order}"
    );
    let first = session.tool("process_refund", refund.clone()).await;
    assert_ne!(first["isError"], true, "{first}");
    let again = session.tool("process_refund", refund.clone()).await;
    assert_eq!(
        again["structuredContent"]["refund_id"],
        first["structuredContent"]["refund_id"]
    );
    assert_eq!(desk.shop.refunds("ORD-8842").await, [4_999]);
    // Another session is another case: nothing has been established there.
    let other = Session::open(&desk).await;
    assert_eq!(other.tool("process_refund", refund).await["isError"], true);
}

#[tokio::test]
async fn a_session_ends_when_its_client_says_so() {
    let desk = Desk::open().await;
    let session = Session::open(&desk).await;
    let id = session.id.clone().unwrap();
    let end = || {
        let request = desk.http.delete(desk.url("/mcp"));
        request.header("mcp-session-id", &id).send()
    };
    // Some clients take any other success for a failure.
    assert_eq!(end().await.unwrap().status().as_u16(), 204);
    let after = session.send(rpc("tools/list", json!({}))).await;
    assert_eq!(after.status().as_u16(), 404);
    assert_eq!(end().await.unwrap().status().as_u16(), 404);
}

#[tokio::test]
async fn the_newest_revision_needs_no_session() {
    let desk = Desk::open().await;
    let discovered = stateless(&desk, "server/discover", json!({})).await;
    assert!(discovered["result"].is_object(), "{discovered}");
    let listed = stateless(&desk, "tools/list", json!({})).await;
    assert_eq!(
        listed["result"]["cacheScope"], "private",
        "{}",
        listed["result"]["cacheScope"]
    );
    let call = json!({ "name": "get_customer", "arguments": { "email": "sarah@example.com" } });
    let called = stateless(&desk, "tools/call", call).await;
    assert_eq!(
        called["result"]["structuredContent"]["id"], "C-1001",
        "{called}"
    );
}

#[tokio::test]
async fn what_does_not_fit_is_refused_on_the_wire() {
    let desk = Desk::open().await;
    let session = Session::open(&desk).await;
    let unknown = session
        .ask(
            "tools/call",
            json!({ "name": "drop_tables", "arguments": {} }),
        )
        .await;
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    let wrong = session.tool("lookup_order", json!({ "order_id": 7 })).await;
    assert_eq!(wrong["isError"], true, "{wrong}");
    let origin = post(&desk, "2025-11-25").header("origin", "https://evil.example");
    let refused = origin
        .json(&rpc("tools/list", json!({})))
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status().as_u16(), 403);
    desk.shop.saw_no_write().await;
}

#[tokio::test]
async fn another_customers_order_reaches_no_client() {
    let desk = Desk::open().await;
    let session = Session::open(&desk).await;
    session
        .tool("get_customer", json!({ "email": "sarah@example.com" }))
        .await;
    let answer = session
        .tool("lookup_order", json!({ "order_id": "ORD-9001" }))
        .await;
    assert_eq!(answer["isError"], true, "{answer}");
    let text = answer.to_string();
    assert!(
        !text.contains("289") && !text.contains("mixer") && !text.contains("C-1002"),
        "{text}"
    );
}
