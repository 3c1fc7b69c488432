//! `/mcp`: who comes there, before the protocol is spoken.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};

use super::ApiError;
use super::desk::Desk;
use super::request::has_authorization;
use crate::mcp::{Client, Endpoints};

/// Serves the endpoint of whoever shows a key, or the one of everybody without.
pub(super) async fn serve(endpoints: &Endpoints, desk: &Desk, request: Request) -> Response {
    if desk.identity.is_none() {
        if has_authorization(request.headers()) {
            return ApiError::unauthorized(UNKNOWN).into_response();
        }
        if desk.asks_for_keys() {
            return ApiError::unauthorized(NEEDED).into_response();
        }
    }
    let client = Client {
        tenant: desk.name().to_owned(),
        identity: desk.identity.clone(),
    };
    endpoints.serve(client, request).await
}

const UNKNOWN: &str = "this is no key of this tenant; its operator knows which [[keys]] it has";
const NEEDED: &str = "this tenant's tools are for holders of a key: send `Authorization: Bearer` with one of its [[keys]]";
