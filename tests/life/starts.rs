//! A start at which an installed plugin cannot run: it is left out alone, with its reason, and comes back once it can.

use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::commands::{listed, plugin, says};
use super::parcel::{Bay, Parcel};
use crate::desk::Desk;
use crate::programs::{refuses, switchboard};
use crate::tenants::{ACME_DANA, Town};

/// What a plugin may ask for has changed: nothing that was accepted of this version counts any more.
fn forget_what_was_accepted(data: &Path, version: &str) -> String {
    let store = Connection::open(data.join("switchboard.sqlite")).unwrap();
    let accepted: String = store
        .query_one(
            "SELECT accepted FROM plugin_versions WHERE plugin = 'shelf' AND version = ?1",
            [version],
            |row| row.get(0),
        )
        .unwrap();
    accept(data, version, "{}");
    accepted
}

fn accept(data: &Path, version: &str, accepted: &str) {
    let store = Connection::open(data.join("switchboard.sqlite")).unwrap();
    let update = "UPDATE plugin_versions SET accepted = ?2 WHERE plugin = 'shelf' AND version = ?1";
    let changed = store.execute(update, [version, accepted]).unwrap();
    assert_eq!(changed, 1);
}

/// That its tool is nobody's and no shop is asked for anything, and that the tenant's other tools are there.
async fn runs_no_more(desk: &Desk) {
    desk.shop.forget_requests().await;
    let gone = Bay::of(desk).find().await;
    assert_eq!(gone.status, 404, "{gone:?}");
    assert_eq!(gone.body["outcome"], "unknown_tool", "{gone:?}");
    assert!(desk.shop.requests().await.is_empty());
    desk.know_sarah("c").await;
}

/// Why it does not run; nothing of it is live.
async fn reason(bay: &Bay<'_>) -> String {
    let shelf = bay.plugin("shelf").await;
    assert_eq!(shelf["live"], Value::Null, "{shelf}");
    shelf["refused"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_installed_plugin_that_does_not_load_is_left_out_alone_until_it_does() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    let data = desk.data.path().join("data");
    let mut accepted = String::new();
    let desk = desk
        .started_again_after(|| accepted = forget_what_was_accepted(&data, "1.0.0"))
        .await;
    let said = "shelf - (installed), REFUSED: the plugin shelf does not load: plugin shelf imports wasi:http/";
    let list = listed(&desk).await;
    assert!(list.starts_with(said), "{list}");
    let why = reason(&Bay::of(&desk)).await;
    let mut command = switchboard();
    command.args(["tenants", "show", "demo", "--url", &desk.url("")]);
    command.env("SWITCHBOARD_OPERATOR_KEY", crate::desk::OPERATOR_KEY);
    let shown = tokio::task::spawn_blocking(move || command.output().unwrap());
    let shown = String::from_utf8(shown.await.unwrap().stdout).unwrap();
    let line = format!("plugin shelf from installed, REFUSED: {why}\n");
    assert!(shown.contains(&line), "{shown}");
    let audit = desk.audit().await;
    assert_eq!(audit.matches("plugin_refused").count(), 1, "{audit}");
    assert!(audit.contains("the plugin shelf does not load"), "{audit}");
    runs_no_more(&desk).await;

    // Nobody can say that it runs, and others are changed meanwhile.
    let swap = plugin(&desk, &["swap", "shelf", "1.0.0"]).await;
    refuses(
        &swap,
        &["shelf would not run: the plugin shelf does not load"],
    );
    let bay = Bay::of(&desk);
    let parcel = Parcel::of_shipped("knowledge", "9.0.0");
    bay.install(&parcel, false).await.expect(200);
    says(&desk, &["swap", "knowledge", "9.0.0"]).await;
    assert_eq!(reason(&bay).await, why);

    let desk = desk
        .started_again_after(|| accept(&data, "1.0.0", &accepted))
        .await;
    let bay = Bay::of(&desk);
    assert_eq!(bay.plugin("shelf").await["refused"], Value::Null);
    assert_eq!(bay.found().await["number"], "ORD-8842");
    // So it is with another version.
    let unfit = accepted.replace(&desk.shop.url, "no URL");
    assert_ne!(unfit, accepted);
    let desk = desk
        .started_again_after(|| accept(&data, "1.0.0", &unfit))
        .await;
    runs_no_more(&desk).await;
    let bay = Bay::of(&desk);
    let why = reason(&bay).await;
    let words = "what was accepted of the plugin shelf cannot be granted";
    assert!(
        why.contains(words) && why.contains("must be a URL"),
        "{why}"
    );
    bay.install(&Parcel::with_owner("1.1.0"), true)
        .await
        .expect(200);
    assert_eq!(bay.plugin("shelf").await["refused"], Value::Null);
    assert_eq!(bay.found().await["owner"], "C-1001");
}

/// A version on trial is no reason to leave out the one beside it.
#[tokio::test]
async fn a_version_on_trial_that_does_not_load_is_left_out_and_the_one_beside_it_runs() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    bay.install(&Parcel::with_owner("1.1.0"), true)
        .await
        .expect(200);
    let tried = json!({ "version": "1.1.0", "per_mille": 1000 });
    bay.post("shelf/canary", tried).await.expect(200);
    assert_eq!(bay.found().await["owner"], "C-1001");
    let data = desk.data.path().join("data");
    let desk = desk
        .started_again_after(|| drop(forget_what_was_accepted(&data, "1.1.0")))
        .await;
    let list = listed(&desk).await;
    let said =
        "REFUSED: version 1.1.0 is on trial, and does not run: the plugin shelf does not load";
    assert!(list.contains(said), "{list}");
    let bay = Bay::of(&desk);
    assert_eq!(bay.found().await["owner"], Value::Null);
    let promote = plugin(&desk, &["promote", "shelf"]).await;
    refuses(&promote, &["does not load"]);
    assert_eq!(bay.found().await["owner"], Value::Null);
    let said = says(&desk, &["rollback", "shelf"]).await;
    assert_eq!(said, "shelf 1.0.0 (installed)\n");
    bay.found().await;
}

