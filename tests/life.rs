//! The life of plugins: installed, swapped, tried, stopped and rolled back by an operator while the host serves.

mod commands;
mod folders;
mod parcel;
mod pruned;
mod pulled;
mod starts;
mod trials;
mod vouched;
mod wishes;

use artifacts::SigningKey;
use serde_json::json;

use crate::desk::Desk;
use crate::tenants::{Town, expect_refusal};
pub(crate) use parcel::{Bay, Parcel};

#[tokio::test]
async fn what_a_plugin_asks_for_must_be_accepted_before_it_runs() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    let parcel = Parcel::version("1.0.0");
    let refused = bay.install(&parcel, false).await;
    assert_eq!(refused.body["error"]["code"], "acceptance_needed");
    for words in ["/orders/*", "the tool find_order", "anyone"] {
        expect_refusal(&refused, 409, words);
    }
    assert_eq!(bay.find().await.status, 404);
    assert!(desk.shop.requests().await.is_empty());
    let installed = bay.install(&parcel, true).await.expect(200);
    assert_eq!(installed["live"], true, "{installed}");
    assert_eq!(bay.found().await["number"], "ORD-8842");
}

#[tokio::test]
async fn a_swap_changes_what_the_next_call_runs_and_a_rollback_undoes_it() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    let second = bay
        .install(&Parcel::with_owner("1.1.0"), false)
        .await
        .expect(200);
    assert_eq!(
        (&second["known"], &second["live"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        bay.found().await["owner"],
        json!(null),
        "installed is not live"
    );
    let compared = bay.get("shelf/compare?version=1.1.0").await.expect(200);
    assert_eq!(compared["incompatible"], json!([]));

    let swapped = bay
        .post(
            "shelf/swap",
            json!({ "version": "1.1.0", "reason": "owners" }),
        )
        .await;
    assert_eq!(swapped.expect(200)["live"]["version"], "1.1.0");
    assert_eq!(bay.found().await["owner"], "C-1001");
    let again = bay.post("shelf/swap", json!({ "version": "1.1.0" })).await;
    expect_refusal(&again, 409, "live already");

    bay.post("shelf/rollback", json!({ "reason": "a mistake" }))
        .await
        .expect(200);
    assert_eq!(bay.found().await["owner"], json!(null));
    let told = bay.history("shelf").await;
    assert_eq!(
        told,
        [
            "rollback user:operator 1.1.0 → 1.0.0: a mistake",
            "swap user:operator 1.0.0 → 1.1.0: owners",
            "install user:operator - → 1.1.0: accepted anew, not signed",
            "install user:operator - → 1.1.0: from a request, not signed",
            "install user:operator - → 1.0.0: live at once",
            "install user:operator - → 1.0.0: from a request, not signed",
        ]
    );
}

/// What is bound is durable: the next start serves it again.
#[tokio::test]
async fn what_was_installed_is_live_after_a_start() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    bay.install(&Parcel::with_owner("1.1.0"), false)
        .await
        .expect(200);
    bay.post("shelf/swap", json!({ "version": "1.1.0" }))
        .await
        .expect(200);
    let desk = desk.started_again().await;
    let bay = Bay::of(&desk);
    let shelf = bay.plugin("shelf").await;
    assert_eq!(
        (&shelf["live"]["version"], &shelf["previous"]["version"]),
        (&json!("1.1.0"), &json!("1.0.0"))
    );
    assert!(
        shelf["tools"]
            .as_array()
            .unwrap()
            .contains(&json!("find_order"))
    );
}

