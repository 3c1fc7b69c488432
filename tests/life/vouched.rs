//! What was installed is looked at again: it must be what it was, and somebody whom the tenant trusts now must have signed it.

use std::fs;

use artifacts::SigningKey;
use serde_json::{Value, json};

use super::parcel::{Bay, Parcel};
use crate::desk::Desk;
use crate::tenants::{Town, expect_refusal};

fn key() -> SigningKey {
    SigningKey::generate().unwrap()
}

/// Writes whom acme trusts, as somebody with an editor: a signature of this key must be there.
fn trust(town: &Town, key: &SigningKey, name: &str) {
    let tenant = town.text("acme", "tenant.toml");
    let tenant = tenant.split("[trust]").next().unwrap();
    let file = format!("{name}.pub");
    let public = key.public().to_pem().unwrap();
    fs::write(town.folder.join("acme").join(&file), public).unwrap();
    let text = format!(
        "{tenant}\n[trust]\nrequired = true\nkeys = [{{ name = \"{name}\", file = \"{file}\" }}]\n"
    );
    town.edit("acme", "tenant.toml", &text);
}

async fn reload(town: &Town) {
    let reloaded = town.operator("POST", "/api/tenants/acme/reload", "").await;
    reloaded.expect(200);
}

/// Its tool is nobody's, its tenant's other tools are there, and what is said of it has these words.
async fn runs_no_more(town: &Town, words: &[&str]) {
    let bay = Bay::of(&town.desk).at("acme");
    let shelf = bay.plugin("shelf").await;
    assert_eq!(shelf["live"], json!(null), "{shelf}");
    let reason = shelf["refused"].as_str().unwrap();
    for word in words {
        assert!(reason.contains(word), "{word:?} is missing: {reason}");
    }
    let acme = town.acme();
    acme.shop.forget_requests().await;
    town.desk.shop.forget_requests().await;
    let number = json!({ "number": "ORD-8842" });
    let dana = town.acme().with_key(crate::tenants::ACME_DANA);
    let refused = dana.tool("c", "find_order", number).await;
    assert_eq!(refused.status, 404, "{refused:?}");
    assert!(acme.shop.requests().await.is_empty());
    assert!(town.desk.shop.requests().await.is_empty());
    acme.know_sarah("c").await;
    assert_eq!(town.standing("acme").await["state"], "serving");
}

#[tokio::test]
async fn a_version_whose_signer_is_trusted_no_more_is_left_out_alone() {
    let town = Town::open().await;
    let bay = Bay::of(&town.desk).at("acme");
    let (vendor, auditor) = (key(), key());
    trust(&town, &vendor, "vendor");
    reload(&town).await;
    let parcel = Parcel::version("1.0.0");
    bay.install_signed(&parcel, &vendor).await.expect(200);
    assert_eq!(bay.plugin("shelf").await["refused"], json!(null));

    trust(&town, &auditor, "auditor");
    reload(&town).await;
    let said = [
        "version 1.0.0",
        "trusts now",
        "is not among them",
        "auditor",
    ];
    runs_no_more(&town, &said).await;
    reload(&town).await;
    let audit = town.desk.audit().await;
    let events: Vec<&str> = audit
        .lines()
        .filter(|line| line.contains("plugin_refused"))
        .collect();
    assert_eq!(events.len(), 1, "told once: {events:?}");
    assert!(events[0].contains("shelf") && events[0].contains("trusts now"));
    // Other plugins can be changed meanwhile, and it comes back with a signature that counts.
    bay.post("orders/kill", json!({})).await.expect(200);
    bay.post("orders/revive", json!({})).await.expect(200);
    bay.install_signed(&parcel, &auditor).await.expect(200);
    let shelf = bay.plugin("shelf").await;
    assert_eq!(
        (&shelf["live"]["version"], &shelf["refused"]),
        (&json!("1.0.0"), &Value::Null)
    );
}

/// What was signed is kept, not only by whom.
#[tokio::test]
async fn signatures_that_were_kept_count_for_whoever_is_trusted_later() {
    let town = Town::open().await;
    let bay = Bay::of(&town.desk).at("acme");
    let vendor = key();
    // Nobody had to sign it, and somebody did.
    bay.install_signed(&Parcel::version("1.0.0"), &vendor)
        .await
        .expect(200);
    trust(&town, &vendor, "vendor");
    reload(&town).await;
    assert_eq!(bay.plugin("shelf").await["live"]["version"], "1.0.0");
    // One that nobody signed is not carried along by the one before.
    let unsigned = bay.install(&Parcel::version("1.1.0"), false).await;
    expect_refusal(&unsigned, 422, "is not signed");
    let unknown = bay.post("shelf/swap", json!({ "version": "1.1.0" })).await;
    expect_refusal(&unknown, 404, "install it first");
}

#[tokio::test]
async fn what_is_not_what_was_installed_is_left_out_at_the_next_start() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    let digest = bay.plugin("shelf").await["live"]["digest"].clone();
    let file = format!("data/artifacts/{}.wasm", digest.as_str().unwrap());
    let file = desk.data.path().join(file);
    let mut bytes = fs::read(&file).unwrap();
    bytes.push(0);
    fs::write(&file, bytes).unwrap();
    let desk = desk.started_again().await;
    let bay = Bay::of(&desk);
    let shelf = bay.plugin("shelf").await;
    let reason = shelf["refused"].as_str().unwrap();
    assert!(reason.contains("is damaged"), "{reason}");
    desk.shop.forget_requests().await;
    assert_eq!(bay.find().await.status, 404);
    assert!(desk.shop.requests().await.is_empty());
    desk.know_sarah("c").await;
    assert!(desk.audit().await.contains("is damaged"));
    let again = bay.post("shelf/swap", json!({ "version": "1.0.0" })).await;
    expect_refusal(&again, 422, "is damaged");
    // Installed again, it is whole again.
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    bay.found().await;
}
