//! MCP as a client on the wire sees it, in both revisions, on top of the same dispatch.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::desk::Desk;

/// A client that speaks 2025-11-25: it initializes, and keeps the session that it is given.
struct Session<'a> {
    desk: &'a Desk,
    id: Option<String>,
}

impl<'a> Session<'a> {
    async fn open(desk: &'a Desk) -> Self {
        let client = json!({ "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "stories", "version": "1" } });
        let response = post(desk, "2025-11-25")
            .json(&rpc("initialize", client))
            .send()
            .await
            .unwrap();
        let id = response
            .headers()
            .get("mcp-session-id")
            .map(|id| id.to_str().unwrap().to_owned());
        let session = Self { desk, id };
        let body = body_of(response).await;
        assert_eq!(body["result"]["protocolVersion"], "2025-11-25", "{body}");
        let told = session
            .send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))
            .await;
        assert!(told.status().is_success());
        session
    }

    async fn send(&self, message: Value) -> reqwest::Response {
        let mut request = post(self.desk, "2025-11-25").json(&message);
        if let Some(id) = &self.id {
            request = request.header("mcp-session-id", id);
        }
        request.send().await.unwrap()
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        body_of(self.send(rpc(method, params)).await).await
    }

    async fn tool(&self, name: &str, arguments: Value) -> Value {
        self.ask(
            "tools/call",
            json!({ "name": name, "arguments": arguments }),
        )
        .await["result"]
            .clone()
    }
}

fn post(desk: &Desk, revision: &str) -> RequestBuilder {
    desk.http
        .post(desk.url("/mcp"))
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", revision)
}

fn rpc(method: &str, params: impl Into<Value>) -> Value {
    let params = params.into();
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// The answer, from a JSON body or from the last message of a stream.
async fn body_of(response: reqwest::Response) -> Value {
    let text = response.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| {
        let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
        let messages: Vec<Value> = data
            .filter_map(|data| serde_json::from_str(data.trim()).ok())
            .collect();
        messages
            .into_iter()
            .next_back()
            .unwrap_or_else(|| panic!("no message: {text:?}"))
    })
}

/// One request of 2026-07-28, which has no sessions.
async fn stateless(desk: &Desk, method: &str, mut params: Value, name: Option<&str>) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "stories", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let mut request = post(desk, "2026-07-28")
        .header("mcp-method", method)
        .json(&rpc(method, params));
    if let Some(name) = name {
        request = request.header("mcp-name", name);
    }
    body_of(request.send().await.unwrap()).await
}

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
async fn the_newest_revision_needs_no_session() {
    let desk = Desk::open().await;
    let discovered = stateless(&desk, "server/discover", json!({}), None).await;
    assert!(discovered["result"].is_object(), "{discovered}");
    let listed = stateless(&desk, "tools/list", json!({}), None).await;
    assert_eq!(
        listed["result"]["cacheScope"], "private",
        "{}",
        listed["result"]["cacheScope"]
    );
    let call = json!({ "name": "get_customer", "arguments": { "email": "sarah@example.com" } });
    let called = stateless(&desk, "tools/call", call, Some("get_customer")).await;
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
