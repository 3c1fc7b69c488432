//! How the outcome of a tool call is told over HTTP: the one place where outcomes become status codes.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use dispatch::{Outcome, ToolError};
use serde_json::{Map, Value, json};

/// The status of an outcome.
pub(super) fn status(outcome: &Outcome) -> StatusCode {
    match outcome {
        Outcome::Done { .. } => StatusCode::OK,
        Outcome::UnknownTool => StatusCode::NOT_FOUND,
        Outcome::Invalid(_) => StatusCode::BAD_REQUEST,
        Outcome::Denied { .. } | Outcome::Withheld { .. } => StatusCode::FORBIDDEN,
        Outcome::Pending { .. } => StatusCode::ACCEPTED,
        Outcome::Conflict { .. } | Outcome::InFlight => StatusCode::CONFLICT,
        Outcome::Unknown { .. } => StatusCode::BAD_GATEWAY,
        Outcome::Failed { error, .. } => failure(error),
    }
}

fn failure(error: &ToolError) -> StatusCode {
    match error {
        ToolError::InvalidInput { .. } => StatusCode::BAD_REQUEST,
        ToolError::NotFound { .. } => StatusCode::NOT_FOUND,
        ToolError::NotEligible { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        ToolError::Conflict { .. } => StatusCode::CONFLICT,
        ToolError::Unavailable { .. } => StatusCode::BAD_GATEWAY,
    }
}

/// The outcome in full, for a developer: what happened, with the rule's code and hint where rules decided.
pub(crate) fn body(case: &str, outcome: &Outcome) -> Value {
    let mut body = Map::new();
    body.insert("outcome".into(), outcome.word().into());
    body.insert("case".into(), case.into());
    if let Value::Object(detail) = detail(outcome) {
        body.extend(detail);
    }
    if let Some(escalation) = outcome.escalation() {
        body.insert("escalation".into(), json!(escalation));
    }
    Value::Object(body)
}

fn detail(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Done { output, .. } => json!({ "output": output }),
        Outcome::UnknownTool => {
            json!({ "message": "there is no such tool; GET /api/tools lists them" })
        }
        Outcome::Invalid(violations) => {
            json!({ "message": "the arguments do not fit the tool's schema", "violations": violations })
        }
        Outcome::Denied { refusal, .. } | Outcome::Withheld { refusal, .. } => {
            json!({ "message": refusal.say, "code": refusal.code, "hint": refusal.hint })
        }
        Outcome::Pending { consent, .. } => {
            json!({ "consent": { "id": consent.id, "from": consent.from, "question": consent.question, "expires_at": consent.expires_at } })
        }
        Outcome::Conflict { message } => json!({ "message": message }),
        Outcome::InFlight => {
            json!({ "message": "the same call is being carried out; ask again shortly" })
        }
        Outcome::Unknown { intent, .. } => {
            json!({ "message": "the backend was asked and did not answer; nothing is repeated blindly", "intent": intent })
        }
        Outcome::Failed {
            error, attempts, ..
        } => json!({ "message": error.to_string(), "error": error, "attempts": attempts }),
    }
}

/// The whole answer of the tool interface.
pub(super) fn answer(case: &str, outcome: &Outcome) -> Response {
    let mut response = (status(outcome), Json(body(case, outcome))).into_response();
    if let Some(seconds) = retry_after_seconds(outcome) {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// When asking again makes sense, where it does.
fn retry_after_seconds(outcome: &Outcome) -> Option<u32> {
    match outcome {
        Outcome::InFlight => Some(1),
        Outcome::Failed {
            error:
                ToolError::Unavailable {
                    retry_after_seconds,
                    ..
                },
            ..
        } => *retry_after_seconds,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use policy::Refusal;

    use super::*;

    fn refusal() -> Refusal {
        Refusal {
            code: "NOT_YOURS".into(),
            say: "I cannot do that.".into(),
            hint: None,
            rules: vec![],
        }
    }

    fn failed(error: ToolError) -> Outcome {
        Outcome::Failed {
            error,
            attempts: 1,
            escalation: None,
        }
    }

    #[test]
    fn each_outcome_has_its_status() {
        let message = String::new;
        for (outcome, expected) in [
            (
                Outcome::Done {
                    output: json!({}),
                    replayed: true,
                    escalation: None,
                },
                200,
            ),
            (Outcome::UnknownTool, 404),
            (Outcome::Invalid(vec![]), 400),
            (
                Outcome::Denied {
                    refusal: refusal(),
                    escalation: None,
                },
                403,
            ),
            (
                Outcome::Withheld {
                    refusal: refusal(),
                    escalation: None,
                },
                403,
            ),
            (Outcome::Conflict { message: message() }, 409),
            (Outcome::InFlight, 409),
            (
                Outcome::Unknown {
                    intent: message(),
                    escalation: None,
                },
                502,
            ),
            (failed(ToolError::InvalidInput { message: message() }), 400),
            (failed(ToolError::NotFound { message: message() }), 404),
            (failed(ToolError::NotEligible { message: message() }), 422),
            (failed(ToolError::Conflict { message: message() }), 409),
            (
                failed(ToolError::Unavailable {
                    message: message(),
                    retry_after_seconds: None,
                }),
                502,
            ),
        ] {
            assert_eq!(status(&outcome).as_u16(), expected, "{outcome:?}");
        }
    }

    #[test]
    fn a_busy_backend_says_when_to_ask_again() {
        let busy = failed(ToolError::Unavailable {
            message: String::new(),
            retry_after_seconds: Some(7),
        });
        assert_eq!(answer("case-1", &busy).headers()[header::RETRY_AFTER], "7");
    }

    #[test]
    fn a_refusal_tells_a_developer_which_rule_decided() {
        let body = body(
            "case-1",
            &Outcome::Denied {
                refusal: refusal(),
                escalation: None,
            },
        );
        assert_eq!(
            body,
            json!({ "outcome": "denied", "case": "case-1", "message": "I cannot do that.", "code": "NOT_YOURS", "hint": null })
        );
    }
}
