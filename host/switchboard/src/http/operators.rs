//! The operators, for each other: who there is, and adding and revoking one.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ApiError;
use super::access::Operator;
use super::desk::Desk;
use super::request::{JsonBody, Segment};
use crate::host::operators::OperatorError;
use crate::tenants::FIRST_OPERATOR;

/// Who is to be added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToAdd {
    name: String,
}

/// `GET /api/operators`: the holder of the host's own key, and everybody who was added.
pub(super) async fn list(desk: Desk, _: Operator) -> Result<Json<Value>, ApiError> {
    let first = json!({
        "name": FIRST_OPERATOR, "added_by": null, "added_at_ms": null, "revoked_by": null, "revoked_at_ms": null,
    });
    let all = desk.operators.all().await?;
    let named = all.iter().map(|operator| {
        let revoked = operator.revoked.as_ref();
        json!({
            "name": operator.name,
            "added_by": operator.added_by,
            "added_at_ms": operator.added_at_ms,
            "revoked_by": revoked.map(|revoked| &revoked.by),
            "revoked_at_ms": revoked.map(|revoked| revoked.at_ms),
        })
    });
    let operators: Vec<Value> = std::iter::once(first).chain(named).collect();
    Ok(Json(json!({ "operators": operators })))
}

/// `POST /api/operators`: somebody more, with their key, which is told this once.
pub(super) async fn add(
    desk: Desk,
    Operator(by): Operator,
    JsonBody(body): JsonBody<ToAdd>,
) -> Result<Response, ApiError> {
    let key = desk.operators.add(&body.name, &by.subject).await?;
    let mut told = Json(json!({ "name": body.name, "key": key.expose() })).into_response();
    let no_store = HeaderValue::from_static("no-store");
    told.headers_mut().insert(header::CACHE_CONTROL, no_store);
    Ok(told)
}

/// `DELETE /api/operators/{name}`: their key counts no more; their name stays theirs.
pub(super) async fn revoke(
    desk: Desk,
    Operator(by): Operator,
    Segment(name): Segment,
) -> Result<StatusCode, ApiError> {
    desk.operators.revoke(&name, &by.subject).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<OperatorError> for ApiError {
    fn from(error: OperatorError) -> Self {
        let message = error.to_string();
        match error {
            OperatorError::Name(_) => Self::invalid(message),
            OperatorError::Unknown(_) => Self::not_found(message),
            OperatorError::Taken(_) | OperatorError::First | OperatorError::Revoked(_) => {
                Self::new(StatusCode::CONFLICT, "conflict", message)
            }
            OperatorError::Store(error) => error.into(),
        }
    }
}
