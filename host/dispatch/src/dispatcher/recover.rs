//! After a start: intents that an earlier process left open are seen through, or parked for a person.

use policy::{Actor, Channel, Priority, Role};
use serde::Serialize;
use serde_json::Value;

use super::act::Admission;
use super::{CallRequest, Dispatcher, EscalationRequest};
use crate::{DispatchError, Intent, Outcome, Settlement};

/// What became of the intents that were open at the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recovery {
    /// Seen through to an end.
    pub settled: u32,
    /// Left for a person: nobody knows whether they happened.
    pub parked: u32,
}

impl Dispatcher {
    /// Takes up every open intent of an earlier process. Run it once at the start, before anything is served.
    pub async fn recover(&self) -> Result<Recovery, DispatchError> {
        let mut recovery = Recovery::default();
        self.resume_granted().await?;
        for intent in self.parts.store.open_intents().await? {
            match self.recover_one(intent).await? {
                Outcome::Done { .. } | Outcome::Failed { .. } => recovery.settled += 1,
                _ => recovery.parked += 1,
            }
        }
        Ok(recovery)
    }

    async fn recover_one(&self, intent: Intent) -> Result<Outcome, DispatchError> {
        let request = CallRequest {
            tenant: intent.tenant.clone(),
            case: intent.case.clone(),
            actor: Actor {
                role: Role::Agent,
                subject: "host:recovery".to_owned(),
            },
            channel: Channel::Host,
            tool: intent.tool.clone(),
            arguments: Value::Object(intent.arguments.clone()),
        };
        let act = match self.admit(request, None).await {
            Ok(Admission::Act(act)) => act,
            Ok(Admission::Ended(_))
            | Err(DispatchError::UnknownTenant(_) | DispatchError::UnknownCase(_)) => {
                return self.set_aside(intent).await;
            }
            Err(error) => return Err(error),
        };
        let Ok(turnstile) = self.running.enter(&intent.id) else {
            return Ok(Outcome::InFlight);
        };
        let outcome = self.see_through(&act, intent, turnstile).await?;
        self.record_outcome(&act, &outcome).await?;
        Ok(outcome)
    }

    /// Its tool, its tenant or its customer is no longer what it was: nobody but a person can say what became of it.
    async fn set_aside(&self, intent: Intent) -> Result<Outcome, DispatchError> {
        self.parts
            .store
            .settle(&intent.id, Settlement::Unknown)
            .await?;
        let asked = EscalationRequest {
            tenant: intent.tenant,
            case: intent.case,
            priority: Priority::P2,
            team: "operations".to_owned(),
            reason: "a write without a known outcome".to_owned(),
            summary: format!(
                "{} was under way when the host stopped, and cannot be taken up again (intent {}).",
                intent.tool, intent.id
            ),
            order: None,
        };
        let escalation = self.escalate(asked).await;
        if let Err(error) = &escalation {
            tracing::error!(%error, intent = intent.id, "an intent was set aside, and nobody could be told");
        }
        Ok(Outcome::Unknown {
            intent: intent.id,
            escalation: escalation.ok(),
        })
    }
}
