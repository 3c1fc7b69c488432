//! Approvals: what waits for a supervisor, and answering it.

use axum::Json;
use dispatch::PendingConsent;
use policy::ConsentFrom;
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::Supervisor;
use super::desk::Desk;
use super::request::{JsonBody, Segment};
use super::{ApiError, outcome};

/// `{"decision": "grant" | "deny", "amount"?: "30.00"}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    decision: Verdict,
    /// Granted for this amount instead, in the call's own currency.
    amount: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Grant,
    Deny,
}

/// `GET /api/approvals`: those that wait for a supervisor, oldest first.
pub(super) async fn list(desk: Desk, _: Supervisor) -> Result<Json<Value>, ApiError> {
    let pending = desk.store().pending(desk.name(), None).await?;
    let approvals = pending
        .iter()
        .filter(|consent| consent.from == ConsentFrom::Staff)
        .map(|consent| {
            json!({
                "id": consent.id,
                "case": consent.call.case,
                "tool": consent.call.tool,
                "arguments": consent.call.arguments,
                "question": consent.question,
                "created_at": consent.created_at,
                "expires_at": consent.expires_at,
            })
        });
    Ok(Json(json!({ "approvals": approvals.collect::<Vec<_>>() })))
}

/// `POST /api/approvals/{id}`: a grant runs the very call that waited, or that call with another amount, and nothing else.
pub(super) async fn answer(
    desk: Desk,
    Supervisor(supervisor): Supervisor,
    Segment(id): Segment,
    JsonBody(body): JsonBody<Answer>,
) -> Result<Json<Value>, ApiError> {
    let case = asked_of_staff(&desk, &id).await?.call.case;
    if body.decision == Verdict::Deny && body.amount.is_some() {
        return Err(ApiError::invalid(
            "amount does not fit: only a grant can change it",
        ));
    }
    let host_of_call = desk.clone();
    let answered = id.clone();
    let answering = desk.tasks.spawn(async move {
        let (desk, id) = (host_of_call, answered);
        let dispatcher = &desk.dispatcher;
        match (body.decision, body.amount) {
            (Verdict::Grant, Some(amount)) => {
                let amended = dispatcher.amend_consent(desk.name(), &id, &amount, &supervisor);
                amended.await.map(Some)
            }
            (decision, _) => {
                let granted = decision == Verdict::Grant;
                let answered = dispatcher.answer_consent(desk.name(), &id, granted, &supervisor);
                answered.await
            }
        }
    });
    let resumed = answering.await.map_err(|_| ApiError::internal())??;
    let result = resumed.map(|resumed| outcome::body(&case, &resumed));
    // A grant of what the rules refuse nonetheless leaves it pending.
    let state = asked_of_staff(&desk, &id).await?.state;
    Ok(Json(json!({ "state": state, "result": result })))
}

async fn asked_of_staff(desk: &Desk, id: &str) -> Result<PendingConsent, ApiError> {
    let consent = desk.store().consent(desk.name(), id).await?;
    let consent = consent.filter(|consent| consent.from == ConsentFrom::Staff);
    consent.ok_or_else(|| {
        ApiError::not_found("there is no such approval; GET /api/approvals lists those that wait")
    })
}
