//! What a turn must know of a tenant: its name, its prompts, how its tools are judged, and what no reply may say.

use std::collections::BTreeMap;
use std::sync::Arc;

use dispatch::policy::{Effect, ToolRule};

use crate::{Model, Prompts, TurnLimits};

/// One tenant, as the agent speaks for it. Immutable: a change replaces it, and turns under way keep what they have.
#[derive(Clone)]
pub struct Tenant {
    /// The company's name, as customers know it.
    pub company: String,
    /// Its prompts.
    pub prompts: Arc<Prompts>,
    /// How its tools are judged, by name. Tenants with the same tools share it.
    pub rules: Arc<BTreeMap<String, ToolRule>>,
    /// What no reply may say unless a tool has released it: limits and other figures of the settings.
    pub forbidden: Vec<String>,
    /// How far a turn may go.
    pub limits: TurnLimits,
    /// Its own model; none where the host's answers.
    pub model: Option<Arc<dyn Model>>,
}

impl Tenant {
    /// Whoever answers for it, where the host has this model.
    pub fn model<'a>(&'a self, hosts: &'a Arc<dyn Model>) -> &'a Arc<dyn Model> {
        self.model.as_ref().unwrap_or(hosts)
    }

    /// What a reply may claim once this tool has settled: `refund`, `cancel`, …
    pub(crate) fn claim(&self, tool: &str) -> Option<&str> {
        self.rules.get(tool)?.effect_claim.as_deref()
    }

    /// The tool gives what the company has written for everybody: a read that concerns no customer and no order.
    pub(crate) fn publishes(&self, tool: &str) -> bool {
        self.rules.get(tool).is_some_and(|rule| {
            rule.effect == Effect::Read
                && rule.entity.is_none()
                && rule.owner.is_empty()
                && rule.private.is_empty()
        })
    }

    /// The tool changes something at a backend; unknown ones are taken to.
    pub(crate) fn writes(&self, tool: &str) -> bool {
        self.rules
            .get(tool)
            .is_none_or(|rule| rule.effect != Effect::Read)
    }
}

/// Where tenants come from: by id, none if there is no such tenant. Asked once per turn.
pub type Tenants = Arc<dyn Fn(&str) -> Option<Arc<Tenant>> + Send + Sync>;
