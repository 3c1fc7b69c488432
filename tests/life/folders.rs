//! A plugin that a tenant's folder names: what takes its place there is weighed as a swap is, also over a restart.

use serde_json::{Value, json};

use super::parcel::{Bay, Parcel};
use crate::desk::Answer;
use crate::tenants::{ACME_DANA, Town, expect_refusal};

const JUDGED: &str = "[tool.find_order]\neffect = \"read\"\nopen_to = \"anyone\"\n";

/// A town whose acme has a shelf of this version, from a file in its folder.
async fn shelved(first: &Parcel) -> Town {
    let town = Town::open().await;
    town.edit("acme", "tools.toml", JUDGED);
    first.put_into(&town.folder.join("acme"));
    let named = format!(
        "{}\n{}",
        town.text("acme", "plugins.toml"),
        entry(&town, "")
    );
    named_as(&town, &named).await.expect(200);
    town
}

/// Its entry, with more lines in it.
fn entry(town: &Town, more: &str) -> String {
    let url = town.acme().shop.url;
    format!(
        "[shelf]\nfile = \"shelf.wasm\"\nsettings = {{ base_url = \"{url}\" }}\n{more}\n[[shelf.reach]]\norigin = \"{{base_url}}\"\nmethods = [\"GET\"]\npaths = [\"/orders/*\"]\n"
    )
}

/// Puts another entry in the place of the one that is there.
fn edited(town: &Town, entry: &str) -> String {
    let text = town.text("acme", "plugins.toml");
    let others = text.split("[shelf]").next().unwrap();
    format!("{others}{entry}")
}

async fn named_as(town: &Town, plugins: &str) -> Answer {
    let path = "/api/tenants/acme/files/plugins.toml";
    town.operator("PUT", path, plugins).await
}

fn bay(town: &Town) -> Bay<'_> {
    Bay::of(&town.desk).at("acme")
}

/// What the tool tells of an order, to somebody who may use it.
async fn found(town: &Town) -> Value {
    let dana = town.acme().with_key(ACME_DANA);
    let number = json!({ "number": "ORD-8842" });
    let answer = dana.tool("c", "find_order", number).await;
    answer.expect(200)["output"].clone()
}

/// Whose it is.
async fn owner(town: &Town) -> Value {
    found(town).await["owner"].clone()
}

/// Waits until the folder is refused in these words; nobody was asked anything.
async fn until_refused(town: &Town, words: &[&str]) -> String {
    let is_refused = |standing: &Value| {
        let reason = standing["reason"].as_str().unwrap_or_default();
        words.iter().all(|word| reason.contains(word))
    };
    let standing = town.until("acme", is_refused).await;
    assert_eq!(standing["state"], "last_good", "{standing}");
    assert!(town.acme().shop.requests().await.is_empty());
    standing["reason"].as_str().unwrap().to_owned()
}

/// The line of plugins.toml that the refusal says.
fn acceptance(reason: &str) -> &str {
    let at = reason.find("accept = [").unwrap();
    &reason[at..]
}

/// What live version there is, by its author's number.
async fn live(town: &Town) -> String {
    let shelf = bay(town).plugin("shelf").await;
    let version = shelf["live"]["version"].as_str().unwrap();
    version.split('+').next().unwrap().to_owned()
}

