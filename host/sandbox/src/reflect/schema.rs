//! JSON Schema (2020-12) of compiled types.

use serde_json::{Map, Value, json};

use super::shape::{Case, Field, Kind, Label, Shape, TextRule};
use super::text::{MAX_EMAIL_CHARS, MAX_ID_CHARS, MAX_TEXT_BYTES};

/// Whether a schema describes what a tool takes or what it gives; limits on plain text hold only for what it takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Input,
    Output,
}

/// The schema of an object with these fields; options are the fields that may be left out.
pub(super) fn object<'a>(fields: impl Iterator<Item = &'a Field>, side: Side) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        let shape = match &field.shape.kind {
            Kind::Option(some) => described(some, side, field.shape.docs.as_deref()),
            _ => of(&field.shape, side),
        };
        if !field.shape.is_option() {
            required.push(json!(field.name.json));
        }
        properties.insert(field.name.json.clone(), boxed_option(&field.shape, shape));
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = Value::Array(required);
    }
    schema["additionalProperties"] = json!(false);
    schema
}

/// The schema of one type.
pub(super) fn of(shape: &Shape, side: Side) -> Value {
    described(shape, side, None)
}

fn described(shape: &Shape, side: Side, docs: Option<&str>) -> Value {
    let mut schema = bare(&shape.kind, side);
    let docs = docs.or(shape.docs.as_deref());
    let cases = case_docs(&shape.kind);
    let text = [docs, cases.as_deref()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("\n");
    if !text.is_empty() {
        schema["description"] = Value::String(text);
    }
    schema
}

fn bare(kind: &Kind, side: Side) -> Value {
    match kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Int(int) => {
            let (least, most) = int.bounds();
            json!({ "type": "integer", "minimum": number(least), "maximum": number(most) })
        }
        Kind::F32 | Kind::F64 => json!({ "type": "number" }),
        Kind::Char => json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
        Kind::Text(rule) => text(*rule, side),
        Kind::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
        Kind::Money => money(),
        Kind::List(item) => json!({ "type": "array", "items": of(item, side) }),
        Kind::Tuple(items) => tuple(items, side),
        Kind::Record(fields) => object(fields.iter(), side),
        Kind::Variant(cases) => {
            json!({ "oneOf": cases.iter().map(|case| case_schema(case, side)).collect::<Vec<_>>() })
        }
        Kind::Enum(labels) => json!({ "type": "string", "enum": names(labels) }),
        Kind::Flags(labels) => json!({
            "type": "array",
            "items": { "type": "string", "enum": names(labels) },
            "uniqueItems": true,
        }),
        Kind::Option(some) => {
            json!({ "anyOf": [boxed(some, of(some, side)), { "type": "null" }] })
        }
        Kind::Result { ok, error } => json!({ "oneOf": [
            single("ok", &payload(ok.as_deref(), side)),
            single("error", &payload(error.as_deref(), side)),
        ] }),
    }
}

/// Integers beyond 64 bits do not occur: every bound is one of an integer type.
fn number(bound: i128) -> Value {
    i64::try_from(bound).map_or_else(|_| json!(u64::MAX), |bound| json!(bound))
}

fn text(rule: TextRule, side: Side) -> Value {
    match rule {
        TextRule::Plain if side == Side::Input => {
            json!({ "type": "string", "maxLength": MAX_TEXT_BYTES })
        }
        TextRule::Plain => json!({ "type": "string" }),
        TextRule::Id => json!({
            "type": "string", "minLength": 1, "maxLength": MAX_ID_CHARS, "pattern": "^[!-~]+$",
        }),
        TextRule::Email => {
            json!({ "type": "string", "format": "email", "maxLength": MAX_EMAIL_CHARS })
        }
        TextRule::Timestamp => json!({ "type": "string", "format": "date-time" }),
    }
}

fn money() -> Value {
    json!({
        "type": "object",
        "properties": {
            "amount": {
                "type": "string",
                "pattern": "^-?[0-9]+(\\.[0-9]+)?$",
                "description": "Decimal number, such as \"49.99\".",
            },
            "currency": {
                "type": "string",
                "pattern": "^[A-Z]{3}$",
                "description": "ISO 4217 code, such as \"USD\".",
            },
        },
        "required": ["amount", "currency"],
        "additionalProperties": false,
    })
}

fn tuple(items: &[Shape], side: Side) -> Value {
    json!({
        "type": "array",
        "prefixItems": items.iter().map(|item| of(item, side)).collect::<Vec<_>>(),
        "items": false,
        "minItems": items.len(),
        "maxItems": items.len(),
    })
}

fn case_schema(case: &Case, side: Side) -> Value {
    let name = &case.label.name.json;
    match &case.payload {
        Some(shape) => single(name, &of(shape, side)),
        None => json!({ "const": name }),
    }
}

fn payload(shape: Option<&Shape>, side: Side) -> Value {
    shape.map_or_else(|| json!({ "type": "null" }), |shape| of(shape, side))
}

/// An object with exactly this key.
fn single(key: &str, value: &Value) -> Value {
    json!({
        "type": "object",
        "properties": { key: value },
        "required": [key],
        "additionalProperties": false,
    })
}

/// An option in an option needs a box, so that its two kinds of absence stay apart.
fn boxed_option(outer: &Shape, schema: Value) -> Value {
    match &outer.kind {
        Kind::Option(some) => boxed(some, schema),
        _ => schema,
    }
}

fn boxed(some: &Shape, schema: Value) -> Value {
    if some.is_option() {
        single("some", &schema)
    } else {
        schema
    }
}

fn names(labels: &[Label]) -> Vec<&str> {
    labels
        .iter()
        .map(|label| label.name.json.as_str())
        .collect()
}

/// What the author wrote about the cases, one line each; a schema has no other place for it.
fn case_docs(kind: &Kind) -> Option<String> {
    let labels: Vec<&Label> = match kind {
        Kind::Enum(labels) | Kind::Flags(labels) => labels.iter().collect(),
        Kind::Variant(cases) => cases.iter().map(|case| &case.label).collect(),
        _ => return None,
    };
    let lines: Vec<String> = labels
        .iter()
        .filter_map(|label| Some(format!("- `{}`: {}", label.name.json, label.docs.as_ref()?)))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
