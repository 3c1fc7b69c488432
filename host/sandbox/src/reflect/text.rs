//! What strings must look like, by rule: one check for what goes in and what comes out.

use std::fmt::Write as _;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::shape::TextRule;

/// The longest plain string that a tool takes, in bytes.
pub(super) const MAX_TEXT_BYTES: usize = 16 * 1024;
/// The longest id.
pub(super) const MAX_ID_CHARS: usize = 128;
/// The longest e-mail address (RFC 5321).
pub(super) const MAX_EMAIL_CHARS: usize = 254;

/// Why a string does not fit: what was expected and what was found.
pub(super) fn misfit(rule: TextRule, value: &str) -> Option<String> {
    match rule {
        TextRule::Plain => plain_misfit(value),
        TextRule::Id => id_misfit(value),
        TextRule::Email => (!is_email(value))
            .then(|| format!("expected an e-mail address, found {}", shown(value))),
        TextRule::Timestamp => OffsetDateTime::parse(value, &Rfc3339).is_err().then(|| {
            let example = "expected a time such as 2026-11-20T14:05:00Z (RFC 3339)";
            format!("{example}, found {}", shown(value))
        }),
    }
}

fn plain_misfit(value: &str) -> Option<String> {
    if value.len() > MAX_TEXT_BYTES {
        let found = value.len();
        Some(format!(
            "expected at most {MAX_TEXT_BYTES} bytes of text, found {found}"
        ))
    } else if value.contains('\0') {
        Some("expected text without NUL characters, found one".to_owned())
    } else {
        None
    }
}

fn id_misfit(value: &str) -> Option<String> {
    let length = value.chars().count();
    if length == 0 || length > MAX_ID_CHARS {
        Some(format!(
            "expected an id of 1 to {MAX_ID_CHARS} characters, found {length}"
        ))
    } else if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        None
    } else {
        Some(format!(
            "expected an id of printable ASCII characters without spaces, found {}",
            shown(value)
        ))
    }
}

fn is_email(value: &str) -> bool {
    let Some((local, domain)) = value.split_once('@') else {
        return false;
    };
    value.len() <= MAX_EMAIL_CHARS
        && !local.is_empty()
        && !domain.is_empty()
        && !domain.contains('@')
        && !value.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// A string for a message: quoted, escaped and short.
pub(super) fn shown(value: &str) -> String {
    const SHOWN_CHARS: usize = 40;
    let start: String = value.chars().take(SHOWN_CHARS).collect();
    let mut text = format!("{start:?}");
    let length = value.chars().count();
    if length > SHOWN_CHARS {
        // Writing to a string cannot fail.
        let _ = write!(text, " and {} more characters", length - SHOWN_CHARS);
    }
    text
}
