//! Whoever waits for a call hears how far it has come, and may stop waiting: then the plugin stops, too.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Session, Stateless, rpc};
use crate::desk::Desk;
use crate::life::{Bay, Parcel};

/// A desk with a plugin without code, whose every request counts as progress.
async fn shelf() -> Desk {
    let desk = Desk::open().await;
    let installed = Bay::of(&desk)
        .install(&Parcel::version("1.0.0"), true)
        .await;
    installed.expect(200);
    desk
}

fn find(token: Option<&str>) -> Value {
    let mut call = json!({ "name": "find_order", "arguments": { "number": "ORD-8842" } });
    if let Some(token) = token {
        call["_meta"] = json!({ "progressToken": token });
    }
    call
}

/// What the audit log says of the call, once it says so.
async fn failure(desk: &Desk) -> String {
    loop {
        let records = desk.audit().await;
        let ended = records
            .lines()
            .find(|line| line.contains("find_order") && line.contains("\"outcome\":\""));
        if let Some(ended) = ended {
            return ended.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_call_tells_its_progress_to_whoever_asked_for_it() {
    let desk = shelf().await;
    let session = Session::open(&desk).await;
    let newest = Stateless::new(&desk);
    let mut told = newest.begin("tools/call", find(Some("here"))).await;
    let first = told.next().await.unwrap();
    assert_eq!(first["method"], "notifications/progress", "{first}");
    assert_eq!(
        (
            &first["params"]["progressToken"],
            first["params"]["progress"].as_f64()
        ),
        (&json!("here"), Some(1.0))
    );
    let end = told.next().await.unwrap();
    assert_eq!(
        end["result"]["structuredContent"]["number"], "ORD-8842",
        "{end}"
    );
    let mut told = session.messages("tools/call", find(Some("there"))).await;
    assert_eq!(
        told.next().await.unwrap()["params"]["progressToken"],
        "there"
    );
    // Nobody who did not ask hears anything.
    let mut silent = newest.begin("tools/call", find(None)).await;
    assert!(silent.next().await.unwrap()["result"].is_object());
    let mut silent = session.messages("tools/call", find(None)).await;
    assert!(silent.next().await.unwrap()["result"].is_object());
}

#[tokio::test]
async fn a_client_that_hangs_up_stops_the_plugin() {
    let desk = shelf().await;
    desk.shop
        .misbehaves(
            "GET",
            "/orders/ORD-8842",
            1,
            json!({ "kind": "delay", "ms": 4_000 }),
        )
        .await;
    let newest = Stateless::new(&desk);
    let call = newest.begin("tools/call", find(None));
    tokio::select! {
        _ = call => panic!("the backend has not answered yet"),
        () = asked(&desk) => (),
    }
    let ended = failure(&desk).await;
    assert!(ended.contains("the caller has cancelled it"), "{ended}");
}

#[tokio::test]
async fn a_client_that_cancels_stops_the_plugin() {
    let desk = shelf().await;
    desk.shop
        .misbehaves(
            "GET",
            "/orders/ORD-8842",
            1,
            json!({ "kind": "delay", "ms": 4_000 }),
        )
        .await;
    let session = Session::open(&desk).await;
    let mut call = rpc("tools/call", find(None));
    call["id"] = json!("slow");
    let calling = session.send(call);
    let cancel = async {
        asked(&desk).await;
        let gone = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": "slow", "reason": "enough" } });
        assert!(session.send(gone).await.status().is_success());
        failure(&desk).await
    };
    let (_, ended) = tokio::join!(calling, cancel);
    assert!(ended.contains("the caller has cancelled it"), "{ended}");
}

/// The backend has been asked.
async fn asked(desk: &Desk) {
    while !desk
        .shop
        .requests()
        .await
        .iter()
        .any(|request| request["path"] == "/orders/ORD-8842")
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
