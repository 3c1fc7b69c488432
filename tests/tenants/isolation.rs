//! Isolation: nothing of one tenant can be read, answered or used from another.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::town::{ACME_DANA, ACME_HELPDESK, GLOBEX_BOSS, GLOBEX_BOT, Town, expect_refusal};

#[tokio::test]
async fn a_case_an_approval_and_an_intent_belong_to_their_tenant() {
    let town = Town::open().await;
    let acme = town.acme();
    acme.know_sarah("c").await;
    let asked = acme.refund("c", "49.99").await;
    assert_eq!(asked["outcome"], "awaiting_consent", "{asked}");
    let dana = town.acme().with_key(ACME_DANA);
    let approvals = dana.get("/api/approvals").await.expect(200)["approvals"].clone();
    let approval = approvals[0]["id"].as_str().unwrap();
    let case = approvals[0]["case"].as_str().unwrap();

    let boss = town.globex().with_key(GLOBEX_BOSS);
    assert_eq!(
        boss.get("/api/approvals").await.expect(200)["approvals"],
        json!([])
    );
    let grant = json!({ "decision": "grant" });
    let stolen = boss
        .post(&format!("/api/approvals/{approval}"), grant.clone())
        .await;
    expect_refusal(&stolen, 404, "no such approval");
    let entered = boss
        .tool(case, "lookup_order", json!({ "order_id": "ORD-8842" }))
        .await;
    expect_refusal(&entered, 404, "no such case");
    acme.shop.saw_no_write().await;

    dana.post(&format!("/api/approvals/{approval}"), grant)
        .await
        .expect(200);
    assert_eq!(acme.shop.refunds("ORD-8842").await, [4_999]);
    let intents = dana.get("/api/ledger?state=all").await.expect(200);
    let intent = intents["intents"][0]["id"].as_str().unwrap();
    dana.get(&format!("/api/ledger/{intent}")).await.expect(200);
    assert_eq!(
        boss.get("/api/ledger?state=all").await.expect(200)["intents"],
        json!([])
    );
    expect_refusal(
        &boss.get(&format!("/api/ledger/{intent}")).await,
        404,
        "no such intent",
    );
    let word = json!({ "as": "failed", "note": "it is not mine" });
    let settled = boss
        .post(&format!("/api/ledger/{intent}/settle"), word)
        .await;
    expect_refusal(&settled, 404, "no such intent");
    boss.shop.saw_no_write().await;
}

#[tokio::test]
async fn the_same_name_of_a_conversation_is_another_conversation() {
    let town = Town::open().await;
    let known = "Hi, I am sarah@example.com, and my order is ORD-8842. Where is it?";
    let said = json!({ "session_id": "same", "message": known });
    town.desk.post("/t/acme/api/chat", said).await.expect(200);
    let reset = json!({ "session_id": "same" });
    town.desk
        .post("/t/globex/api/chat/reset", reset.clone())
        .await
        .expect(404);
    town.desk
        .post("/t/acme/api/chat/reset", reset)
        .await
        .expect(200);
}

pub(super) fn mcp(town: &Town, tenant: &str, key: &str, session: Option<&str>) -> RequestBuilder {
    let request = town
        .desk
        .http
        .post(town.desk.url(&format!("/t/{tenant}/mcp")));
    let request = request
        .bearer_auth(key)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25");
    match session {
        Some(id) => request.header("mcp-session-id", id),
        None => request,
    }
}

pub(super) fn rpc(method: &str, params: impl Into<Value>) -> Value {
    let params = params.into();
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

pub(super) async fn opened(town: &Town, tenant: &str, key: &str) -> String {
    let client = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "s", "version": "1" } });
    let request = mcp(town, tenant, key, None).json(&rpc("initialize", client));
    let response = request.send().await.unwrap();
    assert!(response.status().is_success(), "{response:?}");
    let id = response.headers()["mcp-session-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let told = mcp(town, tenant, key, Some(&id))
        .json(&told)
        .send()
        .await
        .unwrap();
    assert!(told.status().is_success());
    id
}

/// What a session's request comes to: the status, and the answer's text.
async fn asked(request: RequestBuilder, body: &Value) -> (u16, String) {
    let response = request.json(body).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn a_session_of_one_tenant_is_worthless_at_another_and_with_another_key() {
    let town = Town::open().await;
    let session = opened(&town, "acme", ACME_HELPDESK).await;
    let list = rpc("tools/list", json!({}));
    let own = asked(mcp(&town, "acme", ACME_HELPDESK, Some(&session)), &list).await;
    assert!(own.0 == 200 && own.1.contains("lookup_order"), "{own:?}");
    for (tenant, key) in [
        ("globex", GLOBEX_BOT),
        ("globex", GLOBEX_BOSS),
        ("acme", ACME_DANA),
    ] {
        let stolen = asked(mcp(&town, tenant, key, Some(&session)), &list).await;
        assert_eq!(stolen.0, 404, "{tenant} {stolen:?}");
        let stream = town
            .desk
            .http
            .get(town.desk.url(&format!("/t/{tenant}/mcp")));
        let stream = stream
            .bearer_auth(key)
            .header("accept", "text/event-stream")
            .header("mcp-session-id", &session);
        assert_eq!(stream.send().await.unwrap().status().as_u16(), 404);
    }
    let stray = asked(mcp(&town, "acme", GLOBEX_BOT, Some(&session)), &list).await;
    assert_eq!(stray.0, 403, "{stray:?}");
    let stranger = town
        .desk
        .http
        .post(town.desk.url("/t/acme/mcp"))
        .header("mcp-session-id", &session);
    let stranger = asked(
        stranger.header("accept", "application/json, text/event-stream"),
        &list,
    )
    .await;
    assert_eq!(stranger.0, 401, "{stranger:?}");
}

#[tokio::test]
async fn a_key_sees_and_calls_its_own_tools_over_mcp() {
    let town = Town::open().await;
    let session = opened(&town, "acme", ACME_HELPDESK).await;
    let ask = |method: &str, params: Value| {
        let body = rpc(method, params);
        let request = mcp(&town, "acme", ACME_HELPDESK, Some(&session));
        async move { asked(request, &body).await.1 }
    };
    let listed = ask("tools/list", json!({})).await;
    assert!(
        listed.contains("process_refund") && !listed.contains("list_refunds"),
        "{listed}"
    );
    let call = json!({ "name": "list_refunds", "arguments": { "order_id": "ORD-8842" } });
    let refused = ask("tools/call", call).await;
    assert!(refused.contains("may not call list_refunds"), "{refused}");
    assert_eq!(town.acme().shop.requests().await, Vec::<Value>::new());
    let call = json!({ "name": "get_customer", "arguments": { "email": "sarah@example.com" } });
    let known = ask("tools/call", call).await;
    assert!(known.contains("C-1001"), "{known}");
}
