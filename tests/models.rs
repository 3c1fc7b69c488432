//! A language model over the wire: whatever it says, the host decides what happens. The model is a local server that speaks
//! the chat completions protocol from a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use switchboard::Provider;

use crate::desk::Desk;
use crate::life::{Bay, Parcel};

/// What the model does when it is asked next.
#[derive(Clone)]
enum Says {
    Text(&'static str),
    Calls(&'static str, Value),
    Status(u16),
}

/// The model's server: its script, and every request that it got.
struct Script {
    says: Mutex<VecDeque<Says>>,
    asked: Mutex<Vec<Value>>,
}

async fn desk_with(says: &[Says]) -> (Desk, Arc<Script>) {
    let script = Arc::new(Script {
        says: Mutex::new(says.iter().cloned().collect()),
        asked: Mutex::default(),
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let app = Router::new()
        .route("/v1/chat/completions", post(answer))
        .with_state(script.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let desk = Desk::open_with(|config| {
        config.model.provider = Provider::Openai;
        config.model.base_url = base_url;
        config.model.name = "scripted".into();
        config.model.retries = 0;
    })
    .await;
    (desk, script)
}

async fn answer(State(script): State<Arc<Script>>, body: String) -> Response {
    script
        .asked
        .lock()
        .unwrap()
        .push(serde_json::from_str(&body).unwrap());
    let next = script.says.lock().unwrap().pop_front();
    let (delta, finish) = match next.unwrap_or(Says::Text("Is there anything else?")) {
        Says::Status(status) => return StatusCode::from_u16(status).unwrap().into_response(),
        Says::Text(text) => (json!({ "role": "assistant", "content": text }), "stop"),
        Says::Calls(tool, arguments) => (tool_call(tool, &arguments), "tool_calls"),
    };
    completion(delta, finish)
}

/// A message that asks for one tool.
pub(crate) fn tool_call(tool: &str, arguments: &Value) -> Value {
    let function = json!({ "name": tool, "arguments": arguments.to_string() });
    let call = json!({ "index": 0, "id": "call_1", "type": "function", "function": function });
    json!({ "role": "assistant", "tool_calls": [call] })
}

/// The stream of an answer that is this one message.
pub(crate) fn completion(delta: Value, finish: &str) -> Response {
    let chunk = |delta: Value, finish: Value| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
        format!(
            "data: {}\n\n",
            json!({ "id": "c", "object": "chat.completion.chunk", "choices": [choice] })
        )
    };
    let stream = [
        chunk(delta, Value::Null),
        chunk(json!({}), finish.into()),
        "data: [DONE]\n\n".into(),
    ]
    .concat();
    ([("content-type", "text/event-stream")], stream).into_response()
}

fn find_sarah() -> Says {
    Says::Calls("get_customer", json!({ "email": "sarah@example.com" }))
}

fn look_up(order: &str) -> Says {
    Says::Calls("lookup_order", json!({ "order_id": order }))
}

fn refund(order: &str, amount: &str) -> Says {
    let amount = json!({ "amount": amount, "currency": "USD" });
    Says::Calls(
        "process_refund",
        json!({ "order_id": order, "amount": amount, "reason": "broken" }),
    )
}

const ASKS: &str = "sarah@example.com, my blender of ORD-8842 is broken, please refund it";

#[tokio::test]
async fn a_model_that_does_its_work_refunds_once() {
    let done = Says::Text("I have refunded 49.99 USD for order ORD-8842.");
    let (desk, script) = desk_with(&[
        find_sarah(),
        look_up("ORD-8842"),
        refund("ORD-8842", "49.99"),
        refund("ORD-8842", "49.99"),
        done,
    ])
    .await;
    let reply = desk.customer("s").says(ASKS).await;
    assert_eq!(reply.status(), "resolved", "{reply:?}");
    assert_eq!(desk.shop.refunds("ORD-8842").await, [4_999]);
    let asked = script.asked.lock().unwrap();
    let offered = asked[0]["tools"].as_array().unwrap();
    assert!(
        offered
            .iter()
            .any(|tool| tool["function"]["name"] == "process_refund")
    );
    assert!(
        asked[1].to_string().contains("C-1001"),
        "the result of the tool reaches the model"
    );
}

#[tokio::test]
async fn a_model_that_skips_the_order_of_things_is_told_so_and_moves_nothing() {
    let (desk, script) = desk_with(&[
        refund("ORD-8842", "49.99"),
        Says::Text("Could you tell me more?"),
    ])
    .await;
    desk.customer("s").says(ASKS).await;
    desk.shop.saw_no_write().await;
    let told = script.asked.lock().unwrap()[1].to_string();
    assert!(
        told.contains("get_customer"),
        "the refusal names the missing step: {told}"
    );
    assert!(!told.contains("CUSTOMER_UNKNOWN"), "{told}");
}

#[tokio::test]
async fn a_model_never_sees_another_customers_order() {
    let (desk, script) = desk_with(&[
        find_sarah(),
        look_up("ORD-9001"),
        Says::Text("Let me check."),
    ])
    .await;
    let reply = desk
        .customer("s")
        .says("sarah@example.com, what about ORD-9001?")
        .await;
    assert_eq!(reply.priority(), Some("P1"), "{reply:?}");
    let seen = script
        .asked
        .lock()
        .unwrap()
        .iter()
        .map(Value::to_string)
        .collect::<String>();
    assert!(
        !seen.contains("mixer") && !seen.contains("289") && !seen.contains("C-1002"),
        "{seen}"
    );
    desk.shop.saw_no_write().await;
}

#[tokio::test]
async fn a_model_that_claims_what_it_did_not_do_is_not_believed() {
    let lie = Says::Text("Good news: I have refunded 49.99 USD for order ORD-8842!");
    let (desk, _) = desk_with(&[lie.clone(), lie]).await;
    let reply = desk.customer("s").says(ASKS).await;
    reply.hides(&["have refunded", "Good news"]);
    assert_ne!(reply.status(), "resolved", "{reply:?}");
    desk.shop.saw_no_write().await;
}

#[tokio::test]
async fn a_model_that_fails_leaves_the_case_open_and_says_nothing_internal() {
    for status in [401, 429, 500] {
        let (desk, _) = desk_with(&[Says::Status(status)]).await;
        let reply = desk.customer("s").says(ASKS).await;
        assert_eq!(reply.status(), "open", "{status}: {reply:?}");
        reply.hides(&["api key", "401", "429", "500", "OPENAI"]);
        desk.shop.saw_no_write().await;
    }
}

/// Of a version on trial a model is offered what its calls will run: the live one's arguments would not fit.
#[tokio::test]
async fn a_model_is_offered_the_tools_that_its_case_tries() {
    let found = Says::Calls("find_again", json!({ "order": "ORD-8842" }));
    let (desk, script) = desk_with(&[found, Says::Text("I have found it.")]).await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    bay.install(&Parcel::renamed("1.1.0"), false)
        .await
        .expect(200);
    let tried = json!({ "version": "1.1.0", "per_mille": 1000, "accept": true });
    bay.post("shelf/canary", tried).await.expect(200);
    let reply = desk.customer("s").says("Where is ORD-8842?").await;
    assert_eq!(reply.outcome_of("find_again"), Some("ok"), "{reply:?}");
    let asked = script.asked.lock().unwrap();
    let offered = asked[0]["tools"].as_array().unwrap();
    let find = (offered.iter()).find(|tool| tool["function"]["name"] == "find_order");
    let fields = &find.unwrap()["function"]["parameters"]["properties"];
    assert!(
        fields.get("order").is_some() && fields.get("number").is_none(),
        "{fields}"
    );
}
