//! The components in the data folder, for whoever runs the program: those that nobody can reach any more, and deleting them.

use axum::Json;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::ApiError;
use super::access::Operator;
use super::desk::Desk;
use crate::host::roster::{PruneError, Unused};

/// `GET /api/artifacts/unused`: what would be deleted.
pub(super) async fn unused(desk: Desk, _: Operator) -> Result<Json<Value>, ApiError> {
    Ok(shown(&desk.roster.unused().await?))
}

/// `DELETE /api/artifacts/unused`: what was deleted.
pub(super) async fn prune(
    desk: Desk,
    Operator(operator): Operator,
) -> Result<Json<Value>, ApiError> {
    Ok(shown(&desk.roster.prune(&operator.subject).await?))
}

fn shown(unused: &[Unused]) -> Json<Value> {
    let each =
        |one: &Unused| json!({ "digest": one.digest.hex(), "bytes": one.bytes, "was": one.was });
    Json(json!({ "unused": unused.iter().map(each).collect::<Vec<_>>() }))
}

impl From<PruneError> for ApiError {
    fn from(error: PruneError) -> Self {
        match error {
            PruneError::Busy => Self::new(StatusCode::CONFLICT, "conflict", error.to_string()),
            PruneError::Disk(error) => {
                tracing::error!(%error, "the installed components in the data folder cannot be read or deleted");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "folder_unavailable",
                    "the installed components in the data folder cannot be read or deleted right now; the log says why. None that can be reached is gone",
                )
            }
            PruneError::Store(error) => error.into(),
        }
    }
}
