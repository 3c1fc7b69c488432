//! Open intents that nobody runs: what the backend's nature allows to be done about each of them.

use std::collections::BTreeSet;

use policy::{Actor, Channel, Decision, Effect, Lookup, Nature, Role, Sought, Trace};
use serde_json::Value;

use super::act::Act;
use super::run::Attempt;
use super::running::Turnstile;
use super::{CallRequest, Dispatcher};
use crate::{
    DispatchError, Held, Intent, IntentFilter, IntentState, Lease, Outcome, Settlement, ToolError,
    Waiting,
};

/// As whom the host acts when nobody asked it to.
pub(super) const RECOVERY: &str = "host:recovery";
/// How far back intents may have claimed an entry that could be this one's effect.
const CLAIMS_SECONDS: i64 = 3_600;
/// So many of them are looked through.
const CLAIMS: u32 = 10_000;

/// What can be done about an open intent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Run it: nothing was sent, or the backend knows its requests again.
    Run,
    /// Ask the backend what became of it.
    Ask,
    /// The backend may still be at work: ask later.
    Wait,
    /// Nobody but a person can say.
    Park,
}

impl Dispatcher {
    /// What may be done without taking the intent: nothing, or telling people.
    pub(super) async fn left_alone(
        &self,
        act: &Act,
        intent: &Intent,
    ) -> Result<Option<Outcome>, DispatchError> {
        if intent.state != IntentState::Unknown {
            return Ok(None);
        }
        let now = self.parts.store.now().await?;
        match next_step(act, intent, now) {
            Step::Run | Step::Ask => Ok(None),
            Step::Wait => Ok(Some(Outcome::Unknown {
                intent: intent.id.clone(),
                escalation: None,
            })),
            Step::Park => self.parked(act, &intent.id).await.map(Some),
        }
    }

    /// Takes up an intent that nobody is running: after a crash, or when its outcome stayed unknown. What was reserved and
    /// never sent may run; what was sent may be sent again only to a backend that deduplicates.
    pub(super) async fn see_through(
        &self,
        act: &Act,
        held: Held,
        turnstile: Turnstile,
    ) -> Result<Outcome, DispatchError> {
        let Held { lease, intent } = held;
        let act = self.as_begun(act, &intent);
        match next_step(&act, &intent, self.parts.store.now().await?) {
            Step::Run => self.run_again(&act, lease, &intent, turnstile).await,
            Step::Ask => self.ask_backend(&act, &lease, &intent).await,
            Step::Wait | Step::Park => self.unknown(&act, &lease).await,
        }
    }

    /// The saved arguments, not the caller's (free text may differ), and the version that began it, where it is still at hand: a
    /// resend must be the same bytes.
    fn as_begun(&self, act: &Act, intent: &Intent) -> Act {
        let mut act = act.clone();
        act.call.arguments.clone_from(&intent.arguments);
        let tools = &self.parts.tools;
        if let Some(tool) = tools.version(&intent.tenant, &intent.tool, &intent.plugin_digest) {
            act.call.plugin_digest.clone_from(&intent.plugin_digest);
            act.tool = tool;
        }
        act
    }

    async fn run_again(
        &self,
        act: &Act,
        lease: Lease,
        intent: &Intent,
        turnstile: Turnstile,
    ) -> Result<Outcome, DispatchError> {
        let sent_before = intent.state != IntentState::Reserved;
        match self.judge(act, Some(&intent.id)).await? {
            Decision::Allow(permit) => {
                let attempt = Attempt {
                    lease,
                    permit,
                    sent_before,
                };
                self.run_intent(act, attempt, turnstile).await
            }
            refused => self.stop(act, &lease, refused, sent_before).await,
        }
    }

    /// The backend has had its time: what it shows now settles the intent, one way or the other. Nothing is sent again.
    async fn ask_backend(
        &self,
        act: &Act,
        lease: &Lease,
        intent: &Intent,
    ) -> Result<Outcome, DispatchError> {
        let Some(trace) = self.holding(lease, self.trace(act, intent)).await else {
            return self.overtaken(act, lease, "nothing").await;
        };
        match trace? {
            Some(Trace::Found(output)) => self.done(act, lease, output).await,
            Some(Trace::Absent) => self.did_not_happen(act, lease).await,
            Some(Trace::Unclear) => {
                self.settle(act, lease, Settlement::Unknown).await?;
                self.parked(act, &intent.id).await
            }
            None => self.unknown(act, lease).await,
        }
    }