#[tokio::test]
async fn what_breaks_callers_or_asks_for_more_is_refused_until_it_is_accepted() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::with_owner("1.0.0"), true)
        .await
        .expect(200);
    for (parcel, words) in [
        (Parcel::version("2.0.0"), "find_order: result"),
        (
            Parcel::leading_elsewhere("2.3.0"),
            "http://elsewhere.example",
        ),
        (Parcel::reaching_further("2.1.0"), "/customers/*"),
        (Parcel::opened_wider("2.2.0"), "the tool find_order"),
    ] {
        let version = parcel.version.clone();
        bay.install(&parcel, false).await.expect(200);
        let refused = bay.post("shelf/swap", json!({ "version": version })).await;
        expect_refusal(&refused, 409, words);
        let tried = json!({ "version": version, "per_mille": 100 });
        expect_refusal(&bay.post("shelf/canary", tried).await, 409, words);
        assert_eq!(bay.plugin("shelf").await["live"]["version"], "1.0.0");
    }
    assert_eq!(bay.found().await["owner"], "C-1001");
    let accepted = json!({ "version": "2.0.0", "accept": true });
    bay.post("shelf/swap", accepted).await.expect(200);
    assert_eq!(bay.found().await["owner"], json!(null));
}

/// What a version to come would do otherwise is seen before it does it to anybody.
#[tokio::test]
async fn a_stopped_version_gets_nothing_more_and_runs_again_once_it_is_revived() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    bay.found().await;
    desk.shop.forget_requests().await;
    bay.post("shelf/kill", json!({ "reason": "it lies" }))
        .await
        .expect(200);
    let refused = bay.find().await;
    assert!(
        refused.body.to_string().contains("PLUGIN_STOPPED"),
        "{refused:?}"
    );
    assert!(desk.shop.requests().await.is_empty());
    let swap = bay.post("shelf/swap", json!({ "version": "1.0.0" })).await;
    expect_refusal(&swap, 409, "revive it first");
    bay.post("shelf/revive", json!({})).await.expect(200);
    bay.found().await;
    let history = bay.history("shelf").await;
    assert_eq!(history[1], "kill user:operator - → 1.0.0: it lies");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_nothing_is_known_of_it() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    let other = bay.install(&Parcel::with_owner("1.0.0"), true).await;
    expect_refusal(&other, 409, "versions do not change");
    let shadow = bay.install(&Parcel::shadowing("1.1.0"), true).await;
    expect_refusal(&shadow, 422, "passes for");
    let nothing = bay.send(b"\0asm\x0d\0\x01\0", true).await;
    expect_refusal(&nothing, 422, "no manifest");
    let broken = bay.send(b"not a component", true).await;
    assert_eq!(broken.status, 422, "{broken:?}");
    for (plugin, body, status) in [
        ("shelf/swap", json!({ "version": "9.9.9" }), 404),
        ("nobody/swap", json!({ "version": "1.0.0" }), 404),
        (
            "shelf/canary",
            json!({ "version": "1.0.0", "per_mille": 0 }),
            422,
        ),
        ("shelf/rollback", json!({}), 409),
        ("shelf/swap", json!({ "versoin": "1.0.0" }), 400),
    ] {
        let answer = bay.post(plugin, body).await;
        assert_eq!(answer.status, status, "{plugin}: {answer:?}");
    }
    let without_key = desk.post("/api/plugins/shelf/kill", json!({})).await;
    assert_eq!(without_key.status, 401);
    let shelf = bay.plugin("shelf").await;
    assert_eq!(shelf["versions"].as_array().unwrap().len(), 1, "{shelf}");
    bay.found().await;
    let audit = desk.audit().await;
    let refused = audit.matches("plugin_refused").count();
    assert_eq!(refused, 4, "each of them is on record");
}

#[tokio::test]
async fn a_shipped_plugin_gives_way_to_an_installed_version_and_comes_back() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    let parcel = Parcel::of_shipped("knowledge", "9.0.0");
    let installed = bay.install(&parcel, false).await.expect(200);
    assert_eq!(
        installed["live"], false,
        "plugins.toml names the shipped one"
    );
    bay.post("knowledge/swap", json!({ "version": "9.0.0" }))
        .await
        .expect(200);
    let knowledge = bay.plugin("knowledge").await;
    assert_eq!(knowledge["live"]["version"], "9.0.0");
    let search = desk
        .tool("c", "search_knowledge_base", json!({ "query": "refund" }))
        .await;
    assert_eq!(search.body["outcome"], "ok", "{search:?}");
    bay.post("knowledge/rollback", json!({})).await.expect(200);
    let shipped = bay.plugin("knowledge").await["live"]["version"].clone();
    assert!(shipped.as_str().unwrap().starts_with("0.1.0"), "{shipped}");
    let kept = bay.remove("knowledge").await;
    expect_refusal(&kept, 409, "plugins.toml names knowledge");
}

