//! Input schemas of the suite's tools, and arguments held against them: as much of JSON Schema as the suite's tools use.

use dispatch::Violation;
use serde_json::{Map, Value, json};

use super::SCENE;

/// The schema of an object with these properties.
pub(in crate::mcp::conformance) fn object(properties: &Value, required: &[&str]) -> Value {
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// The arguments, if what is required is there and everything known has its type.
pub(super) fn check(
    schema: &Value,
    arguments: &Value,
) -> Result<Map<String, Value>, Vec<Violation>> {
    let Some(given) = arguments.as_object() else {
        return Err(vec![violation("", "expected an object")]);
    };
    let required = schema["required"].as_array().into_iter().flatten();
    let missing = required
        .filter_map(Value::as_str)
        .filter(|name| !given.contains_key(*name))
        .map(|name| violation(name, "is required"));
    let types = given.iter().filter_map(|(name, value)| {
        let Some(property) = schema["properties"].get(name) else {
            let closed = schema["additionalProperties"] == false && name != SCENE;
            return closed.then(|| violation(name, "is no argument of this tool"));
        };
        let wanted = property["type"].as_str()?;
        (!is_a(value, wanted))
            .then(|| violation(name, &format!("expected a value of type {wanted}")))
    });
    let violations: Vec<Violation> = missing.chain(types).collect();
    if violations.is_empty() {
        Ok(given.clone())
    } else {
        Err(violations)
    }
}

fn is_a(value: &Value, wanted: &str) -> bool {
    match wanted {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn violation(name: &str, message: &str) -> Violation {
    let pointer = if name.is_empty() {
        String::new()
    } else {
        format!("/{name}")
    };
    Violation {
        field: pointer,
        message: message.to_owned(),
    }
}
