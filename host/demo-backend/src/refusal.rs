//! The one place where a request that is not carried out becomes an HTTP answer.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request was not carried out, split by what its sender should do next.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// 400: the request itself must change.
    #[error("{0}")]
    Invalid(String),
    /// 401: writes and the control paths need the token.
    #[error("send the backend's token as `Authorization: Bearer <token>`")]
    Unauthorized,
    /// 404: no such thing, and asking again will not help.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// 405: the path exists, the method does not.
    #[error("this path does not take this method")]
    MethodNotAllowed,
    /// 408: the body did not arrive.
    #[error("the request body did not arrive in time")]
    TooSlow,
    /// 409: the first request with this key has not finished; ask again later.
    #[error("a request with this Idempotency-Key is still being processed; try again shortly")]
    InFlight,
    /// 413: the body is larger than this service reads.
    #[error("the request body is larger than {0} bytes")]
    TooLarge(usize),
    /// 422: understood, and the shop does not do it.
    #[error("{0}")]
    NotEligible(String),
    /// 422: this key already stands for another request.
    #[error("this Idempotency-Key was used for a different request; use a new key")]
    KeyReuse,
    /// Any error status, armed through the control paths.
    #[error("this answer was asked for through /_control/faults")]
    Armed {
        status: StatusCode,
        retry_after_s: Option<u32>,
    },
    /// 500: the store failed.
    #[error("the store failed; nothing was changed")]
    Store(#[from] rusqlite::Error),
    /// 500: a stored record or saved answer cannot be read or written.
    #[error("a stored record cannot be read; nothing was changed")]
    Record(#[from] serde_json::Error),
    /// 500: the work ended before it had an answer.
    #[error("the request was interrupted; whether it was carried out is not known")]
    Interrupted,
}

impl Refusal {
    /// A request that must change, with what is wrong and what was expected.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }

    /// A request that is well formed and that the shop does not carry out.
    pub(crate) fn not_eligible(message: impl Into<String>) -> Self {
        Self::NotEligible(message.into())
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::InFlight => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotEligible(_) | Self::KeyReuse => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Armed { status, .. } => *status,
            Self::Store(_) | Self::Record(_) | Self::Interrupted => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::Unauthorized => "unauthorized",
            Self::NotFound(_) => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TooSlow => "timeout",
            Self::InFlight => "conflict",
            Self::TooLarge(_) => "too_large",
            Self::NotEligible(_) => "not_eligible",
            Self::KeyReuse => "key_reuse",
            Self::Armed { status, .. } if *status == StatusCode::TOO_MANY_REQUESTS => {
                "rate_limited"
            }
            Self::Armed { .. } => "injected",
            Self::Store(_) | Self::Record(_) | Self::Interrupted => "internal",
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if self.status() == StatusCode::INTERNAL_SERVER_ERROR && self.code() == "internal" {
            tracing::error!(error = ?self, "demo backend failed to serve a request");
        }
        let body = json!({ "error": { "code": self.code(), "message": self.to_string() } });
        let mut response = (self.status(), axum::Json(body)).into_response();
        if let Self::Armed {
            retry_after_s: Some(seconds),
            ..
        } = self
        {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