/// The history, without the digests.
async fn history(town: &Town) -> Vec<String> {
    let told = bay(town).history("shelf").await;
    let plain = |line: &String| {
        let words = line.split(' ').map(|word| match word.split_once('+') {
            Some((number, rest)) if rest.ends_with(':') => format!("{number}:"),
            Some((number, _)) => number.to_owned(),
            None => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    };
    told.iter().map(plain).collect()
}

#[tokio::test]
async fn a_file_that_reaches_further_waits_until_its_lines_are_accepted() {
    let town = shelved(&Parcel::with_owner("1.0.0")).await;
    assert_eq!(owner(&town).await, "C-1001");
    town.acme().shop.forget_requests().await;
    Parcel::reaching_further("1.1.0").put_into(&town.folder.join("acme"));
    let said = [
        "plugins.toml, key shelf: version 1.1.0 of shelf asks for more than was accepted",
        "/customers/*",
        "say `accept` if you want that",
    ];
    let reason = until_refused(&town, &said).await;
    let reload = town.operator("POST", "/api/tenants/acme/reload", "").await;
    expect_refusal(&reload, 422, &reason);
    let elsewhere = named_as(&town, &edited(&town, &entry(&town, "accept = [\"all\"]"))).await;
    expect_refusal(&elsewhere, 422, "asks for more than was accepted");
    assert!(town.acme().shop.requests().await.is_empty());
    assert_eq!(
        (live(&town).await.as_str(), owner(&town).await),
        ("1.0.0", json!("C-1001"))
    );
    assert_eq!(history(&town).await.len(), 2, "nothing is known of it");

    let accepting = edited(&town, &entry(&town, acceptance(&reason)));
    town.edit("acme", "plugins.toml", &accepting);
    town.until("acme", |standing| standing["state"] == "serving")
        .await;
    assert_eq!(live(&town).await, "1.1.0");
    assert_eq!(owner(&town).await, "C-1001");
    // What is live is recorded a moment later.
    bay(&town)
        .until_history("shelf", |told| told.len() > 3)
        .await;
    let told = history(&town).await;
    let swapped = "swap host:folder 1.0.0 → 1.1.0: the file that plugins.toml names has changed, and accepts: GET ";
    assert!(told[0].starts_with(swapped), "{told:?}");
    assert!(
        told[1].starts_with("install host:folder - → 1.1.0: from "),
        "{told:?}"
    );
    assert_eq!(
        told[2],
        "install host:folder - → 1.0.0: plugins.toml names it"
    );
}

/// What plugins.toml grants by itself is the operator's word.
#[tokio::test]
async fn a_file_gets_what_its_operator_grants_and_breaks_nobody_unseen() {
    let town = shelved(&Parcel::with_owner("1.0.0")).await;
    let folder = town.folder.join("acme");
    Parcel::reaching_further("1.1.0").put_into(&folder);
    until_refused(&town, &["/customers/*"]).await;
    let wider = entry(&town, "").replace("\"/orders/*\"", "\"/orders/*\", \"/customers/*\"");
    named_as(&town, &edited(&town, &wider)).await.expect(200);
    assert_eq!(live(&town).await, "1.1.0");
    // The tool is judged in tools.toml, whatever a manifest says of it.
    Parcel::opened_wider("1.2.0").put_into(&folder);
    town.operator("POST", "/api/tenants/acme/reload", "")
        .await
        .expect(200);
    assert_eq!(live(&town).await, "1.2.0");

    Parcel::version("2.0.0").put_into(&folder);
    let said = [
        "version 2.0.0 breaks what callers of 1.2.0",
        "find_order: result",
    ];
    let reason = until_refused(&town, &said).await;
    assert_eq!(owner(&town).await, "C-1001");
    let accepting = wider.replace("file = ", &format!("{}\nfile = ", acceptance(&reason)));
    named_as(&town, &edited(&town, &accepting))
        .await
        .expect(200);
    assert_eq!(live(&town).await, "2.0.0");
    assert_eq!(owner(&town).await, Value::Null);
    bay(&town)
        .post("shelf/rollback", json!({}))
        .await
        .expect(200);
    assert_eq!(
        (live(&town).await.as_str(), owner(&town).await),
        ("1.2.0", json!("C-1001"))
    );
}

/// The operator may look at it, and swap to it by hand; the other plugins can be changed meanwhile.
#[tokio::test]
async fn what_a_folder_is_refused_for_can_be_swapped_to_by_hand() {
    let town = shelved(&Parcel::with_owner("1.0.0")).await;
    let parcel = Parcel::version("2.0.0");
    parcel.put_into(&town.folder.join("acme"));
    until_refused(&town, &["breaks what callers"]).await;
    let bay = bay(&town);
    bay.post("orders/kill", json!({})).await.expect(200);
    bay.post("orders/revive", json!({})).await.expect(200);
    let orders = Parcel::of_shipped("orders", "9.0.0");
    bay.install(&orders, true).await.expect(200);
    bay.post("orders/swap", json!({ "version": "9.0.0" }))
        .await
        .expect(200);
    assert_eq!(owner(&town).await, "C-1001");
    bay.install(&parcel, true).await.expect(200);
    let swap = bay.post("shelf/swap", json!({ "version": "2.0.0" })).await;
    expect_refusal(&swap, 409, "breaks what callers of");
    assert_eq!(owner(&town).await, "C-1001");
    let accepted = json!({ "version": "2.0.0", "accept": true, "reason": "looked at" });
    bay.post("shelf/swap", accepted).await.expect(200);
    assert_eq!(town.standing("acme").await["state"], "serving");
    assert_eq!(owner(&town).await, Value::Null);
    assert_eq!(
        history(&town).await[0],
        "swap user:operator 1.0.0 → 2.0.0: looked at"
    );
    town.operator("POST", "/api/tenants/acme/reload", "")
        .await
        .expect(200);
    assert_eq!(live(&town).await, "2.0.0");
}

/// What ran is known to the registry: to stop the host, and to start it with another file, is no way around.
#[tokio::test]
async fn a_file_that_was_changed_while_the_host_was_down_is_weighed_all_the_same() {
    let town = shelved(&Parcel::with_owner("1.0.0")).await;
    let town = town
        .started_again(|folder| Parcel::reaching_further("1.1.0").put_into(&folder.join("acme")))
        .await;
    let standing = town.standing("acme").await;
    let reason = standing["reason"].as_str().unwrap();
    assert!(
        reason.contains("asks for more than was accepted"),
        "{standing}"
    );
    assert_eq!(standing["state"], "last_good", "{standing}");
    assert!(town.acme().shop.requests().await.is_empty());
    // What ran last does so again, whatever lies in the folder by now.
    assert_eq!(
        (live(&town).await.as_str(), owner(&town).await),
        ("1.0.0", json!("C-1001"))
    );
    let accepting = edited(&town, &entry(&town, acceptance(reason)));
    named_as(&town, &accepting).await.expect(200);
    assert_eq!(live(&town).await, "1.1.0");
    let town = town.started_again(|_| ()).await;
    assert_eq!(town.standing("acme").await["state"], "serving");
    assert_eq!(owner(&town).await, "C-1001");
    assert!(history(&town).await[0].starts_with("swap host:folder 1.0.0 → 1.1.0"));
}

/// What ran cannot be read any more: there is nothing to hold the callers against, and yet nothing more is granted.
#[tokio::test]
async fn a_file_is_weighed_though_what_ran_is_gone() {
    let town = shelved(&Parcel::with_owner("1.0.0")).await;
    let kept = town.desk.data.path().join("data/artifacts");
    let town = town
        .started_again(|folder| {
            std::fs::remove_dir_all(&kept).unwrap();
            Parcel::reaching_further("1.1.0").put_into(&folder.join("acme"));
        })
        .await;
    let standing = town.standing("acme").await;
    let reason = standing["reason"].as_str().unwrap();
    assert!(
        reason.contains("asks for more than was accepted"),
        "{standing}"
    );
    assert!(town.acme().shop.requests().await.is_empty());
    let accepting = edited(&town, &entry(&town, acceptance(reason)));
    named_as(&town, &accepting).await.expect(200);
    assert_eq!(live(&town).await, "1.1.0");
}

/// Nothing of what is shipped is in the registry; the last good state knows that it was there.
#[tokio::test]
async fn a_file_in_the_place_of_a_shipped_plugin_is_weighed_at_once_and_at_a_start() {
    let town = Town::open().await;
    let folder = town.folder.join("acme");
    Parcel::version("1.0.0").put_into(&folder);
    town.edit("acme", "tools.toml", JUDGED);
    let shipped = town.text("acme", "plugins.toml");
    let named = shipped.replace("builtin = \"orders\"", "file = \"shelf.wasm\"");
    let refused = named_as(&town, &named).await;
    for words in [
        "key orders: version 1.0.0 of orders asks",
        "- lookup_order: the tool is gone",
    ] {
        expect_refusal(&refused, 422, words);
    }
    let town = town
        .started_again(|folder| std::fs::write(folder.join("acme/plugins.toml"), &named).unwrap())
        .await;
    until_refused(
        &town,
        &["and version 1.0.0 breaks what callers of 0.1.0 rely on"],
    )
    .await;
    town.acme().know_sarah("c").await;
    town.edit("acme", "plugins.toml", &shipped);
    town.until("acme", |standing| standing["state"] == "serving")
        .await;
}

/// A typing error in the folder keeps nobody from taking a plugin out; what is installed meanwhile is judged as it says.
#[tokio::test]
async fn while_a_folder_is_refused_plugins_are_swapped_rules_and_all_and_removed() {
    let town = Town::open().await;
    let bay = bay(&town);
    bay.install(&Parcel::with_owner("1.0.0"), true)
        .await
        .expect(200);
    bay.install(&Parcel::opened_wider("1.1.0"), true)
        .await
        .expect(200);
    let plugins = town.text("acme", "plugins.toml");
    town.edit("acme", "plugins.toml", "[orders\n");
    until_refused(&town, &["plugins.toml"]).await;
    let rules = town.standing("acme").await["rulebook"].clone();
    let dana = town.acme().with_key(ACME_DANA);
    let number = json!({ "number": "ORD-8842" });
    let find = async || dana.tool("c", "find_order", number.clone()).await;
    assert_eq!(find().await.expect(200)["output"]["owner"], "C-1001");

    let accepted = json!({ "version": "1.1.0", "accept": true });
    bay.post("shelf/swap", accepted).await.expect(200);
    assert_ne!(town.standing("acme").await["rulebook"], rules);
    assert_eq!(live(&town).await, "1.1.0");
    dana.shop.forget_requests().await;

    bay.post("shelf/kill", json!({})).await.expect(200);
    bay.post("shelf/revive", json!({})).await.expect(200);
    bay.remove("shelf").await.expect(204);
    assert_eq!(history(&town).await[0], "remove user:operator 1.1.0 → -: ");
    assert_eq!(town.standing("acme").await["state"], "last_good");
    let gone = find().await;
    assert_eq!(gone.status, 404, "{gone:?}");
    assert!(dana.shop.requests().await.is_empty());
    town.edit("acme", "plugins.toml", &plugins);
    town.until("acme", |standing| standing["state"] == "serving")
        .await;
}

/// Likewise where a plugin's file is gone: the others are not its concern, and what does not load is told as what it is.
#[tokio::test]
async fn while_a_plugins_file_is_gone_others_are_installed_swapped_and_removed() {
    let town = Town::open().await;
    let bay = bay(&town);
    bay.install(&Parcel::with_owner("1.0.0"), true)
        .await
        .expect(200);
    let folder = town.folder.join("acme");
    Parcel::of_shipped("refunds", "2.0.0").put_into(&folder);
    std::fs::rename(folder.join("shelf.wasm"), folder.join("gone.wasm")).unwrap();
    let plugins = town.text("acme", "plugins.toml");
    let named = plugins.replace("builtin = \"refunds\"", "file = \"gone.wasm\"");
    assert_ne!(named, plugins);
    named_as(&town, &named).await.expect(200);
    std::fs::remove_file(folder.join("gone.wasm")).unwrap();
    let words = ["the plugin refunds (", "gone.wasm"];
    let refused = until_refused(&town, &words).await;

    // What the change itself does is told, and not what is wrong with the folder.
    bay.install(&Parcel::version("1.1.0"), true)
        .await
        .expect(200);
    let breaks = bay.post("shelf/swap", json!({ "version": "1.1.0" })).await;
    expect_refusal(&breaks, 409, "breaks what callers of 1.0.0 rely on");
    bay.install(&Parcel::with_owner("1.2.0"), true)
        .await
        .expect(200);
    bay.post("shelf/swap", json!({ "version": "1.2.0" }))
        .await
        .expect(200);
    assert_eq!(live(&town).await, "1.2.0");
    assert_eq!(owner(&town).await, "C-1001");
    bay.post("shelf/rollback", json!({})).await.expect(200);
    bay.remove("shelf").await.expect(204);
    bay.remove("shelf?version=1.2.0").await.expect(204);
    let first = bay.install(&Parcel::with_owner("1.3.0"), true).await;
    assert_eq!(first.expect(200)["live"], true);
    assert_eq!(live(&town).await, "1.3.0");
    let standing = town.standing("acme").await;
    assert_eq!(
        (&standing["state"], &standing["reason"]),
        (&json!("last_good"), &json!(refused))
    );
    // What it runs meanwhile is what it ran.
    let refunds = bay.plugin("refunds").await;
    assert_eq!(refunds["live"]["version"], refunds["stable"]["version"]);
}
