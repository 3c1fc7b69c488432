//! Keys: whose tools, which of them, and what is left of the rest.

use serde_json::{Value, json};

use super::town::{ACME_DANA, ACME_HELPDESK, GLOBEX_BOT, Town, expect_refusal};

fn names(listed: &Value) -> Vec<&str> {
    let tools = listed["tools"].as_array().unwrap();
    tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_key_shows_its_own_tools_and_calls_no_other() {
    let town = Town::open().await;
    let helpdesk = town.acme();
    let listed = helpdesk.get("/api/tools").await.expect(200);
    assert_eq!(
        names(&listed),
        ["get_customer", "lookup_order", "process_refund"]
    );
    helpdesk.know_sarah("c").await;
    helpdesk.shop.forget_requests().await;
    for tool in ["get_tracking_info", "list_refunds", "no_such_tool"] {
        let refused = helpdesk
            .tool("c", tool, json!({ "order_id": "ORD-8842" }))
            .await;
        expect_refusal(&refused, 403, "the key of helpdesk is not for the tool");
        assert_eq!(refused.body["error"]["code"], "tool_not_granted");
    }
    let resource = helpdesk.get("/tickets/T-1").await;
    expect_refusal(&resource, 403, "get_ticket");
    assert_eq!(helpdesk.shop.requests().await, Vec::<Value>::new());
    // What the set leaves out, a key with all tools may call.
    let dana = town.acme().with_key(ACME_DANA);
    dana.tool("d", "list_refunds", json!({ "order_id": "ORD-8842" }))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_tenant_with_keys_asks_for_one_before_any_tool() {
    let town = Town::open().await;
    let call = json!({ "arguments": { "email": "sarah@example.com" } });
    let stranger = town.desk.post("/t/acme/api/tools/get_customer", call).await;
    expect_refusal(&stranger, 401, "holders of a key");
    expect_refusal(
        &town.desk.get("/t/acme/api/tools").await,
        401,
        "holders of a key",
    );
    expect_refusal(
        &town.desk.get("/t/acme/customers/C-1001").await,
        401,
        "holders of a key",
    );
    assert_eq!(town.acme().shop.requests().await, Vec::<Value>::new());
    // Its customers need none to talk to its agent.
    let message = json!({ "session_id": "s", "message": "Hello!" });
    town.desk
        .post("/t/acme/api/chat", message)
        .await
        .expect(200);
}

#[tokio::test]
async fn a_key_opens_its_own_tenant_and_its_own_role_alone() {
    let town = Town::open().await;
    let stray = town.acme().with_key(GLOBEX_BOT);
    expect_refusal(&stray.get("/api/tools").await, 403, "another tenant's");
    expect_refusal(
        &stray.get("/api/health-of-nothing").await,
        403,
        "another tenant's",
    );
    assert_eq!(stray.shop.requests().await, Vec::<Value>::new());
    for path in ["/api/approvals", "/api/ledger"] {
        let agents = town.acme().with_key(ACME_HELPDESK);
        expect_refusal(&agents.get(path).await, 403, "an agent's");
        town.acme().with_key(ACME_DANA).get(path).await.expect(200);
    }
    for path in ["/api/tenants", "/api/tenants/acme"] {
        let dana = town.acme().with_key(ACME_DANA);
        expect_refusal(&dana.get_at(path).await, 401, "the operator's");
    }
}

#[tokio::test]
async fn a_secret_of_a_tenant_is_in_no_answer() {
    let town = Town::open().await;
    let shown = town
        .operator("GET", "/api/tenants/acme", "")
        .await
        .expect(200);
    assert_eq!(shown["company"], "Acme Outfitters");
    let text = shown.to_string();
    for secret in [ACME_DANA, ACME_HELPDESK, "token-of-acmes-shop"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

/// Both fit while they are made ready; the second to go live does not, and leaves nothing behind.
#[tokio::test]
async fn of_two_tenants_that_come_by_one_key_at_once_one_has_it() {
    let town = Town::open().await;
    let file = town.folder.join("late.key");
    std::fs::write(&file, "key-of-somebody-late-0123456789ab").unwrap();
    let key =
        format!("\n[[keys]]\nname = \"late\"\nrole = \"agent\"\nkey = {{ file = {file:?} }}\n");
    let with_key = |tenant: &str| town.text(tenant, "tenant.toml") + &key;
    let before = ["acme", "globex"].map(|tenant| town.text(tenant, "tenant.toml"));
    let put = async |tenant: &str, text: &str| {
        let path = format!("/api/tenants/{tenant}/files/tenant.toml");
        town.operator("PUT", &path, text).await
    };
    let texts = (with_key("acme"), with_key("globex"));
    let (acme, globex) = tokio::join!(put("acme", &texts.0), put("globex", &texts.1));
    let statuses = [acme.status, globex.status];
    let loser = statuses.iter().position(|status| *status == 422).unwrap();
    assert_eq!(statuses[1 - loser], 200, "{statuses:?}");
    let name = ["acme", "globex"][loser];
    expect_refusal(
        &[acme, globex][loser],
        422,
        "the key of late is somebody else's",
    );
    assert_eq!(town.text(name, "tenant.toml"), before[loser]);
    assert_eq!(town.standing(name).await["state"], "serving");
    town.desk.shop.saw_no_write().await;
}
