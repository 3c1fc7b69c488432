//! Approvals: what waits for a supervisor, and answering it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use policy::{Actor, ConsentFrom, Role};
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::Supervisor;
use super::request::{JsonBody, Segment};
use super::{ApiError, outcome};
use crate::host::Host;

/// `{"decision": "grant" | "deny"}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    decision: Verdict,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Grant,
    Deny,
}

/// `GET /api/approvals`: those that wait for a supervisor, oldest first.
pub(super) async fn list(
    State(host): State<Arc<Host>>,
    _: Supervisor,
) -> Result<Json<Value>, ApiError> {
    let pending = host.store().pending(&host.tenant, None).await?;
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

/// `POST /api/approvals/{id}`: a grant runs the very call that waited, and nothing else.
pub(super) async fn answer(
    State(host): State<Arc<Host>>,
    _: Supervisor,
    Segment(id): Segment,
    JsonBody(body): JsonBody<Answer>,
) -> Result<Json<Value>, ApiError> {
    let consent = host.store().consent(&host.tenant, &id).await?;
    let consent = consent.filter(|consent| consent.from == ConsentFrom::Staff);
    let case = consent
        .ok_or_else(|| {
            ApiError::not_found(
                "there is no such approval; GET /api/approvals lists those that wait",
            )
        })?
        .call
        .case;
    let host_of_call = Arc::clone(&host);
    let granted = body.decision == Verdict::Grant;
    let answering = host.tasks.spawn(async move {
        let supervisor = Actor {
            role: Role::Supervisor,
            subject: "user:operator".to_owned(),
        };
        host_of_call
            .dispatcher
            .answer_consent(&host_of_call.tenant, &id, granted, &supervisor)
            .await
    });
    let resumed = answering.await.map_err(|_| ApiError::internal())??;
    let result = resumed.map(|resumed| outcome::body(&case, &resumed));
    Ok(Json(
        json!({ "decision": if granted { "grant" } else { "deny" }, "result": result }),
    ))
}
