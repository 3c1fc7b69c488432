//! A registry that accepts connections and never answers: its own tenant waits for it, and nobody else does.

use futures::future::{Either, select};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

use super::town::{Town, expect_refusal};
use crate::life::{Bay, Parcel};

/// The registry; dropped, it hangs up.
struct Silent {
    /// As plugins.toml names an artifact of it.
    entry: String,
    reached: oneshot::Receiver<()>,
    listening: AbortOnDropHandle<()>,
}

impl Silent {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, reached) = oneshot::channel();
        let listening = async move {
            let mut held = vec![listener.accept().await.unwrap()];
            tell.send(()).unwrap();
            loop {
                held.push(listener.accept().await.unwrap());
            }
        };
        let digest = "5".repeat(64);
        Self {
            entry: format!("\n[points]\noci = \"{address}/points:1@sha256:{digest}\"\n"),
            reached,
            listening: AbortOnDropHandle::new(tokio::spawn(listening)),
        }
    }
}

#[tokio::test]
async fn a_registry_that_never_answers_holds_up_no_other_tenant() {
    let town = Town::open().await;
    let bay = Bay::of(&town.desk).at("globex");
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    let mut registry = Silent::open().await;
    let text = town.text("acme", "plugins.toml") + &registry.entry;
    let path = "/api/tenants/acme/files/plugins.toml";
    let waiting = Box::pin(town.operator("PUT", path, &text));
    let Either::Right((_, waiting)) = select(waiting, &mut registry.reached).await else {
        panic!("acme's change ended before its registry was asked");
    };
    // Every kind of change of another tenant comes through meanwhile.
    let others = Box::pin(async {
        bay.install(&Parcel::with_owner("1.1.0"), false)
            .await
            .expect(200);
        let version = json!({ "version": "1.1.0" });
        bay.post("shelf/swap", version).await.expect(200);
        bay.post("shelf/rollback", json!({})).await.expect(200);
        let again = town.operator("POST", "/api/tenants/globex/reload", "");
        again.await.expect(200);
    });
    let Either::Right(((), waiting)) = select(waiting, others).await else {
        panic!("globex waited for acme's registry");
    };
    assert_eq!(bay.plugin("shelf").await["live"]["version"], "1.0.0");
    // Its own plugins serve, too, and are stopped at once.
    let acme = town.acme();
    acme.know_sarah("c").await;
    let own = Bay::of(&town.desk).at("acme");
    let email = json!({ "email": "sarah@example.com" });
    let customer = async || acme.tool("d", "get_customer", email.clone()).await.body;
    let stopping = Box::pin(own.post("crm/kill", json!({})));
    let stopped = Box::pin(async { while customer().await["code"] != "PLUGIN_STOPPED" {} });
    let Either::Right(((), stopping)) = select(stopping, stopped).await else {
        panic!("the turn of the same tenant was not awaited");
    };
    acme.shop.forget_requests().await;
    drop(registry.listening);
    expect_refusal(&waiting.await, 422, "points");
    stopping.await.expect(200);
    assert_eq!(town.text("acme", "plugins.toml").find("points"), None);
    assert!(acme.shop.requests().await.is_empty());
}

/// A change that waits for its turn is seen to its end, whoever hangs up meanwhile.
#[tokio::test]
async fn a_change_goes_on_where_its_caller_hangs_up() {
    let town = Town::open().await;
    let mut registry = Silent::open().await;
    let text = town.text("acme", "plugins.toml") + &registry.entry;
    let path = "/api/tenants/acme/files/plugins.toml";
    let waiting = Box::pin(town.operator("PUT", path, &text));
    let Either::Right((_, waiting)) = select(waiting, &mut registry.reached).await else {
        panic!("acme's change ended before its registry was asked");
    };
    let acme = town.acme();
    let own = Bay::of(&town.desk).at("acme");
    let email = json!({ "email": "sarah@example.com" });
    let customer = async || acme.tool("d", "get_customer", email.clone()).await.body;
    let stopping = Box::pin(own.post("crm/kill", json!({})));
    let stopped = Box::pin(async { while customer().await["code"] != "PLUGIN_STOPPED" {} });
    let Either::Right(((), stopping)) = select(stopping, stopped).await else {
        panic!("the turn of the same tenant was not awaited");
    };
    drop(stopping);
    // By now the host has heard of it, and what waits in the turn's queue has its place.
    for _ in 0..20 {
        customer().await;
    }
    drop(registry.listening);
    expect_refusal(&waiting.await, 422, "points");
    let again = town.operator("POST", "/api/tenants/acme/reload", "");
    again.await.expect(200);
    let history = own.history("crm").await;
    assert!(
        history.iter().any(|change| change.contains("kill")),
        "{history:?}"
    );
}

/// Likewise where somebody has edited the folders.
#[tokio::test]
async fn an_edit_of_another_tenants_folder_is_taken_up_meanwhile() {
    let town = Town::open().await;
    let mut registry = Silent::open().await;
    let text = town.text("acme", "plugins.toml") + &registry.entry;
    town.edit("acme", "plugins.toml", &text);
    (&mut registry.reached).await.unwrap();
    let before = town.standing("globex").await["rulebook"].clone();
    let limit = town.text("globex", "tenant.toml");
    let limit = limit.replace("\"100.00\"", "\"90.00\"");
    town.edit("globex", "tenant.toml", &limit);
    town.until("globex", |standing| standing["rulebook"] != before)
        .await;
    assert_eq!(town.standing("acme").await["reason"], Value::Null);
    drop(registry.listening);
    let refused = town
        .until("acme", |standing| standing["state"] == "last_good")
        .await;
    let reason = refused["reason"].as_str().unwrap();
    assert!(reason.contains("points"), "{reason}");
    town.acme().know_sarah("c").await;
}
