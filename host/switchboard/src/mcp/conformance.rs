//! What the official conformance suite of the protocol asks of a server: a tenant of its own, with the tools, resources and
//! prompts that the suite calls by name, which `serve --conformance` offers in the place of the built-in one's.
//!
//! Only what is offered differs. Its tools are tools of a live snapshot as any plugin's are: a call opens a case, is decided by a
//! rulebook, runs through the dispatcher and is in the audit log. What one wants of its client that no plugin could want (an
//! answer, a log message, another tool list) is in its output, a [`script`], and the [`provider`] carries that out with the means
//! that every other provider has.

mod player;
mod prompts;
mod provider;
mod resources;
mod rounds;
mod script;
mod stage;
mod tasks;
mod tools;

use std::collections::BTreeMap;
use std::sync::Arc;

use dispatch::{Dispatcher, DispatcherParts, RetryPolicy, Secrets, Store};
use policy::{Rulebook, RulebookError, RulebookSource, ToolRule};
use serde_json::json;
use tokio::sync::watch;

use super::McpParts;
use super::desk::Desk;
use super::provider::Offer;
use provider::Fixture;
use stage::{NoModel, Stage};

/// The tenant of the suite's tools; no folder configures it, and no other surface knows it.
pub(super) const TENANT: &str = "conformance";

/// Whoever reaches it may call everything in it: it holds nothing of anybody.
const RULES: &str = r#"@id("conformance.open") permit (principal, action, resource);"#;

/// What the suite is offered, as long as the program runs.
pub(crate) struct Suite {
    dispatcher: Dispatcher,
    stage: Arc<Stage>,
    /// Whether the prompt that comes and goes is there.
    extra_prompt: watch::Sender<bool>,
}

impl Suite {
    /// Over the host's own store: its cases and audit entries are among all others.
    pub(crate) fn over(
        store: Arc<dyn Store>,
        secrets: Arc<dyn Secrets>,
    ) -> Result<Arc<Self>, RulebookError> {
        let rulebook = Arc::new(rulebook()?);
        let stage = Arc::new(Stage::new());
        let dispatcher = Dispatcher::new(DispatcherParts {
            tools: Arc::clone(&stage) as Arc<dyn dispatch::Tools>,
            store,
            secrets,
            completions: Arc::new(NoModel),
            rulebooks: Arc::new(move |tenant| (tenant == TENANT).then(|| Arc::clone(&rulebook))),
            retry: RetryPolicy::default(),
        });
        Ok(Arc::new(Self {
            dispatcher,
            stage,
            extra_prompt: watch::Sender::new(false),
        }))
    }

    /// As it is offered to whoever would have been offered `parts`.
    pub(super) fn offered(self: Arc<Self>, parts: McpParts) -> Offer {
        let parts = McpParts {
            dispatcher: self.dispatcher.clone(),
            tenant: TENANT.to_owned(),
            news: self.stage.news(),
            ..parts
        };
        Offer {
            principal: parts.principal.clone(),
            strangers: parts.strangers,
            tasks: parts.tasks.clone(),
            provider: Arc::new(Fixture::new(self, Desk::new(parts))),
        }
    }
}

/// All of them are reads: nothing of anybody changes, and the same call may be made again.
fn rulebook() -> Result<Rulebook, RulebookError> {
    let read: ToolRule = serde_json::from_value(json!({ "effect": "read" }))
        .map_err(|error| RulebookError::Invalid(error.to_string()))?;
    let tools: BTreeMap<String, ToolRule> = tools::all()
        .map(|part| (part.name.to_owned(), read.clone()))
        .collect();
    Rulebook::load(RulebookSource {
        policies: vec![("conformance.cedar".to_owned(), RULES.to_owned())],
        tools,
        ..RulebookSource::default()
    })
}
