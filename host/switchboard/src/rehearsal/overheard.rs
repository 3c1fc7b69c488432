//! What a plugin says of its failures in its own words: nobody but its author may read them, and here its author does.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use dispatch::{Gate, InvokeError, Snapshot, Tool, ToolSpec, Tools, Violation};
use policy::Permit;
use sandbox::Toolbox;
use serde_json::{Map, Value};

/// The live tools, each with somebody who listens.
pub(super) struct Overheard {
    tools: Arc<Toolbox>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Overheard {
    pub(super) fn over(tools: Arc<Toolbox>) -> Self {
        Self {
            tools,
            heard: Arc::default(),
        }
    }

    pub(super) fn heard(&self) -> Vec<String> {
        self.heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Tools for Overheard {
    fn snapshot(&self, tenant: &str) -> Option<Arc<Snapshot>> {
        let live = self.tools.snapshot(tenant)?;
        let listened = |tool: &Arc<dyn Tool>| {
            Arc::new(Listened {
                tool: Arc::clone(tool),
                heard: Arc::clone(&self.heard),
            }) as Arc<dyn Tool>
        };
        let tools = live.tools.iter();
        Some(Arc::new(Snapshot {
            generation: live.generation,
            tools: tools
                .map(|(name, tool)| (name.clone(), listened(tool)))
                .collect(),
        }))
    }
}

struct Listened {
    tool: Arc<dyn Tool>,
    heard: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Tool for Listened {
    fn spec(&self) -> &ToolSpec {
        self.tool.spec()
    }

    fn check(&self, arguments: &Value) -> Result<Map<String, Value>, Vec<Violation>> {
        self.tool.check(arguments)
    }

    fn is_stopped(&self) -> bool {
        self.tool.is_stopped()
    }

    async fn invoke(&self, permit: Permit, gate: Arc<dyn Gate>) -> Result<Value, InvokeError> {
        let answer = self.tool.invoke(permit, gate).await;
        if let Err(error) = &answer {
            let said = match error {
                InvokeError::Tool(error) => error.to_string(),
                InvokeError::Refused(refusal) => {
                    format!("refused on its way out: {}", refusal.code)
                }
                other => other.to_string(),
            };
            self.heard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(said);
        }
        answer
    }
}