    async fn did_not_happen(&self, act: &Act, lease: &Lease) -> Result<Outcome, DispatchError> {
        let error = ToolError::Unavailable {
            message: "the backend did not answer in time, and has nothing of it".to_owned(),
            retry_after_seconds: None,
        };
        if !self
            .settle(act, lease, Settlement::Failed(error.clone()))
            .await?
        {
            return self.overtaken(act, lease, "failed").await;
        }
        Ok(Outcome::Failed {
            error,
            attempts: 1,
            escalation: None,
        })
    }

    /// Asks as any call would be asked: judged, sandboxed, on record. None where the backend cannot answer now.
    async fn trace(&self, act: &Act, intent: &Intent) -> Result<Option<Trace>, DispatchError> {
        let Some((lookup, arguments)) = question(act) else {
            return Ok(Some(Trace::Unclear));
        };
        let request = CallRequest {
            tenant: intent.tenant.clone(),
            case: intent.case.clone(),
            actor: Actor {
                role: Role::Agent,
                subject: RECOVERY.to_owned(),
            },
            channel: Channel::Host,
            tool: lookup.tool.clone(),
            arguments,
        };
        let output = match self.run(request, None, Waiting::default()).await? {
            Outcome::Done { output, .. } => output,
            Outcome::Failed { .. } => return Ok(None),
            refused => {
                tracing::warn!(
                    intent = intent.id,
                    outcome = refused.word(),
                    "a backend may not be asked what became of a write"
                );
                return Ok(Some(Trace::Unclear));
            }
        };
        let claimed = self.claimed(lookup, intent).await?;
        Ok(Some(lookup.find(
            &output,
            &Sought {
                arguments: &intent.arguments,
                since: intent.created_at,
                claimed: &claimed,
            },
        )))
    }

    /// What other intents of the tool stand for.
    async fn claimed(
        &self,
        lookup: &Lookup,
        intent: &Intent,
    ) -> Result<BTreeSet<String>, DispatchError> {
        let settled = IntentFilter {
            states: vec![IntentState::Done, IntentState::Replaced],
            tool: Some(intent.tool.clone()),
            since: intent.created_at.saturating_sub(CLAIMS_SECONDS),
            limit: CLAIMS,
        };
        let others = self.parts.store.intents(&intent.tenant, &settled).await?;
        let outputs = others.iter().filter_map(|other| other.outcome.as_ref());
        Ok(outputs
            .filter_map(|output| lookup.claimed(output))
            .collect())
    }
}

/// What an act's open intent needs now.
pub(super) fn next_step(act: &Act, intent: &Intent, now: i64) -> Step {
    match (intent.state, nature(act)) {
        (IntentState::Reserved, _) | (_, Nature::Deduplicates) => Step::Run,
        // Unknown since the last request was given up, or since its sender was found dead. Both times are cut to whole
        // seconds: only a later one is certain to be that far away.
        (IntentState::Unknown, Nature::Queryable { after_seconds })
            if now > intent.updated_at.saturating_add(after_seconds.into()) =>
        {
            Step::Ask
        }
        (_, Nature::Queryable { .. }) => Step::Wait,
        (_, Nature::Neither) => Step::Park,
    }
}

/// What may be relied on of the backends that the tool can change. One that can be asked, of a tool that declares no lookup,
/// can only be asked by a person.
pub(super) fn nature(act: &Act) -> Nature {
    if act.effect() == Effect::Read {
        return Nature::Deduplicates;
    }
    let grants = act.tool.spec().grants.iter();
    let natures = grants
        .filter(|grant| grant.is_unsafe_for(&act.call.tool))
        .map(|grant| grant.nature);
    match natures.fold(Nature::Deduplicates, Nature::and) {
        Nature::Queryable { .. } if question(act).is_none() => Nature::Neither,
        nature => nature,
    }
}

fn question(act: &Act) -> Option<(&Lookup, Value)> {
    let lookup = act.rule()?.lookup.as_ref()?;
    let arguments = lookup.question(&act.call.arguments)?;
    Some((lookup, Value::Object(arguments)))
}
