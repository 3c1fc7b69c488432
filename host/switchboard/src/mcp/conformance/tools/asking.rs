//! Tools that ask their client one thing: for a form, a completion, its roots.

use serde_json::{Value, json};

use super::questions::{
    ask, elicitation, field, list_roots, roots, said, sampled, sampling, text_form,
};
use super::{Part, Scene, object, says};

pub(super) fn parts() -> Vec<Part> {
    let text = || json!({ "type": "string" });
    vec![
        Part::new("test_sampling", "Asks the client's model.", completion)
            .taking(object(&json!({ "prompt": text() }), &["prompt"])),
        Part::new(
            "test_elicitation",
            "Asks for a name and an address.",
            contact,
        )
        .taking(object(&json!({ "message": text() }), &["message"])),
        Part::new(
            "test_elicitation_sep1034_defaults",
            "Asks with a form whose fields have defaults.",
            |_, scene| form(scene, "Please review the defaults", &defaults()),
        ),
        Part::new(
            "test_elicitation_sep1330_enums",
            "Asks with a form of every kind of choice.",
            |_, scene| form(scene, "Please choose", &choices()),
        ),
        Part::new(
            "test_missing_capability",
            "Asks the client's model, whether it has one or not.",
            |_, scene| model(scene, "presence", "Are you there?"),
        ),
        Part::new(
            "test_streaming_elicitation",
            "Asks for a value.",
            |_, scene| one_field(scene, ("value", "value"), "Which value?", "Value: "),
        ),
        Part::new(
            "test_input_required_result_elicitation",
            "Asks for a name.",
            |_, scene| {
                one_field(
                    scene,
                    ("user_name", "name"),
                    "What is your name?",
                    "Hello, ",
                )
            },
        ),
        Part::new(
            "test_input_required_result_sampling",
            "Asks for a capital.",
            |_, scene| model(scene, "capital_question", "What is the capital of France?"),
        ),
        Part::new(
            "test_input_required_result_list_roots",
            "Asks for the client's roots.",
            |_, scene| match roots(scene, "client_roots") {
                Some(roots) => says(format!("Your roots: {roots}")),
                None => ask(&json!({ "client_roots": list_roots() })),
            },
        ),
    ]
}

fn completion(given: &Value, scene: &Scene) -> Value {
    match sampled(scene, "completion") {
        Some(text) => says(format!("LLM response: {text}")),
        None => ask(&json!({ "completion": sampling(&given["prompt"], 100) })),
    }
}

fn model(scene: &Scene, input: &str, prompt: &str) -> Value {
    match sampled(scene, input) {
        Some(text) => says(text),
        None => ask(&json!({ input: sampling(&json!(prompt), 100) })),
    }
}

fn contact(given: &Value, scene: &Scene) -> Value {
    let fields = json!({
        "username": { "type": "string", "description": "User's response" },
        "email": { "type": "string", "description": "User's email address" },
    });
    let schema = object(&fields, &["username", "email"]);
    match said(scene, "contact") {
        Some(said) => says(format!("User response: {said}")),
        None => ask(&json!({ "contact": elicitation(&given["message"], &schema) })),
    }
}

fn one_field(scene: &Scene, (input, name): (&str, &str), message: &str, before: &str) -> Value {
    match field(scene, input, name) {
        Some(text) => says(format!("{before}{text}")),
        None => ask(&json!({ input: text_form(message, name) })),
    }
}

fn form(scene: &Scene, message: &str, schema: &Value) -> Value {
    match said(scene, "form") {
        Some(said) => says(format!("Elicitation completed: {said}")),
        None => ask(&json!({ "form": elicitation(&json!(message), schema) })),
    }
}

fn defaults() -> Value {
    let fields = json!({
        "name": { "type": "string", "default": "John Doe" },
        "age": { "type": "integer", "default": 30 },
        "score": { "type": "number", "default": 95.5 },
        "status": { "type": "string", "enum": ["active", "inactive", "pending"], "default": "active" },
        "verified": { "type": "boolean", "default": true },
    });
    object(&fields, &[])
}

fn choices() -> Value {
    let plain = json!(["option1", "option2", "option3"]);
    let titled = |noun: &str| {
        let one =
            |value: &str, nth: &str| json!({ "const": value, "title": format!("{nth} {noun}") });
        json!([
            one("value1", "First"),
            one("value2", "Second"),
            one("value3", "Third")
        ])
    };
    let fields = json!({
        "untitledSingle": { "type": "string", "enum": plain },
        "titledSingle": { "type": "string", "oneOf": titled("Option") },
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": { "type": "array", "items": { "type": "string", "enum": plain } },
        "titledMulti": { "type": "array", "items": { "anyOf": titled("Choice") } },
    });
    object(&fields, &[])
}
