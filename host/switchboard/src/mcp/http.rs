//! One Streamable HTTP endpoint for both revisions, for one principal of one tenant.

use std::net::SocketAddr;
use std::sync::Arc;

use ::http::header::{CONTENT_TYPE, RETRY_AFTER};
use ::http::uri::Authority;
use ::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::McpParts;
use super::direct::{Direct, Way};
use super::handler::Handler;
use super::line::Line;
use super::provider::Offer;
use super::sessions::{Sessions, heeded};

const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The largest request, in bytes: a tool's arguments are texts of at most 16 KiB each.
pub(super) const LARGEST_REQUEST: usize = 1024 * 1024;

type Service = StreamableHttpService<Handler, Sessions>;

/// The endpoint of one principal, with sessions of its own: a session id means nothing at anybody else's.
pub(super) struct Endpoint {
    direct: Direct,
    service: Service,
    sessions: Arc<Sessions>,
    /// Ends the open event streams with it.
    _ends: DropGuard,
}

impl Endpoint {
    pub(super) fn new(mcp: McpParts) -> Self {
        let hosts = Hosts::new(mcp.listen, &mcp.hosts);
        let stop = mcp.stop.clone();
        Self::of(mcp.offered(), hosts, &stop)
    }

    pub(super) fn of(offer: Offer, hosts: Hosts, stop: &CancellationToken) -> Self {
        let stop = stop.child_token();
        let sessions = Arc::new(Sessions::new());
        let direct = Direct::new(offer.clone(), hosts.names().to_vec());
        let service = Service::new(
            move || Ok(Handler::new(offer.clone())),
            Arc::clone(&sessions),
            hosts.config().with_cancellation_token(stop.clone()),
        );
        Self {
            direct,
            service,
            sessions,
            _ends: stop.drop_guard(),
        }
    }

    /// Alone at `/mcp`.
    pub(super) fn router(self) -> Router {
        let endpoint = Arc::new(self);
        let handle = move |request| async move { endpoint.handle(request).await };
        Router::new().route("/mcp", any(handle))
    }

    pub(super) async fn handle(&self, request: Request) -> Response {
        match self.direct.answer(request).await {
            Way::Answered(response) => response,
            Way::Long(request) => self.talk(request).await,
        }
    }

    /// Answers any request there is.
    async fn talk(&self, mut request: Request) -> Response {
        let sends_json = sends_json(request.headers());
        let ended = match ends_session(&request) {
            Some(id) => Some(self.ended(&id).await),
            None => None,
        };
        let line = Line::of(&mut request);
        let (mut response, too_many) = Box::pin(heeded(self.service.handle(request))).await;
        if too_many {
            return too_many_sessions();
        }
        if let Some(status) = ended.filter(|_| response.status() == StatusCode::ACCEPTED) {
            *response.status_mut() = status;
        }
        if sends_json && response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            return not_json_rpc();
        }
        line.carry(response.into_response())
    }

    /// What to answer where the transport says "accepted" to the end of a session, known or not: some clients take that word
    /// for a failure, and a session that there is not any more is not found, as with every other request.
    async fn ended(&self, id: &str) -> StatusCode {
        if self.sessions.holds(id).await {
            StatusCode::NO_CONTENT
        } else {
            StatusCode::NOT_FOUND
        }
    }
}

/// The session that a request ends.
fn ends_session(request: &Request) -> Option<String> {
    let id = request.headers().get("mcp-session-id")?.to_str().ok()?;
    (request.method() == Method::DELETE).then(|| id.to_owned())
}

fn sends_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let essence = value.and_then(|v| v.split(';').next());
    essence.is_some_and(|e| e.trim().eq_ignore_ascii_case("application/json"))
}

/// The body was announced as JSON and is none, or no JSON-RPC message; the transport calls both 415.
fn not_json_rpc() -> Response {
    let message = "the body must be one JSON-RPC 2.0 message in UTF-8";
    let error = json!({ "code": -32700, "message": message });
    let body = json!({ "jsonrpc": "2.0", "id": null, "error": error });
    (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
}

fn too_many_sessions() -> Response {
    let retry = [(RETRY_AFTER, HeaderValue::from_static("60"))];
    let message = "too many open MCP sessions; end one with DELETE, or use protocol 2026-07-28, which has none";
    (StatusCode::SERVICE_UNAVAILABLE, retry, message).into_response()
}

/// The names under which clients reach this server.
pub(super) struct Hosts {
    allowed: Vec<String>,
    origins: Vec<String>,
}

impl Hosts {
    /// Loopback, the address that the server listens on, and whatever else the configuration names.
    pub(super) fn new(listen: SocketAddr, further: &[String]) -> Self {
        let loopback = LOOPBACK.map(|host| format!("{host}:{}", listen.port()));
        let own: Vec<String> = loopback
            .into_iter()
            .chain([listen.to_string()])
            .chain(further.iter().cloned())
            .collect();
        let origins = own.iter().flat_map(|host| origins(host)).collect();
        let allowed = LOOPBACK.map(str::to_owned).into_iter().chain(own).collect();
        Self { allowed, origins }
    }

    /// The names as they stand in a request's `Host`.
    pub(super) fn names(&self) -> &[String] {
        &self.allowed
    }

    /// Plain JSON where there are no sessions, event streams where there are. A browser may call only from a page that this
    /// very server gave it; the check of the host keeps a rebound DNS name from passing for one.
    fn config(self) -> StreamableHttpServerConfig {
        StreamableHttpServerConfig::default()
            .with_json_response(true)
            .with_max_request_body_bytes(LARGEST_REQUEST)
            .with_allowed_hosts(self.allowed)
            .with_allowed_origins(self.origins)
            .enforce_origin_validation()
    }
}

/// The origins of the pages that a host serves; without a port, they are at their scheme's own.
fn origins(host: &str) -> [String; 2] {
    let authority = Authority::try_from(host).ok();
    let (http, https) = match authority.and_then(|a| a.port_u16()) {
        Some(_) => ("", ""),
        None => (":80", ":443"),
    };
    [
        format!("http://{host}{http}"),
        format!("https://{host}{https}"),
    ]
}
