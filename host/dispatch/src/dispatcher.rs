//! The dispatcher: the only way to a tool. This file holds the order of things; each step is a file of its own.

mod act;
mod consent;
mod counted;
mod describe;
mod escalate;
mod judge;
mod lease;
mod open;
mod read;
mod recover;
mod refuse;
mod release;
mod run;
mod running;
mod write;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use policy::{Actor, Channel, Consent, Decision, Effect, Prior, Priority, Rulebook};
use serde_json::Value;

use crate::{Completions, DispatchError, Outcome, Secrets, Store, Tools, Waiting};
use act::{Act, Admission};
use running::Running;

pub(crate) use describe::describe;
pub(crate) use judge::same_request;
pub use recover::{Recovery, Settling};

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
    /// The order that it is about, if any.
    pub order: Option<String>,
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

impl RetryPolicy {
    /// The pause after the given attempt (from 1), where the backend may have asked for one of its own.
    fn after(&self, attempt: u32, asked_seconds: Option<u32>) -> Duration {
        let own = self
            .pause
            .saturating_mul(1 << attempt.saturating_sub(1).min(16));
        asked_seconds
            .map_or(own, |seconds| Duration::from_secs(seconds.into()))
            .min(self.longest)
    }
}

/// Which rulebook is in force for a tenant.
pub type Rulebooks = Arc<dyn Fn(&str) -> Option<Arc<Rulebook>> + Send + Sync>;

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
    pub rulebooks: Rulebooks,
    /// Retries.
    pub retry: RetryPolicy,
}

type Ends<'a> = Pin<Box<dyn Future<Output = Result<Outcome, DispatchError>> + Send + 'a>>;

/// The only way to a tool. Cheap to clone; every clone is the same dispatcher.
#[derive(Clone)]
pub struct Dispatcher {
    parts: Arc<DispatcherParts>,
    running: Running,
    /// As whom it takes leases: no other process, and no later one, has this name.
    name: Arc<str>,
}

impl Dispatcher {
    /// Puts one together.
    pub fn new(parts: DispatcherParts) -> Self {
        Self {
            parts: Arc::new(parts),
            running: Running::default(),
            name: uuid::Uuid::now_v7().to_string().into(),
        }
    }

    /// The store, for cases and events.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.parts.store
    }

    /// The tools, for lists and schemas.
    pub fn tools(&self) -> &Arc<dyn Tools> {
        &self.parts.tools
    }

    /// The rules in force for a tenant.
    pub fn rulebook(&self, tenant: &str) -> Option<Arc<Rulebook>> {
        (self.parts.rulebooks)(tenant)
    }

    /// Removes secrets from a text of this tenant that leaves the host.
    pub fn scrub(&self, tenant: &str, text: &str) -> String {
        self.parts.secrets.scrub(tenant, text)
    }

    /// Runs one call, from the decision to the audit record.
    pub async fn call(&self, request: CallRequest) -> Result<Outcome, DispatchError> {
        self.call_for(request, Waiting::default()).await
    }

    /// The same for somebody who may go away before it ends, and may want to hear how far it has come.
    pub async fn call_for(
        &self,
        request: CallRequest,
        waiting: Waiting,
    ) -> Result<Outcome, DispatchError> {
        self.run(request, None, waiting).await
    }

    /// Boxed, because an escalation is a call within a call.
    fn run(&self, request: CallRequest, consent: Option<Consent>, waiting: Waiting) -> Ends<'_> {
        Box::pin(async move {
            let act = match self.admit(request, consent).await? {
                Admission::Act(act) => Box::new(Act { waiting, ..*act }),
                Admission::Ended(outcome) => return Ok(outcome),
            };
            let outcome = match self.judge(&act, None).await? {
                Decision::Allow(_) if act.unbound.is_some() => refuse::nobody_known(),
                Decision::Allow(permit) => match act.effect() {
                    Effect::Read if act.is_counted() => self.counted_read(&act, permit).await?,
                    Effect::Read => self.read(&act, permit).await?,
                    Effect::Write | Effect::Escalation => {
                        self.write_to_the_end(Act::clone(&act), permit).await?
                    }
                },
                Decision::Replay => self.replay(&act).await?,
                refused => self.refuse(&act, refused).await?,
            };
            self.record_outcome(&act, &outcome).await?;
            Ok(outcome)
        })
    }

    /// Decides, with the facts of this moment, and records what was decided. `own` names the intent that is being tried
    /// again.
    async fn judge(&self, act: &Act, own: Option<&str>) -> Result<Decision, DispatchError> {
        let mut facts = self.facts(act, own).await?;
        if own.is_some() {
            facts.prior = Prior::Own;
        }
        let decision = act
            .rulebook
            .decide(act.call.clone(), &facts, &act.tool.spec().grants);
        self.record_decision(act, facts, &decision).await?;
        Ok(decision)
    }
}