#[tokio::test]
async fn what_is_removed_is_gone_and_its_number_stays_taken() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    expect_refusal(&bay.remove("shelf?version=1.0.0").await, 409, "is live");
    assert_eq!(bay.remove("shelf").await.status, 204);
    assert_eq!(bay.find().await.status, 404);
    assert_eq!(bay.remove("shelf?version=1.0.0").await.status, 204);
    let other = bay.install(&Parcel::with_owner("1.0.0"), true).await;
    expect_refusal(&other, 409, "versions do not change");
}

#[tokio::test]
async fn what_is_put_into_the_install_folder_is_installed_and_what_does_not_fit_says_why() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    let folder = desk.data.path().join("data/install");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("broken.wasm"), "no component").unwrap();
    Parcel::version("1.0.0").put_into(&folder);
    let told = bay.until_history("shelf", |told| !told.is_empty()).await;
    assert!(
        told[0].starts_with("install host:install-folder - → 1.0.0"),
        "{told:?}"
    );
    let reason = folder.join("broken.wasm.refused");
    let reason = std::fs::read_to_string(reason).unwrap();
    assert!(reason.contains("no WebAssembly component"), "{reason}");
    assert_eq!(bay.remove("shelf").await.status, 204);
    let desk = desk.started_again().await;
    let shelf = Bay::of(&desk).plugin("shelf").await;
    assert_eq!(
        shelf["live"],
        json!(null),
        "what was taken out of service stays out"
    );
}

/// One tenant's plugin is no other's, and a folder that changes overrules what was bound.
#[tokio::test]
async fn each_tenant_has_its_own_and_its_folder_has_the_last_word() {
    let town = Town::open().await;
    let bay = Bay::of(&town.desk).at("acme");
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    bay.install(&Parcel::with_owner("1.1.0"), true)
        .await
        .expect(200);
    bay.post("shelf/swap", json!({ "version": "1.1.0" }))
        .await
        .expect(200);
    assert!(
        Bay::of(&town.desk)
            .at("globex")
            .plugin("shelf")
            .await
            .is_null()
    );
    let plugins = town.text("acme", "plugins.toml");
    let text = format!("{plugins}\n{}", bay.bound("1.0.0"));
    let path = "/api/tenants/acme/files/plugins.toml";
    // Not where it breaks callers, before that is accepted.
    let refused = town.operator("PUT", path, &text).await;
    let broken = "find_order: result /owner is always there on one side only";
    expect_refusal(
        &refused,
        422,
        &format!("callers of 1.1.0 rely on:\n- {broken}"),
    );
    assert_eq!(bay.plugin("shelf").await["live"]["version"], "1.1.0");
    assert_eq!(town.text("acme", "plugins.toml"), plugins);
    let accepting = format!("[shelf]\naccept = [\"{broken}\"]");
    let text = text.replace("[shelf]", &accepting);
    town.operator("PUT", path, &text).await.expect(200);
    let shelf = bay.plugin("shelf").await;
    assert_eq!(shelf["live"]["version"], "1.0.0", "{shelf}");
    assert_eq!(
        bay.history("shelf").await[0],
        format!(
            "swap host:folder 1.1.0 → 1.0.0: plugins.toml says something else, and accepts: {broken}"
        )
    );
    // What was said once does not undo what is done later.
    bay.post("shelf/swap", json!({ "version": "1.1.0" }))
        .await
        .expect(200);
    town.operator("POST", "/api/tenants/acme/reload", "")
        .await
        .expect(200);
    assert_eq!(bay.plugin("shelf").await["live"]["version"], "1.1.0");
    // Nor does a trial go on that the folder has ended.
    bay.post("shelf/rollback", json!({})).await.expect(200);
    let tried = json!({ "version": "1.1.0", "per_mille": 1000 });
    bay.post("shelf/canary", tried).await.expect(200);
    let other = format!("{plugins}\n{}", bay.bound("1.1.0"));
    town.operator("PUT", "/api/tenants/acme/files/plugins.toml", &other)
        .await
        .expect(200);
    let shelf = bay.plugin("shelf").await;
    assert_eq!(
        (&shelf["live"]["version"], &shelf["canary"]),
        (&json!("1.1.0"), &json!(null))
    );
    // Taken out of the folder, it is gone, and can be installed by hand.
    town.operator("PUT", "/api/tenants/acme/files/plugins.toml", &plugins)
        .await
        .expect(200);
    assert_eq!(bay.plugin("shelf").await["live"], json!(null));
    let installed = bay
        .install(&Parcel::with_owner("1.1.0"), true)
        .await
        .expect(200);
    assert_eq!(installed["live"], true);
    assert_eq!(bay.plugin("shelf").await["live"]["version"], "1.1.0");
}

