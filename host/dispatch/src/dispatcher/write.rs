//! Writes: a durable intent first, and one call at a time that runs it, whoever stops listening meanwhile.

use std::time::Duration;

use policy::{Decision, Permit};
use serde_json::json;

use super::Dispatcher;
use super::act::Act;
use super::refuse::on_other_terms;
use super::run::{Attempt, ledger_entry};
use super::running::Turnstile;
use crate::{DispatchError, Intent, IntentState, NewIntent, Outcome, Reserved};

/// How long a call waits for another one that runs the same intent.
const WAIT_FOR_OTHER: Duration = Duration::from_secs(10);

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
        let entry = ledger_entry(act, &id, "reserved");
        match self
            .parts
            .store
            .reserve(intent, &self.holder(), entry)
            .await?
        {
            Reserved::New(lease) => {
                let first = Attempt {
                    lease,
                    permit,
                    sent_before: false,
                };
                self.run_intent(act, first, turnstile).await
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
            return self.saved(act, intent).await;
        }
        match self.running.enter(&intent.id) {
            Ok(turnstile) => self.take_up(act, &intent, turnstile).await,
            Err(mut end) => {
                // Either way of ending the wait says the same: the sender is gone, or time is up.
                let _ = tokio::time::timeout(WAIT_FOR_OTHER, end.changed()).await;
                self.as_it_stands(act, &intent).await
            }
        }
    }

    /// Sees an open intent through, as far as that is possible now and nobody else does.
    pub(super) async fn take_up(
        &self,
        act: &Act,
        seen: &Intent,
        turnstile: Turnstile,
    ) -> Result<Outcome, DispatchError> {
        if let Some(outcome) = self.left_alone(act, seen).await? {
            return Ok(outcome);
        }
        match self.parts.store.take(&seen.id, &self.holder()).await? {
            Some(held) => self.see_through(act, held, turnstile).await,
            None => self.as_it_stands(act, seen).await,
        }
    }

    /// Somebody else runs it, or has ended it since it was seen.
    async fn as_it_stands(&self, act: &Act, seen: &Intent) -> Result<Outcome, DispatchError> {
        match self.parts.store.intent(&seen.tenant, &seen.key).await? {
            Some(now) if now.id != seen.id => Ok(Outcome::InFlight),
            Some(done) if done.state == IntentState::Done => self.saved(act, done).await,
            Some(open) if open.state == IntentState::Unknown => Ok(Outcome::Unknown {
                intent: open.id,
                escalation: None,
            }),
            _ => Ok(Outcome::InFlight),
        }
    }

    /// The result of a done intent, given again.
    async fn saved(&self, act: &Act, done: Intent) -> Result<Outcome, DispatchError> {
        match done.outcome {
            Some(output) if !output.is_null() => self.release(act, output, true).await,
            // A person has found that it happened; what the backend answered, nobody saw.
            _ => Ok(Outcome::Done {
                output: json!({ "note": "A colleague has confirmed that this was done." }),
                replayed: true,
                escalation: None,
            }),
        }
    }

    /// A sum was passed between the decision and the reservation: decided again, the rules say how to put it.
    pub(super) async fn over_budget(
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
