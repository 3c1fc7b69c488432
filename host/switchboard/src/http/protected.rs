//! Which authorization server protects a tenant's tools (RFC 9728): for whoever asks, because it is what one asks before one has a token.

use axum::Json;
use serde_json::Value;

use super::ApiError;
use super::desk::Desk;
use super::request::Segment;
use crate::tenants::Tenant;

/// `GET /.well-known/oauth-protected-resource`, of the desk's own tenant.
pub(super) async fn of_desk(desk: Desk) -> Result<Json<Value>, ApiError> {
    metadata(&desk.tenant)
}

/// `GET /.well-known/oauth-protected-resource/t/{tenant}/mcp`.
pub(super) async fn of_tenant(desk: Desk, Segment(name): Segment) -> Result<Json<Value>, ApiError> {
    let tenant = desk.tenants.get(&name);
    metadata(&*tenant.ok_or_else(none)?)
}

fn metadata(tenant: &Tenant) -> Result<Json<Value>, ApiError> {
    let authority = tenant.authority.as_ref().ok_or_else(none)?;
    Ok(Json(authority.metadata(&tenant.speaks.company)))
}

/// The same whether there is no such tenant, or one without tokens.
fn none() -> ApiError {
    ApiError::not_found(
        "no authorization server protects this: where tools ask for a key, it is one of the operator's",
    )
}
