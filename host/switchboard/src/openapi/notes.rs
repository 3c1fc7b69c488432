//! What of an operation is not as the document has it, in words.

use described::Kind;
use serde_json::Value;

/// What a schema may say of its values that a type has no words for.
const BOUNDS: [&str; 13] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];
/// The formats that a type has, or that only say how a number is kept.
const FORMATS: [&str; 7] = [
    "date-time",
    "email",
    "int32",
    "int64",
    "float",
    "double",
    "password",
];

/// The notes of one operation.
#[derive(Default)]
pub(super) struct Notes {
    lines: Vec<String>,
    bounds: Vec<String>,
}

impl Notes {
    pub(super) fn push(&mut self, line: String) {
        if !self.lines.contains(&line) {
            self.lines.push(line);
        }
    }

    /// Notes which bounds of an argument's schema its type does not carry.
    pub(super) fn unbound(&mut self, argument: &str, schema: &Value, kind: &Kind) {
        let is_there = |word: &&str| schema.get(word).is_some();
        let mut words: Vec<&str> = BOUNDS.into_iter().filter(is_there).collect();
        let has_cases = matches!(kind, Kind::Named(_));
        if schema.get("enum").is_some() && !has_cases {
            words.push("enum");
        }
        let format = schema.get("format").and_then(Value::as_str);
        if format.is_some_and(|format| !FORMATS.contains(&format)) {
            words.push("format");
        }
        if !words.is_empty() {
            let line = format!("{} of {argument}", words.join(", "));
            if !self.bounds.contains(&line) {
                self.bounds.push(line);
            }
        }
    }

    /// Each with the operation that it is about.
    pub(super) fn of(self, place: &str) -> Vec<String> {
        let mut lines = self.lines;
        if !self.bounds.is_empty() {
            lines.push(format!("not carried over: {}", self.bounds.join("; ")));
        }
        lines
            .iter()
            .map(|line| format!("{place}: {line}"))
            .collect()
    }
}
