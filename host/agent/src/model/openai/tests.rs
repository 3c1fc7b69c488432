//! The adapter against a server that speaks chat completions.

use serde_json::{Value, json};

use super::{OpenAi, OpenAiConfig};
use crate::model::wire_server::{Answer, End, WireServer, limits, question};
use crate::{Arguments, Message, Model, ModelError, ModelReply, Stop, ToolCall, ToolResult};

fn sse(chunks: &[Value]) -> String {
    let lines: Vec<String> = chunks
        .iter()
        .map(|chunk| format!("data: {chunk}\n\n"))
        .collect();
    format!("{}data: [DONE]\n\n", lines.concat())
}

fn delta(delta: &Value) -> Value {
    json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] })
}

fn finish(reason: &str) -> Value {
    json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] })
}

fn piece(index: u64, rest: &Value) -> Value {
    let mut call = json!({ "index": index });
    call.as_object_mut()
        .unwrap()
        .extend(rest.as_object().unwrap().clone());
    delta(&json!({ "tool_calls": [call] }))
}

fn said(text: &str) -> String {
    sse(&[
        delta(&json!({ "role": "assistant", "content": text })),
        finish("stop"),
    ])
}

async fn reply(answers: Vec<Answer>) -> (Result<ModelReply, ModelError>, WireServer) {
    let server = WireServer::start(answers).await;
    (model(&server).respond(question()).await, server)
}

fn model(server: &WireServer) -> OpenAi {
    OpenAi::new(OpenAiConfig {
        base_url: format!("{}/v1", server.url),
        model: "local".to_owned(),
        api_key: Some("key-1".to_owned()),
        key_setting: "OPENAI_API_KEY".to_owned(),
        limits: limits(),
    })
    .unwrap()
}

#[tokio::test]
async fn odd_chunks_do_not_matter() {
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 12, "completion_tokens": 34 } });
    let chunks = [
        delta(&json!({ "content": "Grüße, " })),
        delta(&json!({ "content": "5 € 🙂" })),
        finish("stop"),
        usage,
    ];
    for chunk in [1, 2, 3, 7, 4096] {
        let (reply, _) = reply(vec![Answer::stream(sse(&chunks), chunk)]).await;
        let reply = reply.unwrap();
        assert_eq!(reply.text, "Grüße, 5 € 🙂", "{chunk}");
        assert_eq!(
            (reply.usage.input_tokens, reply.usage.output_tokens),
            (12, 34)
        );
    }
}

#[tokio::test]
async fn parallel_calls_and_broken_arguments() {
    let chunks = [
        piece(
            0,
            &json!({ "id": "a", "function": { "name": "lookup_order", "arguments": "" } }),
        ),
        piece(
            1,
            &json!({ "id": "b", "function": { "name": "lookup_order", "arguments": "{\"order_id\": " } }),
        ),
        piece(0, &json!({ "function": { "arguments": "{\"order_id\":" } })),
        piece(0, &json!({ "function": { "arguments": "\"ORD-1\"}" } })),
        finish("tool_calls"),
    ];
    let (reply, _) = reply(vec![Answer::stream(sse(&chunks), 5)]).await;
    let reply = reply.unwrap();
    assert_eq!(reply.stop, Stop::ToolUse);
    assert_eq!(reply.calls[0].id, "a");
    assert_eq!(
        reply.calls[0].arguments,
        Arguments::Json(json!({ "order_id": "ORD-1" }))
    );
    assert_eq!(
        reply.calls[1].arguments,
        Arguments::Broken("{\"order_id\": ".to_owned())
    );
}

#[tokio::test]
async fn servers_with_habits_of_their_own() {
    let whole =
        |name: &str| json!({ "function": { "name": name, "arguments": { "order_id": "ORD-1" } } });
    let chunks = [
        delta(&json!({ "tool_calls": [whole("lookup_order"), whole("get_tracking_info")] })),
        finish("stop"),
    ];
    let (answer, _) = reply(vec![Answer::stream(
        sse(&chunks).replace("data: [DONE]\n\n", ""),
        64,
    )])
    .await;
    let answer = answer.unwrap();
    assert_eq!(
        answer.stop,
        Stop::ToolUse,
        "a stop with calls is a call for tools"
    );
    assert_eq!(answer.calls.len(), 2);
    assert_eq!(
        answer.calls[1].arguments,
        Arguments::Json(json!({ "order_id": "ORD-1" }))
    );
}

