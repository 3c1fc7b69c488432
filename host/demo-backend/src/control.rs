//! The control paths, `/_control/…`: arming faults and reading the journal. Every one of them needs the token.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::App;
use crate::faults::ArmedFault;
use crate::refusal::Refusal;
use crate::request::{Body, Token};

/// `POST /_control/faults`: arms a fault and lists what is armed.
pub(crate) async fn arm_fault(
    _: Token,
    State(app): State<Arc<App>>,
    Body(fault): Body<ArmedFault>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    app.faults.arm(fault)?;
    Ok((
        StatusCode::CREATED,
        Json(json!({ "faults": app.faults.armed() })),
    ))
}

/// `GET /_control/faults`: what is still armed.
pub(crate) async fn armed_faults(_: Token, State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({ "faults": app.faults.armed() }))
}

/// `DELETE /_control/faults`: disarms everything.
pub(crate) async fn clear_faults(_: Token, State(app): State<Arc<App>>) -> StatusCode {
    app.faults.clear();
    StatusCode::NO_CONTENT
}

/// `GET /_control/requests`: every request seen, oldest first, except those to the control paths.
pub(crate) async fn requests(_: Token, State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({ "requests": app.journal.entries() }))
}

/// `DELETE /_control/requests`: forgets the requests seen so far.
pub(crate) async fn clear_requests(_: Token, State(app): State<Arc<App>>) -> StatusCode {
    app.journal.clear();
    StatusCode::NO_CONTENT
}
