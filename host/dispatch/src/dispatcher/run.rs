//! The tries of one intent, under its lease: invoke, read what became of it, settle.

use std::sync::Arc;

use policy::{Decision, Nature, Permit};
use serde_json::{Value, json};

use super::Dispatcher;
use super::act::Act;
use super::open::nature;
use super::read::{asked_pause, may_pass, typed};
use super::running::Turnstile;
use crate::gate::{CallGate, Exchange};
use crate::{
    Answer, AuditEntry, AuditKind, DispatchError, InvokeError, Lease, Outcome, Settlement,
    ToolError,
};

/// What one invocation of a write amounts to.
enum Verdict {
    /// It happened, and this is its output.
    Done(Value),
    /// It certainly did not happen.
    NotDone(InvokeError),
    /// It may have happened.
    Unsure(InvokeError),
}

/// The next try of an intent.
pub(super) struct Attempt {
    pub(super) lease: Lease,
    pub(super) permit: Permit,
    /// An earlier process, or an earlier call, sent something whose end nobody knows.
    pub(super) sent_before: bool,
}

impl Dispatcher {
    /// Tries under the lease until the intent has an end, or tries are used up.
    pub(super) async fn run_intent(
        &self,
        act: &Act,
        first: Attempt,
        _turnstile: Turnstile,
    ) -> Result<Outcome, DispatchError> {
        let lease = first.lease.clone();
        match self.holding(&lease, self.tries(act, first)).await {
            Some(outcome) => outcome,
            None => self.overtaken(act, &lease, "nothing").await,
        }
    }

    /// Once a request may have taken effect, only a success ends the intent: a later refusal says nothing certain of the
    /// earlier request, which may still be on its way.
    async fn tries(&self, act: &Act, first: Attempt) -> Result<Outcome, DispatchError> {
        let Attempt {
            lease,
            mut permit,
            sent_before: mut unsure,
        } = first;
        let deduplicates = nature(act) == Nature::Deduplicates;
        let mut attempt = 1;
        loop {
            let (verdict, asked) = self.try_once(act, &lease, permit).await;
            let error = match verdict {
                Verdict::Done(output) => return self.done(act, &lease, output).await,
                Verdict::Unsure(error) => {
                    unsure = true;
                    error
                }
                Verdict::NotDone(error) => error,
            };
            let sensible = if unsure {
                deduplicates
            } else {
                may_pass(&error)
            };
            if !sensible || attempt > self.parts.retry.retries {
                return self.give_up(act, &lease, error, unsure, attempt).await;
            }
            tokio::time::sleep(self.parts.retry.after(attempt, asked)).await;
            attempt += 1;
            permit = match self.judge(act, Some(&lease.intent)).await? {
                Decision::Allow(permit) => permit,
                refused => return self.stop(act, &lease, refused, unsure).await,
            };
        }
    }

    async fn try_once(&self, act: &Act, lease: &Lease, permit: Permit) -> (Verdict, Option<u32>) {
        let gate = CallGate::new(
            &self.parts,
            act.rulebook.clone(),
            act.tool.clone(),
            &permit,
            Some(lease.clone()),
        );
        let gate = Arc::new(gate.heard_by(act.waiting.clone()));
        let result = act.tool.invoke(permit, gate.clone()).await;
        gate.close().await;
        let asked = result.as_ref().err().and_then(asked_pause);
        let verdict = match judge_invocation(result, &gate.unsafe_exchanges()) {
            Verdict::Done(output) => self.remember(lease, &gate, output).await,
            other => other,
        };
        (verdict, asked)
    }

    /// Keeps what a successful try changed among its plugin's keys, for the settlement. What cannot be kept leaves the
    /// outcome open: the effect is there, and half of it must not settle.
    async fn remember(&self, lease: &Lease, gate: &CallGate, output: Value) -> Verdict {
        let writes = gate.key_value_writes();
        if writes.is_empty() {
            return Verdict::Done(output);
        }
        match self.parts.store.stage(lease, gate.plugin(), writes).await {
            // Under a void lease the settlement changes nothing either.
            Ok(_) => Verdict::Done(output),
            Err(error) => {
                tracing::error!(%error, intent = lease.intent, "a plugin's keys could not be kept");
                Verdict::Unsure(InvokeError::Busy("its keys could not be kept".to_owned()))
            }
        }
    }

