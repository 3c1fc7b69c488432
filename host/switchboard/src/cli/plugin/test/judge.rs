//! What a case expected, held against what happened.

use dispatch::Outcome;
use serde_json::{Value, json};

use super::case::Case;
use crate::rehearsal::Seen;

/// How the call ended otherwise than the case says; none where it did not.
pub(super) fn outcome(case: &Case, outcome: &Outcome) -> Option<String> {
    let expected = if let Some(output) = &case.output {
        match outcome {
            Outcome::Done { output: found, .. } if found == output => return None,
            _ => format!("the output {output}"),
        }
    } else if let Some(kind) = &case.error {
        match outcome {
            Outcome::Failed { error, .. } if json!(error)["kind"] == **kind => return None,
            _ => format!("the error {kind}"),
        }
    } else if let Some(code) = &case.denied {
        match outcome {
            Outcome::Denied { refusal, .. } if refusal.code == *code => return None,
            _ => format!("denied {code}"),
        }
    } else if let Some(code) = &case.withheld {
        match outcome {
            Outcome::Withheld { refusal, .. } if refusal.code == *code => return None,
            _ => format!("withheld {code}"),
        }
    } else {
        let word = case.outcome.clone().unwrap_or_default();
        if outcome.word() == word {
            return None;
        }
        word
    };
    Some(format!("expected {expected}, found {}", told(outcome)))
}

/// What the backend saw otherwise than the case says.
pub(super) fn backend(case: &Case, seen: &Seen) -> Vec<String> {
    let mut faults = seen.complaints.clone();
    if !seen.missing.is_empty() {
        faults.push(format!(
            "the backend was not asked: {}",
            list(&seen.missing)
        ));
    }
    for (what, expected, found) in [
        ("requests", case.requests, seen.requests.len()),
        ("effects", case.effects, seen.effects),
    ] {
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            faults.push(format!(
                "expected {expected} {what} at the backend, found {found}"
            ));
        }
    }
    faults
}

/// How a call ended, in one line.
pub(super) fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done { output, .. } => format!("the output {output}"),
        Outcome::Failed { error, .. } => format!("the error {}", word(&json!(error)["kind"])),
        Outcome::Denied { refusal, .. } | Outcome::Withheld { refusal, .. } => {
            format!("{} {}", outcome.word(), refusal.code)
        }
        Outcome::Invalid(violations) => format!("invalid arguments: {}", json!(violations)),
        other => other.word().to_owned(),
    }
}

/// `GET /a, GET /b`, or `nothing`
pub(super) fn list(lines: &[String]) -> String {
    if lines.is_empty() {
        "nothing".to_owned()
    } else {
        lines.join(", ")
    }
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
