//! Tools that answer at once: one for every kind of content, one that fails, and two whose schemas are the point.

use serde_json::{Value, json};

use super::{Part, object, says, text_block};

/// A red pixel.
pub(in crate::mcp::conformance) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC";

/// Four samples of silence.
const WAV: &str = "UklGRigAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQQAAACAgICA";

/// Those of them that know nothing of headers.
pub(in crate::mcp::conformance) const ANSWER_AT_ONCE: [&str; 6] = [
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "test_error_handling",
];

pub(super) fn parts() -> Vec<Part> {
    vec![
        Part::new("test_simple_text", "Gives a text.", |_, _| {
            says("This is a simple text response for testing.")
        }),
        Part::new(
            "test_image_content",
            "Gives an image.",
            |_, _| json!({ "content": [image()] }),
        ),
        Part::new("test_audio_content", "Gives a sound.", |_, _| {
            let audio = json!({ "type": "audio", "data": WAV, "mimeType": "audio/wav" });
            json!({ "content": [audio] })
        }),
        Part::new("test_embedded_resource", "Gives a resource.", |_, _| {
            let text = "This is an embedded resource content.";
            let resource = resource("test://embedded-resource", "text/plain", text);
            json!({ "content": [resource] })
        }),
        Part::new(
            "test_multiple_content_types",
            "Gives a text, an image and a resource.",
            |_, _| mixed(),
        ),
        Part::failing(
            "test_error_handling",
            "Fails, every time.",
            "This tool intentionally returns an error for testing",
        ),
        Part::new(
            "json_schema_2020_12_tool",
            "Tool with JSON Schema 2020-12 features",
            |arguments, _| says(format!("Given: {arguments}")),
        )
        .taking(schema_2020_12()),
        Part::new(
            "test_custom_header",
            "Its region travels in a header, too.",
            |arguments, _| says(format!("Region: {}", arguments["region"])),
        )
        .taking(object(
            &json!({ "region": { "type": "string", "x-mcp-header": "Region" } }),
            &["region"],
        )),
    ]
}

fn image() -> Value {
    json!({ "type": "image", "data": PNG, "mimeType": "image/png" })
}

fn resource(uri: &str, mime_type: &str, text: &str) -> Value {
    json!({ "type": "resource", "resource": { "uri": uri, "mimeType": mime_type, "text": text } })
}

fn mixed() -> Value {
    let data = json!({ "test": "data", "value": 123 }).to_string();
    let resource = resource("test://mixed-content-resource", "application/json", &data);
    json!({ "content": [text_block("Multiple content types test:"), image(), resource] })
}

/// Keywords that a host must hand on as they are.
fn schema_2020_12() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
            },
        },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": {
            "properties": { "contactMethod": { "const": "phone" } },
            "required": ["contactMethod"],
        },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    })
}
