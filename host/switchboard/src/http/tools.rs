//! The tool interface: what tools there are, and calling one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use dispatch::{CallRequest, Case, Outcome};
use policy::{Actor, Channel};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::access::Caller;
use super::request::{JsonBody, Segment};
use super::{ApiError, outcome};
use crate::host::Host;

/// A call: `{"case": …, "arguments": {…}}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallBody {
    case: Option<String>,
    #[serde(default)]
    arguments: Map<String, Value>,
}

/// `GET /api/tools`.
pub(super) async fn list(State(host): State<Arc<Host>>) -> Json<Value> {
    let snapshot = host.tools();
    let rulebook = host.dispatcher.rulebook(&host.tenant);
    let tools = snapshot.tools.values().map(|tool| {
        let spec = tool.spec();
        json!({
            "name": spec.name,
            "title": spec.title,
            "description": spec.description,
            "effect": rulebook.as_ref().and_then(|rules| rules.tool(&spec.name)).map(|rule| rule.effect),
            "input_schema": spec.input_schema,
            "output_schema": spec.output_schema,
            "plugin": { "name": spec.plugin, "version": spec.version, "digest": spec.digest, "interface": spec.interface },
        })
    });
    Json(json!({ "tools": tools.collect::<Vec<_>>() }))
}

/// `POST /api/tools/{tool}`.
pub(super) async fn call(
    State(host): State<Arc<Host>>,
    Segment(tool): Segment,
    caller: Caller,
    JsonBody(body): JsonBody<CallBody>,
) -> Result<Response, ApiError> {
    let case = caller.case(&host, body.case.as_deref()).await?;
    let ended = run(&host, caller.actor(), &case, &tool, body.arguments.into()).await?;
    Ok(outcome::answer(&case.id, &ended))
}

/// Calls a tool for whoever uses the HTTP interface.
pub(super) async fn run(
    host: &Arc<Host>,
    actor: Actor,
    case: &Case,
    tool: &str,
    arguments: Value,
) -> Result<Outcome, ApiError> {
    let request = CallRequest {
        tenant: host.tenant.clone(),
        case: case.id.clone(),
        actor,
        channel: Channel::Http,
        tool: tool.to_owned(),
        arguments,
    };
    let dispatcher = Arc::clone(&host.dispatcher);
    // A task of its own: a caller that hangs up must not cut a write short between its effect and its record.
    let call = host
        .tasks
        .spawn(async move { dispatcher.call(request).await });
    Ok(call.await.map_err(|_| ApiError::internal())??)
}
