//! Channels: what a tenant has closed answers nobody, and the rest goes on.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::changes::listening;
use super::isolation::{mcp, opened, rpc};
use super::town::{ACME_DANA, ACME_HELPDESK, Town, expect_refusal};
use crate::desk::Answer;

/// Acme's tenant.toml with these channels alone.
fn with_channels(town: &Town, open: &str) -> String {
    let text = town.text("acme", "tenant.toml");
    let lines = text.lines().filter(|line| !line.starts_with("channels"));
    let text: Vec<&str> = lines.collect();
    let company = "company = \"Acme Outfitters\"";
    text.join("\n")
        .replace(company, &format!("{company}\nchannels = {open}"))
}

async fn open_alone(town: &Town, open: &str) {
    let text = with_channels(town, open);
    let path = "/api/tenants/acme/files/tenant.toml";
    let shown = town.operator("PUT", path, &text).await.expect(200);
    assert_eq!(shown["channels"].to_string(), open.replace(' ', ""));
}

fn expect_closed(answer: &Answer, channel: &str) {
    expect_refusal(
        answer,
        403,
        &format!("the channel {channel} is closed for acme"),
    );
    expect_refusal(answer, 403, "`channels` in its tenant.toml");
    assert_eq!(answer.body["error"]["code"], "channel_closed");
}

async fn answered(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_tenant_without_chat_asks_no_model_and_no_backend() {
    let (town, asked) = Town::with_model().await;
    let acme = town.acme();
    let hello = json!({ "session_id": "s", "message": "Hello!" });
    open_alone(&town, "[\"http\", \"mcp\"]").await;
    let post = |path: &str| town.desk.http.post(town.desk.url(path)).json(&hello);
    let get = |path: &str| town.desk.http.get(town.desk.url(path));
    for request in [
        post("/t/acme/api/chat"),
        post("/t/acme/api/chat").header("accept", "text/event-stream"),
        post("/t/acme/api/chat").bearer_auth(ACME_HELPDESK),
        get("/t/acme/api/chat/stream?session_id=s&message=Hello!"),
        post("/t/acme/api/chat/reset"),
        get("/t/acme/"),
    ] {
        expect_closed(&answered(request).await, "chat");
    }
    assert!(asked.lock().unwrap().is_empty());
    assert!(acme.shop.requests().await.is_empty());

    // What is open, and who else there is, goes on.
    acme.know_sarah("c").await;
    opened(&town, "acme", ACME_HELPDESK).await;
    answered(post("/t/globex/api/chat")).await.expect(200);
    answered(get("/t/acme/docs")).await.expect(200);
    open_alone(&town, "[\"chat\"]").await;
    answered(post("/t/acme/api/chat")).await.expect(200);
    assert_eq!(asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_tenant_without_the_tool_interface_calls_no_tool_over_http() {
    let town = Town::open().await;
    let acme = town.acme().with_key(ACME_DANA);
    open_alone(&town, "[\"chat\", \"mcp\"]").await;
    let order = json!({ "order_id": "ORD-8842" });
    for path in [
        "/api/tools",
        "/tickets/T-1",
        "/customers/C-1001",
        "/faq/search?q=x",
    ] {
        expect_closed(&acme.get(path).await, "http");
    }
    for path in [
        "/api/tools/lookup_order",
        "/tickets/T-1/actions/suggest_response",
        "/tickets/T-1/actions/update",
    ] {
        expect_closed(&acme.post(path, order.clone()).await, "http");
    }
    // By the key alone, it is the same tenant; and whoever has none hears the same.
    expect_closed(&acme.get_at("/api/tools").await, "http");
    expect_closed(&town.desk.get("/t/acme/api/tools").await, "http");
    assert!(acme.shop.requests().await.is_empty());

    // What staff and operators come for is no channel.
    for path in ["/api/approvals", "/api/ledger", "/api/openapi.json"] {
        acme.get(path).await.expect(200);
    }
    let plugins = "/t/acme/api/plugins";
    town.operator("GET", plugins, "").await.expect(200);
    let known = json!({ "message": "I am sarah@example.com, where is my order ORD-8842?" });
    town.desk.post("/t/acme/api/chat", known).await.expect(200);
    assert!(!acme.shop.requests().await.is_empty());
}

#[tokio::test]
async fn a_tenant_without_mcp_opens_no_session_and_lists_no_tool() {
    let town = Town::open().await;
    let acme = town.acme();
    let session = opened(&town, "acme", ACME_HELPDESK).await;
    let stream = listening(&town, ACME_HELPDESK).await;
    open_alone(&town, "[\"chat\", \"http\"]").await;
    // It ends by itself, or this never does.
    stream.text().await.unwrap();

    let client = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "s", "version": "1" } });
    let call = json!({ "name": "get_customer", "arguments": { "email": "sarah@example.com" } });
    let ask = |session: Option<&str>, method: &str, params: &Value| {
        let request = mcp(&town, "acme", ACME_HELPDESK, session);
        request.json(&rpc(method, params.clone()))
    };
    let first = ask(None, "initialize", &client).send().await.unwrap();
    assert!(!first.headers().contains_key("mcp-session-id"), "{first:?}");
    expect_closed(&Answer::of(first).await, "mcp");
    for (method, params) in [("tools/list", json!({})), ("tools/call", call.clone())] {
        for session in [Some(session.as_str()), None] {
            expect_closed(&answered(ask(session, method, &params)).await, "mcp");
        }
        let newest = ask(None, method, &params).header("mcp-protocol-version", "2026-07-28");
        let newest = newest
            .header("mcp-method", method)
            .header("mcp-name", "get_customer");
        expect_closed(&answered(newest).await, "mcp");
    }
    let keyless = town
        .desk
        .post("/t/acme/mcp", rpc("initialize", client))
        .await;
    expect_closed(&keyless, "mcp");
    assert!(acme.shop.requests().await.is_empty());
    acme.know_sarah("c").await;

    // Open again, it knows nothing of the session that it had.
    open_alone(&town, "[\"chat\", \"http\", \"mcp\"]").await;
    let old = ask(Some(&session), "tools/list", &json!({}));
    assert_eq!(old.send().await.unwrap().status(), 404);
    opened(&town, "acme", ACME_HELPDESK).await;
}

