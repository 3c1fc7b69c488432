//! After a start: intents that an earlier process left open are seen through, or parked for a person.

use policy::{Actor, Channel, Role};
use serde::Serialize;
use serde_json::Value;

use super::act::Admission;
use super::{CallRequest, Dispatcher};
use crate::{DispatchError, Intent, Outcome};

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
        let act = match self.admit(request, None).await? {
            Admission::Act(act) => act,
            Admission::Ended(outcome) => return Ok(outcome),
        };
        let Ok(turnstile) = self.running.enter(&intent.id) else {
            return Ok(Outcome::InFlight);
        };
        let outcome = self.see_through(&act, intent, turnstile).await?;
        self.record_outcome(&act, &outcome).await?;
        Ok(outcome)
    }
}
