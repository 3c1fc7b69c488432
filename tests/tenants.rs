//! Many tenants in one process: each judged by its own rules, reached by its own keys, and changed while the others go on.

mod changes;
mod channels;
mod commands;
mod isolation;
mod kept;
mod keys;
mod models;
mod secrets;
mod silent;
mod town;
mod trust;
mod writing;

use serde_json::json;

pub(crate) use changes::listening;
pub(crate) use town::{ACME_DANA, ACME_HELPDESK, Town, expect_refusal};

const BLENDER: &str = "49.99";

#[tokio::test]
async fn the_same_refund_is_judged_by_each_tenants_own_rules() {
    let town = Town::open().await;
    let (acme, globex) = (town.acme(), town.globex());
    for tenant in [&acme, &globex] {
        tenant.know_sarah("c").await;
    }
    let asked = acme.refund("c", BLENDER).await;
    assert_eq!(asked["outcome"], "awaiting_consent", "{asked}");
    let paid = globex.refund("c", BLENDER).await;
    assert_eq!(paid["outcome"], "ok", "{paid}");
    assert_eq!(acme.shop.refunds("ORD-8842").await, Vec::<i64>::new());
    assert_eq!(globex.shop.refunds("ORD-8842").await, [4_999]);
    town.desk.shop.saw_no_write().await;
}

#[tokio::test]
async fn a_rule_of_one_tenant_is_no_rule_of_another() {
    let town = Town::open().await;
    let dana = town.acme().with_key(town::ACME_DANA);
    dana.know_sarah("c").await;
    let refused = dana.tool("c", "get_customer_orders", json!({})).await;
    assert_eq!(refused.body["code"], "NOT_HERE", "{refused:?}");
    let globex = town.globex();
    globex.know_sarah("c").await;
    globex
        .tool("c", "get_customer_orders", json!({}))
        .await
        .expect(200);
    let paths = |requests: Vec<serde_json::Value>| -> Vec<String> {
        requests
            .iter()
            .map(|request| request["path"].to_string())
            .collect()
    };
    let asked = paths(dana.shop.requests().await);
    assert!(
        !asked.iter().any(|path| path.contains("/orders\"")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn each_tenants_agent_speaks_for_its_company_by_its_own_prompts() {
    let (town, asked) = Town::with_model().await;
    for tenant in ["acme", "globex"] {
        let path = format!("/t/{tenant}/api/chat");
        let message = json!({ "session_id": "s", "message": "Hello!" });
        town.desk.post(&path, message).await.expect(200);
    }
    let asked = asked.lock().unwrap();
    let system = |nth: usize| {
        asked[nth]["messages"][0]["content"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (acme, globex) = (system(0), system(1));
    assert!(
        acme.contains("Acme Outfitters") && !acme.contains("Globex"),
        "{acme}"
    );
    assert!(
        acme.contains("thank the customer for their patience"),
        "{acme}"
    );
    assert!(
        globex.contains("Globex") && !globex.contains("their patience"),
        "{globex}"
    );
}

#[tokio::test]
async fn a_path_without_a_tenant_is_the_keys_or_the_built_in_ones() {
    let town = Town::open().await;
    let acme = town.acme();
    let listed = |answer: serde_json::Value| answer["tools"].as_array().unwrap().len();
    let own = acme.get_at("/api/tools").await.expect(200);
    let named = acme.get_at("/t/acme/api/tools").await.expect(200);
    assert_eq!(own, named);
    assert!(listed(town.desk.get("/api/tools").await.expect(200)) > listed(own));
    expect_refusal(
        &town.desk.get("/t/initech/api/tools").await,
        404,
        "no tenant initech",
    );
    let health = town.desk.get("/t/acme/api/health").await.expect(200);
    assert_eq!(health["ready"], true);
    let page = town
        .desk
        .http
        .get(town.desk.url("/t/acme"))
        .send()
        .await
        .unwrap();
    assert!(
        page.url().path() == "/t/acme/" && page.status().is_success(),
        "{page:?}"
    );
}
