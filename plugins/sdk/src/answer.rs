//! What a backend's answer means in the contract's terms.

use serde::{Deserialize, de::DeserializeOwned};

use crate::types::{Error, Unavailable};

/// An HTTP answer as it came.
#[derive(Debug, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `Retry-After` header in seconds, where there is one of that form.
    pub retry_after_seconds: Option<u32>,
    /// The `Link` header.
    pub link: Option<String>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// `{"error": {"code": "not_found", "message": "…"}}`
#[derive(Deserialize)]
struct Failure {
    error: Reason,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reason {
    code: String,
    message: String,
}

impl Answer {
    /// The body as `T` where the backend agreed, else the contract's error.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        if !(200..300).contains(&self.status) {
            return Err(self.failure());
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            Error::unavailable(format_args!(
                "the backend's answer is not understood: {error}"
            ))
        })
    }

    fn failure(&self) -> Error {
        let reason = serde_json::from_slice::<Failure>(&self.body)
            .map(|failure| failure.error)
            .unwrap_or_default();
        let text = format!("HTTP {} {}: {}", self.status, reason.code, reason.message);
        match (self.status, reason.code.as_str()) {
            (404, _) => Error::NotFound(text),
            (422, "not_eligible") => Error::NotEligible(text),
            (409, _) | (422, "key_reuse") => Error::Conflict(text),
            (400 | 422, _) => Error::InvalidInput(text),
            _ => Error::Unavailable(Unavailable {
                reason: text,
                retry_after_seconds: self.retry_after_seconds,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::Answer;
    use crate::types::Error;

    fn failure(status: u16, code: &str) -> String {
        let body = format!(r#"{{"error":{{"code":"{code}","message":"m"}}}}"#);
        let answer = Answer {
            status,
            retry_after_seconds: Some(7),
            body: body.into_bytes(),
            ..Answer::default()
        };
        match answer.read::<Value>().unwrap_err() {
            Error::InvalidInput(text) => format!("invalid-input {text}"),
            Error::NotFound(text) => format!("not-found {text}"),
            Error::NotEligible(text) => format!("not-eligible {text}"),
            Error::Conflict(text) => format!("conflict {text}"),
            Error::Unavailable(it) => format!("unavailable {:?}", it.retry_after_seconds),
        }
    }

    #[test]
    fn each_status_has_its_error() {
        let table = [
            (400, "invalid", "invalid-input HTTP 400 invalid: m"),
            (401, "unauthorized", "unavailable Some(7)"),
            (404, "not_found", "not-found HTTP 404 not_found: m"),
            (409, "conflict", "conflict HTTP 409 conflict: m"),
            (422, "not_eligible", "not-eligible HTTP 422 not_eligible: m"),
            (422, "key_reuse", "conflict HTTP 422 key_reuse: m"),
            (422, "currency", "invalid-input HTTP 422 currency: m"),
            (429, "rate_limited", "unavailable Some(7)"),
            (503, "down", "unavailable Some(7)"),
            (302, "moved", "unavailable Some(7)"),
        ];
        for (status, code, expected) in table {
            assert_eq!(failure(status, code), expected);
        }
    }

    #[test]
    fn an_answer_that_is_not_json_is_the_backends_failure() {
        for status in [200, 500] {
            let answer = Answer {
                status,
                body: b"<html>".to_vec(),
                ..Answer::default()
            };
            assert!(matches!(answer.read::<Value>(), Err(Error::Unavailable(_))));
        }
    }
}
