//! Writing a tenant's folder over the API: several files as one change, and deleting one.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::town::{ACME_DANA, Town, expect_refusal};
use crate::desk::{Answer, OPERATOR_KEY};

const FILES: &str = "/api/tenants/acme/files";
const RULE: &str = "@id(\"more\") @code(\"MORE\") @prio(\"1\") @say(\"No.\") forbid (principal, action == Action::\"list_refunds\", resource);";

async fn change(town: &Town, tenant: &str, files: Value) -> Answer {
    let path = format!("/api/tenants/{tenant}/files");
    let request = town.desk.http.put(town.desk.url(&path));
    let request = request.bearer_auth(OPERATOR_KEY).json(&files);
    Answer::of(request.send().await.unwrap()).await
}

/// Every file below a folder, hidden ones included, with its text.
fn all_files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(all_files(&path));
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            found.insert(path.to_str().unwrap().to_owned(), text);
        }
    }
    found
}

#[tokio::test]
async fn several_files_are_one_change() {
    let town = Town::open().await;
    let tenant = town.text("acme", "tenant.toml");
    let before = town.standing("acme").await["rulebook"].clone();
    let renamed = tenant.replace("Acme Outfitters", "Acme & Daughters");
    let shown = change(
        &town,
        "acme",
        json!({ "tenant.toml": renamed, "rules/more.cedar": RULE, "rules/own.cedar": null, "prompts/refund.md": null }),
    )
    .await
    .expect(200);
    assert_eq!(
        (&shown["state"], &shown["company"]),
        (&json!("serving"), &json!("Acme & Daughters"))
    );
    assert_ne!(shown["rulebook"], before);
    let names: Vec<&String> = shown["files"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["plugins.toml", "rules/more.cedar", "tenant.toml"]);
    let on_disk = all_files(&town.folder.join("acme"));
    assert_eq!(on_disk.len(), 3, "{on_disk:?}");
    assert_eq!(town.text("acme", "rules/more.cedar"), RULE);
    // The new rule holds, and the old one does not.
    let dana = town.acme().with_key(ACME_DANA);
    dana.know_sarah("c").await;
    let order = json!({ "order_id": "ORD-8842" });
    let refused = dana.tool("c", "list_refunds", order).await;
    assert_eq!(refused.body["code"], "MORE", "{refused:?}");
    // What is left to say no are the shipped rules.
    let refused = dana.tool("c", "get_customer_orders", json!({})).await;
    assert_eq!(refused.body["code"], "IDENTITY_REQUIRED", "{refused:?}");
    let audit = town.desk.audit().await;
    for words in [
        "\"tenant_written\"",
        "\"written\":[\"rules/more.cedar\",\"tenant.toml\"]",
        "\"deleted\":[\"prompts/refund.md\",\"rules/own.cedar\"]",
    ] {
        assert!(audit.contains(words), "{words}");
    }
}

#[tokio::test]
async fn a_change_that_does_not_fit_as_a_whole_writes_nothing_of_it() {
    let town = Town::open().await;
    let folder = town.folder.join("acme");
    let before = (all_files(&folder), town.standing("acme").await);
    let tenant = town.text("acme", "tenant.toml");
    let renamed = tenant.replace("Acme Outfitters", "Acme & Daughters");
    let large = "x".repeat((256 << 10) + 1);
    for (files, status, words) in [
        (
            json!({ "tenant.toml": renamed, "rules/more.cedar": "permit (" }),
            422,
            "rules/more.cedar",
        ),
        (
            json!({ "rules/more.cedar": RULE, "tenant.toml": "company = 5" }),
            422,
            "tenant.toml, line 1",
        ),
        (
            json!({ "tenant.toml": null, "rules/more.cedar": RULE }),
            422,
            "tenant.toml",
        ),
        (
            json!({ "tenant.toml": renamed, "tools.toml": null }),
            404,
            "no tools.toml",
        ),
        (
            json!({ "tenant.toml": renamed, "../globex/tenant.toml": "company = \"X\"" }),
            422,
            "no such file",
        ),
        (
            json!({ "tenant.toml": renamed, "rules/../../globex/tenant.toml": null }),
            422,
            "no such file",
        ),
        (
            json!({ "tenant.toml": renamed, "/etc/hostname": null }),
            422,
            "no such file",
        ),
        (
            json!({ "tenant.toml": renamed, ".before-the-change": "{}" }),
            422,
            "no such file",
        ),
        (
            json!({ "tenant.toml": renamed, "prompts/refund.md": large }),
            422,
            "prompts/refund.md",
        ),
        (
            json!({ "tenant.toml": renamed, "tools.toml": 5 }),
            400,
            "does not fit",
        ),
        (json!([]), 400, "does not fit"),
        (json!({}), 400, "names no file"),
    ] {
        let refused = change(&town, "acme", files.clone()).await;
        expect_refusal(&refused, status, words);
        assert_eq!(all_files(&folder), before.0, "{files}");
    }
    assert_eq!(town.standing("acme").await, before.1);
    assert!(town.text("globex", "tenant.toml").contains("Globex"));
    town.acme().know_sarah("c").await;
}

