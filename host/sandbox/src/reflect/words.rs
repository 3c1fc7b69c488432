//! What was expected and what was found, in words.

use serde_json::Value;

use super::shape::{Kind, Label, Shape};
use super::text::shown;

pub(super) fn json_names(labels: &[Label]) -> impl Iterator<Item = &str> {
    labels.iter().map(|label| label.name.json.as_str())
}

pub(super) fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    format!("one of {}", quoted.join(", "))
}

pub(super) fn not_one_of<'a>(names: impl Iterator<Item = &'a str>, given: &str) -> String {
    format!("expected {}, found {}", one_of(names), shown(given))
}

pub(super) fn unknown_field<'a>(known: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = known.collect();
    if names.is_empty() {
        "there is no such field, and none is expected".to_owned()
    } else {
        format!(
            "there is no such field; the fields are {}",
            names.join(", ")
        )
    }
}

/// What is expected, in words, where nothing was given.
pub(super) fn article(shape: &Shape) -> &'static str {
    match shape.kind {
        Kind::Bool => "true or false",
        Kind::Int(_) => "a whole number",
        Kind::F32 | Kind::F64 => "a number",
        Kind::Money => "an object like {\"amount\": \"49.99\", \"currency\": \"USD\"}",
        Kind::List(_) | Kind::Tuple(_) | Kind::Flags(_) => "a list",
        Kind::Record(_) | Kind::Result { .. } => "an object",
        Kind::Variant(_) | Kind::Option(_) => "a value",
        Kind::Char | Kind::Text(_) | Kind::Bytes | Kind::Enum(_) => "a string",
    }
}

/// What was found, in words.
pub(super) fn found(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => shown(text),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