/// A plugin of acme's folder with the tool of the installed one.
fn name_another(folder: &Path, shop: &str) {
    let folder = folder.join("acme");
    Parcel::with_owner("3.0.0").put_into(&folder);
    let judged = "[tool.find_order]\neffect = \"read\"\nopen_to = \"anyone\"\n";
    std::fs::write(folder.join("tools.toml"), judged).unwrap();
    let plugins = std::fs::read_to_string(folder.join("plugins.toml")).unwrap();
    let rack = format!(
        "\n[rack]\nfile = \"shelf.wasm\"\nsettings = {{ base_url = \"{shop}\" }}\n[[rack.reach]]\norigin = \"{{base_url}}\"\nmethods = [\"GET\"]\npaths = [\"/orders/*\"]\n"
    );
    std::fs::write(folder.join("plugins.toml"), plugins + &rack).unwrap();
}

async fn owner(town: &Town) -> Value {
    let dana = town.acme().with_key(ACME_DANA);
    let number = json!({ "number": "ORD-8842" });
    let answer = dana.tool("c", "find_order", number).await;
    answer.expect(200)["output"]["owner"].clone()
}

/// What the folder names comes first, and what nobody runs yet gives way; what runs does not.
#[tokio::test]
async fn an_installed_plugin_gives_way_to_the_folders_at_a_start_and_not_while_it_runs() {
    let town = Town::open().await;
    Bay::of(&town.desk)
        .at("acme")
        .install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    let shop = town.acme().shop.url;
    let named = town.text("acme", "plugins.toml");
    name_another(&town.folder, &shop);
    let refused = town
        .until("acme", |standing| standing["state"] == "last_good")
        .await;
    let said = refused["reason"].as_str().unwrap();
    assert!(said.contains("offer the tool find_order"), "{said}");
    let bay = Bay::of(&town.desk).at("acme");
    assert_eq!(bay.plugin("shelf").await["live"]["version"], "1.0.0");
    assert_eq!(owner(&town).await, Value::Null);

    let town = town.started_again(|_| ()).await;
    let standing = town.standing("acme").await;
    assert_eq!(standing["state"], "serving", "{standing}");
    let bay = Bay::of(&town.desk).at("acme");
    let why = reason(&bay).await;
    for word in ["do not go together", "rack", "shelf", "find_order"] {
        assert!(why.contains(word), "{word}: {why}");
    }
    assert_eq!(owner(&town).await, "C-1001");
    let audit = town.desk.audit().await;
    assert_eq!(audit.matches("plugin_refused").count(), 1, "{audit}");
    // Without the other one in its way, it is back.
    let path = "/api/tenants/acme/files/plugins.toml";
    town.operator("PUT", path, &named).await.expect(200);
    assert_eq!(bay.plugin("shelf").await["live"]["version"], "1.0.0");
    assert_eq!(owner(&town).await, Value::Null);
}

/// What the folder names is not left out: the folder is refused, and its last good state is what goes on.
#[tokio::test]
async fn a_folder_that_is_refused_serves_its_last_good_state_without_what_does_not_load() {
    let town = Town::open().await;
    Bay::of(&town.desk)
        .at("acme")
        .install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    let data = town.desk.data.path().join("data");
    let town = town
        .started_again(|folder| {
            forget_what_was_accepted(&data, "1.0.0");
            let plugins = folder.join("acme/plugins.toml");
            let text = std::fs::read_to_string(&plugins).unwrap();
            std::fs::write(&plugins, text + "\n[rack]\nfile = \"rack.wasm\"\n").unwrap();
            std::fs::write(folder.join("acme/rack.wasm"), b"\0asm\x0d\0\x01\0").unwrap();
        })
        .await;
    let standing = town.standing("acme").await;
    assert_eq!(standing["state"], "last_good", "{standing}");
    let said = standing["reason"].as_str().unwrap();
    assert!(
        said.contains("rack.wasm") && said.contains("exports no tools"),
        "{said}"
    );
    let bay = Bay::of(&town.desk).at("acme");
    let why = reason(&bay).await;
    assert!(why.contains("shelf does not load"), "{why}");
    assert_eq!(bay.plugin("rack").await, Value::Null);
    town.acme().know_sarah("c").await;
}
