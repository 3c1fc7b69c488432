//! How a request that cannot be answered is answered: the one place where errors become HTTP.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dispatch::{DispatchError, StoreError};
use serde_json::json;

/// A refused or failed request: `{"error": {"code", "message"}}`, where the message says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong on our side; the log says more. Nothing is lost: the same request may be sent again",
        )
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"))
            }
            _ => None,
        };
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        match error {
            StoreError::Unavailable(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "store_unavailable",
                "the data folder cannot be read or written right now; `switchboard doctor` says why. Nothing ran",
            ),
            StoreError::Corrupt(_) => Self::internal(),
        }
    }
}

impl From<DispatchError> for ApiError {
    fn from(error: DispatchError) -> Self {
        match error {
            DispatchError::Store(error) => error.into(),
            DispatchError::UnknownTenant(_) | DispatchError::UnknownCase(_) => {
                Self::not_found(format!("{error}; leave `case` out to start without one"))
            }
            DispatchError::Amendment(_) => Self::invalid(error.to_string()),
            DispatchError::NotPending(_) => Self::new(
                StatusCode::CONFLICT,
                "not_pending",
                "this approval was answered, has expired, or was voided by a change; GET /api/approvals lists those that wait",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_status() {
        let status = |error: DispatchError| ApiError::from(error).status.as_u16();
        assert_eq!(
            status(DispatchError::Store(StoreError::Unavailable(
                "read-only".into()
            ))),
            503
        );
        assert_eq!(
            status(DispatchError::Store(StoreError::Corrupt("row".into()))),
            500
        );
        assert_eq!(status(DispatchError::UnknownCase("x".into())), 404);
        assert_eq!(status(DispatchError::NotPending("x".into())), 409);
    }

    #[test]
    fn what_the_store_says_stays_inside() {
        let error = ApiError::from(StoreError::Unavailable(
            "/var/lib/private: disk I/O error".into(),
        ));
        assert!(!error.message.contains("private"));
    }
}
