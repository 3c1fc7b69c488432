//! Clients hear of it when the tools are other ones, in both revisions' ways.

use serde_json::json;

use super::client::{Session, Stateless};
use crate::desk::Desk;
use crate::life::{Bay, Parcel};

#[tokio::test]
async fn an_install_and_a_swap_are_told_to_whoever_listens() {
    let desk = Desk::open().await;
    let session = Session::open(&desk).await;
    assert_eq!(
        session.opened["result"]["capabilities"]["tools"]["listChanged"],
        true
    );
    let mut heard = session.listen().await;
    let newest = Stateless::new(&desk);
    let wants = json!({ "notifications": { "toolsListChanged": true } });
    let mut listening = newest.begin("subscriptions/listen", wants).await;
    let acknowledged = listening.next().await.unwrap();
    assert_eq!(
        acknowledged["method"], "notifications/subscriptions/acknowledged",
        "{acknowledged}"
    );
    let bay = Bay::of(&desk);
    // The second version's tool gives more, so that its schema is another one.
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    let told = heard.next().await.unwrap();
    assert_eq!(told["method"], "notifications/tools/list_changed", "{told}");
    let told = listening.next().await.unwrap();
    assert_eq!(told["method"], "notifications/tools/list_changed", "{told}");
    bay.install(&Parcel::with_owner("1.1.0"), false)
        .await
        .expect(200);
    bay.post("shelf/swap", json!({ "version": "1.1.0" }))
        .await
        .expect(200);
    let told = heard.next().await.unwrap();
    assert_eq!(told["method"], "notifications/tools/list_changed", "{told}");
    let told = listening.next().await.unwrap();
    assert_eq!(told["method"], "notifications/tools/list_changed", "{told}");
    let listed = session.ask("tools/list", json!({})).await.to_string();
    assert!(listed.contains("find_order"), "{listed}");
}

/// A session whose case comes to use a version on trial, and is taken back from it.
#[tokio::test]
async fn a_trial_is_told_to_the_sessions_of_its_cases_and_listed_to_them() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    bay.install(&Parcel::renamed("1.1.0"), false)
        .await
        .expect(200);
    let session = Session::open(&desk).await;
    let mut heard = session.listen().await;
    let shown = async || {
        let listed = session.ask("tools/list", json!({})).await;
        let tools = listed["result"]["tools"].as_array().unwrap().clone();
        tools.iter().any(|tool| tool["name"] == "find_again")
    };
    assert!(!shown().await);
    let tried = json!({ "version": "1.1.0", "per_mille": 1000, "accept": true });
    bay.post("shelf/canary", tried).await.expect(200);
    let told = heard.next().await.unwrap();
    assert_eq!(told["method"], "notifications/tools/list_changed", "{told}");
    assert!(shown().await);
    let found = session
        .tool("find_again", json!({ "order": "ORD-8842" }))
        .await;
    assert_eq!(found["structuredContent"]["number"], "ORD-8842", "{found}");
    bay.post("shelf/rollback", json!({})).await.expect(200);
    let told = heard.next().await.unwrap();
    assert_eq!(told["method"], "notifications/tools/list_changed", "{told}");
    assert!(!shown().await);
    desk.shop.forget_requests().await;
    let gone = session.ask(
        "tools/call",
        json!({ "name": "find_again", "arguments": { "order": "ORD-8842" } }),
    );
    assert!(gone.await["error"].is_object());
    assert!(desk.shop.requests().await.is_empty());
}

#[tokio::test]
async fn what_was_not_asked_for_is_not_told() {
    let desk = Desk::open().await;
    let newest = Stateless::new(&desk);
    let nothing = json!({ "notifications": {} });
    let mut silent = newest.begin("subscriptions/listen", nothing).await;
    let wants = json!({ "notifications": { "toolsListChanged": true } });
    let mut listening = newest.begin("subscriptions/listen", wants).await;
    silent.next().await.unwrap();
    listening.next().await.unwrap();
    Bay::of(&desk)
        .install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    listening.next().await.unwrap();
    desk.running.shutdown().await;
    let end = silent.next().await;
    assert!(
        end.is_none_or(|end| end.get("method").is_none()),
        "told nothing but the end"
    );
}
