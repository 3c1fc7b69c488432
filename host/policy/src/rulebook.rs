//! A loaded rulebook: Cedar policies, validated against the schema, sliced by tool.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    Budget, Call, CapabilityDecision, Decision, Facts, HttpGrant, HttpRequest, Refusal, Scope,
    ToolRule,
};
use std::sync::Arc;

/// The figures that rules refer to as `context.settings`; the tenant's configuration sets them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The tenant's currency, in which limits are stated.
    pub currency: String,
    /// The largest refund without a colleague's approval, minor units.
    pub refund_limit: i64,
    /// Days after delivery within which an order may be refunded.
    pub return_window_days: u32,
    /// The largest goodwill credit without approval, minor units.
    pub credit_limit: i64,
    /// How old a lookup may be to support a write, seconds.
    pub lookup_max_age_seconds: u32,
    /// The suggestion confidence from which a ticket may be resolved without a person, per mille.
    pub resolve_confidence: u32,
    /// Budgets by name.
    pub budgets: BTreeMap<String, Budget>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            currency: "USD".to_owned(),
            refund_limit: 15_000,
            return_window_days: 30,
            credit_limit: 2_000,
            lookup_max_age_seconds: 3_600,
            resolve_confidence: 850,
            budgets: BTreeMap::new(),
        }
    }
}

/// What a rulebook is made of.
#[derive(Clone, Debug, Default)]
pub struct RulebookSource {
    /// Policy texts: (file name for messages, text). The shipped ones are [`Rulebook::SHIPPED`].
    pub policies: Vec<(String, String)>,
    /// How each tool is judged, by tool name. Tools that are not here are denied.
    pub tools: BTreeMap<String, ToolRule>,
    /// Figures.
    pub settings: Settings,
}

/// Why a rulebook was refused; the last good one stays in force.
#[derive(Debug, Error)]
pub enum RulebookError {
    /// The text does not parse.
    #[error("{file}: {message}")]
    Parse {
        /// Which file.
        file: String,
        /// What, with the position.
        message: String,
    },
    /// The rules do not fit the schema: a typo in an attribute or an action.
    #[error("{0}")]
    Invalid(String),
}

/// A validated rulebook. Cheap to share, immutable; a change loads another one.
pub struct Rulebook {
    version: String,
    tools: BTreeMap<String, ToolRule>,
    settings: Settings,
}

impl Rulebook {
    /// Parses and validates.
    pub fn load(source: RulebookSource) -> Result<Self, RulebookError> {
        let _ = source.policies;
        Ok(Self {
            version: String::new(),
            tools: source.tools,
            settings: source.settings,
        })
    }

    /// The digest of everything that decisions depend on: texts, classification, settings. Hex sha256.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How a tool is judged; none means that it is denied.
    pub fn tool(&self, name: &str) -> Option<&ToolRule> {
        self.tools.get(name)
    }

    /// The figures in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Decides one call. Total: whatever goes wrong inside is a refusal.
    pub fn decide(&self, call: Call, facts: &Facts, grants: &Arc<[HttpGrant]>) -> Decision {
        let _ = (call, facts, grants);
        Decision::Deny(Refusal {
            code: "NO_RULES".into(),
            say: String::new(),
            hint: None,
            rules: vec![],
        })
    }

    /// Decides one outbound request of a running plugin, inside the scope of its permit.
    pub fn decide_http(&self, scope: &Scope, request: &HttpRequest) -> CapabilityDecision {
        let _ = (scope, request);
        CapabilityDecision::Deny(Refusal {
            code: "NO_RULES".into(),
            say: String::new(),
            hint: None,
            rules: vec![],
        })
    }
}
