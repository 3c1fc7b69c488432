//! What an answer means that is not the result: by the description's own rules, else by what HTTP says.

use described::{ErrorRule, Errors, FailureKind};
use serde_json::Value;
use switchboard_sdk::Answer;
use switchboard_sdk::types::{Error, Unavailable};

/// The longest text of a backend in an error, in characters.
const MAX_MESSAGE_CHARS: usize = 500;

/// Passes where the backend agreed; else the error that the answer amounts to.
pub(crate) fn check(errors: &Errors, answer: &Answer) -> Result<(), Error> {
    let body: Value = match (&errors.code, &errors.message) {
        (None, None) => Value::Null,
        _ => serde_json::from_slice(&answer.body).unwrap_or_default(),
    };
    let code = text_at(&body, errors.code.as_deref());
    let rule = errors
        .rules
        .iter()
        .find(|rule| applies(rule, answer.status, code.as_deref()));
    let by_status = || (!(200..300).contains(&answer.status)).then(|| by_status(answer.status));
    let Some(kind) = rule.map(|rule| rule.is).or_else(by_status) else {
        return Ok(());
    };
    let message = text_at(&body, errors.message.as_deref());
    let words = [code, message].into_iter().flatten();
    let words = words.fold(format!("HTTP {}", answer.status), |text, word| {
        text + " " + &word
    });
    let text: String = words.chars().take(MAX_MESSAGE_CHARS).collect();
    Err(match kind {
        FailureKind::InvalidInput => Error::InvalidInput(text),
        FailureKind::NotFound => Error::NotFound(text),
        FailureKind::NotEligible => Error::NotEligible(text),
        FailureKind::Conflict => Error::Conflict(text),
        FailureKind::Unavailable => Error::Unavailable(Unavailable {
            reason: text,
            retry_after_seconds: answer.retry_after_seconds,
        }),
    })
}

fn applies(rule: &ErrorRule, status: u16, code: Option<&str>) -> bool {
    rule.status.is_none_or(|wanted| wanted == status)
        && rule
            .code
            .as_deref()
            .is_none_or(|wanted| Some(wanted) == code)
}

fn by_status(status: u16) -> FailureKind {
    match status {
        404 | 410 => FailureKind::NotFound,
        409 => FailureKind::Conflict,
        400 | 422 => FailureKind::InvalidInput,
        _ => FailureKind::Unavailable,
    }
}

fn text_at(body: &Value, pointer: Option<&str>) -> Option<String> {
    match body.pointer(pointer?)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
