//! The tool interface: what tools there are, and calling one.

use std::sync::Arc;

use axum::Json;
use axum::response::Response;
use dispatch::{CallRequest, Case, Outcome};
use policy::{Actor, Channel};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::access::Caller;
use super::desk::Desk;
use super::request::{JsonBody, QueryOf, Segment};
use super::{ApiError, outcome};

/// A call: `{"case": …, "arguments": {…}}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallBody {
    case: Option<String>,
    #[serde(default)]
    arguments: Map<String, Value>,
}

/// Whose tools are listed: `?case=…`, as a call names it; those of most cases where none is named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfCase {
    case: Option<String>,
}

/// `GET /api/tools`.
pub(super) async fn list(
    desk: Desk,
    caller: Caller,
    QueryOf(of): QueryOf<OfCase>,
) -> Result<Json<Value>, ApiError> {
    caller.check_key(&desk)?;
    let snapshot = match of.case.as_deref() {
        Some(named) => desk.tools_for(&caller.case(&desk, Some(named)).await?.id),
        None => desk.tools(),
    };
    let specs = snapshot.tools.values().map(|tool| tool.spec());
    let tools = specs.filter(|spec| caller.sees(&spec.name)).map(|spec| {
        json!({
            "name": spec.name,
            "title": spec.title,
            "description": spec.description,
            "effect": desk.tenant.rulebook.tool(&spec.name).map(|rule| rule.effect),
            "input_schema": *spec.input_schema,
            "output_schema": *spec.output_schema,
            "plugin": { "name": spec.plugin, "version": spec.version, "digest": spec.digest, "interface": spec.interface },
        })
    });
    Ok(Json(json!({ "tools": tools.collect::<Vec<_>>() })))
}

/// `POST /api/tools/{tool}`.
pub(super) async fn call(
    desk: Desk,
    Segment(tool): Segment,
    caller: Caller,
    JsonBody(body): JsonBody<CallBody>,
) -> Result<Response, ApiError> {
    caller.check_tool(&desk, &tool)?;
    let case = caller.case(&desk, body.case.as_deref()).await?;
    let ended = run(&desk, caller.actor(), &case, &tool, body.arguments.into()).await?;
    Ok(outcome::answer(&case.id, &ended))
}

/// Calls a tool for whoever uses the HTTP interface.
pub(super) async fn run(
    desk: &Desk,
    actor: Actor,
    case: &Case,
    tool: &str,
    arguments: Value,
) -> Result<Outcome, ApiError> {
    let request = CallRequest {
        tenant: desk.name().to_owned(),
        case: case.id.clone(),
        actor,
        channel: Channel::Http,
        tool: tool.to_owned(),
        arguments,
    };
    let dispatcher = Arc::clone(&desk.dispatcher);
    // A task of its own: a caller that hangs up must not cut a write short between its effect and its record.
    let call = desk
        .tasks
        .spawn(async move { dispatcher.call(request).await });
    Ok(call.await.map_err(|_| ApiError::internal())??)
}