/// The version that is shown is the one that can be named, also of a plugin that nobody ever bound.
#[tokio::test]
async fn a_shipped_plugin_is_stopped_by_the_version_that_is_shown_and_stays_stopped() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    let shown = bay.plugin("knowledge").await["live"]["version"].clone();
    bay.post("knowledge/kill", json!({ "version": shown }))
        .await
        .expect(200);
    let desk = desk.started_again().await;
    let search = desk
        .tool("c", "search_knowledge_base", json!({ "query": "refund" }))
        .await;
    assert!(
        search.body.to_string().contains("PLUGIN_STOPPED"),
        "{search:?}"
    );
    assert!(desk.shop.requests().await.is_empty());
    let bay = Bay::of(&desk);
    bay.post("knowledge/revive", json!({})).await.expect(200);
    let search = desk
        .tool("c", "search_knowledge_base", json!({ "query": "refund" }))
        .await;
    assert_eq!(search.body["outcome"], "ok", "{search:?}");
}

/// Settings that no version can live with do not get into the registry.
#[tokio::test]
async fn settings_that_do_not_fit_change_nothing() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    let refused = bay.install_with(&Parcel::version("1.0.0"), "no URL").await;
    expect_refusal(&refused, 422, "must be a URL");
    let desk = desk.started_again().await;
    assert_eq!(
        Bay::of(&desk).plugin("shelf").await["live"]["version"],
        "1.0.0"
    );
}

/// Trust is in a key, not in its name: what another key of that name has signed does not run any more.
#[tokio::test]
async fn a_version_runs_as_long_as_its_signers_key_is_trusted() {
    let town = Town::open().await;
    let bay = Bay::of(&town.desk).at("acme");
    let trusting = async |key: &SigningKey| {
        let tenant = town.text("acme", "tenant.toml");
        let tenant = tenant.split("[trust]").next().unwrap();
        let public = key.public().to_pem().unwrap();
        std::fs::write(town.folder.join("acme/vendor.pub"), public).unwrap();
        let text = format!(
            "{tenant}\n[trust]\nrequired = true\nkeys = [{{ name = \"the vendor\", file = \"vendor.pub\" }}]\n"
        );
        let path = "/api/tenants/acme/files/tenant.toml";
        town.operator("PUT", path, &text).await
    };
    let (vendor, another) = (
        SigningKey::generate().unwrap(),
        SigningKey::generate().unwrap(),
    );
    trusting(&vendor).await.expect(200);
    let parcel = Parcel::version("1.0.0");
    expect_refusal(&bay.install(&parcel, true).await, 422, "is not signed");
    expect_refusal(
        &bay.install_signed(&parcel, &another).await,
        422,
        "is not among them",
    );
    bay.install_signed(&parcel, &vendor).await.expect(200);
    assert_eq!(bay.plugin("shelf").await["live"]["version"], "1.0.0");
    let replaced = trusting(&another).await;
    expect_refusal(
        &replaced,
        422,
        "without the signature of a key that the tenant trusts now",
    );
    // A shipped plugin needs nobody's word, also once it was bound.
    trusting(&vendor).await.expect(200);
    bay.post("orders/kill", json!({})).await.expect(200);
    bay.post("orders/revive", json!({})).await.expect(200);
    town.operator("POST", "/api/tenants/acme/reload", "")
        .await
        .expect(200);
    assert_eq!(town.standing("acme").await["state"], "serving");
}
