//! Writing to standard output for people: a reader that has gone away is no error of ours.

use std::fmt::Display;
use std::io::{Write, stdout};

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// One line.
pub(crate) fn say(line: impl Display) {
    let mut out = stdout().lock();
    // Whoever closed the pipe has seen enough.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// A text without an end of line.
pub(crate) fn ask(text: impl Display) {
    let mut out = stdout().lock();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}

/// A moment in Unix milliseconds as RFC 3339, to the second; nothing where it is none.
pub(crate) fn time(at_ms: &Value) -> String {
    let at = at_ms.as_i64().unwrap_or_default() / 1_000;
    let at = OffsetDateTime::from_unix_timestamp(at).ok();
    at.and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default()
}
