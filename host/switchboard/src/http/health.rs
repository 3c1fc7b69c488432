//! Health: ready only when plugins, store and model configuration are, else what is missing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Front;
use crate::host::demo;

/// `GET /api/health`.
pub(super) async fn serve(State(front): State<Arc<Front>>) -> (StatusCode, Json<Value>) {
    of_tenant(&front, demo::TENANT).await
}

/// The same, under a tenant's name.
pub(super) async fn of_tenant(front: &Front, tenant: &str) -> (StatusCode, Json<Value>) {
    let Some(host) = front.host() else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({ "status": "starting", "ready": false, "missing": front.missing() })),
        );
    };
    let tools = host.tools(tenant).tools.len();
    let mut missing = Vec::new();
    if let Err(error) = host.store().now().await {
        tracing::error!(%error, "the store does not answer");
        missing.push("store");
    }
    if tools == 0 {
        missing.push("plugins");
    }
    let is_ready = missing.is_empty();
    let (status, word) = if is_ready {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    };
    (
        status,
        Json(
            json!({ "status": word, "ready": is_ready, "missing": missing, "model": host.model_label, "tools": tools }),
        ),
    )
}
