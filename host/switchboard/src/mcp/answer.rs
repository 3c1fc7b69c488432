//! Turns outcomes and errors into MCP: the one place that does.

use dispatch::{DispatchError, EscalationRef, Outcome};
use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ContentBlock, MetaObject};
use serde_json::{Value, json};

/// `_meta` key of a result: the outcome in one word (`ok`, `replayed`, `denied`, …).
const OUTCOME: &str = "switchboard/outcome";
/// `_meta` key of a result: the people that were called, `{id, priority, team}`.
const ESCALATION: &str = "switchboard/escalation";

/// Whether a refusal may carry structured content.
///
/// Clients of the revisions before 2026-07-28 hold *any* structured content against the tool's output schema and throw the
/// whole result away where it does not fit, so that the model would never read why it was refused. They get the same
/// object as text alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusals {
    /// Text and structured content.
    Structured,
    /// Text alone.
    Text,
}

/// What a client gets for an outcome: output and refusals alike are tool results, so that a model can react; only a tool
/// that does not exist is a protocol error.
pub(super) fn answer(
    tool: &str,
    outcome: Outcome,
    refusals: Refusals,
) -> Result<CallToolResult, ErrorData> {
    let meta = meta(&outcome);
    let result = match outcome {
        Outcome::UnknownTool => return Err(unknown_tool(tool)),
        Outcome::Done { output, .. } => CallToolResult::structured(output),
        refused => refusal(refused.for_model(), refusals),
    };
    Ok(result.with_meta(Some(meta)))
}

fn refusal(told: Value, refusals: Refusals) -> CallToolResult {
    match refusals {
        Refusals::Structured => CallToolResult::structured_error(told),
        Refusals::Text => CallToolResult::error(vec![ContentBlock::text(told.to_string())]),
    }
}

fn meta(outcome: &Outcome) -> MetaObject {
    let mut meta = MetaObject::new();
    meta.0.insert(OUTCOME.to_owned(), outcome.word().into());
    if let Some(EscalationRef { id, priority, team }) = outcome.escalation() {
        let called = json!({ "id": id, "priority": priority, "team": team });
        meta.0.insert(ESCALATION.to_owned(), called);
    }
    meta
}

/// There is no such tool: `-32602`, as the specification asks.
pub(super) fn unknown_tool(tool: &str) -> ErrorData {
    let shown: String = tool.chars().take(128).collect();
    ErrorData::invalid_params(
        format!("Unknown tool: {shown}. tools/list names the tools there are."),
        None,
    )
}

/// The request is no valid request of this method: `-32602`.
pub(super) fn invalid_params(message: &'static str) -> ErrorData {
    ErrorData::invalid_params(message, None)
}

/// The host itself failed: the operator reads why in the log, the client only that nothing ran.
pub(super) fn host_failed(tool: &str, error: &DispatchError) -> ErrorData {
    tracing::error!(tool, %error, "the call could not be carried out");
    ErrorData::internal_error(
        "The host cannot run tools at the moment. Nothing was run. Try again later.",
        None,
    )
}
