//! The last good state of a tenant's folder outlives the host: a start whose folder is broken serves it, and says so.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::town::{Town, expect_refusal};

/// Writes acme's tenant.toml with something else in it.
fn edit(folder: &Path, from: &str, to: &str) {
    let file = folder.join("acme/tenant.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(file, text.replace(from, to)).unwrap();
}

fn broken(folder: &Path) {
    edit(folder, "\"40.00\"", "\"lots\"");
}

/// How it stands, with the reason.
async fn stands(town: &Town) -> (String, String) {
    let standing = town.standing("acme").await;
    let said = |key: &str| standing[key].as_str().unwrap_or_default().to_owned();
    (said("state"), said("reason"))
}

/// That nobody is served, and no shop is asked for anything.
async fn serves_nobody(town: &Town) {
    let acme = town.acme();
    let answer = acme.get("/api/tools").await;
    assert!(matches!(answer.status, 401 | 404), "{answer:?}");
    let answer = acme.look_up("c").await;
    assert!(matches!(answer.status, 401 | 404), "{answer:?}");
    assert!(acme.shop.requests().await.is_empty());
}

#[tokio::test]
async fn a_start_serves_the_last_good_state_of_a_folder_that_is_broken() {
    let town = Town::open().await;
    let rules = town.standing("acme").await["rulebook"].clone();
    let town = town.started_again(broken).await;
    let standing = town.standing("acme").await;
    assert_eq!(
        (&standing["state"], &standing["rulebook"]),
        (&json!("last_good"), &rules)
    );
    let reason = standing["reason"].as_str().unwrap();
    for word in ["tenant.toml, line 5", "rules.refund_limit", "lots"] {
        assert!(reason.contains(word), "{word}: {reason}");
    }
    let since = standing["good_since"].clone();
    assert!(since.as_str().unwrap().ends_with('Z'), "{standing}");
    let acme = town.acme();
    acme.know_sarah("c").await;
    assert_eq!(
        acme.refund("c", "49.99").await["outcome"],
        "awaiting_consent"
    );
    assert!(acme.shop.refunds("ORD-8842").await.is_empty());
    assert!(town.desk.audit().await.contains("tenant_as_last_good"));

    // The next start finds the same, and what is mended is taken up.
    let town = town.started_again(|_| ()).await;
    assert_eq!(town.standing("acme").await["good_since"], since);
    edit(&town.folder, "\"lots\"", "\"60.00\"");
    let reload = town.operator("POST", "/api/tenants/acme/reload", "").await;
    assert_eq!(reload.expect(200)["good_since"], Value::Null);
    assert_eq!(stands(&town).await, ("serving".to_owned(), String::new()));
    let acme = town.acme();
    acme.know_sarah("d").await;
    assert_eq!(acme.refund("d", "49.99").await["outcome"], "ok");
    // From now on that is the good state.
    let town = town
        .started_again(|folder| edit(folder, "\"60.00\"", "\"lots\""))
        .await;
    let standing = town.standing("acme").await;
    assert_ne!(standing["rulebook"], rules, "{standing}");
    assert_eq!(standing["state"], "last_good");
}

/// Secrets are kept nowhere: without them the last good state does not load either.
#[tokio::test]
async fn a_last_good_state_whose_secret_is_gone_is_not_served() {
    let town = Town::open().await;
    let secret = town.folder.join("dana.key");
    fs::write(&secret, "a-key-of-danas-in-a-file-0123456789").unwrap();
    let place = format!("{{ file = \"{}\" }}", secret.display());
    let text = town.text("acme", "tenant.toml");
    let text = text.replace("{ env = \"ACME_DANA_KEY\" }", &place);
    let path = "/api/tenants/acme/files/tenant.toml";
    town.operator("PUT", path, &text).await.expect(200);
    for entry in fs::read_dir(town.desk.data.path().join("data/last-good")).unwrap() {
        let kept = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(
            !kept.contains("a-key-of-danas") && !kept.contains("token-of-"),
            "{kept}"
        );
    }
    let town = town
        .started_again(|folder| {
            broken(folder);
            fs::remove_file(&secret).unwrap();
        })
        .await;
    let (state, reason) = stands(&town).await;
    assert_eq!(state, "refused");
    for word in [
        "rules.refund_limit",
        "its last good state does not load either",
        "dana.key",
    ] {
        assert!(reason.contains(word), "{word}: {reason}");
    }
    serves_nobody(&town).await;
    // Once it is there again, the last good state is, too.
    fs::write(&secret, "a-key-of-danas-in-a-file-0123456789").unwrap();
    let reload = town.operator("POST", "/api/tenants/acme/reload", "").await;
    expect_refusal(&reload, 422, "rules.refund_limit");
    assert_eq!(stands(&town).await.0, "last_good");
    town.acme().know_sarah("c").await;
}

#[tokio::test]
async fn nothing_is_kept_of_a_tenant_that_is_removed() {
    let town = Town::open().await;
    let kept = town.desk.data.path().join("data/last-good");
    assert!(kept.join("acme.json").exists() && kept.join("globex.json").exists());
    town.operator("DELETE", "/api/tenants/acme", "")
        .await
        .expect(204);
    assert!(!kept.join("acme.json").exists());
    // So it is with a folder that goes away while the host is down.
    let town = town
        .started_again(|folder| {
            fs::remove_dir_all(folder.join("globex")).unwrap();
            // Another of the same name, which was never good.
            fs::create_dir(folder.join("acme")).unwrap();
            fs::write(folder.join("acme/tenant.toml"), "company = 5").unwrap();
        })
        .await;
    assert!(!kept.join("globex.json").exists());
    assert_eq!(town.standing("globex").await, Value::Null);
    assert_eq!(stands(&town).await.0, "refused");
    serves_nobody(&town).await;
}

#[tokio::test]
async fn a_state_that_is_kept_and_damaged_is_refused_by_name() {
    let town = Town::open().await;
    let kept = town.desk.data.path().join("data/last-good/acme.json");
    let town = town
        .started_again(|folder| {
            broken(folder);
            let text = fs::read_to_string(&kept).unwrap();
            fs::write(&kept, &text[..text.len() / 2]).unwrap();
        })
        .await;
    let (state, reason) = stands(&town).await;
    assert_eq!(state, "refused");
    assert!(
        reason.contains("its last good state does not load either"),
        "{reason}"
    );
    serves_nobody(&town).await;
    // A good folder is kept anew.
    edit(&town.folder, "\"lots\"", "\"40.00\"");
    town.operator("POST", "/api/tenants/acme/reload", "")
        .await
        .expect(200);
    let town = town.started_again(broken).await;
    assert_eq!(stands(&town).await.0, "last_good");
    town.acme().know_sarah("c").await;
}
