//! A loaded rulebook: Cedar policies, validated against the schema, sliced by tool.

mod check;
mod context;
mod engine;
mod explain;
mod expression;
mod http;
mod judgement;
mod plain;
mod reach;
mod rule;
mod ruleset;
mod schema;
mod slice;
mod verdict;
mod vocabulary;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use cedar_policy_core::ast::Value;
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use self::check::{Finding, check};
use self::context::Subject;
pub use self::explain::{Explanation, RuleVoice, Side};
use self::judgement::Judgement;
pub use self::plain::Condition;
use self::ruleset::Ruleset;
use self::slice::Slice;
use self::vocabulary::Vocabulary;
pub use self::vocabulary::attribute_misfit;
use crate::{
    Call, CapabilityDecision, Decision, Effect, Facts, HttpGrant, HttpRequest, Permit, Prior,
    Scope, Settings, ToolRule,
};

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

impl RulebookSource {
    /// The shipped rules over these tools, with these figures.
    pub fn shipped(tools: BTreeMap<String, ToolRule>, settings: Settings) -> Self {
        let own = |(file, text): &(&str, &str)| ((*file).to_owned(), (*text).to_owned());
        Self {
            policies: Rulebook::SHIPPED.iter().map(own).collect(),
            tools,
            settings,
        }
    }

    /// The Cedar schema that the rules must fit, completed from the tools, as text: for programs that reason about rules.
    pub fn schema(&self) -> Result<String, RulebookError> {
        schema::text(&self.tools, &Vocabulary::of(&self.tools), &self.settings)
    }
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
    ruleset: Ruleset,
    tools: BTreeMap<String, (ToolRule, Slice)>,
    http: Slice,
    words: Vocabulary,
    settings: Settings,
    figures: Value,
}

impl Rulebook {
    /// The shipped rules: (file name, text).
    pub const SHIPPED: &[(&str, &str)] = &[
        ("identity.cedar", include_str!("rules/identity.cedar")),
        ("orders.cedar", include_str!("rules/orders.cedar")),
        ("refunds.cedar", include_str!("rules/refunds.cedar")),
        ("customers.cedar", include_str!("rules/customers.cedar")),
        ("tickets.cedar", include_str!("rules/tickets.cedar")),
        (
            "conversations.cedar",
            include_str!("rules/conversations.cedar"),
        ),
        ("open.cedar", include_str!("rules/open.cedar")),
        ("capability.cedar", include_str!("rules/capability.cedar")),
    ];

    /// Parses and validates.
    pub fn load(source: RulebookSource) -> Result<Self, RulebookError> {
        let RulebookSource {
            policies,
            tools,
            settings,
        } = source;
        check_budgets(&tools, &settings)?;
        check_lookups(&tools)?;
        let words = Vocabulary::of(&tools);
        let schema = schema::text(&tools, &words, &settings)?;
        let version = digest(&policies, &schema, &tools, &settings)?;
        let ruleset = Ruleset::load(&policies, &schema)?;
        let mut sliced = BTreeMap::new();
        for (name, rule) in tools {
            let slice = ruleset.slice(&name, Some(schema::group(rule.effect)))?;
            sliced.insert(name, (rule, slice));
        }
        let figures = context::figures(&settings)
            .map_err(|_| RulebookError::Invalid("the settings cannot be told to rules".into()))?;
        Ok(Self {
            http: ruleset.slice(http::ACTION, None)?,
            tools: sliced,
            version,
            ruleset,
            words,
            settings,
            figures,
        })
    }

    /// The digest of everything that decisions depend on: texts, classification, settings. Hex sha256.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How a tool is judged; none means that it is denied.
    pub fn tool(&self, name: &str) -> Option<&ToolRule> {
        self.tools.get(name).map(|(rule, _)| rule)
    }

    /// The figures in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Decides one call. Total: whatever goes wrong inside is a refusal.
    pub fn decide(&self, call: Call, facts: &Facts, grants: &Arc<[HttpGrant]>) -> Decision {
        let Some((rule, slice)) = self.tools.get(&call.tool) else {
            return Decision::Deny(verdict::unclassified());
        };
        if let Some(refused) = verdict::refuse(self.judge(rule, slice, &call, facts)) {
            return refused;
        }
        if facts.prior == Prior::Same {
            return Decision::Replay;
        }
        let scope = Scope {
            effect: rule.effect,
            grants: Arc::clone(grants),
            max_http_calls: self.settings.max_http_calls,
        };
        Decision::Allow(Permit::new(call, scope))
    }

    /// Decides one outbound request of the plugin that runs `call`, inside the scope of its permit.
    pub fn decide_http(
        &self,
        call: &Call,
        scope: &Scope,
        request: &HttpRequest<'_>,
    ) -> CapabilityDecision {
        http::decide(&self.ruleset, &self.http, (call, scope), request)
    }

    fn judge<'a>(
        &'a self,
        rule: &ToolRule,
        slice: &'a Slice,
        call: &Call,
        facts: &Facts,
    ) -> Judgement<'a> {
        let subject = self.subject(rule, call, facts);
        let asker = (call.actor.subject.as_str(), call.case.as_str());
        self.ruleset.judge(slice, asker, |attributes| {
            context::tool_call(&subject, attributes)
        })
    }

    fn subject<'a>(&'a self, rule: &'a ToolRule, call: &'a Call, facts: &'a Facts) -> Subject<'a> {
        Subject {
            words: &self.words,
            settings: &self.settings,
            figures: &self.figures,
            rule,
            call,
            facts,
        }
    }
}

impl fmt::Debug for Rulebook {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Rulebook")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// A budget that is drawn on but not defined would bound nothing.
fn check_budgets(
    tools: &BTreeMap<String, ToolRule>,
    settings: &Settings,
) -> Result<(), RulebookError> {
    for (tool, rule) in tools {
        for name in rule.budgets.iter().chain(&rule.rates).chain(&rule.guesses) {
            if !settings.budgets.contains_key(name) {
                return Err(RulebookError::Invalid(format!(
                    "the tool {tool} draws on the budget {name}, which the settings do not define: add it to `budgets`"
                )));
            }
        }
    }
    Ok(())
}

/// Asking must change nothing, and only what changes something needs asking after.
fn check_lookups(tools: &BTreeMap<String, ToolRule>) -> Result<(), RulebookError> {
    for (tool, rule) in tools {
        let Some(lookup) = &rule.lookup else { continue };
        let asked = tools.get(&lookup.tool);
        if rule.effect == Effect::Read || asked.is_some_and(|asked| asked.effect != Effect::Read) {
            return Err(RulebookError::Invalid(format!(
                "the lookup of the tool {tool} asks {}: a lookup belongs to a write, and asks a read",
                lookup.tool
            )));
        }
    }
    Ok(())
}

/// Every part with its length before it, so that no two rulebooks share a digest by moving text between parts.
fn digest(
    policies: &[(String, String)],
    schema: &str,
    tools: &BTreeMap<String, ToolRule>,
    settings: &Settings,
) -> Result<String, RulebookError> {
    let invalid = |error: serde_json::Error| RulebookError::Invalid(error.to_string());
    let mut parts = vec![
        schema.to_owned(),
        serde_json::to_string(tools).map_err(invalid)?,
        serde_json::to_string(settings).map_err(invalid)?,
    ];
    for (file, text) in policies {
        parts.extend([file.clone(), text.clone()]);
    }
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(format!("{}:{part}", part.len()));
    }
    Ok(hex::encode(hasher.finalize()))
}
