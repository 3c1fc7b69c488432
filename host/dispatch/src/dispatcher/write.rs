//! Writes: a durable intent first, then the invocation, then its settlement, whoever stops listening meanwhile.

use std::sync::Arc;
use std::time::Duration;

use policy::{Decision, Effect, Nature, Permit};
use serde_json::{Value, json};

use super::Dispatcher;
use super::act::Act;
use super::read::{asked_pause, may_pass, typed};
use super::refuse::on_other_terms;
use super::running::Turnstile;
use crate::gate::{CallGate, Exchange};
use crate::{
    Answer, AuditKind, DispatchError, Intent, IntentState, InvokeError, NewIntent, Outcome,
    Reserved, Settlement, ToolError,
};

/// How long a call waits for another one that runs the same intent.
const WAIT_FOR_OTHER: Duration = Duration::from_secs(10);

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
struct Attempt {
    intent: String,
    permit: Permit,
    /// An earlier process, or an earlier call, sent something whose end nobody knows.
    sent_before: bool,
}

impl Dispatcher {
    /// Runs a write in a task of its own: a caller that goes away does not stop it halfway.
    pub(super) async fn write_to_the_end(
        &self,
        act: Act,
        permit: Permit,
    ) -> Result<Outcome, DispatchError> {
        let dispatcher = self.clone();
        let task = tokio::spawn(async move { dispatcher.write(&act, permit).await });
        task.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a write's task ended abnormally; its intent stays open in the ledger");
            Ok(Outcome::InFlight)
        })
    }

    async fn write(&self, act: &Act, permit: Permit) -> Result<Outcome, DispatchError> {
        let Some(intent) = self.new_intent(act).await? else {
            return Ok(Outcome::InFlight);
        };
        let id = intent.id.clone();
        let Ok(turnstile) = self.running.enter(&id) else {
            return Ok(Outcome::InFlight);
        };
        match self.parts.store.reserve(intent).await? {
            Reserved::New => {
                self.record(
                    act,
                    AuditKind::Ledger,
                    json!({ "intent": id, "state": "reserved" }),
                )
                .await?;
                self.run_intent(
                    act,
                    Attempt {
                        intent: id,
                        permit,
                        sent_before: false,
                    },
                    turnstile,
                )
                .await
            }
            Reserved::Taken(intent) => Box::pin(self.taken(act, *intent)).await,
            Reserved::OverBudget(charge) => self.over_budget(act, &charge).await,
        }
    }

    async fn new_intent(&self, act: &Act) -> Result<Option<NewIntent>, DispatchError> {
        let Some((key, terms)) = act.intent() else {
            return Ok(None);
        };
        let now = self.parts.store.now().await?;
        Ok(Some(NewIntent {
            id: uuid::Uuid::now_v7().to_string(),
            tenant: act.call.tenant.clone(),
            key,
            terms,
            case: act.call.case.clone(),
            tool: act.call.tool.clone(),
            arguments: act.call.arguments.clone(),
            plugin_digest: act.call.plugin_digest.clone(),
            rulebook: act.rulebook.version().to_owned(),
            charges: act.charges(now),
            replaces: act.only_latest_counts(),
        }))
    }

    /// The decision said that this intent is not new: give its result, or see it through.
    pub(super) async fn replay(&self, act: &Act) -> Result<Outcome, DispatchError> {
        let Some((key, _)) = act.intent() else {
            return Ok(Outcome::InFlight);
        };
        match self.parts.store.intent(&act.call.tenant, &key).await? {
            Some(intent) => Box::pin(self.taken(act, intent)).await,
            // It failed between the decision and now: the key is free, and the caller may ask again.
            None => Ok(Outcome::InFlight),
        }
    }

    async fn taken(&self, act: &Act, intent: Intent) -> Result<Outcome, DispatchError> {
        let same = act.intent().is_some_and(|(_, terms)| terms == intent.terms);
        if !same {
            return Ok(on_other_terms());
        }
        if intent.state == IntentState::Done {
            return self
                .release(act, intent.outcome.unwrap_or_default(), true)
                .await;
        }
        match self.running.enter(&intent.id) {
            Ok(turnstile) => self.take_up(act, &intent, turnstile).await,
            Err(mut end) => {
                // Either way of ending the wait says the same: the sender is gone, or time is up.
                let _ = tokio::time::timeout(WAIT_FOR_OTHER, end.changed()).await;
                match self
                    .parts
                    .store
                    .intent(&act.call.tenant, &intent.key)
                    .await?
                {
                    Some(ended) if ended.state == IntentState::Done => {
                        self.release(act, ended.outcome.unwrap_or_default(), true)
                            .await
                    }
                    Some(open) if open.state == IntentState::Unknown => Ok(Outcome::Unknown {
                        intent: open.id,
                        escalation: None,
                    }),
                    _ => Ok(Outcome::InFlight),
                }
            }
        }
    }

    /// Whoever ran it may have ended between our look at it and our entry: what counts is how it stands now.
    async fn take_up(
        &self,
        act: &Act,
        seen: &Intent,
        turnstile: Turnstile,
    ) -> Result<Outcome, DispatchError> {
        match self.parts.store.intent(&act.call.tenant, &seen.key).await? {
            Some(now) if now.id != seen.id => Ok(Outcome::InFlight),
            Some(now) if now.state == IntentState::Done => {
                self.release(act, now.outcome.unwrap_or_default(), true)
                    .await
            }
            Some(open) => self.see_through(act, open, turnstile).await,
            None => Ok(Outcome::InFlight),
        }
    }

    /// Takes up an intent that nobody is running: after a crash, or when its outcome stayed unknown. What was reserved and
    /// never sent may run; what was sent may be sent again only to a backend that deduplicates.
    pub(super) async fn see_through(
        &self,
        act: &Act,
        intent: Intent,
        turnstile: Turnstile,
    ) -> Result<Outcome, DispatchError> {
        let sent = intent.state != IntentState::Reserved;
        if sent && weakest_nature(act) != Nature::Deduplicates {
            self.parts
                .store
                .settle(&intent.id, Settlement::Unknown)
                .await?;
            return self.parked(act, &intent.id).await;
        }
        // The saved arguments, not the caller's: free text may differ, and a resend must be the same bytes.
        let mut act = act.clone();
        act.call.arguments = intent.arguments;
        match self.judge(&act, Some(&intent.id)).await? {
            Decision::Allow(permit) => {
                let attempt = Attempt {
                    intent: intent.id,
                    permit,
                    sent_before: sent,
                };
                self.run_intent(&act, attempt, turnstile).await
            }
            refused => self.stop(&act, &intent.id, refused, sent).await,
        }
    }

    /// Tries until the intent has an end, or tries are used up. Once a request may have taken effect, only a success ends
    /// the intent: a later refusal says nothing certain of the earlier request, which may still be on its way.
    async fn run_intent(
        &self,
        act: &Act,
        first: Attempt,
        _turnstile: Turnstile,
    ) -> Result<Outcome, DispatchError> {
        let Attempt {
            intent,
            mut permit,
            sent_before: mut unsure,
        } = first;
        let deduplicates = weakest_nature(act) == Nature::Deduplicates;
        let mut attempt = 1;
        loop {
            let (verdict, asked) = self.try_once(act, &intent, permit).await;
            let error = match verdict {
                Verdict::Done(output) => return self.done(act, &intent, output).await,
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
                return self.give_up(act, &intent, error, unsure, attempt).await;
            }
            tokio::time::sleep(self.parts.retry.after(attempt, asked)).await;
            attempt += 1;
            permit = match self.judge(act, Some(&intent)).await? {
                Decision::Allow(permit) => permit,
                refused => return self.stop(act, &intent, refused, unsure).await,
            };
        }
    }

    async fn give_up(
        &self,
        act: &Act,
        intent: &str,
        error: InvokeError,
        unsure: bool,
        attempts: u32,
    ) -> Result<Outcome, DispatchError> {
        if unsure {
            tracing::warn!(tool = act.call.tool, intent, %error, "the outcome of a write is unknown");
            self.settle(act, intent, Settlement::Unknown).await?;
            return self.parked(act, intent).await;
        }
        self.settle(act, intent, Settlement::Failed(typed(error.clone())))
            .await?;
        self.failed(act, error, attempts).await
    }

    /// The rules changed their mind between two tries.
    async fn stop(
        &self,
        act: &Act,
        intent: &str,
        refused: Decision,
        unsure: bool,
    ) -> Result<Outcome, DispatchError> {
        if unsure {
            self.settle(act, intent, Settlement::Unknown).await?;
            return self.parked(act, intent).await;
        }
        let message = "no longer allowed".to_owned();
        self.settle(
            act,
            intent,
            Settlement::Failed(ToolError::NotEligible { message }),
        )
        .await?;
        self.refuse(act, refused).await
    }

    async fn try_once(&self, act: &Act, intent: &str, permit: Permit) -> (Verdict, Option<u32>) {
        let gate = Arc::new(CallGate::new(
            &self.parts,
            act.rulebook.clone(),
            &permit,
            Some(intent.to_owned()),
        ));
        let result = act.tool.invoke(permit, gate.clone()).await;
        let asked = result.as_ref().err().and_then(asked_pause);
        (judge_invocation(result, &gate.unsafe_exchanges()), asked)
    }

    async fn done(&self, act: &Act, intent: &str, output: Value) -> Result<Outcome, DispatchError> {
        self.settle(act, intent, Settlement::Done(output.clone()))
            .await?;
        self.release(act, output, false).await
    }

    pub(super) async fn settle(
        &self,
        act: &Act,
        intent: &str,
        settlement: Settlement,
    ) -> Result<(), DispatchError> {
        let state = match &settlement {
            Settlement::Done(_) => "done",
            Settlement::Failed(_) => "failed",
            Settlement::Unknown => "unknown",
        };
        self.parts.store.settle(intent, settlement).await?;
        self.record(
            act,
            AuditKind::Ledger,
            json!({ "intent": intent, "state": state }),
        )
        .await
    }

    /// A sum was passed between the decision and the reservation: decided again, the rules say how to put it.
    async fn over_budget(
        &self,
        act: &Act,
        charge: &crate::Charge,
    ) -> Result<Outcome, DispatchError> {
        match self.judge(act, None).await? {
            Decision::Allow(_) | Decision::Replay => {
                tracing::info!(
                    budget = charge.budget,
                    "a budget without a rule refused a call"
                );
                self.refuse(
                    act,
                    Decision::Deny(super::refuse::budget_refusal(&charge.budget)),
                )
                .await
            }
            refused => self.refuse(act, refused).await,
        }
    }
}

/// How the least careful backend among the tool's grants treats repeats. An escalation may be repeated under its key
/// wherever writes may.
fn weakest_nature(act: &Act) -> Nature {
    let mut natures = act.tool.spec().grants.iter().map(|grant| grant.nature);
    match act.effect() {
        Effect::Read => Nature::Deduplicates,
        Effect::Write | Effect::Escalation if natures.all(|n| n == Nature::Deduplicates) => {
            Nature::Deduplicates
        }
        Effect::Write | Effect::Escalation => Nature::Neither,
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
