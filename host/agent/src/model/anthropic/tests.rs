//! The adapter against a server that speaks the Messages API.

use serde_json::{Value, json};

use super::{Anthropic, AnthropicConfig};
use crate::model::wire_server::{Answer, End, WireServer, limits, question};
use crate::{Arguments, Message, Model, ModelError, ModelReply, Stop, ToolCall, ToolResult};

fn sse(events: &[Value]) -> String {
    let event = |event: &Value| {
        format!(
            "event: {}\ndata: {event}\n\n",
            event["type"].as_str().unwrap()
        )
    };
    events.iter().map(event).collect()
}

fn start() -> Value {
    json!({ "type": "message_start", "message": { "usage": { "input_tokens": 12, "output_tokens": 1 } } })
}

fn text(index: u64, pieces: &[&str]) -> Vec<Value> {
    let mut events = vec![
        json!({ "type": "content_block_start", "index": index, "content_block": { "type": "text", "text": "" } }),
    ];
    events.extend(pieces.iter().map(|piece| {
        json!({ "type": "content_block_delta", "index": index, "delta": { "type": "text_delta", "text": piece } })
    }));
    events.push(json!({ "type": "content_block_stop", "index": index }));
    events
}

fn tool(index: u64, id: &str, pieces: &[&str]) -> Vec<Value> {
    let block = json!({ "type": "tool_use", "id": id, "name": "lookup_order", "input": {} });
    let mut events =
        vec![json!({ "type": "content_block_start", "index": index, "content_block": block })];
    events.extend(pieces.iter().map(|piece| {
        json!({ "type": "content_block_delta", "index": index, "delta": { "type": "input_json_delta", "partial_json": piece } })
    }));
    events
}

fn stop(reason: &str) -> Vec<Value> {
    vec![
        json!({ "type": "message_delta", "delta": { "stop_reason": reason }, "usage": { "output_tokens": 34 } }),
        json!({ "type": "message_stop" }),
    ]
}

pub(crate) fn said(pieces: &[&str]) -> String {
    sse(&[vec![start()], text(0, pieces), stop("end_turn")].concat())
}

async fn reply(answers: Vec<Answer>) -> (Result<ModelReply, ModelError>, WireServer) {
    let server = WireServer::start(answers).await;
    (model(&server).respond(question()).await, server)
}

fn model(server: &WireServer) -> Anthropic {
    Anthropic::new(AnthropicConfig {
        base_url: server.url.clone(),
        model: "claude-test".to_owned(),
        api_key: "key-1".to_owned(),
        key_setting: "ANTHROPIC_API_KEY".to_owned(),
        limits: limits(),
    })
    .unwrap()
}

#[tokio::test]
async fn odd_chunks_do_not_matter() {
    let events = [
        vec![start(), json!({ "type": "ping" })],
        vec![
            json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "thinking", "thinking": "" } }),
            json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "thinking_delta", "thinking": "hm" } }),
        ],
        text(1, &["Grüße, ", "es kostet 5 € 🙂"]),
        stop("end_turn"),
    ];
    for chunk in [1, 2, 3, 7, 4096] {
        let (reply, _) = reply(vec![Answer::stream(sse(&events.concat()), chunk)]).await;
        let reply = reply.unwrap();
        assert_eq!(reply.text, "Grüße, es kostet 5 € 🙂", "{chunk}");
        assert_eq!(
            (reply.usage.input_tokens, reply.usage.output_tokens),
            (12, 34)
        );
    }
}

#[tokio::test]
async fn parallel_calls_and_broken_arguments() {
    let events = [
        vec![start()],
        text(0, &["Let me look."]),
        tool(1, "a", &["{\"order", "_id\":\"ORD-1\"}"]),
        tool(2, "b", &[]),
        tool(3, "c", &["{\"order_id\": "]),
        stop("tool_use"),
    ];
    let (reply, _) = reply(vec![Answer::stream(sse(&events.concat()), 5)]).await;
    let reply = reply.unwrap();
    assert_eq!(reply.stop, Stop::ToolUse);
    let arguments: Vec<Arguments> = reply.calls.into_iter().map(|call| call.arguments).collect();
    assert_eq!(
        arguments,
        [
            Arguments::Json(json!({ "order_id": "ORD-1" })),
            Arguments::Json(json!({})),
            Arguments::Broken("{\"order_id\": ".to_owned()),
        ]
    );
}

#[tokio::test]
async fn why_it_stopped() {
    let table = [
        ("refusal", Stop::Refusal),
        ("max_tokens", Stop::Length),
        ("stop_sequence", Stop::EndTurn),
    ];
    for (reason, expected) in table {
        let events = [vec![start()], text(0, &["x"]), stop(reason)].concat();
        let (reply, _) = reply(vec![Answer::stream(sse(&events), 64)]).await;
        assert_eq!(reply.unwrap().stop, expected, "{reason}");
    }
}

