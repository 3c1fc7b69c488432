//! Publishing: at once, per tenant, and never under a call that runs.

use dispatch::{InvokeError, Tools as _};
use expect_test::expect;
use serde_json::json;

use crate::guest::{Guest, TENANT, friendly, named, permit, source, toolbox};

#[tokio::test]
async fn every_publication_is_a_new_generation() {
    let toolbox = toolbox();
    let first = toolbox.load(source(friendly())).await.unwrap();
    assert_eq!(
        toolbox
            .publish(TENANT, std::slice::from_ref(&first))
            .unwrap(),
        1
    );
    let held = toolbox.snapshot(TENANT).unwrap();
    assert_eq!(toolbox.publish(TENANT, &[]).unwrap(), 2);
    assert!(toolbox.snapshot(TENANT).unwrap().tools.is_empty());
    assert_eq!(held.tools.len(), 2, "whoever holds a snapshot keeps it");
    assert_eq!(toolbox.publish("another", &[first]).unwrap(), 1);
}

#[tokio::test]
async fn two_offers_of_one_tool_are_refused_and_change_nothing() {
    let toolbox = toolbox();
    let first = toolbox.load(source(friendly())).await.unwrap();
    let second = toolbox.load(source(named("other"))).await.unwrap();
    toolbox
        .publish(TENANT, std::slice::from_ref(&first))
        .unwrap();
    let error = toolbox.publish(TENANT, &[first, second]).unwrap_err();
    expect!["both acme:friendly/friendly@1.0.0 (guest) and acme:other/other@1.0.0 (guest) offer the tool add; remove one of them"].assert_eq(&error.to_string());
    assert_eq!(toolbox.snapshot(TENANT).unwrap().generation, 1);
}

#[tokio::test]
async fn a_permit_opens_one_tool_of_one_version_only() {
    let guest = Guest::live(source(friendly())).await;
    let tool = guest.toolbox.snapshot(TENANT).unwrap().tools["add"].clone();
    let arguments = json!({ "a": 1, "b": 2 });
    for foreign in [
        permit("echo", &tool.spec().digest, &arguments),
        permit("add", "another digest", &arguments),
    ] {
        let refused = tool.invoke(foreign, guest.gate.clone()).await.unwrap_err();
        assert!(
            matches!(&refused, InvokeError::Refused(r) if r.code == "PERMIT_MISMATCH"),
            "{refused}"
        );
    }
}
