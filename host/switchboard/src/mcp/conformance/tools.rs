//! The tools that the suite calls by name, as dispatch knows tools.

mod asking;
mod plain;
mod questions;
mod rounds;
mod schemas;
mod tasks;
mod telling;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use dispatch::{Gate, InvokeError, Progress, Tool, ToolError, ToolSpec, Violation};
use policy::Permit;
use serde_json::{Map, Value, json};

pub(super) use plain::{ANSWER_AT_ONCE, PNG};
pub(super) use questions::{field, text_form};
use schemas::object;

/// The tool that comes and goes.
pub(super) const EXTRA: &str = "test_dynamic_tool";

/// The argument in which the provider tells a tool of its client; in no schema, and never what a client itself sends.
pub(super) const SCENE: &str = "switchboard/scene";

/// What lies between two reports of progress.
const BETWEEN_REPORTS: Duration = Duration::from_millis(50);

/// One tool.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) name: &'static str,
    description: &'static str,
    input: Value,
    play: Play,
    /// How far it says that it has come, one after the other, out of a hundred.
    reports: &'static [u64],
}

/// What a tool does.
#[derive(Clone)]
enum Play {
    /// Its arguments, and what is known of its client, give its output.
    Says(fn(&Value, &Scene) -> Value),
    /// It fails with these words.
    Fails(&'static str),
}

/// What a tool knows of its client.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Scene {
    /// What it has answered to what was asked, by name.
    pub(super) answers: BTreeMap<String, Value>,
    /// What the tool wanted to find again, if this server has sealed it.
    pub(super) state: Option<Value>,
    /// What the client says that it can do, by the protocol's names.
    pub(super) can: Value,
}

impl Part {
    fn new(
        name: &'static str,
        description: &'static str,
        says: fn(&Value, &Scene) -> Value,
    ) -> Self {
        Self {
            name,
            description,
            input: object(&json!({}), &[]),
            play: Play::Says(says),
            reports: &[],
        }
    }

    fn failing(name: &'static str, description: &'static str, message: &'static str) -> Self {
        Self {
            play: Play::Fails(message),
            ..Self::new(name, description, |_, _| Value::Null)
        }
    }

    fn taking(mut self, input: Value) -> Self {
        self.input = input;
        self
    }

    fn reporting(mut self, reports: &'static [u64]) -> Self {
        self.reports = reports;
        self
    }

    /// What it gives back, unless it fails.
    #[cfg(test)]
    pub(super) fn played(&self, arguments: &Value, scene: &Scene) -> Option<Value> {
        match self.play {
            Play::Says(says) => Some(says(arguments, scene)),
            Play::Fails(_) => None,
        }
    }

    /// As it stands in a snapshot.
    pub(super) fn tool(self) -> Arc<dyn Tool> {
        let spec = ToolSpec {
            name: self.name.to_owned(),
            title: self.name.to_owned(),
            description: self.description.to_owned(),
            input_schema: Arc::new(self.input),
            output_schema: Arc::new(json!({ "type": "object" })),
            bound: BTreeMap::new(),
            interface: format!("conformance:{}", self.name),
            plugin: "conformance".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            digest: DIGEST.clone(),
            grants: Arc::new([]),
        };
        Arc::new(Played {
            spec,
            play: self.play,
            reports: self.reports,
        })
    }
}

/// They are part of this program, and have no component that could be digested.
static DIGEST: LazyLock<String> = LazyLock::new(|| "0".repeat(64));

/// All of them, with the one that comes and goes.
pub(super) fn all() -> impl Iterator<Item = Part> {
    let extra = Part::new(EXTRA, "Comes and goes.", |_, _| says("I am here for now."));
    plain::parts()
        .into_iter()
        .chain(telling::parts())
        .chain(asking::parts())
        .chain(rounds::parts())
        .chain(tasks::parts())
        .chain([extra])
}

struct Played {
    spec: ToolSpec,
    play: Play,
    reports: &'static [u64],
}

#[async_trait]
impl Tool for Played {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn check(&self, arguments: &Value) -> Result<Map<String, Value>, Vec<Violation>> {
        schemas::check(&self.spec.input_schema, arguments)
    }

    async fn invoke(&self, permit: Permit, gate: Arc<dyn Gate>) -> Result<Value, InvokeError> {
        let mut arguments = permit.call().arguments.clone();
        let scene = arguments.remove(SCENE).map(serde_json::from_value);
        let scene = scene.transpose();
        let scene = scene.map_err(|error| InvokeError::Trapped(error.to_string()))?;
        for &done in self.reports {
            let total = Some(100);
            gate.progress(Progress { done, total });
            tokio::time::sleep(BETWEEN_REPORTS).await;
        }
        match self.play {
            Play::Says(says) => Ok(says(&arguments.into(), &scene.unwrap_or_default())),
            Play::Fails(message) => Err(InvokeError::Tool(ToolError::NotEligible {
                message: message.to_owned(),
            })),
        }
    }
}

/// An output of one text.
fn says(text: impl Into<String>) -> Value {
    json!({ "content": [text_block(text)] })
}

fn text_block(text: impl Into<String>) -> Value {
    json!({ "type": "text", "text": text.into() })
}
