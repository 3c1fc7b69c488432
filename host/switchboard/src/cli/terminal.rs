//! Writing to standard output for people: a reader that has gone away is no error of ours.

use std::fmt::Display;
use std::io::{Write, stdout};
use std::ops::RangeInclusive;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// One line.
pub(crate) fn say(line: impl Display) {
    let line = shown(&line.to_string());
    let mut out = stdout().lock();
    // Whoever closed the pipe has seen enough.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// A text without an end of line.
pub(crate) fn ask(text: impl Display) {
    let text = shown(&text.to_string());
    let mut out = stdout().lock();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}

/// One line of what went wrong, to standard error.
pub(crate) fn complain(line: impl Display) {
    eprintln!("{}", shown(&line.to_string()));
}

/// The text, with nothing in it that a terminal would obey or that turns letters around: authors' words are among what is said,
/// and people decide by what they read. Written as JSON does, so that JSON stays what it was.
fn shown(text: &str) -> String {
    const TURNING: [RangeInclusive<char>; 4] = [
        '\u{61c}'..='\u{61c}',
        '\u{200e}'..='\u{200f}',
        '\u{202a}'..='\u{202e}',
        '\u{2066}'..='\u{2069}',
    ];
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let is_obeyed = character.is_control() && !matches!(character, '\n' | '\t');
        if is_obeyed || TURNING.iter().any(|range| range.contains(&character)) {
            shown.extend(format!("\\u{:04x}", u32::from(character)).chars());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// A moment in Unix milliseconds as RFC 3339, to the second; nothing where it is none.
pub(crate) fn time(at_ms: &Value) -> String {
    let at = at_ms.as_i64().unwrap_or_default() / 1_000;
    let at = OffsetDateTime::from_unix_timestamp(at).ok();
    at.and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_terminal_is_told_nothing_that_it_obeys() {
        for (said, expected) in [
            ("plain, ✓ é e\u{301} 日本 🏷\u{fe0f}\n\tand more", None),
            ("a\u{1b}[2K\rb", Some("a\\u001b[2K\\u000db")),
            ("\u{9b}1A\u{7f}\0", Some("\\u009b1A\\u007f\\u0000")),
            ("\u{202e}gnidih\u{2069}", Some("\\u202egnidih\\u2069")),
        ] {
            assert_eq!(shown(said), expected.unwrap_or(said));
        }
        let json = serde_json::json!({ "name": "a\u{202e}\u{9b}b" });
        let read: serde_json::Value = serde_json::from_str(&shown(&json.to_string())).unwrap();
        assert_eq!(read, json);
    }
}
