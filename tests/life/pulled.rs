//! Plugins of a real registry, by tag: a version stays what the tag led to when it was installed.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

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

/// Where the plugin's tags lead elsewhere by now, once this is so: the host looks by itself.
async fn until_moved(bay: &Bay<'_>, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    for _ in 0..3_000 {
        let plugin = bay.plugin("shelf").await;
        let moved = plugin["moved_tags"].as_array().unwrap();
        if is_so(moved) {
            return moved.clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it is never seen: {}", bay.plugin("shelf").await)
}

/// What the audit log says of tags, oldest first.
async fn told_of_tags(desk: &Desk) -> Vec<Value> {
    let records: Value = serde_json::from_str(&desk.audit().await).unwrap();
    let records = records.as_array().unwrap().iter();
    let of_tags = records.filter(|record| record["entry"]["detail"]["event"] == "tag_moved");
    of_tags.map(|record| record["entry"].clone()).collect()
}

/// Lets the tag lead to what lies there already, as somebody does who may push.
async fn lead_to(desk: &Desk, host: &str, digest: &str) {
    let manifests = format!("http://{host}/v2/acme/shelf/manifests");
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let found = desk.http.get(format!("{manifests}/{digest}"));
    let found = found.header("accept", kind).send().await.unwrap();
    let manifest = found.error_for_status().unwrap().bytes().await.unwrap();
    let put = desk.http.put(format!("{manifests}/1")).body(manifest);
    let put = put.header("content-type", kind).send().await.unwrap();
    put.error_for_status().unwrap();
}

#[tokio::test]
async fn a_tag_that_moves_is_seen_without_anything_being_fetched_and_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let Some((registry, host)) = Registry::start(folder.path(), "looking at tags") else {
        return;
    };
    let desk = Desk::open_with(|config| config.tag_look_seconds = 1).await;
    let blind = Desk::open_with(|config| config.tag_look_seconds = 0).await;
    let bay = Bay::of(&desk);
    let place = format!("oci://{host}/acme/shelf:1");
    let (_, first) = publish(&Parcel::version("1.0.0"), folder.path(), &place);
    for bay in [&bay, &Bay::of(&blind)] {
        bay.install_from(&place).await.expect(200);
        assert_eq!(bay.plugin("shelf").await["moved_tags"], json!([]));
    }
    let before = (bay.plugin("shelf").await, bay.history("shelf").await);

    let (_, second) = publish(&Parcel::with_owner("1.1.0"), folder.path(), &place);
    let source = first.trim_start_matches("oci://");
    let digest = |place: &str| place.rsplit_once('@').unwrap().1.to_owned();
    let moved = until_moved(&bay, |moved| !moved.is_empty()).await;
    let seen = moved[0]["seen_at_ms"].as_i64().unwrap();
    let told = json!({
        "reference": source,
        "pinned": digest(&first),
        "now": digest(&second),
        "seen_at_ms": seen,
    });
    assert_eq!(moved, std::slice::from_ref(&told));
    let mut detail = told;
    detail["event"] = json!("tag_moved");
    detail["plugin"] = json!("shelf");
    let audited = told_of_tags(&desk).await;
    assert_eq!(audited.len(), 1, "{audited:?}");
    assert_eq!(
        (&audited[0]["actor"], &audited[0]["detail"]),
        (&json!("host:tags"), &detail)
    );
    let list = listed(&desk).await;
    let line = format!(
        "shelf 1.0.0 (installed)\n    1.0.0 from {source}\n    ! the tag of {source} has moved: it leads to {} by now, first seen 20",
        digest(&second)
    );
    assert!(list.starts_with(&line), "{list}");

    // What was pinned serves on, and nothing was done to it.
    let mut after = bay.plugin("shelf").await;
    after["moved_tags"] = json!([]);
    assert_eq!((after, bay.history("shelf").await), before);
    assert_eq!(bay.found().await["owner"], json!(null));

    // Back and forth, and across a start: where it leads is shown, and told no second time.
    lead_to(&desk, &host, &digest(&first)).await;
    until_moved(&bay, <[Value]>::is_empty).await;
    let desk = desk.started_again().await;
    let bay = Bay::of(&desk);
    lead_to(&desk, &host, &digest(&second)).await;
    assert_eq!(until_moved(&bay, |moved| !moved.is_empty()).await, moved);
    assert_eq!(told_of_tags(&desk).await, audited);

    // Another place is another thing to tell.
    let (_, third) = publish(&Parcel::with_owner("1.2.0"), folder.path(), &place);
    until_moved(&bay, |moved| {
        moved.iter().any(|tag| tag["now"] == digest(&third))
    })
    .await;
    let audited = told_of_tags(&desk).await;
    let led_to: Vec<_> = audited.iter().map(|one| &one["detail"]["now"]).collect();
    assert_eq!(led_to, [&json!(digest(&second)), &json!(digest(&third))]);

    // Whoever installs what the tag leads to has seen it move.
    bay.install_from(&place).await.expect(200);
    assert_eq!(bay.plugin("shelf").await["moved_tags"], json!([]));

    // Who does not look sees nothing, and without the registry calls go on.
    assert_eq!(told_of_tags(&blind).await, Vec::<Value>::new());
    drop(registry);
    assert_eq!(bay.found().await["owner"], json!(null));
}