#[tokio::test]
async fn why_it_stopped() {
    let table = [
        (
            delta(&json!({ "content": "x" })),
            finish("length"),
            Stop::Length,
        ),
        (
            delta(&json!({ "content": "x" })),
            finish("content_filter"),
            Stop::Refusal,
        ),
        (
            delta(&json!({ "refusal": "I can't." })),
            finish("stop"),
            Stop::Refusal,
        ),
    ];
    for (first, last, expected) in table {
        let (reply, _) = reply(vec![Answer::stream(sse(&[first, last]), 64)]).await;
        assert_eq!(reply.unwrap().stop, expected);
    }
}

#[tokio::test]
async fn a_wrong_key_names_the_setting() {
    let (reply, server) = reply(vec![Answer::error(401, "{}")]).await;
    assert_eq!(
        reply.unwrap_err(),
        ModelError::Credentials {
            setting: "OPENAI_API_KEY".to_owned()
        }
    );
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let firsts = [
        Answer::error(429, "{}").header("retry-after", "0.01"),
        Answer::error(529, "{}"),
        Answer::error(503, "{}"),
        Answer::stream("data: {\"choices\":[]}\n\n", 64).end(End::Cut),
        Answer::stream(
            "data: {\"error\":{\"code\":503,\"message\":\"loading\"}}\n\n",
            64,
        ),
    ];
    for first in firsts {
        let (reply, server) = reply(vec![first, Answer::stream(said("Hello."), 64)]).await;
        assert_eq!(reply.unwrap().text, "Hello.");
        assert_eq!(server.asked().len(), 2);
    }
}

#[tokio::test]
async fn a_stream_cut_in_the_middle_and_silence() {
    let half = format!("data: {}\n\n", delta(&json!({ "content": "Hel" })));
    let (cut, server) = reply(vec![Answer::stream(half.clone(), 64).end(End::Cut)]).await;
    assert_eq!(cut.unwrap_err(), ModelError::Cut);
    assert_eq!(server.asked().len(), 1);
    let (silent, _) = reply(vec![Answer::stream(half, 64).end(End::Silence)]).await;
    assert_eq!(silent.unwrap_err(), ModelError::Silent(300));
}

#[tokio::test]
async fn another_protocol_is_told_apart() {
    let (reply, _) = reply(vec![Answer::stream("data: <html>\n\n", 64)]).await;
    assert!(matches!(reply.unwrap_err(), ModelError::Protocol(_)));
}

#[tokio::test]
async fn the_request_has_the_wire_form() {
    let server = WireServer::start([Answer::stream(said("ok"), 64)]).await;
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
        outcome: "ok".to_owned(),
        content: json!({ "result": 1 }),
    }]));
    model(&server).respond(request).await.unwrap();
    let asked = server.asked();
    assert_eq!(asked[0].path, "/v1/chat/completions");
    assert_eq!(asked[0].headers["authorization"], "Bearer key-1");
    let function = json!({ "name": "lookup_order", "description": "Reads one order.", "parameters": { "type": "object" } });
    assert_eq!(
        asked[0].body,
        json!({
            "model": "local", "stream": true, "stream_options": { "include_usage": true }, "max_tokens": 100,
            "tools": [{ "type": "function", "function": function }],
            "messages": [
                { "role": "system", "content": "Be kind." },
                { "role": "user", "content": "Where is it?" },
                { "role": "assistant", "content": "", "tool_calls": [
                    { "id": "a", "type": "function", "function": { "name": "lookup_order", "arguments": "{\"order_id\":\"ORD-1\"}" } },
                ] },
                { "role": "tool", "tool_call_id": "a", "content": "{\"result\":1}" },
            ],
        })
    );
}
