//! Secrets in files: what is changed there counts without anybody asking for it, and what cannot be read changes nothing.

use std::fs;
use std::path::{Path, PathBuf};

use super::town::{ACME_DANA, Town, expect_refusal};

const ROTATED: &str = "rotated-key-of-dana-0123456789abcdef";

/// A new file in the old one's place, with its length and time: as secrets are often delivered.
fn rotate(file: &Path, text: &str) {
    let written = fs::metadata(file).unwrap().modified().unwrap();
    let beside = file.with_extension("new");
    fs::write(&beside, text).unwrap();
    let opened = fs::File::options().append(true).open(&beside).unwrap();
    opened.set_modified(written).unwrap();
    fs::rename(&beside, file).unwrap();
}

/// Waits until it is so: a file is seen when the host looks at it next.
async fn soon(is_so: impl AsyncFn() -> bool) {
    for _ in 0..1_500 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it never is");
}

/// The town, with dana's key and the shop's token of acme in files outside of the tenants' folder.
async fn town(secrets: &Path) -> (Town, PathBuf, PathBuf) {
    let town = Town::open().await;
    let (key, token) = (secrets.join("dana"), secrets.join("shop"));
    fs::write(&key, ACME_DANA).unwrap();
    fs::write(&token, "token-of-acmes-shop\n").unwrap();
    let text = town.text("acme", "tenant.toml");
    let in_files = text
        .replace(
            "{ env = \"ACME_DANA_KEY\" }",
            &format!("{{ file = \"{}\" }}", key.display()),
        )
        .replace(
            "{ env = \"ACME_SHOP_TOKEN\" }",
            &format!("{{ file = \"{}\" }}", token.display()),
        );
    assert!(
        in_files.contains("/dana\"") && in_files.contains("/shop\""),
        "{in_files}"
    );
    town.operator("PUT", "/api/tenants/acme/files/tenant.toml", &in_files)
        .await
        .expect(200);
    (town, key, token)
}

#[tokio::test]
async fn a_rotated_key_opens_and_the_old_one_does_not() {
    let secrets = tempfile::tempdir().unwrap();
    let (town, key, _) = town(secrets.path()).await;
    town.acme()
        .with_key(ACME_DANA)
        .get("/api/ledger")
        .await
        .expect(200);
    let same_length = &ROTATED[..ACME_DANA.len()];
    rotate(&key, same_length);
    let dana = town.acme().with_key(same_length);
    soon(async || dana.get("/api/ledger").await.status == 200).await;
    let old = town.acme().with_key(ACME_DANA);
    expect_refusal(&old.get("/api/ledger").await, 401, "a supervisor's");
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_refused_and_the_last_good_one_serves() {
    let secrets = tempfile::tempdir().unwrap();
    let (town, _, token) = town(secrets.path()).await;
    fs::remove_file(&token).unwrap();
    let refused = town
        .until("acme", |standing| standing["state"] == "last_good")
        .await;
    let reason = refused["reason"].as_str().unwrap();
    for words in [
        "tenant.toml, line",
        "credentials.shop",
        "cannot read",
        "shop",
    ] {
        assert!(reason.contains(words), "{words}: {reason}");
    }
    // What was there before is still shown to the shop.
    assert!(is_authorized(&town, "c").await);
    fs::write(&token, "\n").unwrap();
    town.until("acme", |standing| {
        standing["reason"].to_string().contains("is empty")
    })
    .await;
    assert!(is_authorized(&town, "d").await);
    fs::write(&token, "a-token-that-the-shop-does-not-know").unwrap();
    town.until("acme", |standing| standing["state"] == "serving")
        .await;
    assert!(!is_authorized(&town, "e").await);
    rotate(&token, "token-of-acmes-shop");
    soon(async || is_authorized(&town, "f").await).await;
    let audit = town.desk.audit().await;
    for secret in ["token-of-acmes-shop", "a-token-that"] {
        assert!(!audit.contains(secret));
    }
}

/// Whether a call's request carries what the shop takes.
async fn is_authorized(town: &Town, case: &str) -> bool {
    let acme = town.acme();
    acme.know_sarah(case).await;
    let requests = acme.shop.requests().await;
    requests.last().unwrap()["authorized"].as_bool().unwrap()
}