#[tokio::test]
async fn a_channel_that_there_is_not_is_refused_and_what_was_closed_stays_closed() {
    let town = Town::open().await;
    let acme = town.acme();
    let closed = with_channels(&town, "[\"http\"]");
    town.edit("acme", "tenant.toml", &closed);
    for _ in 0..1_500 {
        let path = "/api/tenants/acme";
        let shown = town.operator("GET", path, "").await.expect(200);
        if shown["channels"] == json!(["http"]) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    for (open, unknown) in [
        ("[\"chat\", \"sms\"]", "sms"),
        ("[\"terminal\"]", "terminal"),
        ("[\"MCP\"]", "MCP"),
    ] {
        town.edit("acme", "tenant.toml", &with_channels(&town, open));
        let unknown = format!("no channel \"{unknown}\" for a tenant; there are chat, http, mcp");
        let refused = town
            .until("acme", |standing| {
                let reason = standing["reason"].as_str().unwrap_or_default();
                standing["state"] == "last_good" && reason.contains(&unknown)
            })
            .await;
        let reason = refused["reason"].as_str().unwrap();
        assert!(
            reason.starts_with("tenant.toml, line 3, key channels"),
            "{reason}"
        );
        let said = town
            .desk
            .post("/t/acme/api/chat", json!({ "message": "Hello!" }))
            .await;
        expect_closed(&said, "chat");
    }
    assert!(acme.shop.requests().await.is_empty());
    acme.know_sarah("c").await;
}