#[tokio::test]
async fn one_file_is_deleted_where_the_rest_fits_without_it() {
    let town = Town::open().await;
    let dana = town.acme().with_key(ACME_DANA);
    dana.know_sarah("c").await;
    let refused = dana.tool("c", "get_customer_orders", json!({})).await;
    assert_eq!(refused.body["code"], "NOT_HERE", "{refused:?}");
    let delete = async |file: &str| {
        let path = format!("{FILES}/{file}");
        town.operator("DELETE", &path, "").await
    };
    let shown = delete("rules/own.cedar").await.expect(200);
    assert!(shown["files"].get("rules/own.cedar").is_none(), "{shown}");
    assert!(!town.folder.join("acme/rules/own.cedar").exists());
    // What is left to say no are the shipped rules.
    let refused = dana.tool("c", "get_customer_orders", json!({})).await;
    assert_eq!(refused.body["code"], "IDENTITY_REQUIRED", "{refused:?}");
    for (file, status, words) in [
        ("rules/own.cedar", 404, "no rules/own.cedar"),
        ("tenant.toml", 422, "tenant.toml"),
        ("..%2Fglobex%2Ftenant.toml", 422, "no such file"),
        ("rules%2F..%2Ftenant.toml", 422, "no such file"),
        ("install/x.wasm", 422, "no such file"),
    ] {
        expect_refusal(&delete(file).await, status, words);
    }
    let stranger = town
        .desk
        .http
        .delete(town.desk.url(&format!("{FILES}/plugins.toml")));
    let stranger = Answer::of(stranger.bearer_auth(ACME_DANA).send().await.unwrap()).await;
    expect_refusal(&stranger, 401, "the operator's");
    for (tenant, file) in [
        ("acme", "tenant.toml"),
        ("acme", "plugins.toml"),
        ("globex", "tenant.toml"),
    ] {
        assert!(!town.text(tenant, file).is_empty());
    }
    assert_eq!(town.standing("acme").await["state"], "serving");
}

#[tokio::test]
async fn a_tenant_is_made_of_several_files_at_once() {
    let town = Town::open().await;
    let files = json!({ "tenant.toml": "company = \"Initech\"\n", "rules/more.cedar": RULE });
    let made = change(&town, "initech", files).await.expect(200);
    assert_eq!(made["state"], "serving", "{made}");
    // And of some that do not fit, no folder is left.
    let files = json!({ "tenant.toml": "company = \"Hooli\"\n", "rules/more.cedar": "permit (" });
    expect_refusal(
        &change(&town, "hooli", files).await,
        422,
        "rules/more.cedar",
    );
    assert!(!town.folder.join("hooli").exists());
    let files = json!({ "rules/more.cedar": RULE });
    expect_refusal(&change(&town, "hooli", files).await, 422, "tenant.toml");
    assert!(!town.folder.join("hooli").exists());
}

