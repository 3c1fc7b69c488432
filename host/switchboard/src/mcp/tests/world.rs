//! The vocabulary of the stories: a desk with three tools that remember who called them, and clients of both eras.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;
use dispatch::{
    CompletionError, CompletionRequest, Completions, Dispatcher, DispatcherParts, Gate,
    InvokeError, RetryPolicy, Secrets, Snapshot, Tool, ToolSpec, Tools, Violation,
};
use http::{HeaderName, HeaderValue};
use policy::{Permit, Rulebook, RulebookSource, ToolRule};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::mcp::McpParts;
use crate::mcp::desk::Desk;
use crate::mcp::http::{Hosts, router};

pub(super) const LISTEN: &str = "192.0.2.7:8080";
pub(super) const MODERN: &str = "2026-07-28";
pub(super) const LEGACY: &str = "2025-11-25";

const RULES: &str = r#"
@id("test.reads") permit (principal, action == Action::"classify_inquiry", resource);
@id("test.writes") permit (principal, action == Action::"send_message", resource);
@id("test.refusal") @code("NOT_TODAY") @prio("1") @say("Not today.") @hint("try tomorrow")
forbid (principal, action == Action::"send_message", resource);
"#;

const CLASSIFICATION: &str = r#"
classify_inquiry = { effect = "read" }
send_message = { effect = "write" }
escalate_to_human = { effect = "escalation" }
"#;

/// One tenant's desk over a real store and the real dispatcher.
pub(super) struct World {
    parts: McpParts,
    router: Router,
    now: Arc<AtomicI64>,
    seen: Seen,
    _data: TempDir,
}

/// Which tool ran in which case, in order.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

impl World {
    pub(super) fn new() -> Self {
        let data = TempDir::new().unwrap();
        let store = store::SqliteStore::open(data.path(), store::OpenOptions::default()).unwrap();
        let seen = Seen::default();
        let tools = [
            "send_message",
            "classify_inquiry",
            "unruled",
            "escalate_to_human",
        ];
        let tools = tools.map(|name| (name.to_owned(), fake(name, &seen)));
        let snapshot = Snapshot {
            generation: 1,
            tools: tools.into(),
        };
        let rulebook = Arc::new(rulebook());
        let dispatcher = Dispatcher::new(DispatcherParts {
            tools: Arc::new(OneTenant(Arc::new(snapshot))),
            store: Arc::new(store),
            secrets: Arc::new(Nothing),
            completions: Arc::new(Nothing),
            rulebooks: Arc::new(move |tenant| (tenant == "demo").then(|| rulebook.clone())),
            retry: RetryPolicy::default(),
        });
        let parts = McpParts {
            dispatcher,
            tenant: "demo".to_owned(),
            principal: "local".to_owned(),
            listen: LISTEN.parse().unwrap(),
            hosts: vec!["tools.example.com".to_owned()],
            stop: CancellationToken::new(),
        };
        let now = Arc::new(AtomicI64::new(
            time::OffsetDateTime::now_utc().unix_timestamp(),
        ));
        let router = serve(&parts, &now);
        Self {
            parts,
            router,
            now,
            seen,
            _data: data,
        }
    }

    /// The same desk as another process would serve it to somebody else, or to the same principal again.
    pub(super) fn served_to(&self, principal: &str) -> Router {
        let parts = McpParts {
            principal: principal.to_owned(),
            ..self.parts.clone()
        };
        serve(&parts, &self.now)
    }

    pub(super) fn desk(&self) -> Desk {
        Desk::new(self.parts.clone())
    }

    pub(super) fn router(&self) -> &Router {
        &self.router
    }

    /// The server begins to stop.
    pub(super) fn stops(&self) {
        self.parts.stop.cancel();
    }

    pub(super) fn minutes_pass(&self, minutes: i64) {
        self.now.fetch_add(60 * minutes, Ordering::SeqCst);
    }

    /// The tools that ran.
    pub(super) fn ran(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .map(|(tool, _)| tool.clone())
            .collect()
    }

    /// The case that the last tool ran in.
    pub(super) fn last_case(&self) -> String {
        self.seen.lock().unwrap().last().unwrap().1.clone()
    }

    pub(super) async fn modern(&self, method: &str, params: Value) -> Value {
        modern(&self.router, method, params).await
    }

    /// A legacy session, after its handshake.
    pub(super) async fn legacy(&self) -> Legacy {
        Legacy::open(&self.router, LEGACY).await
    }
}

fn serve(parts: &McpParts, now: &Arc<AtomicI64>) -> Router {
    let hosts = Hosts::new(parts.listen, &parts.hosts);
    let now = Arc::clone(now);
    let clock = Arc::new(move || now.load(Ordering::SeqCst));
    let desk = Arc::new(Desk::with_clock(parts.clone(), clock));
    router(desk, hosts, parts.stop.clone())
}

fn rulebook() -> Rulebook {
    let tools: BTreeMap<String, ToolRule> = toml::from_str(CLASSIFICATION).unwrap();
    let policies = vec![("test.cedar".to_owned(), RULES.to_owned())];
    Rulebook::load(RulebookSource {
        policies,
        tools,
        ..RulebookSource::default()
    })
    .unwrap()
}

/// A client of the newer revision: every request stands for itself.
pub(super) async fn modern(router: &Router, method: &str, params: Value) -> Value {
    let (status, answer) = send(router, modern_request(method, params)).await;
    assert!(
        status.is_success() || answer.get("error").is_some(),
        "{status} {answer}"
    );
    answer
}

