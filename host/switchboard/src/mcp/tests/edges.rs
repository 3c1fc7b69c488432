//! What never reaches a tool: foreign pages, foreign names, and bodies that are no JSON-RPC.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http::HeaderValue;
use serde_json::json;

use super::client::{LEGACY, MODERN, answer, modern_request, post, send};
use super::world::World;

#[tokio::test]
async fn only_this_servers_own_pages_may_call() {
    let world = World::new();
    let cases = [
        ("https://evil.example", StatusCode::FORBIDDEN),
        ("http://192.0.2.7:9999", StatusCode::FORBIDDEN),
        ("http://localhost:6274", StatusCode::FORBIDDEN),
        ("null", StatusCode::FORBIDDEN),
        ("http://192.0.2.7:8080", StatusCode::OK),
        ("http://localhost:8080", StatusCode::OK),
        ("http://[::1]:8080", StatusCode::OK),
        ("https://tools.example.com", StatusCode::OK),
        ("https://tools.example.com:444", StatusCode::FORBIDDEN),
    ];
    for (origin, expected) in cases {
        let mut request = modern_request("tools/list", json!({}));
        request
            .headers_mut()
            .insert("origin", HeaderValue::from_static(origin));
        assert_eq!(
            answer(world.router(), request).await.status(),
            expected,
            "{origin}"
        );
    }
}

#[tokio::test]
async fn only_this_servers_own_names_are_answered_to() {
    let world = World::new();
    let cases = [
        ("rebound.example:8080", StatusCode::FORBIDDEN),
        ("192.0.2.8:8080", StatusCode::FORBIDDEN),
        ("192.0.2.7:8080", StatusCode::OK),
        ("127.0.0.1:8080", StatusCode::OK),
        ("tools.example.com", StatusCode::OK),
    ];
    for (host, expected) in cases {
        let mut request = modern_request("tools/list", json!({}));
        request
            .headers_mut()
            .insert("host", HeaderValue::from_static(host));
        assert_eq!(
            answer(world.router(), request).await.status(),
            expected,
            "{host}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_no_message_is_a_parse_error() {
    let world = World::new();
    let bodies: [&[u8]; 5] = [
        b"{",
        b"",
        b"[]",
        b"{\"jsonrpc\":\"2.0\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}",
    ];
    for body in bodies {
        let (status, answer) = send(world.router(), post(body.to_vec())).await;
        let shown = String::from_utf8_lossy(body);
        assert_eq!(status, StatusCode::BAD_REQUEST, "{shown}");
        assert_eq!(answer["error"]["code"], -32700, "{shown}");
    }
}

#[tokio::test]
async fn other_media_types_and_sizes_are_refused_by_their_own_codes() {
    let world = World::new();
    let mut request = modern_request("tools/list", json!({}));
    request
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("text/plain"));
    let status = answer(world.router(), request).await.status();
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);

    let large =
        json!({ "name": "classify_inquiry", "arguments": { "text": "x".repeat(5_000_000) } });
    let status = answer(world.router(), modern_request("tools/call", large))
        .await
        .status();
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(world.ran(), [""; 0]);
}

#[tokio::test]
async fn open_sessions_are_bounded() {
    let world = World::new();
    for _ in 0..crate::mcp::sessions::MOST_SESSIONS {
        world.legacy().await;
    }
    for revision in [LEGACY, MODERN] {
        let refused = answer(world.router(), hello(revision)).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(refused.headers().contains_key("retry-after"));
        assert!(!refused.headers().contains_key("mcp-session-id"));
    }
    let (status, _) = send(world.router(), modern_request("tools/list", json!({}))).await;
    assert_eq!(status, StatusCode::OK, "whoever needs no session is served");
    let lost = json!({ "jsonrpc": "2.0", "id": 0, "method": "tools/list" });
    let status = answer(world.router(), post(lost.to_string()))
        .await
        .status();
    assert_eq!(status, StatusCode::BAD_REQUEST, "no session was asked for");
}

/// The transport opens a session for whoever says hello, whichever revision the header names.
fn hello(revision: &'static str) -> Request<Body> {
    let info = json!({ "name": "story", "version": "1" });
    let params = json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": info });
    let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
    let mut request = post(hello.to_string());
    let headers = request.headers_mut();
    headers.insert("mcp-protocol-version", HeaderValue::from_static(revision));
    headers.insert("mcp-method", HeaderValue::from_static("initialize"));
    request
}

/// A session's open stream would otherwise hold a stopping server for as long as the client likes.
#[tokio::test]
async fn open_streams_end_when_the_server_stops() {
    let world = World::new();
    let stream = world.legacy().await.listen().await;
    world.stops();
    axum::body::to_bytes(stream.into_body(), usize::MAX)
        .await
        .unwrap();
}
