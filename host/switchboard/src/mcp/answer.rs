//! Turns outcomes and errors into MCP: the one place that does.

use dispatch::{DispatchError, EscalationRef, Outcome};
use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ContentBlock, MetaObject, ProtocolVersion};
use serde_json::{Value, json};

/// `_meta` key of a result: the outcome in one word (`ok`, `replayed`, `denied`, …).
const OUTCOME: &str = "switchboard/outcome";
/// `_meta` key of a result: the people that were called, `{id, priority, team}`.
const ESCALATION: &str = "switchboard/escalation";

/// The two families of revisions, where they differ in what a client makes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Era {
    /// Before 2026-07-28.
    Older,
    /// From 2026-07-28 on.
    Newer,
}

impl Era {
    /// The era of a revision. Without one nothing newer can be meant: the newer revisions name theirs in every request.
    pub(super) fn of(revision: Option<&ProtocolVersion>) -> Self {
        let newest = ProtocolVersion::V_2026_07_28;
        match revision {
            Some(revision) if revision.as_str() >= newest.as_str() => Self::Newer,
            _ => Self::Older,
        }
    }
}

/// What a client gets for an outcome: output and refusals alike are tool results, so that a model can react; only a tool
/// that does not exist is a protocol error.
pub(super) fn answer(tool: &str, outcome: Outcome, era: Era) -> Result<CallToolResult, ErrorData> {
    let meta = meta(&outcome);
    let result = match outcome {
        Outcome::UnknownTool => return Err(unknown_tool(tool)),
        Outcome::Done { output, .. } => CallToolResult::structured(output),
        refused => refusal(refused.for_model(), era),
    };
    Ok(result.with_meta(Some(meta)))
}

/// Older clients hold *any* structured content against the tool's output schema, and throw the whole result away where it
/// does not fit, so that the model would never read why it was refused. They get the same object as text alone.
fn refusal(told: Value, era: Era) -> CallToolResult {
    match era {
        Era::Newer => CallToolResult::structured_error(told),
        Era::Older => CallToolResult::error(vec![ContentBlock::text(told.to_string())]),
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
