//! Plugins of a real registry, by tag: a version stays what the tag led to when it was installed.

use std::path::Path;

use serde_json::json;

use super::commands::{listed, plugin, says};
use super::parcel::{Bay, Parcel};
use crate::desk::Desk;
use crate::programs::{refuses, run};
use crate::signing::Registry;
use crate::tenants::expect_refusal;

/// Publishes it there, as its author does: the component's digest, and the place with the one of its manifest.
fn publish(parcel: &Parcel, folder: &Path, place: &str) -> (String, String) {
    parcel.put_into(folder);
    let file = folder.join("shelf.wasm");
    let published = run(&["plugin", "publish", file.to_str().unwrap(), place]);
    assert!(published.status.success(), "{published:?}");
    let text = String::from_utf8(published.stdout).unwrap();
    let digest = text
        .split([' ', ',', '\n'])
        .find(|word| word.starts_with("sha256:"));
    let pinned = text.lines().find(|line| line.starts_with("oci://"));
    (digest.unwrap().to_owned(), pinned.unwrap().to_owned())
}

#[tokio::test]
async fn a_version_stays_what_its_tag_led_to_when_it_was_installed() {
    let folder = tempfile::tempdir().unwrap();
    let Some((registry, host)) = Registry::start(folder.path(), "installing by tag") else {
        return;
    };
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    let place = format!("oci://{host}/acme/shelf:1");
    let base = format!("base_url={}", desk.shop.url);
    let install = |from: &str| ["install", from, "--accept", "--set", &base].map(str::to_owned);
    let refused = plugin(&desk, &install(&place)).await;
    refuses(&refused, &["there is no such artifact"]);

    let (digest, pinned) = publish(&Parcel::version("1.0.0"), folder.path(), &place);
    let said = says(&desk, &install(&place)).await;
    let known = format!("shelf 1.0.0, {digest}, is installed for demo\nit is live\n");
    assert_eq!(said, known);
    assert_eq!(bay.found().await["owner"], json!(null));
    let list = listed(&desk).await;
    let source = pinned.trim_start_matches("oci://");
    let own = format!("shelf 1.0.0 (installed)\n    1.0.0 from {source}");
    assert_eq!(list, own);

    // The tag leads to other bytes under the same number.
    let (_, moved) = publish(&Parcel::with_owner("1.0.0"), folder.path(), &place);
    assert_ne!(moved, pinned);
    let history = bay.history("shelf").await;
    let is_taken =
        format!("version 1.0.0 of shelf is {digest} already, and versions do not change");
    refuses(&plugin(&desk, &install(&place)).await, &[&is_taken]);
    for other in [&place, &moved] {
        expect_refusal(&bay.install_from(other).await, 409, &is_taken);
    }
    assert_eq!(listed(&desk).await, own);
    assert_eq!(bay.history("shelf").await, history);
    assert_eq!(bay.found().await["owner"], json!(null));
    assert!(desk.audit().await.contains(&is_taken));

    // Whoever has pinned the first gets it, and is told that the tag has moved.
    let now = moved.rsplit_once('@').unwrap().1;
    let word = format!("the tag of {source} has moved: it leads to {now} by now");
    let said = says(&desk, &install(&pinned)).await;
    assert_eq!(said, format!("{known}! {word}\n"));
    let again = bay.install_from(&pinned).await.expect(200);
    assert_eq!(
        (&again["known"], &again["tag_moved"]),
        (&json!(true), &json!(word))
    );

    // A number of its own makes it a version, and the registry is not needed any more.
    publish(&Parcel::with_owner("1.1.0"), folder.path(), &place);
    let installed = bay.install_from(&place).await.expect(200);
    assert_eq!(installed["tag_moved"], json!(null), "{installed}");
    bay.post("shelf/swap", json!({ "version": "1.1.0" }))
        .await
        .expect(200);
    assert_eq!(bay.found().await["owner"], "C-1001");
    drop(registry);
    let desk = desk.started_again().await;
    let bay = Bay::of(&desk);
    assert_eq!(bay.found().await["owner"], "C-1001");
    bay.post("shelf/rollback", json!({})).await.expect(200);
    assert_eq!(bay.found().await["owner"], json!(null));
}
