//! Whole turns over the wire: each thing that a service may do ends in a defined turn.

use std::sync::Arc;

use dispatch::CaseStatus;
use serde_json::{Value, json};

use super::fake::{Desk, done};
use crate::model::wire_server::{Answer, End, WireServer, limits};
use crate::{Anthropic, AnthropicConfig, Model, ModelError, Offline, OpenAi, OpenAiConfig};

fn sse(events: &[Value]) -> String {
    events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect::<Vec<_>>()
        .concat()
}

fn anthropic_text(text: &str, stop: &str) -> Answer {
    let events = [
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": text } }),
        json!({ "type": "message_delta", "delta": { "stop_reason": stop } }),
        json!({ "type": "message_stop" }),
    ];
    Answer::stream(sse(&events), 3)
}

fn anthropic_call(arguments: &str) -> Answer {
    let block = json!({ "type": "tool_use", "id": "t", "name": "lookup_order" });
    let events = [
        json!({ "type": "content_block_start", "index": 0, "content_block": block }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "input_json_delta", "partial_json": arguments } }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "tool_use" } }),
        json!({ "type": "message_stop" }),
    ];
    Answer::stream(sse(&events), 3)
}

fn openai_text(text: &str, reason: &str) -> Answer {
    let chunk = json!({ "choices": [{ "delta": { "content": text }, "finish_reason": reason }] });
    Answer::stream(format!("{}data: [DONE]\n\n", sse(&[chunk])), 3)
}

fn openai_call(arguments: &str) -> Answer {
    let call = json!({ "index": 0, "id": "t", "function": { "name": "lookup_order", "arguments": arguments } });
    let chunk = json!({ "choices": [{ "delta": { "tool_calls": [call] }, "finish_reason": "tool_calls" }] });
    Answer::stream(format!("{}data: [DONE]\n\n", sse(&[chunk])), 3)
}

/// One wire format: how it says a text, and how it asks for a tool.
struct Wire {
    text: fn(&str, &str) -> Answer,
    call: fn(&str) -> Answer,
    stops: [&'static str; 3],
    open: fn(&WireServer) -> Arc<dyn Model>,
}

const WIRES: [Wire; 2] = [
    Wire {
        text: anthropic_text,
        call: anthropic_call,
        stops: ["end_turn", "refusal", "max_tokens"],
        open: anthropic,
    },
    Wire {
        text: openai_text,
        call: openai_call,
        stops: ["stop", "content_filter", "length"],
        open: openai,
    },
];

fn anthropic(server: &WireServer) -> Arc<dyn Model> {
    Arc::new(
        Anthropic::new(AnthropicConfig {
            base_url: server.url.clone(),
            model: "m".to_owned(),
            api_key: "k".to_owned(),
            key_setting: "THE_KEY".to_owned(),
            limits: limits(),
        })
        .unwrap(),
    )
}

fn openai(server: &WireServer) -> Arc<dyn Model> {
    Arc::new(
        OpenAi::new(OpenAiConfig {
            base_url: server.url.clone(),
            model: "m".to_owned(),
            api_key: None,
            key_setting: "THE_KEY".to_owned(),
            limits: limits(),
        })
        .unwrap(),
    )
}

async fn desk(wire: &Wire, answers: Vec<Answer>) -> Desk {
    let server = WireServer::start(answers).await;
    let desk = Desk::new((wire.open)(&server));
    desk.on("lookup_order", [done(json!({ "status": "shipped" }))]);
    desk
}

#[tokio::test]
async fn a_tool_and_an_answer() {
    for wire in WIRES {
        let answers = vec![
            (wire.call)("{\"order_id\":\"ORD-1\"}"),
            (wire.text)("It is on its way.", wire.stops[0]),
        ];
        let mut desk = desk(&wire, answers).await;
        let result = desk.say("where is ORD-1?").await;
        assert_eq!(
            (result.response.as_str(), result.status),
            ("It is on its way.", CaseStatus::Resolved)
        );
        assert_eq!(desk.called(), ["lookup_order"]);
    }
}

#[tokio::test]
async fn broken_arguments_are_never_dispatched() {
    for wire in WIRES {
        let answers = vec![
            (wire.call)("{\"order_id\":"),
            (wire.call)("{\"order_id\":\"ORD-1\"}"),
            (wire.text)("Shipped.", wire.stops[0]),
        ];
        let mut desk = desk(&wire, answers).await;
        assert_eq!(desk.say("where is ORD-1?").await.response, "Shipped.");
        assert_eq!(desk.called(), ["lookup_order"]);
        let mut desk = self::desk(&wire, vec![(wire.call)("{"), (wire.call)("{")]).await;
        assert_eq!(
            desk.say("where is ORD-1?").await.status,
            CaseStatus::Escalated
        );
        assert!(desk.called().is_empty());
    }
}

#[tokio::test]
async fn refusal_and_length() {
    for wire in WIRES {
        let mut desk = desk(
            &wire,
            vec![
                (wire.text)("", wire.stops[1]),
                (wire.text)("It is here. And", wire.stops[2]),
            ],
        )
        .await;
        assert!(
            desk.say("tell me")
                .await
                .response
                .contains("can't help with")
        );
        assert_eq!(desk.say("tell me").await.response, "It is here.");
    }
}

#[tokio::test]
async fn failures_of_the_service_leave_an_open_case_and_an_apology() {
    for wire in WIRES {
        let failures = [
            (
                vec![Answer::error(401, "{}")],
                ModelError::Credentials {
                    setting: "THE_KEY".to_owned(),
                },
            ),
            (
                (0..3)
                    .map(|_| Answer::error(429, "{}").header("retry-after", "0"))
                    .collect(),
                ModelError::Busy { status: 429 },
            ),
            (
                (0..3).map(|_| Answer::error(529, "{}")).collect(),
                ModelError::Busy { status: 529 },
            ),
            (
                vec![(wire.call)("{}").end(End::Silence).without_end()],
                ModelError::Silent(300),
            ),
            (
                vec![(wire.call)("{}").end(End::Cut).without_end()],
                ModelError::Cut,
            ),
        ];
        for (answers, expected) in failures {
            let mut desk = desk(&wire, answers).await;
            let result = desk.say("where is ORD-1?").await;
            assert_eq!(result.failure, Some(expected));
            assert_eq!(result.status, CaseStatus::Open);
            assert!(result.response.contains("try again"), "{}", result.response);
            assert!(desk.called().is_empty());
        }
    }
}

#[tokio::test]
async fn the_offline_planner_settles_a_refund_in_one_turn() {
    let mut desk = Desk::new(Arc::new(Offline));
    let usd = json!({ "amount": "49.99", "currency": "USD" });
    desk.on("get_customer", [done(json!({ "id": "C-1", "name": "Sarah" }))])
        .on("lookup_order", [done(json!({ "order_id": "ORD-8842", "status": "delivered", "total": usd, "refund_eligible": true }))])
        .on("process_refund", [done(json!({ "refund_id": "R-1", "order_id": "ORD-8842", "amount": usd, "status": "succeeded" }))]);
    let message =
        "Hi, email sarah@example.com. My blender arrived broken, order ORD-8842. I want a refund.";
    let result = desk.say(message).await;
    assert_eq!(result.status, CaseStatus::Resolved, "{}", result.response);
    assert_eq!(
        desk.called(),
        ["get_customer", "lookup_order", "process_refund"]
    );
    assert!(result.response.contains("49.99 USD"), "{}", result.response);
}
