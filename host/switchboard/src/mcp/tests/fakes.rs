//! The ports behind a story: one tenant's snapshot, tools that remember who ran them, no secrets and no model.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use dispatch::{
    CompletionError, CompletionRequest, Completions, Gate, InvokeError, Secrets, Snapshot, Tool,
    ToolSpec, Tools, Violation,
};
use http::{HeaderName, HeaderValue};
use policy::Permit;
use serde_json::{Map, Value, json};

/// Which tool ran in which case, in order.
pub(super) type Seen = Arc<Mutex<Vec<(String, String)>>>;

pub(super) struct OneTenant(pub(super) Arc<Snapshot>);

impl Tools for OneTenant {
    fn snapshot(&self, tenant: &str) -> Option<Arc<Snapshot>> {
        (tenant == "demo").then(|| Arc::clone(&self.0))
    }
}

struct Fake {
    spec: ToolSpec,
    seen: Seen,
}

/// A tool that takes a text and gives it back.
pub(super) fn fake(name: &str, seen: &Seen) -> Arc<dyn Tool> {
    let text = json!({ "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"] });
    let spec = ToolSpec {
        name: name.to_owned(),
        title: format!("Title of {name}"),
        description: format!("What {name} does."),
        input_schema: text.clone().into(),
        output_schema: text.into(),
        bound: BTreeMap::new(),
        interface: "test:desk/desk@1.0.0".to_owned(),
        plugin: "desk".to_owned(),
        version: "1".to_owned(),
        digest: "0".repeat(64),
        grants: Arc::new([]),
    };
    Arc::new(Fake {
        spec,
        seen: Arc::clone(seen),
    })
}

#[async_trait]
impl Tool for Fake {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn check(&self, arguments: &Value) -> Result<Map<String, Value>, Vec<Violation>> {
        let field = "/text".to_owned();
        let message = "expected a string".to_owned();
        let fits = arguments["text"].is_string();
        let arguments = arguments.as_object().filter(|_| fits).cloned();
        arguments.ok_or_else(|| vec![Violation { field, message }])
    }

    async fn invoke(&self, permit: Permit, _: Arc<dyn Gate>) -> Result<Value, InvokeError> {
        let call = permit.call();
        self.seen
            .lock()
            .unwrap()
            .push((call.tool.clone(), call.case.clone()));
        Ok(json!({ "text": call.arguments["text"] }))
    }
}

/// No secrets and no model.
pub(super) struct Nothing;

impl Secrets for Nothing {
    fn headers(&self, _: &str, _: &str) -> Option<Vec<(HeaderName, HeaderValue)>> {
        None
    }

    fn scrub(&self, _: &str, text: &str) -> String {
        text.to_owned()
    }
}

#[async_trait]
impl Completions for Nothing {
    async fn complete(&self, _: &str, _: CompletionRequest) -> Result<String, CompletionError> {
        Err(CompletionError::Unavailable(
            "there is no model in a story".to_owned(),
        ))
    }
}