    pub(super) async fn done(
        &self,
        act: &Act,
        lease: &Lease,
        output: Value,
    ) -> Result<Outcome, DispatchError> {
        let settlement = Settlement::Done(output.clone());
        if !self.settle(act, lease, settlement).await? {
            return self.overtaken(act, lease, "done").await;
        }
        self.release(act, output, false).await
    }

    async fn give_up(
        &self,
        act: &Act,
        lease: &Lease,
        error: InvokeError,
        unsure: bool,
        attempts: u32,
    ) -> Result<Outcome, DispatchError> {
        if unsure {
            tracing::warn!(tool = act.call.tool, intent = lease.intent, %error, "the outcome of a write is unknown");
            let _ = act.failure.set(error.to_string());
            return self.unknown(act, lease).await;
        }
        let settlement = Settlement::Failed(typed(error.clone()));
        if !self.settle(act, lease, settlement).await? {
            return self.overtaken(act, lease, "failed").await;
        }
        self.failed(act, error, attempts).await
    }

    /// The rules changed their mind between two tries.
    pub(super) async fn stop(
        &self,
        act: &Act,
        lease: &Lease,
        refused: Decision,
        unsure: bool,
    ) -> Result<Outcome, DispatchError> {
        if unsure {
            return self.unknown(act, lease).await;
        }
        let message = "no longer allowed".to_owned();
        let settlement = Settlement::Failed(ToolError::NotEligible { message });
        if !self.settle(act, lease, settlement).await? {
            return self.overtaken(act, lease, "failed").await;
        }
        self.refuse(act, refused).await
    }

    /// Nobody knows whether it happened. Where the backend can be asked later, that settles it; else people hear of it.
    pub(super) async fn unknown(&self, act: &Act, lease: &Lease) -> Result<Outcome, DispatchError> {
        if !self.settle(act, lease, Settlement::Unknown).await? {
            return self.overtaken(act, lease, "unknown").await;
        }
        if matches!(nature(act), Nature::Queryable { .. }) {
            return Ok(Outcome::Unknown {
                intent: lease.intent.clone(),
                escalation: None,
            });
        }
        self.parked(act, &lease.intent).await
    }

    /// Settles under the lease, with the audit record in the same transaction; false where the lease is void.
    pub(super) async fn settle(
        &self,
        act: &Act,
        lease: &Lease,
        settlement: Settlement,
    ) -> Result<bool, DispatchError> {
        let state = match &settlement {
            Settlement::Done(_) => "done",
            Settlement::Failed(_) => "failed",
            Settlement::Unknown => "unknown",
        };
        let entry = ledger_entry(act, &lease.intent, state);
        Ok(self.parts.store.settle(lease, settlement, entry).await?)
    }

    /// Another process has taken the intent over: it decides how the intent ends. What this one saw goes on record.
    pub(super) async fn overtaken(
        &self,
        act: &Act,
        lease: &Lease,
        saw: &str,
    ) -> Result<Outcome, DispatchError> {
        tracing::warn!(
            intent = lease.intent,
            saw,
            "an intent was taken over while it ran here"
        );
        let detail = json!({ "intent": lease.intent, "state": "overtaken", "saw": saw });
        self.record(act, AuditKind::Ledger, detail).await?;
        Ok(Outcome::InFlight)
    }
}

/// What the audit log holds of an intent's new state.
pub(super) fn ledger_entry(act: &Act, intent: &str, state: &str) -> AuditEntry {
    AuditEntry {
        kind: AuditKind::Ledger,
        tenant: act.call.tenant.clone(),
        case: Some(act.call.case.clone()),
        actor: act.call.actor.subject.clone(),
        tool: Some(act.call.tool.clone()),
        detail: json!({ "intent": intent, "state": state }),
    }
}

/// Reads an invocation's result together with what became of its unsafe requests.
fn judge_invocation(result: Result<Value, InvokeError>, exchanges: &[Exchange]) -> Verdict {
    let error = match result {
        Ok(output) => return Verdict::Done(output),
        Err(error) => error,
    };
    if !exchanges.iter().all(Exchange::certainly_without_effect) {
        return Verdict::Unsure(error);
    }
    // A definite no of the backend reads as such even where the plugin called it unavailable.
    let refused = exchanges.last().and_then(|exchange| match exchange.answer {
        Some(Answer::Status(status)) if status != 429 => Some(status),
        _ => None,
    });
    Verdict::NotDone(match (error, refused) {
        (InvokeError::Tool(ToolError::Unavailable { message, .. }), Some(_)) => {
            InvokeError::Tool(ToolError::NotEligible { message })
        }
        (error, _) => error,
    })
}