pub(super) fn modern_request(method: &str, mut params: Value) -> Request<Body> {
    let name = params["name"].as_str().map(str::to_owned);
    let meta = params
        .as_object_mut()
        .unwrap()
        .entry("_meta")
        .or_insert_with(|| json!({}));
    meta["io.modelcontextprotocol/protocolVersion"] = MODERN.into();
    meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
    let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
    let mut request = post(message.to_string());
    let headers = request.headers_mut();
    headers.insert("mcp-protocol-version", HeaderValue::from_static(MODERN));
    headers.insert("mcp-method", HeaderValue::from_str(method).unwrap());
    if let Some(name) = name {
        headers.insert("mcp-name", HeaderValue::from_str(&name).unwrap());
    }
    request
}

/// A client of the older revisions, in its session.
pub(super) struct Legacy {
    router: Router,
    pub(super) id: HeaderValue,
    pub(super) opened: Value,
}

impl Legacy {
    pub(super) async fn open(router: &Router, revision: &str) -> Self {
        let info = json!({ "name": "story", "version": "1" });
        let params = json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": info });
        let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
        let response = answer(router, post(hello.to_string())).await;
        let id = response.headers()["mcp-session-id"].clone();
        let opened = message(response).await.1;
        let session = Self {
            router: router.clone(),
            id,
            opened,
        };
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let accepted = answer(router, session.request(&ready)).await;
        assert_eq!(accepted.status(), StatusCode::ACCEPTED);
        session
    }

    pub(super) async fn ask(&self, method: &str, params: Value) -> Value {
        let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        send(&self.router, self.request(&message)).await.1
    }

    /// Opens the stream for what the server has to say by itself.
    pub(super) async fn listen(&self) -> Response {
        let mut request = self.request(&Value::Null);
        *request.method_mut() = Method::GET;
        let response = answer(&self.router, request).await;
        assert!(is_stream(response.headers()), "{}", response.status());
        response
    }

    fn request(&self, message: &Value) -> Request<Body> {
        let mut request = post(message.to_string());
        let headers = request.headers_mut();
        headers.insert("mcp-protocol-version", HeaderValue::from_static(LEGACY));
        headers.insert("mcp-session-id", self.id.clone());
        request
    }
}

/// A POST as every MCP client sends it, from outside a browser.
pub(super) fn post(body: impl Into<Body>) -> Request<Body> {
    Request::post("/mcp")
        .header("host", LISTEN)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(body.into())
        .unwrap()
}

pub(super) async fn answer(router: &Router, request: Request<Body>) -> Response {
    router.clone().oneshot(request).await.unwrap()
}

pub(super) async fn send(router: &Router, request: Request<Body>) -> (StatusCode, Value) {
    message(answer(router, request).await).await
}

/// The one JSON-RPC message of a response, plain or as the last event of a stream; null for any other body.
async fn message(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let streamed = is_stream(response.headers());
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let last = body
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .next_back();
    let text = if streamed {
        last.unwrap_or_default()
    } else {
        &body
    };
    (status, serde_json::from_str(text).unwrap_or_default())
}

fn is_stream(headers: &HeaderMap) -> bool {
    headers
        .get("content-type")
        .is_some_and(|v| v == "text/event-stream")
}

struct OneTenant(Arc<Snapshot>);

impl Tools for OneTenant {
    fn snapshot(&self, tenant: &str) -> Option<Arc<Snapshot>> {
        (tenant == "demo").then(|| Arc::clone(&self.0))
    }
}

struct Fake {
    spec: ToolSpec,
    seen: Seen,
}

fn fake(name: &str, seen: &Seen) -> Arc<dyn Tool> {
    let text = json!({ "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"] });
    let spec = ToolSpec {
        name: name.to_owned(),
        title: format!("Title of {name}"),
        description: format!("What {name} does."),
        input_schema: text.clone(),
        output_schema: text,
        bound: BTreeMap::new(),
        interface: "test:desk/desk@1.0.0".to_owned(),
        plugin: "desk".to_owned(),
        version: "1".to_owned(),
        digest: "0".repeat(64),
        grants: Arc::new([]),
    };
    Arc::new(Fake {
        spec,
        seen: Arc::clone(seen),
    })
}

#[async_trait]
impl Tool for Fake {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn check(&self, arguments: &Value) -> Result<Map<String, Value>, Vec<Violation>> {
        let field = "/text".to_owned();
        let message = "expected a string".to_owned();
        let fits = arguments["text"].is_string();
        let arguments = arguments.as_object().filter(|_| fits).cloned();
        arguments.ok_or_else(|| vec![Violation { field, message }])
    }

    async fn invoke(&self, permit: Permit, _: Arc<dyn Gate>) -> Result<Value, InvokeError> {
        let call = permit.call();
        self.seen
            .lock()
            .unwrap()
            .push((call.tool.clone(), call.case.clone()));
        Ok(json!({ "text": call.arguments["text"] }))
    }
}

/// No secrets and no model.
struct Nothing;

impl Secrets for Nothing {
    fn headers(&self, _: &str, _: &str) -> Option<Vec<(HeaderName, HeaderValue)>> {
        None
    }

    fn scrub(&self, text: &str) -> String {
        text.to_owned()
    }
}

#[async_trait]
impl Completions for Nothing {
    async fn complete(&self, _: &str, _: CompletionRequest) -> Result<String, CompletionError> {
        Err(CompletionError::Unavailable(
            "there is no model in a story".to_owned(),
        ))
    }
}
