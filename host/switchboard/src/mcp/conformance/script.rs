//! What a tool of the suite gives back: what its client is to be told, and then the content, or what is asked of the client.

use std::collections::BTreeMap;
use std::time::Duration;

use rmcp::model::ContentBlock;
use serde::Deserialize;
use serde_json::Value;

/// The output of a tool, read.
#[derive(Debug, Deserialize)]
pub(super) struct Script {
    /// In this order, before the end.
    #[serde(default)]
    pub(super) steps: Vec<Step>,
    /// Whether steps and end may happen in a task, after the request has been answered.
    #[serde(default)]
    pub(super) task: Option<Tasked>,
    /// How the call ends, or goes on.
    #[serde(flatten)]
    pub(super) end: End,
}

/// Whether a call needs a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tasked {
    /// Where the client knows tasks; otherwise it takes as long as it takes.
    Supported,
    /// It cannot go on without.
    Required,
}

/// One thing that happens in the meantime.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// A log message, of level info.
    Log(String),
    /// Nothing, for so many milliseconds.
    PauseMs(u16),
    /// The connection is let go, where the client can come back for the rest.
    HangUp,
    /// A tool comes or goes.
    OtherTools,
    /// A prompt comes or goes.
    OtherPrompts,
}

/// How a call ends.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum End {
    /// With this result.
    Content(Vec<ContentBlock>),
    /// With this as a tool's error.
    Error(Vec<ContentBlock>),
    /// With an error of the protocol.
    Breaks(String),
    /// Not yet: the client is asked first, and the tool is called again with its answers.
    Ask {
        /// By the names under which the answers come back.
        inputs: BTreeMap<String, Value>,
        /// What the tool wants to find again beside them.
        #[serde(default)]
        state: Option<Value>,
    },
}

/// The longest pause of a step.
pub(super) fn pause(milliseconds: u16) -> Duration {
    Duration::from_millis(milliseconds.min(10_000).into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tools::{self, Scene};
    use super::*;

    /// Every tool, before its client has answered anything.
    #[test]
    fn what_a_tool_gives_back_is_a_script() {
        let arguments = json!({ "prompt": "Hello", "message": "Who are you?" });
        for part in tools::all() {
            let Some(output) = part.played(&arguments, &Scene::default()) else {
                continue;
            };
            let read = serde_json::from_value::<Script>(output.clone());
            assert!(read.is_ok(), "{}: {read:?} of {output}", part.name);
        }
    }

    #[test]
    fn every_tool_takes_an_object_and_nothing_else() {
        for part in tools::all() {
            let name = part.name;
            assert!(part.tool().check(&json!([])).is_err(), "{name}");
        }
    }
}
