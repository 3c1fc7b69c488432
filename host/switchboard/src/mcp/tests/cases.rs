//! Which case a call lands in.

use http::HeaderValue;
use serde_json::{Value, json};

use super::client::{LEGACY, Legacy, modern, modern_request, send};
use super::world::World;

fn call() -> Value {
    json!({ "name": "classify_inquiry", "arguments": { "text": "hello" } })
}

fn call_in(case: &Value) -> Value {
    let mut call = call();
    call["_meta"] = json!({ "switchboard/case": case });
    call
}

#[tokio::test]
async fn one_session_is_one_case() {
    let world = World::new();
    let (first, second) = (world.legacy().await, world.legacy().await);
    first.ask("tools/call", call()).await;
    let case = world.last_case();
    second.ask("tools/call", call()).await;
    assert_ne!(world.last_case(), case);
    world.minutes_pass(45);
    first.ask("tools/call", call()).await;
    assert_eq!(world.last_case(), case);
}

#[tokio::test]
async fn without_a_session_the_principal_has_one_case_until_it_is_idle() {
    let world = World::new();
    world.modern("tools/call", call()).await;
    let case = world.last_case();
    for _ in 0..3 {
        world.minutes_pass(29);
        world.modern("tools/call", call()).await;
        assert_eq!(world.last_case(), case, "every call keeps it open");
    }
    world.minutes_pass(31);
    world.modern("tools/call", call()).await;
    assert_ne!(world.last_case(), case);
}

/// What another process knows of the implicit case is when it was opened.
#[tokio::test]
async fn an_implicit_case_survives_a_restart_only_while_it_is_young() {
    let world = World::new();
    world.modern("tools/call", call()).await;
    let case = world.last_case();
    modern(&world.served_to("local"), "tools/call", call()).await;
    assert_eq!(world.last_case(), case);
    world.minutes_pass(31);
    modern(&world.served_to("local"), "tools/call", call()).await;
    assert_ne!(world.last_case(), case);
}

#[tokio::test]
async fn a_client_may_name_its_cases() {
    let world = World::new();
    world.modern("tools/call", call()).await;
    let implicit = world.last_case();
    world
        .modern("tools/call", call_in(&"ticket-1".into()))
        .await;
    let named = world.last_case();
    assert_ne!(named, implicit);
    world
        .modern("tools/call", call_in(&"ticket-2".into()))
        .await;
    assert_ne!(world.last_case(), named);
    world.minutes_pass(600);
    modern(
        &world.served_to("local"),
        "tools/call",
        call_in(&"ticket-1".into()),
    )
    .await;
    assert_eq!(
        world.last_case(),
        named,
        "a name outlives idleness and restarts"
    );
    world
        .legacy()
        .await
        .ask("tools/call", call_in(&"ticket-1".into()))
        .await;
    assert_eq!(world.last_case(), named, "a session may name one too");
}

#[tokio::test]
async fn a_name_is_no_credential() {
    let world = World::new();
    world
        .modern("tools/call", call_in(&"ticket-1".into()))
        .await;
    let case = world.last_case();
    for handle in ["ticket-1", &case] {
        modern(
            &world.served_to("mallory"),
            "tools/call",
            call_in(&handle.into()),
        )
        .await;
        assert_ne!(world.last_case(), case);
    }
}

/// Under one principal, whoever shares a case shares what it knows of its customer.
#[tokio::test]
async fn strangers_share_no_case() {
    let world = World::new();
    world.modern("tools/call", call()).await;
    let implicit = world.last_case();
    let router = world.served_to_strangers();
    modern(&router, "tools/call", call()).await;
    let first = world.last_case();
    assert_ne!(first, implicit);
    modern(&router, "tools/call", call()).await;
    assert_ne!(world.last_case(), first);
    assert_ne!(world.last_case(), implicit);
}

#[tokio::test]
async fn a_stranger_names_no_case() {
    let world = World::new();
    let router = world.served_to_strangers();
    let refused = modern(&router, "tools/call", call_in(&"ticket-1".into())).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    assert!(world.ran().is_empty());
}

#[tokio::test]
async fn a_strangers_session_keeps_its_case() {
    let world = World::new();
    let router = world.served_to_strangers();
    let (first, second) = (
        Legacy::open(&router, LEGACY).await,
        Legacy::open(&router, LEGACY).await,
    );
    first.ask("tools/call", call()).await;
    let case = world.last_case();
    second.ask("tools/call", call()).await;
    assert_ne!(world.last_case(), case);
    first.ask("tools/call", call()).await;
    assert_eq!(world.last_case(), case);
}

/// Outside a session nobody has checked the header, so it must not lead into somebody's case.
#[tokio::test]
async fn a_session_id_that_nobody_checked_counts_for_nothing() {
    let world = World::new();
    let session = world.legacy().await;
    session.ask("tools/call", call()).await;
    let case = world.last_case();
    let mut request = modern_request("tools/call", call());
    request
        .headers_mut()
        .insert("mcp-session-id", session.id.clone());
    let (_, answer) = send(world.router(), request).await;
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    assert_ne!(world.last_case(), case);
}

#[tokio::test]
async fn an_unknown_session_is_refused() {
    let world = World::new();
    let mut session = world.legacy().await;
    session.id = HeaderValue::from_static("00000000-0000-4000-8000-000000000000");
    assert_eq!(session.ask("tools/call", call()).await, Value::Null);
    assert_eq!(world.ran(), [""; 0]);
}

#[tokio::test]
async fn improper_names_are_refused() {
    let world = World::new();
    let long = "x".repeat(129);
    for name in [
        json!(""),
        json!("a b"),
        json!("a:b"),
        json!("ä"),
        json!(long),
        json!(3),
        json!(null),
    ] {
        let answer = world.modern("tools/call", call_in(&name)).await;
        assert_eq!(answer["error"]["code"], -32602, "{name} {answer}");
    }
    assert_eq!(world.ran(), [""; 0]);
}
