//! An outcome in the words that a model gets: what happened and what to do next, and nothing internal.

use policy::Refusal;
use serde_json::{Value, json};

use crate::{Outcome, ToolError, Violation};

/// What a model may be told of an outcome.
pub(crate) fn describe(outcome: &Outcome) -> Value {
    let mut said = match outcome {
        Outcome::Done {
            output,
            replayed: false,
            ..
        } => json!({ "result": output }),
        Outcome::Done {
            output,
            replayed: true,
            ..
        } => json!({
            "result": output,
            "note": "This had been done before; its result is given again, and nothing was repeated.",
        }),
        Outcome::UnknownTool => json!({ "message": "There is no such tool." }),
        Outcome::Invalid(violations) => {
            json!({ "message": "The arguments do not fit.", "errors": fields(violations) })
        }
        Outcome::Denied { refusal, .. } | Outcome::Withheld { refusal, .. } => refused(refusal),
        Outcome::Pending { consent, .. } => json!({
            "message": "This waits for a person's yes. The host asks; do not ask yourself, and do not claim that it is done.",
            "question": consent.question,
        }),
        Outcome::Conflict { message } => json!({ "message": message }),
        Outcome::InFlight => {
            json!({ "message": "The same request is being worked on. Do not repeat it." })
        }
        Outcome::Unknown { escalation, .. } => {
            let who = if escalation.is_some() {
                "A colleague checks."
            } else {
                "The system finds out by itself."
            };
            json!({ "message": format!("It is not known whether this happened. {who} Do not repeat it, and do not claim it.") })
        }
        Outcome::Failed { error, .. } => json!({ "message": failed(error) }),
    };
    said["outcome"] = Value::from(outcome.word());
    if let Some(escalation) = outcome.escalation() {
        said["escalation"] = json!(escalation);
    }
    said
}

fn fields(violations: &[Violation]) -> Vec<Value> {
    violations
        .iter()
        .map(|v| json!({ "field": v.field, "message": v.message }))
        .collect()
}

fn refused(refusal: &Refusal) -> Value {
    let mut said = json!({ "message": refusal.say });
    if let Some(hint) = &refusal.hint {
        said["next"] = Value::from(hint.as_str());
    }
    said
}

/// Backend texts are for operators: a model hears only what kind of failure it was, save where the text explains the
/// customer's own request.
fn failed(error: &ToolError) -> String {
    match error {
        ToolError::InvalidInput { message } => {
            format!("The backend would not take this: {message}")
        }
        ToolError::NotFound { message } => format!("Nothing was found: {message}"),
        ToolError::NotEligible { message } => format!("This is not possible: {message}"),
        ToolError::Conflict { .. } => {
            "This clashes with another change. Look it up again first.".to_owned()
        }
        ToolError::Unavailable { .. } => "The system behind this does not answer now.".to_owned(),
    }
}
