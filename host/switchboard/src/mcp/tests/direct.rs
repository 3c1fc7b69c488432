//! The short way of a call: taken by what is of the common form and by nothing else, and with the answers of the long way.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use serde_json::{Value, json};

use super::world::{LISTEN, World};
use crate::mcp::direct::{Direct, Way};
use crate::mcp::http::Hosts;

/// Accepts the same as every client does, in words of its own: which is enough for the long way.
const LONG: (&str, &str) = ("accept", "application/json;q=0.9, text/event-stream;q=0.8");

struct Asked {
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Asked {
    /// A call as every client sends it.
    fn call(tool: &str, params: &Value) -> Self {
        let mut all = json!({ "name": tool, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }});
        merge(&mut all, params);
        let message = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": all });
        let headers = [
            ("host", LISTEN),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", tool),
        ];
        Self {
            headers: headers
                .map(|(name, value)| (name, value.to_owned()))
                .to_vec(),
            body: message.to_string(),
        }
    }

    fn with(mut self, (name, value): (&'static str, &str)) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    fn replacing(mut self, before: &str, after: &str) -> Self {
        assert!(self.body.contains(before), "{before}");
        self.body = self.body.replace(before, after);
        self
    }

    fn request(&self) -> Request {
        let length = self.body.len().to_string();
        let mut headers = self.headers.clone();
        if headers.iter().all(|(name, _)| *name != "content-length") {
            headers.push(("content-length", length));
        }
        let mut request = Request::post("/mcp");
        for (name, value) in &headers {
            request = request.header(*name, value);
        }
        request.body(Body::from(self.body.clone())).unwrap()
    }
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn direct(world: &World) -> Direct {
    let hosts = Hosts::new(LISTEN.parse().unwrap(), &[]);
    Direct::new(world.desk().offered(), hosts.names().to_vec())
}

async fn told(response: Response) -> (u16, Option<String>, Value) {
    let status = response.status().as_u16();
    let kind = response.headers().get("content-type");
    let kind = kind.map(|kind| kind.to_str().unwrap().to_owned());
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, kind, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn both_ways_answer_alike() {
    let world = World::new();
    let direct = direct(&world);
    let text = json!({ "arguments": { "text": "hello" } });
    let named = json!({ "arguments": { "text": "a" }, "_meta": { "switchboard/case": "mine" } });
    let asked = [
        Asked::call("classify_inquiry", &text),
        Asked::call("classify_inquiry", &named),
        Asked::call("classify_inquiry", &text).replacing("\"id\":7", "\"id\":\"seven\""),
        Asked::call("classify_inquiry", &json!({ "arguments": { "text": 5 } })),
        Asked::call("classify_inquiry", &json!({})),
        Asked::call("send_message", &text),
        Asked::call("unruled", &text),
        Asked::call("no_such_tool", &text),
        Asked::call("classify_inquiry", &json!({ "requestState": "forged" })),
    ];
    for asked in asked {
        let Way::Answered(short) = direct.answer(asked.request()).await else {
            panic!("of the common form: {}", asked.body);
        };
        let long = asked.with(LONG);
        assert!(matches!(direct.answer(long.request()).await, Way::Long(_)));
        let router = world.router().clone();
        let rmcps = tower::ServiceExt::oneshot(router, long.request()).await;
        assert_eq!(
            told(short).await,
            told(rmcps.unwrap()).await,
            "{}",
            long.body
        );
    }
}

#[tokio::test]
async fn whatever_is_unusual_takes_the_long_way_as_it_came_and_runs_nothing_before() {
    let world = World::new();
    let direct = direct(&world);
    let call = || Asked::call("classify_inquiry", &json!({ "arguments": { "text": "a" } }));
    let meta = |name: &str, value: Value| {
        Asked::call(
            "classify_inquiry",
            &json!({ "arguments": { "text": "a" }, "_meta": { name: value } }),
        )
    };
    let version = "io.modelcontextprotocol/protocolVersion";
    let unusual = [
        call().with(LONG),
        call().with(("accept", "application/json")),
        call().with(("content-type", "application/json; charset=utf-8")),
        call().with(("host", "evil.example")),
        call().with(("origin", "http://192.0.2.7:8080")),
        call().with(("mcp-protocol-version", "2025-11-25")),
        call().with(("mcp-session-id", "s")),
        call().with(("mcp-param-region", "eu")),
        call().with(("last-event-id", "1")),
        call().with(("mcp-method", "tools/list")),
        call().with(("mcp-name", "send_message")),
        call().with(("mcp-name", "=?base64?Y2xhc3NpZnlfaW5xdWlyeQ==?=")),
        call().with(("content-length", "9999999")),
        call().replacing("\"2.0\"", "\"1.0\""),
        call().replacing("\"id\":7", "\"id\":null"),
        call().replacing("\"id\":7,", ""),
        call().replacing("\"id\":7", "\"id\":7,\"id\":8"),
        call().replacing("\"id\":7", "\"id\":7,\"further\":1"),
        call().replacing("{\"jsonrpc\"", "[{\"jsonrpc\""),
        call().replacing("tools/call", "tools/list"),
        meta("progressToken", json!(1)),
        meta("io.modelcontextprotocol/logLevel", json!("info")),
        meta("switchboard/case", json!("no good name")),
        meta("switchboard/case", json!(5)),
        meta(version, json!("2025-11-25")),
        meta("io.modelcontextprotocol/clientCapabilities", json!(5)),
    ];
    for asked in unusual {
        let Way::Long(request) = direct.answer(asked.request()).await else {
            panic!("answered at once: {:?} {}", asked.headers, asked.body);
        };
        let body = to_bytes(request.into_body(), 1 << 20).await.unwrap();
        assert_eq!(body, asked.body);
    }
    assert!(world.ran().is_empty());
}

#[tokio::test]
async fn where_callers_are_strangers_nothing_is_answered_at_once() {
    let world = World::new();
    let mut offer = world.desk().offered();
    offer.strangers = true;
    let direct = Direct::new(offer, vec![LISTEN.to_owned()]);
    let asked = Asked::call("classify_inquiry", &json!({ "arguments": { "text": "a" } }));
    assert!(matches!(direct.answer(asked.request()).await, Way::Long(_)));
}
