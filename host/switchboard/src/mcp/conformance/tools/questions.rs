//! What tools ask their clients, and what they read in the answers.

use serde_json::{Value, json};

use super::{Scene, object};

/// The output of a tool that asks first, by the names under which the answers come back.
pub(super) fn ask(inputs: &Value) -> Value {
    json!({ "ask": { "inputs": inputs } })
}

/// The same, with something that the tool wants to find again beside the answers.
pub(super) fn ask_with_state(inputs: &Value, state: &Value) -> Value {
    json!({ "ask": { "inputs": inputs, "state": state } })
}

pub(super) fn elicitation(message: &Value, schema: &Value) -> Value {
    let params = json!({ "mode": "form", "message": message, "requestedSchema": schema });
    json!({ "method": "elicitation/create", "params": params })
}

/// A form with one field, for a text.
pub(in crate::mcp::conformance) fn text_form(message: &str, field: &str) -> Value {
    let schema = object(&json!({ field: { "type": "string" } }), &[field]);
    elicitation(&json!(message), &schema)
}

pub(super) fn sampling(prompt: &Value, most_tokens: u32) -> Value {
    let content = json!({ "type": "text", "text": prompt });
    let params = json!({
        "messages": [{ "role": "user", "content": content }],
        "maxTokens": most_tokens,
    });
    json!({ "method": "sampling/createMessage", "params": params })
}

pub(super) fn list_roots() -> Value {
    json!({ "method": "roots/list" })
}

/// What somebody made of a form, in words; none where that is no answer to one.
pub(super) fn said(scene: &Scene, input: &str) -> Option<String> {
    let answer = scene.answers.get(input)?;
    let action = answer["action"].as_str()?;
    Some(format!("action={action}, content={}", answer["content"]))
}

/// A field of an accepted form, as text.
pub(in crate::mcp::conformance) fn field(scene: &Scene, input: &str, name: &str) -> Option<String> {
    let answer = scene.answers.get(input)?;
    match &answer["content"][name] {
        _ if answer["action"] != "accept" => None,
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// What the client's model said: one block, or the first of several.
pub(super) fn sampled(scene: &Scene, input: &str) -> Option<String> {
    let content = &scene.answers.get(input)?["content"];
    let block = content.get(0).unwrap_or(content);
    block["text"].as_str().map(str::to_owned)
}

/// The URIs of the client's roots.
pub(super) fn roots(scene: &Scene, input: &str) -> Option<String> {
    let roots = scene.answers.get(input)?["roots"].as_array()?;
    let uris: Vec<&str> = roots
        .iter()
        .filter_map(|root| root["uri"].as_str())
        .collect();
    Some(uris.join(", "))
}
