//! The dispatcher: the only way to a tool.

use std::sync::Arc;
use std::time::Duration;

use policy::{Actor, Channel, Priority, Rulebook};
use serde_json::Value;

use crate::{Completions, DispatchError, EscalationRef, Outcome, Secrets, Store, Tools};

/// One call, as a caller asks for it.
#[derive(Clone, Debug)]
pub struct CallRequest {
    /// Whose tools.
    pub tenant: String,
    /// In which case.
    pub case: String,
    /// Who calls.
    pub actor: Actor,
    /// Where the current turn came in.
    pub channel: Channel,
    /// The tool's name.
    pub tool: String,
    /// The arguments, unchecked.
    pub arguments: Value,
}

/// Why people should be called, from the host itself (a trigger, a failed tool).
#[derive(Clone, Debug)]
pub struct EscalationRequest {
    /// Whose.
    pub tenant: String,
    /// In which case.
    pub case: String,
    /// How urgent.
    pub priority: Priority,
    /// `billing`, `legal`, `security`, `general`, …
    pub team: String,
    /// Why, in few words: one escalation per case and reason.
    pub reason: String,
    /// The hand-off: verified identity, what was tried, the open question.
    pub summary: String,
}

/// How often something retryable is tried again, and after which pause.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Tries after the first.
    pub retries: u32,
    /// First pause; doubled each time. A backend's retry-after wins, up to `longest`.
    pub pause: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 2,
            pause: Duration::from_millis(200),
            longest: Duration::from_secs(2),
        }
    }
}

/// Unix seconds; a test may bring its own.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What a dispatcher is made of.
pub struct DispatcherParts {
    /// The tools.
    pub tools: Arc<dyn Tools>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The credentials.
    pub secrets: Arc<dyn Secrets>,
    /// The model that plugins may ask.
    pub completions: Arc<dyn Completions>,
    /// The rules, per tenant.
    pub rulebooks: Arc<dyn Fn(&str) -> Option<Arc<Rulebook>> + Send + Sync>,
    /// Retries.
    pub retry: RetryPolicy,
}

/// The only way to a tool.
pub struct Dispatcher {
    parts: DispatcherParts,
}

impl Dispatcher {
    /// Puts one together.
    pub fn new(parts: DispatcherParts) -> Self {
        Self { parts }
    }

    /// The store, for cases and events.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.parts.store
    }

    /// The tools, for lists and schemas.
    pub fn tools(&self) -> &Arc<dyn Tools> {
        &self.parts.tools
    }

    /// Runs one call, from the decision to the audit record.
    pub async fn call(&self, request: CallRequest) -> Result<Outcome, DispatchError> {
        Err(DispatchError::UnknownTenant(request.tenant))
    }

    /// Answers a pending consent; a yes resumes that call alone.
    pub async fn answer_consent(
        &self,
        tenant: &str,
        consent: &str,
        granted: bool,
        by: &Actor,
    ) -> Result<Option<Outcome>, DispatchError> {
        let _ = (tenant, granted, by);
        Err(DispatchError::NotPending(consent.to_owned()))
    }

    /// Calls people, through the tenant's `escalate_to_human` tool.
    pub async fn escalate(
        &self,
        request: EscalationRequest,
    ) -> Result<Option<EscalationRef>, DispatchError> {
        Err(DispatchError::UnknownTenant(request.tenant))
    }
}

/// What a model may be told of an outcome.
pub(crate) fn describe(outcome: &Outcome) -> Value {
    serde_json::json!({ "outcome": outcome.word() })
}
