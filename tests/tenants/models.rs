//! Models: a tenant may have one of its own, asked with a key of its own.

use serde_json::{Value, json};

use super::town::{ACME_DANA, ACME_MODEL, Asked, Town, expect_refusal, model};

const FILE: &str = "/api/tenants/acme/files/tenant.toml";

/// Acme's tenant.toml with this section at its end.
fn with_model(town: &Town, section: &str) -> String {
    format!("{}\n[model]\n{section}", town.text("acme", "tenant.toml"))
}

fn own(base_url: &str) -> String {
    format!(
        "provider = \"openai\"\nname = \"acmes-own\"\nbase_url = \"{base_url}\"\nkey = {{ env = \"ACME_MODEL_KEY\" }}\n"
    )
}

async fn says_hello(town: &Town, tenant: &str) {
    let message = json!({ "message": "Hello!" });
    let path = format!("/t/{tenant}/api/chat");
    town.desk.post(&path, message).await.expect(200);
}

/// What it was asked since it was looked at last.
fn taken(asked: &Asked) -> Vec<Value> {
    std::mem::take(&mut *asked.lock().unwrap())
}

#[tokio::test]
async fn a_tenants_own_model_answers_for_it_and_for_nobody_else() {
    let (town, hosts) = Town::with_model().await;
    let (base_url, acmes) = model().await;
    let without = town.text("acme", "tenant.toml");
    let put = |text: String| async { town.operator("PUT", FILE, &{ text }).await.expect(200) };
    let shown = put(with_model(&town, &own(&base_url))).await;
    assert_eq!(shown["model"], "openai:acmes-own");
    assert!(!shown.to_string().contains(ACME_MODEL), "{shown}");

    says_hello(&town, "acme").await;
    let asked = taken(&acmes);
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0]["model"], "acmes-own");
    assert_eq!(asked[0]["authorization"], format!("Bearer {ACME_MODEL}"));
    assert!(taken(&hosts).is_empty());
    let audit = town.desk.audit().await;
    assert!(!audit.contains(ACME_MODEL));

    says_hello(&town, "globex").await;
    let asked = taken(&hosts);
    assert_eq!((asked.len(), &asked[0]["model"]), (1, &json!("scripted")));
    assert!(!asked[0].to_string().contains(ACME_MODEL), "{asked:?}");
    assert!(taken(&acmes).is_empty());

    // Without the section, it is the host's again.
    let shown = put(without).await;
    assert_eq!(shown["model"], "openai:scripted");
    says_hello(&town, "acme").await;
    assert_eq!((taken(&hosts).len(), taken(&acmes).len()), (1, 0));
}

#[tokio::test]
async fn a_plugin_is_lent_the_model_of_its_tenant() {
    let (town, hosts) = Town::with_model().await;
    let (base_url, acmes) = model().await;
    let plugins = town.text("acme", "plugins.toml");
    let shop = plugins.lines().find(|line| line.contains("base_url"));
    let tickets = format!(
        "{plugins}\n[tickets]\nbuiltin = \"tickets\"\nmodel = true\n{}\n[[tickets.reach]]\norigin = \"{{base_url}}\"\nmethods = [\"GET\"]\npaths = [\"/tickets/*\"]\ncredential = \"shop\"\n",
        shop.unwrap()
    );
    let path = "/api/tenants/acme/files/plugins.toml";
    town.operator("PUT", path, &tickets).await.expect(200);
    let own = with_model(&town, &own(&base_url));
    town.operator("PUT", FILE, &own).await.expect(200);
    let dana = town.acme().with_key(ACME_DANA);
    dana.post("/tickets/T-902/actions/suggest_response", json!({}))
        .await
        .expect(200);
    assert_eq!((taken(&hosts).len(), taken(&acmes).len()), (0, 1));
}

#[tokio::test]
async fn a_model_that_does_not_fit_is_refused_and_nobody_is_asked() {
    let (town, hosts) = Town::with_model().await;
    let before = town.standing("acme").await;
    for (section, words) in [
        ("name = \"x\"", "provider"),
        ("provider = \"acme\"", "acme"),
        ("provider = \"openai\"", "needs a key: key = { env"),
        (
            "provider = \"anthropic\"\nbase_url = \"http://127.0.0.1:9\"",
            "needs a key",
        ),
        (
            "provider = \"openai\"\nbase_url = \"localhost\"",
            "no http or https address: \"localhost\"",
        ),
        (
            "provider = \"openai\"\nkey = { env = \"NOT_SET\" }",
            "NOT_SET is not set",
        ),
        (
            "provider = \"openai\"\nkey = { env = \"OPENAI_API_KEY\" }",
            "the program's own secret",
        ),
        (
            "provider = \"openai\"\nkey = \"a-key-in-the-file\"",
            "never written here",
        ),
    ] {
        let refused = town
            .operator("PUT", FILE, &with_model(&town, section))
            .await;
        expect_refusal(&refused, 422, "tenant.toml, line ");
        expect_refusal(&refused, 422, words);
        assert!(!refused.body.to_string().contains("a-key-in-the-file"));
    }
    assert_eq!(town.standing("acme").await, before);
    assert!(taken(&hosts).is_empty());
    // What was live still is.
    says_hello(&town, "acme").await;
    assert_eq!(taken(&hosts).len(), 1);
}
