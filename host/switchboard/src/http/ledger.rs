//! The ledger for staff: what is open, all of one intent, and settling what waits for a person.

use axum::Json;
use axum::http::StatusCode;
use dispatch::{ByHand, Word, settle_on_word};
use serde::Deserialize;
use serde_json::Value;

use super::ApiError;
use super::access::Supervisor;
use super::desk::Desk;
use super::request::{JsonBody, QueryOf, Segment};
use crate::ledger::{self, LONGEST_NOTE, Shown};

/// `?state=open`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    state: Shown,
}

/// `{"as": "done" | "failed", "note": "…"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settle {
    r#as: End,
    note: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum End {
    Done,
    Failed,
}

/// `GET /api/ledger`: newest first; those without an end, unless `state` says otherwise.
pub(super) async fn list(
    desk: Desk,
    _: Supervisor,
    QueryOf(wanted): QueryOf<Wanted>,
) -> Result<Json<Value>, ApiError> {
    let intents = ledger::list(desk.store().as_ref(), desk.name(), wanted.state).await?;
    Ok(Json(intents))
}

/// `GET /api/ledger/{id}`
pub(super) async fn show(
    desk: Desk,
    _: Supervisor,
    Segment(id): Segment,
) -> Result<Json<Value>, ApiError> {
    let intent = ledger::show(desk.store().as_ref(), desk.name(), &id).await?;
    intent.map(Json).ok_or_else(missing)
}

/// `POST /api/ledger/{id}/settle`: on the word of a person who has looked at the backend.
pub(super) async fn settle(
    desk: Desk,
    Supervisor(supervisor): Supervisor,
    Segment(id): Segment,
    JsonBody(body): JsonBody<Settle>,
) -> Result<Json<Value>, ApiError> {
    let note = body.note.trim();
    if note.is_empty() || note.chars().count() > LONGEST_NOTE {
        return Err(ApiError::invalid(format!(
            "note does not fit: say in 1 to {LONGEST_NOTE} characters how you know"
        )));
    }
    let word = Word {
        intent: id.clone(),
        happened: body.r#as == End::Done,
        note: note.to_owned(),
        by: supervisor.subject,
    };
    let store = desk.store().as_ref();
    match settle_on_word(store, desk.name(), word).await? {
        ByHand::Settled => {}
        ByHand::Missing => return Err(missing()),
        ByHand::Running { until } => {
            return Err(conflict(
                "running",
                format!(
                    "a process is working on it until {until} (Unix seconds) at least; wait for that"
                ),
            ));
        }
        ByHand::Ended(state) => {
            return Err(conflict(
                "ended",
                format!("it has an end already: {state:?}").to_lowercase(),
            ));
        }
    }
    let settled = ledger::show(store, desk.name(), &id).await?;
    settled.map(Json).ok_or_else(missing)
}

fn missing() -> ApiError {
    ApiError::not_found("there is no such intent; GET /api/ledger?state=all lists them")
}

fn conflict(code: &'static str, message: String) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, code, message)
}
