//! Tools whose client hears something before the result: progress, log messages, other lists, or nothing for a while.

use serde_json::{Value, json};

use super::{Part, Scene, says};

pub(super) fn parts() -> Vec<Part> {
    vec![
        Part::new("test_tool_with_logging", "Logs three messages.", logging),
        Part::new("test_logging_tool", "Logs three messages.", logging),
        Part::new(
            "test_tool_with_progress",
            "Reports its progress.",
            |_, _| says("Tool with progress executed successfully"),
        )
        .reporting(&[0, 50, 100]),
        Part::new(
            "test_reconnection",
            "Lets go of its client, who must come back for the result.",
            |_, _| {
                let steps = json!(["hang_up", { "pause_ms": 100 }]);
                then(&steps, "Reconnection test completed")
            },
        ),
        Part::new(
            "test_trigger_tool_change",
            "Another tool comes, or goes.",
            |_, _| then(&json!(["other_tools"]), "The tool list has changed"),
        ),
        Part::new(
            "test_trigger_prompt_change",
            "Another prompt comes, or goes.",
            |_, _| then(&json!(["other_prompts"]), "The prompt list has changed"),
        ),
    ]
}

fn logging(_: &Value, _: &Scene) -> Value {
    let steps = json!([
        { "log": "Tool execution started" },
        { "pause_ms": 50 },
        { "log": "Tool processing data" },
        { "pause_ms": 50 },
        { "log": "Tool execution completed" },
    ]);
    then(&steps, "Tool with logging executed successfully")
}

fn then(steps: &Value, text: &str) -> Value {
    let mut output = says(text);
    output["steps"] = steps.clone();
    output
}