#[tokio::test]
async fn a_wrong_key_names_the_setting_and_is_not_tried_again() {
    for status in [401, 403] {
        let (reply, server) = reply(vec![Answer::error(status, "{}")]).await;
        let error = reply.unwrap_err();
        assert_eq!(
            error,
            ModelError::Credentials {
                setting: "ANTHROPIC_API_KEY".to_owned()
            }
        );
        assert!(error.to_string().contains("ANTHROPIC_API_KEY"));
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let overloaded =
        json!({ "type": "error", "error": { "type": "overloaded_error", "message": "busy" } });
    let firsts = [
        Answer::error(429, "{}").header("retry-after", "0.01"),
        Answer::error(429, "{}").header("retry-after", "3600"),
        Answer::error(529, "{}"),
        Answer::error(500, "{}"),
        Answer::stream(sse(&[start()]), 64).end(End::Cut),
        Answer::stream(sse(&[start(), overloaded]), 64),
    ];
    for first in firsts {
        let (reply, server) = reply(vec![first, Answer::stream(said(&["Hello."]), 64)]).await;
        assert_eq!(reply.unwrap().text, "Hello.");
        assert_eq!(server.asked().len(), 2);
    }
}

#[tokio::test]
async fn what_does_not_pass_ends_after_the_retries() {
    let (reply, server) = reply((0..5).map(|_| Answer::error(529, "{}")).collect()).await;
    assert_eq!(reply.unwrap_err(), ModelError::Busy { status: 529 });
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_stream_cut_in_the_middle_is_not_asked_for_again() {
    let half = sse(&[vec![start()], text(0, &["Hel"])].concat());
    for end in [End::Cut, End::Whole] {
        let (reply, server) = reply(vec![Answer::stream(half.clone(), 64).end(end)]).await;
        assert_eq!(reply.unwrap_err(), ModelError::Cut);
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn silence_ends() {
    let half = sse(&[vec![start()], text(0, &["Hel"])].concat());
    let (reply, _) = reply(vec![Answer::stream(half, 64).end(End::Silence)]).await;
    assert_eq!(reply.unwrap_err(), ModelError::Silent(300));
}

#[tokio::test]
async fn a_rejected_request_says_why() {
    let body = json!({ "type": "error", "error": { "type": "not_found_error", "message": "model: claude-test" } });
    let (reply, server) = reply(vec![Answer::error(404, &body.to_string())]).await;
    let message = "model: claude-test".to_owned();
    assert_eq!(
        reply.unwrap_err(),
        ModelError::Rejected {
            status: 404,
            message
        }
    );
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unreachable() {
    let mut server = WireServer::start([]).await;
    "http://127.0.0.1:1".clone_into(&mut server.url);
    let error = model(&server).respond(question()).await.unwrap_err();
    assert!(matches!(error, ModelError::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn the_request_has_the_wire_form() {
    let server = WireServer::start([Answer::stream(said(&["ok"]), 64)]).await;
    let mut request = question();
    let call = ToolCall {
        id: "a".to_owned(),
        tool: "lookup_order".to_owned(),
        arguments: Arguments::Json(json!({ "order_id": "ORD-1" })),
    };
    request.messages.push(Message::Assistant {
        text: String::new(),
        calls: vec![call],
    });
    request.messages.push(Message::Results(vec![ToolResult {
        id: "a".to_owned(),
        tool: "lookup_order".to_owned(),
        outcome: "denied".to_owned(),
        content: json!({ "message": "no" }),
    }]));
    request
        .messages
        .push(Message::Note("Say it again.".to_owned()));
    model(&server).respond(request).await.unwrap();
    let asked = server.asked();
    assert_eq!(asked[0].path, "/v1/messages");
    assert_eq!(asked[0].headers["x-api-key"], "key-1");
    assert_eq!(asked[0].headers["anthropic-version"], "2023-06-01");
    assert_eq!(
        asked[0].body,
        json!({
            "model": "claude-test", "max_tokens": 100, "stream": true, "system": "Be kind.",
            "tools": [{ "name": "lookup_order", "description": "Reads one order.", "input_schema": { "type": "object" } }],
            "messages": [
                { "role": "user", "content": [{ "type": "text", "text": "Where is it?" }] },
                { "role": "assistant", "content": [
                    { "type": "tool_use", "id": "a", "name": "lookup_order", "input": { "order_id": "ORD-1" } },
                ] },
                { "role": "user", "content": [
                    { "type": "tool_result", "tool_use_id": "a", "content": "{\"message\":\"no\"}", "is_error": true },
                    { "type": "text", "text": "[note from the host] Say it again." },
                ] },
            ],
        })
    );
}
