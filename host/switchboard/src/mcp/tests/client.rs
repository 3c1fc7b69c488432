//! Clients of both eras, as far as a story needs them.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;
use http::HeaderValue;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::world::LISTEN;

pub(super) const MODERN: &str = "2026-07-28";
pub(super) const LEGACY: &str = "2025-11-25";

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