/// What a host that was killed has left of a change: some files of it, and beside them what was there before.
#[tokio::test]
async fn a_change_that_was_cut_short_is_undone_before_anything_of_it_is_served() {
    let town = Town::open().await;
    let left = town.folder.with_file_name("left");
    let good = "company = \"Initech\"\n";
    let after = "company = \"Hooli\"\n";
    let half_done = json!({
        "before": { "tenant.toml": good, "rules/more.cedar": null, "prompts/refund.md": "Be brief." },
        "after": { "tenant.toml": after, "rules/more.cedar": RULE, "prompts/refund.md": null },
    });
    for (file, text) in [
        (".before-the-change", half_done.to_string().as_str()),
        ("tenant.toml", after),
        ("rules/more.cedar", RULE),
    ] {
        let path = left.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::rename(&left, town.folder.join("initech")).unwrap();
    town.until("initech", |standing| !standing.is_null()).await;
    let shown = town.operator("GET", "/api/tenants/initech", "").await;
    assert_eq!(shown.expect(200)["company"], "Initech");
    let on_disk = all_files(&town.folder.join("initech"));
    let texts: Vec<&str> = on_disk.values().map(String::as_str).collect();
    assert_eq!(texts, ["Be brief.", good]);
}

/// Half of a change is nobody's word: it is not served, and nothing is written over it.
#[tokio::test]
async fn a_change_that_cannot_be_undone_is_not_served() {
    let town = Town::open().await;
    let left = town.folder.with_file_name("left");
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(left.join(".before-the-change"), "{ \"tenant.toml\": ").unwrap();
    std::fs::write(left.join("tenant.toml"), "company = \"Hooli\"\n").unwrap();
    std::fs::rename(&left, town.folder.join("initech")).unwrap();
    let words = "was left half done, and cannot be undone";
    let is_refused = |standing: &Value| {
        let reason = standing["reason"].as_str().unwrap_or_default();
        reason.contains(words)
    };
    let standing = town.until("initech", is_refused).await;
    assert_eq!(standing["state"], "refused", "{standing}");
    let before = all_files(&town.folder.join("initech"));
    for files in [
        json!({ "tenant.toml": "company = \"Pied Piper\"\n" }),
        json!({ "tenant.toml": "company = \"Pied Piper\"\n", "rules/more.cedar": RULE }),
    ] {
        expect_refusal(&change(&town, "initech", files).await, 422, words);
    }
    assert_eq!(all_files(&town.folder.join("initech")), before);
    std::fs::remove_file(town.folder.join("initech/.before-the-change")).unwrap();
    let reloaded = town
        .operator("POST", "/api/tenants/initech/reload", "")
        .await;
    assert_eq!(reloaded.expect(200)["state"], "serving");
}

/// A file of half a change that somebody has put right by hand is theirs: nothing is written over it, and the rest of the folder is
/// not served with it before they say so.
#[tokio::test]
async fn what_somebody_edits_in_a_change_that_was_cut_short_stays_and_waits_for_them() {
    let town = Town::open().await;
    let files = json!({ "tenant.toml": "company = \"Initech\"\n", "rules/more.cedar": RULE });
    change(&town, "initech", files).await.expect(200);
    let good = all_files(&town.folder.join("initech"));
    let half_done = json!({
        "before": { "tenant.toml": "company = \"Initech\"\n", "rules/more.cedar": RULE },
        "after": { "tenant.toml": "company = \"Hooli\"\n", "rules/more.cedar": null },
    });
    let cut_short = |tenant: &str| {
        let (half_done, tenant) = (half_done.to_string(), tenant.to_owned());
        move |folder: &Path| {
            let folder = folder.join("initech");
            std::fs::write(folder.join(".before-the-change"), half_done).unwrap();
            std::fs::remove_file(folder.join("rules/more.cedar")).unwrap();
            std::fs::write(folder.join("tenant.toml"), tenant).unwrap();
        }
    };
    let town = town.started_again(cut_short("company = \"Hooli\"\n")).await;
    assert_eq!(town.standing("initech").await["state"], "serving");
    assert_eq!(all_files(&town.folder.join("initech")), good);

    let town = town
        .started_again(cut_short("company = \"Pied Piper\"\n"))
        .await;
    let folder = town.folder.join("initech");
    let left = all_files(&folder);
    assert_eq!(left.len(), 2, "{left:?}");
    let standing = town.standing("initech").await;
    assert_eq!(standing["state"], "last_good", "{standing}");
    let reload = async || {
        town.operator("POST", "/api/tenants/initech/reload", "")
            .await
    };
    let refused = reload().await;
    for words in [
        "a change of rules/more.cedar, tenant.toml was left half done",
        "by now tenant.toml is neither",
        "delete this one, and reload the tenant",
    ] {
        expect_refusal(&refused, 422, words);
        assert!(standing["reason"].as_str().unwrap().contains(words));
    }
    let written = change(&town, "initech", half_done["before"].clone()).await;
    expect_refusal(&written, 422, "somebody has edited that");
    assert_eq!(all_files(&folder), left);
    // What they leave there is their word.
    std::fs::remove_file(folder.join(".before-the-change")).unwrap();
    assert_eq!(reload().await.expect(200)["company"], "Pied Piper");
}
