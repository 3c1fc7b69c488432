//! The two pages: chat and documentation, each one file without a single request to anyone else.

use axum::http::{HeaderName, header};
use axum::response::{Html, IntoResponse};

/// Nothing from elsewhere, framed by nobody: what a customer types in is rendered, never run.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// `GET /`.
pub(super) async fn chat() -> impl IntoResponse {
    page(include_str!("page/chat.html"))
}

/// `GET /docs`.
pub(super) async fn docs() -> impl IntoResponse {
    page(include_str!("page/docs.html"))
}

fn page(html: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Html(html))
}
