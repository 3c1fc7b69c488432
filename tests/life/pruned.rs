//! Components in the data folder that nobody can reach are deleted, and no others.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use artifacts::Digest;
use serde_json::{Value, json};

use super::commands::{plugin, says};
use super::parcel::{Bay, Parcel};
use crate::desk::{Answer, Desk, OPERATOR_KEY};
use crate::programs::refuses;
use crate::tenants::{ACME_DANA, Town, expect_refusal};
use crate::tree::root;

fn folder(desk: &Desk) -> PathBuf {
    desk.data.path().join("data/artifacts")
}

fn files(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap();
    entries.map(|entry| name(entry.unwrap())).collect()
}

async fn prune(desk: &Desk) -> Answer {
    let request = desk.http.delete(desk.url("/api/artifacts/unused"));
    Answer::of(request.bearer_auth(OPERATOR_KEY).send().await.unwrap()).await
}

/// Installs a version that is known from then on; its digest.
async fn known(bay: &Bay<'_>, parcel: &Parcel) -> String {
    let installed = bay.install(parcel, true).await.expect(200);
    installed["digest"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_forgotten_is_deleted_and_what_can_be_reached_stays() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    known(&bay, &Parcel::version("1.0.0")).await;
    for version in ["1.1.0", "1.2.0", "1.3.0"] {
        known(&bay, &Parcel::with_owner(version)).await;
    }
    let forgotten = known(&bay, &Parcel::with_owner("1.4.0")).await;
    let swap = json!({ "version": "1.1.0" });
    bay.post("shelf/swap", swap).await.expect(200);
    let trial = json!({ "version": "1.2.0", "per_mille": 500 });
    bay.post("shelf/canary", trial).await.expect(200);
    let folder = folder(&desk);
    // What a crash has left, and what is a person's.
    let left = Digest::of(b"left");
    std::fs::write(folder.join(format!("{}.wasm", left.hex())), b"left").unwrap();
    std::fs::write(folder.join("notes.txt"), "mine").unwrap();
    says(&desk, &["remove", "shelf", "1.4.0"]).await;

    // Compiled by a host of another version. All desks have this folder.
    let compiled = root().join("target/tests/compiled");
    let compiled = compiled.join(format!("{}-older.cwasm", left.hex()));
    std::fs::write(&compiled, b"left").unwrap();
    let before = files(&folder);
    let would = says(&desk, &["prune", "--dry-run"]).await;
    let mut lines: Vec<&str> = would.lines().collect();
    let last = lines.pop().unwrap();
    assert!(
        last.starts_with("2 components, ") && last.ends_with(" KB, would be deleted"),
        "{would}"
    );
    for (digest, was) in [
        (&forgotten, "shelf 1.4.0 of demo"),
        (&left.hex(), "never known"),
    ] {
        let is_told =
            |line: &&str| line.starts_with(&format!("sha256:{digest} ")) && line.ends_with(was);
        assert!(lines.iter().any(is_told), "{was}: {would}");
    }
    assert_eq!(files(&folder), before);
    assert!(compiled.exists());
    let done = says(&desk, &["prune"]).await;
    assert_eq!(done, would.replace("would be deleted", "deleted"));
    let gone = [forgotten, left.hex()].map(|digest| format!("{digest}.wasm"));
    let stays: BTreeSet<String> = before
        .into_iter()
        .filter(|name| !gone.contains(name))
        .collect();
    assert_eq!(files(&folder), stays);
    assert!(!compiled.exists());
    let again = says(&desk, &["prune"]).await;
    assert_eq!(again, "0 components, 0 bytes, deleted\n");
    let audit = desk.audit().await;
    assert_eq!(audit.matches("artifacts_deleted").count(), 1, "{audit}");
    assert!(audit.contains(&gone[0][..64]) && audit.contains(&gone[1][..64]));

    // Whatever was bound, tried, gone back to or known is there, also at the next start.
    let desk = desk.started_again().await;
    let bay = Bay::of(&desk);
    assert_eq!(bay.plugin("shelf").await["refused"], Value::Null);
    bay.post("shelf/promote", json!({})).await.expect(200);
    bay.post("shelf/rollback", json!({})).await.expect(200);
    assert_eq!(bay.plugin("shelf").await["live"]["version"], "1.1.0");
    for version in ["1.3.0", "1.0.0"] {
        let swap = json!({ "version": version, "accept": true });
        bay.post("shelf/swap", swap).await.expect(200);
        bay.found().await;
    }
    let swap = json!({ "version": "1.4.0" });
    expect_refusal(&bay.post("shelf/swap", swap).await, 404, "install it first");
    known(&bay, &Parcel::with_owner("1.4.0")).await;
    let swap = json!({ "version": "1.4.0" });
    bay.post("shelf/swap", swap).await.expect(200);
    assert_eq!(bay.found().await["owner"], "C-1001");
}

/// What one tenant has forgotten is another's still; what is known of a tenant that is refused is waited for.
#[tokio::test]
async fn what_any_tenant_knows_stays() {
    let town = Town::open().await;
    let [acme, globex] = ["acme", "globex"].map(|name| Bay::of(&town.desk).at(name));
    let parcel = Parcel::version("1.0.0");
    let shared = known(&acme, &parcel).await;
    assert_eq!(known(&globex, &parcel).await, shared);
    known(&acme, &Parcel::with_owner("1.1.0")).await;
    let swap = json!({ "version": "1.1.0" });
    acme.post("shelf/swap", swap).await.expect(200);
    // What only the folder names is what its last good state runs.
    let text = town.text("acme", "plugins.toml");
    let named = text.replace("builtin = \"refunds\"", "file = \"shelf.wasm\"");
    Parcel::of_shipped("refunds", "2.0.0").put_into(&town.folder.join("acme"));
    let path = "/api/tenants/acme/files/plugins.toml";
    town.operator("PUT", path, &named).await.expect(200);
    acme.remove("shelf").await.expect(204);
    acme.remove("shelf?version=1.0.0").await.expect(204);

    let town = town
        .started_again(|folder| std::fs::remove_file(folder.join("acme/shelf.wasm")).unwrap())
        .await;
    assert_eq!(town.standing("acme").await["state"], "last_good");
    let before = files(&folder(&town.desk));
    assert_eq!(prune(&town.desk).await.expect(200)["unused"], json!([]));
    assert_eq!(files(&folder(&town.desk)), before);
    let town = town.started_again(|_| ()).await;
    assert_eq!(town.standing("acme").await["state"], "last_good");
    let refunds = Bay::of(&town.desk).at("acme").plugin("refunds").await;
    assert!(refunds["live"].is_object(), "{refunds}");
    let globex = Bay::of(&town.desk).at("globex");
    assert_eq!(globex.plugin("shelf").await["live"]["digest"], shared);
    // Only once the last one has forgotten it.
    globex.remove("shelf").await.expect(204);
    globex.remove("shelf?version=1.0.0").await.expect(204);
    let pruned = prune(&town.desk).await.expect(200);
    let one = &pruned["unused"][0];
    assert_eq!(
        (&one["digest"], &one["was"]),
        (
            &json!(shared),
            &json!(["shelf 1.0.0 of acme", "shelf 1.0.0 of globex"])
        )
    );
    assert_eq!(pruned["unused"].as_array().unwrap().len(), 1);
}

/// A write whose end is open is seen through by the version that began it, should that come back.
#[tokio::test]
async fn what_an_open_call_was_begun_with_stays() {
    let desk = Desk::open_with(|config| {
        config.demo_backend.nature = "neither".to_owned().try_into().unwrap();
    })
    .await;
    let bay = Bay::of(&desk);
    let swapped = async |version: &str| {
        let digest = known(&bay, &Parcel::of_shipped("refunds", version)).await;
        let swap = json!({ "version": version });
        bay.post("refunds/swap", swap).await.expect(200);
        digest
    };
    let begun = swapped("9.0.0").await;
    desk.know_sarah("c").await;
    desk.shop
        .misbehaves("POST", "/refunds", 1, json!({ "kind": "act_then_drop" }))
        .await;
    let amount = json!({ "amount": "49.99", "currency": "USD" });
    let refund = json!({ "order_id": "ORD-8842", "amount": amount, "reason": "broken" });
    let lost = desk.tool("c", "process_refund", refund).await.body;
    assert_eq!(lost["outcome"], "unknown", "{lost}");
    swapped("9.1.0").await;
    swapped("9.2.0").await;
    bay.remove("refunds?version=9.0.0").await.expect(204);
    let desk = desk.started_again().await;
    assert_eq!(prune(&desk).await.expect(200)["unused"], json!([]));

    let intent = lost["intent"].as_str().unwrap();
    let settle = desk.url(&format!("/api/ledger/{intent}/settle"));
    let happened = json!({ "as": "failed", "note": "the shop has nothing of it" });
    let settle = desk.http.post(settle).bearer_auth(OPERATOR_KEY);
    let settled = settle.json(&happened).send().await.unwrap();
    Answer::of(settled).await.expect(200);
    let pruned = prune(&desk).await.expect(200);
    assert_eq!(pruned["unused"][0]["digest"], begun, "{pruned}");
}

/// What is being installed is on the disk before it is known.
#[tokio::test]
async fn nothing_is_deleted_that_is_being_installed() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    let pruning = async {
        loop {
            let answer = prune(&desk).await;
            assert!(matches!(answer.status, 200 | 409), "{answer:?}");
            tokio::task::yield_now().await;
        }
    };
    let installing = async {
        for _ in 0..5 {
            let digest = known(&bay, &Parcel::version("1.0.0")).await;
            let kept = folder(&desk).join(format!("{digest}.wasm"));
            assert!(kept.exists(), "an installed version lost its component");
            bay.remove("shelf").await.expect(204);
            bay.remove("shelf?version=1.0.0").await.expect(204);
        }
    };
    tokio::select! {
        () = pruning => {}
        () = installing => {}
    }
}

#[tokio::test]
async fn only_an_operator_deletes_components() {
    let town = Town::open().await;
    let acme = Bay::of(&town.desk).at("acme");
    known(&acme, &Parcel::version("1.0.0")).await;
    acme.remove("shelf").await.expect(204);
    acme.remove("shelf?version=1.0.0").await.expect(204);
    let before = files(&folder(&town.desk));
    for key in [ACME_DANA, "nobody's"] {
        for path in ["/api/artifacts/unused", "/t/acme/api/artifacts/unused"] {
            let request = town.desk.http.delete(town.desk.url(path)).bearer_auth(key);
            let refused = Answer::of(request.send().await.unwrap()).await;
            assert!(matches!(refused.status, 401 | 403), "{refused:?}");
        }
    }
    assert_eq!(files(&folder(&town.desk)), before);
    refuses(
        &plugin(&town.desk, &["prune", "--everything"]).await,
        &["--everything"],
    );
    assert_eq!(files(&folder(&town.desk)), before);
}
