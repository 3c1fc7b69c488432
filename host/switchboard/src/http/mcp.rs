//! `/mcp`: who comes there, before the protocol is spoken.

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use tokio::time::{Instant, sleep_until};

use super::ApiError;
use super::desk::Desk;
use super::request::has_authorization;
use crate::mcp::{Client, Endpoints};

/// Serves the endpoint of whoever shows a key or an access token, or the one of everybody without.
pub(super) async fn serve(endpoints: &Endpoints, desk: &Desk, request: Request) -> Response {
    if desk.identity.is_none() {
        if has_authorization(request.headers()) {
            return ApiError::unauthorized(UNKNOWN).into_response();
        }
        if desk.asks_for_keys() {
            return ApiError::unauthorized(desk.needed()).into_response();
        }
    }
    let stays_open = stays_open(&request);
    let client = Client {
        tenant: desk.name().to_owned(),
        identity: desk.identity.clone(),
    };
    let response = endpoints.serve(client, request).await;
    match desk.until {
        Some(until) if stays_open => response.map(|body| until_then(body, until)),
        _ => response,
    }
}

/// Whether it asks for messages to come, in either revision; what a call comes to is heard to its end.
fn stays_open(request: &Request) -> bool {
    let method = request.headers().get("mcp-method");
    request.method() == Method::GET
        || method.is_some_and(|method| method.as_bytes() == b"subscriptions/listen")
}

/// Nobody hears more than their token lasts.
fn until_then(body: Body, until: Instant) -> Body {
    Body::from_stream(body.into_data_stream().take_until(sleep_until(until)))
}

const UNKNOWN: &str = "this is no key of this tenant, and no access token of its authorization server; its operator knows which it has";
