//! Turns outcomes and errors into MCP: the one place that does.

use dispatch::{DispatchError, EscalationRef, Outcome, PendingConsent, StoreError};
use policy::ConsentFrom;
use rmcp::ErrorData;
use rmcp::model::{CallToolResult, MetaObject};
use serde_json::{Value, json};

/// `_meta` key of a result: the outcome in one word (`ok`, `replayed`, `denied`, …).
const OUTCOME: &str = "switchboard/outcome";
/// `_meta` key of a result: the people that were called, `{id, priority, team}`.
const ESCALATION: &str = "switchboard/escalation";

/// What a client gets for an outcome: output and refusals alike are tool results, so that a model can react; only a tool
/// that does not exist is a protocol error.
pub(super) fn answer(tool: &str, outcome: Outcome) -> Result<CallToolResult, ErrorData> {
    let meta = meta(&outcome);
    let result = match outcome {
        Outcome::UnknownTool => return Err(unknown_tool(tool)),
        Outcome::Done { output, .. } => CallToolResult::structured(output),
        Outcome::Pending { ref consent, .. } => {
            let mut told = outcome.for_model();
            told["next"] = to_go_on(consent).into();
            CallToolResult::structured_error(told)
        }
        refused => CallToolResult::structured_error(refused.for_model()),
    };
    Ok(result.with_meta(Some(meta)))
}

/// What a client may get as structured content: the tool's output, or a refusal.
///
/// Many clients hold whatever comes back against the schema of the output, errors included, and throw the answer away where
/// it does not fit, so that the model would never read why it was refused. So the refusal is part of the schema. Reflection
/// writes every type out in place, so that the output's schema means the same one level down.
pub(super) fn schema(output: &Value) -> Value {
    let text = |what: &str| json!({ "type": "string", "description": what });
    let refusal = json!({
        "type": "object",
        "description": "Only with isError: why there is no result.",
        "properties": {
            "outcome": text(REFUSALS),
            "message": text("What happened."),
            "next": text("What can be done next."),
        },
        "required": ["outcome"],
    });
    json!({ "type": "object", "anyOf": [output, refusal] })
}

/// How a call goes on whose question could not be put to whoever sits at this client.
fn to_go_on(consent: &PendingConsent) -> &'static str {
    match consent.from {
        ConsentFrom::Customer => CUSTOMER,
        ConsentFrom::Staff => STAFF,
    }
}

const CUSTOMER: &str = "Nothing was done, and this client put no question to the customer (it offers no elicitation, or the \
    question was closed). Tell the customer what waits; from a client with elicitation, call again to ask.";
const STAFF: &str = "Nothing was done. A supervisor finds the question among the approvals of this desk and answers it there; \
    the same call gives the result afterwards.";

const REFUSALS: &str = "invalid (the arguments do not fit), denied, withheld (it ran, and its result is not for this \
    customer), awaiting_consent, conflict, in_flight, unknown (it may have happened), or failed.";

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
    unknown("tool", tool, "tools/list")
}

/// There is no such thing: `-32602`, and where to read which there are.
pub(super) fn unknown(kind: &str, name: &str, list: &str) -> ErrorData {
    let shown: String = name.chars().take(128).collect();
    ErrorData::invalid_params(
        format!("Unknown {kind}: {shown}. {list} names the {kind}s there are."),
        None,
    )
}

/// There is no such resource; the URI is told again, as the specification asks.
pub(super) fn unknown_resource(uri: &str) -> ErrorData {
    let mut error = unknown("resource", uri, "resources/list");
    error.data = Some(json!({ "uri": uri }));
    error
}

/// The request is no valid request of this method: `-32602`.
pub(super) fn invalid_params(message: impl Into<std::borrow::Cow<'static, str>>) -> ErrorData {
    ErrorData::invalid_params(message, None)
}

/// What the store holds cannot be read now: the operator reads why in the log.
pub(super) fn unreadable(error: &StoreError) -> ErrorData {
    tracing::error!(%error, "a client's case cannot be read");
    ErrorData::internal_error(
        "The host cannot read cases at the moment. Try again later.",
        None,
    )
}

/// The host itself failed: the operator reads why in the log, the client only that nothing ran.
pub(super) fn host_failed(tool: &str, error: &DispatchError) -> ErrorData {
    tracing::error!(tool, %error, "the call could not be carried out");
    ErrorData::internal_error(
        "The host cannot run tools at the moment. Nothing was run. Try again later.",
        None,
    )
}
