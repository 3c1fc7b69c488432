//! Tools whose calls go on as a task where their client knows tasks.

use serde_json::{Value, json};

use super::questions::{ask, elicitation, field, text_form};
use super::{Part, Scene, object, says, text_block};

pub(super) fn parts() -> Vec<Part> {
    vec![
        Part::new("greet", "Greets, at once.", |given, _| {
            says(format!(
                "Hello, {}!",
                given["name"].as_str().unwrap_or("you")
            ))
        })
        .taking(object(&json!({ "name": { "type": "string" } }), &["name"])),
        Part::new("slow_compute", "Takes its time.", slow).taking(object(
            &json!({ "seconds": { "type": "integer" }, "label": { "type": "string" } }),
            &[],
        )),
        Part::new("failing_job", "Fails after a second, as a task.", |_, _| {
            let error = [text_block("This job always fails")];
            json!({ "task": "required", "steps": [{ "pause_ms": 1_000 }], "error": error })
        }),
        Part::new(
            "protocol_error_job",
            "Breaks, as a task.",
            |_, _| json!({ "task": "supported", "breaks": "This job always breaks" }),
        ),
        Part::new(
            "confirm_delete",
            "Asks before it is done.",
            |given, scene| {
                let file = given["filename"].as_str().unwrap_or("it");
                as_task(confirm(scene, &format!("Delete {file}?")))
            },
        )
        .taking(object(&json!({ "filename": { "type": "string" } }), &[])),
        Part::new("multi_input", "Asks two things at once.", |_, scene| {
            as_task(two_at_once(scene))
        }),
        Part::new(
            "test_tool_with_task",
            "Asks for a name first, and goes on as a task.",
            |_, scene| match field(scene, "user_name", "name") {
                Some(name) => {
                    let mut output = says(format!("Hello, {name}!"));
                    output["task"] = "required".into();
                    output
                }
                None => ask(&json!({ "user_name": text_form("What is your name?", "name") })),
            },
        ),
    ]
}

fn slow(given: &Value, _: &Scene) -> Value {
    let seconds = given["seconds"].as_u64().unwrap_or(0).min(10);
    let label = given["label"].as_str().unwrap_or("it");
    let mut output = as_task(says(format!("Computed {label} in {seconds} s")));
    output["steps"] = json!([{ "pause_ms": seconds * 1_000 }]);
    output
}

fn confirm(scene: &Scene, question: &str) -> Value {
    let schema = object(&json!({ "confirm": { "type": "boolean" } }), &["confirm"]);
    match field(scene, "confirm", "confirm") {
        Some(said) => says(format!("{question} {said}")),
        None => ask(&json!({ "confirm": elicitation(&json!(question), &schema) })),
    }
}

fn two_at_once(scene: &Scene) -> Value {
    let answers = (
        field(scene, "first", "name"),
        field(scene, "second", "name"),
    );
    if let (Some(first), Some(second)) = answers {
        return says(format!("{first} and {second}"));
    }
    ask(&json!({
        "first": text_form("Who comes first?", "name"),
        "second": text_form("Who comes second?", "name"),
    }))
}

fn as_task(mut output: Value) -> Value {
    output["task"] = "supported".into();
    output
}
