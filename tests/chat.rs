//! The chat interface beside the scenarios: streams, sessions, documents, the page.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use switchboard::{Claims, Secret, sign};

use crate::desk::{Desk, SESSION_SECRET};

/// A session token for a customer, as a website signs it.
pub(crate) fn signed(customer: &str, seconds: i64) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let exp = i64::try_from(now).unwrap() + seconds;
    sign(
        &Claims {
            sub: customer.into(),
            tenant: "demo".into(),
            exp,
        },
        &Secret::new(SESSION_SECRET),
    )
    .unwrap()
}

/// The events of a server-sent stream: name and data.
fn events(stream: &str) -> Vec<(String, Value)> {
    let field = |block: &str, name: &str| {
        block.lines().find_map(|line| {
            line.strip_prefix(name)
                .map(|rest| rest.trim_start_matches(": ").to_owned())
        })
    };
    stream
        .split("\n\n")
        .filter_map(|block| {
            Some((
                field(block, "event")?,
                serde_json::from_str(&field(block, "data")?).ok()?,
            ))
        })
        .collect()
}

#[tokio::test]
async fn a_stream_tells_the_same_turn_step_by_step() {
    let desk = Desk::open().await;
    let body = json!({ "session_id": "s", "message": "sarah@example.com, ORD-8842 is broken, refund please" });
    let request = desk
        .http
        .post(desk.url("/api/chat"))
        .header("accept", "text/event-stream")
        .json(&body);
    let response = request.send().await.unwrap();
    assert!(
        response.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/event-stream")
    );
    let events = events(&response.text().await.unwrap());
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    let tools: Vec<&str> = events
        .iter()
        .filter(|(name, _)| name == "tool_call")
        .map(|(_, data)| data["tool"].as_str().unwrap())
        .collect();
    assert_eq!(
        tools,
        ["get_customer", "lookup_order", "process_refund"],
        "{events:#?}"
    );
    assert_eq!(
        names.iter().filter(|name| **name == "tool_result").count(),
        3
    );
    let (last, done) = events.last().unwrap();
    assert_eq!(
        (last.as_str(), done["status"].as_str()),
        ("done", Some("resolved"))
    );
    let said: String = events
        .iter()
        .filter(|(n, _)| n == "text")
        .map(|(_, d)| d["text"].as_str().unwrap())
        .collect();
    assert!(said.contains("49.99"), "{said}");
}

#[tokio::test]
async fn a_link_streams_as_well() {
    let desk = Desk::open().await;
    let request = desk
        .http
        .get(desk.url("/api/chat/stream?session_id=s&message=hello"));
    let events = events(&request.send().await.unwrap().text().await.unwrap());
    assert_eq!(events.last().unwrap().0, "done", "{events:?}");
}

#[tokio::test]
async fn a_reset_forgets_who_was_asking() {
    let desk = Desk::open().await;
    let customer = desk.customer("s");
    customer
        .says("I'm sarah@example.com, where is ORD-8842?")
        .await;
    desk.post("/api/chat/reset", json!({ "session_id": "s" }))
        .await
        .expect(200);
    let reply = customer.says("please refund order ORD-8842").await;
    assert_eq!(reply.status(), "open", "{reply:?}");
    desk.shop.saw_no_write().await;
}

#[tokio::test]
async fn a_signed_session_needs_no_order_number_to_be_believed() {
    let desk = Desk::open().await;
    let say = |token: String, message: &str| {
        let body = json!({ "session_id": "signed", "message": message });
        desk.http
            .post(desk.url("/api/chat"))
            .bearer_auth(token)
            .json(&body)
            .send()
    };
    let reply: Value = say(signed("C-1001", 600), "which orders do I have?")
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(
        reply["response"].as_str().unwrap().contains("ORD-8842"),
        "{reply}"
    );
    assert_eq!(
        say(signed("C-1001", -5), "hi")
            .await
            .unwrap()
            .status()
            .as_u16(),
        401
    );
    assert_eq!(
        say("garbage".into(), "hi").await.unwrap().status().as_u16(),
        401
    );
}

#[tokio::test]
async fn the_desk_says_that_it_is_ready_and_documents_itself() {
    let desk = Desk::open().await;
    assert_eq!(desk.get("/api/health").await.expect(200)["status"], "ok");
    let page = desk.get("/").await.body;
    assert!(page.as_str().unwrap().contains("<title>"), "{page}");
    assert!(
        desk.get("/docs")
            .await
            .body
            .as_str()
            .unwrap()
            .contains("openapi")
    );
    let document = desk.get("/api/openapi.json").await.expect(200);
    for path in [
        "/api/chat",
        "/api/chat/stream",
        "/api/chat/reset",
        "/api/health",
        "/api/tools",
        "/api/tools/{tool}",
        "/tickets/{id}",
        "/tickets/{id}/actions/suggest_response",
        "/tickets/{id}/actions/update",
        "/customers/{id}",
        "/faq/search",
        "/api/approvals",
        "/api/approvals/{id}",
    ] {
        assert!(
            document["paths"].get(path).is_some(),
            "{path} is not documented"
        );
    }
}

#[tokio::test]
async fn every_tool_of_the_contract_is_offered_with_schemas() {
    let desk = Desk::open().await;
    let tools = desk.get("/api/tools").await.expect(200);
    let tools = tools["tools"].as_array().unwrap();
    let contract: toml::Table = include_str!("../wit/contract.toml").parse().unwrap();
    let mut expected: Vec<&str> = contract["tool"]
        .as_table()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut offered: Vec<&str> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    expected.sort_unstable();
    offered.sort_unstable();
    assert_eq!(offered, expected);
    for tool in tools {
        let name = &tool["name"];
        assert!(
            tool["description"].as_str().unwrap().len() > 30,
            "{name} is not described"
        );
        assert_eq!(tool["input_schema"]["type"], "object", "{name}");
        assert_eq!(tool["output_schema"]["type"], "object", "{name}");
        assert!(
            tool["input_schema"]["properties"]
                .get("customer_id")
                .is_none(),
            "{name} lets a model name the customer"
        );
    }
}

#[tokio::test]
async fn resources_go_the_same_way_as_tools() {
    let desk = Desk::open().await;
    let customer = desk.get("/customers/C-1001").await.expect(200);
    assert_eq!(customer["email"], "sarah@example.com");
    let found = desk
        .get("/faq/search?q=how%20long%20does%20shipping%20take")
        .await
        .expect(200);
    let first = &found["articles"][0];
    assert!(
        first["excerpt"].as_str().unwrap().chars().count() <= 500,
        "{first}"
    );
    assert!(
        first["url"].as_str().unwrap().starts_with("http"),
        "{first}"
    );
    assert!(first["relevance"].is_number(), "{first}");
}
