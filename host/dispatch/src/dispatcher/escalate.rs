//! Calling people: through the tenant's own escalation tool, and never lost where that fails.

use policy::{Actor, Channel, Effect, Priority, Role};
use serde_json::{Value, json};

use super::act::Act;
use super::{CallRequest, Dispatcher, EscalationRequest};
use crate::{
    AuditEntry, AuditKind, Case, CaseStatus, DispatchError, EscalationRef, Event, Outcome, Waiting,
};

/// The contract's escalation tool.
const ESCALATION_TOOL: &str = "escalate_to_human";
/// Characters of the customer's words in a hand-off.
const LONGEST_QUOTE: usize = 500;

impl Dispatcher {
    /// Calls people. Always ends in a reference: where the backend cannot be reached, the audit log holds the request and
    /// its id is the host's own.
    pub async fn escalate(
        &self,
        request: EscalationRequest,
    ) -> Result<EscalationRef, DispatchError> {
        let fallback = EscalationRef {
            id: format!("local-{}", uuid::Uuid::now_v7()),
            priority: request.priority,
            team: request.team.clone(),
        };
        let call = escalation_call(&request);
        let outcome = self.run(call, None, Waiting::default()).await?;
        self.parts
            .store
            .set_status(&request.case, CaseStatus::Escalated)
            .await?;
        if let Outcome::Done {
            escalation: Some(escalation),
            ..
        } = outcome
        {
            return Ok(escalation);
        }
        tracing::error!(
            case = request.case,
            outcome = outcome.word(),
            "an escalation did not reach the backend"
        );
        let detail =
            json!({ "escalation": fallback, "reason": request.reason, "summary": request.summary });
        let entry = AuditEntry {
            kind: AuditKind::Outcome,
            tenant: request.tenant,
            case: Some(request.case),
            actor: "host".to_owned(),
            tool: Some(ESCALATION_TOOL.to_owned()),
            detail,
        };
        self.parts.store.record(entry).await?;
        Ok(fallback)
    }

    /// Calls people because of a call, unless that call was itself the escalation.
    pub(super) async fn escalate_for(
        &self,
        act: &Act,
        mut request: EscalationRequest,
    ) -> Result<Option<EscalationRef>, DispatchError> {
        if act.effect() == Effect::Escalation {
            return Ok(None);
        }
        let said = self.last_words(&act.case).await?;
        request.summary = format!("{} {}{said}", who(&act.case), request.summary);
        Ok(Some(self.escalate(request).await?))
    }

    /// What the customer said last, for whoever takes over; nothing where nobody talked.
    async fn last_words(&self, case: &Case) -> Result<String, DispatchError> {
        let events = self.parts.store.events(&case.id).await?;
        let last = events
            .into_iter()
            .rev()
            .find_map(|stored| match stored.event {
                Event::Customer { text, .. } => Some(text),
                _ => None,
            });
        Ok(last.map_or_else(String::new, |text| {
            let text: String = text.chars().take(LONGEST_QUOTE).collect();
            format!(
                " The customer said: \"{}\"",
                self.scrub(&case.tenant, &text)
            )
        }))
    }
}

/// The first thing that a colleague wants to know.
fn who(case: &Case) -> String {
    let identity = &case.identity;
    let customer = match &identity.customer {
        Some(customer) => {
            let level = format!("{:?}", identity.level).to_lowercase();
            format!("Customer {customer} ({level})")
        }
        None => "Customer unknown".to_owned(),
    };
    format!("{customer}, case {}.", case.id)
}

fn escalation_call(request: &EscalationRequest) -> CallRequest {
    let mut arguments = json!({
        "reason": request.reason,
        "priority": request.priority,
        "team": request.team,
        "summary": request.summary,
    });
    // The contract writes enumerations in lower case.
    arguments["priority"] = Value::from(format!("{:?}", request.priority).to_lowercase());
    if let Some(order) = &request.order {
        arguments["order_id"] = Value::from(order.as_str());
    }
    CallRequest {
        tenant: request.tenant.clone(),
        case: request.case.clone(),
        actor: Actor {
            role: Role::Agent,
            subject: "host".to_owned(),
        },
        channel: Channel::Host,
        tool: ESCALATION_TOOL.to_owned(),
        arguments,
    }
}

/// Reads the contract's escalation result.
pub(super) fn escalation_of(output: &Value) -> Option<EscalationRef> {
    let text = |name: &str| output.get(name).and_then(Value::as_str);
    let priority = match text("priority")?.to_uppercase().as_str() {
        "P1" => Priority::P1,
        "P2" => Priority::P2,
        _ => Priority::P3,
    };
    Some(EscalationRef {
        id: text("escalation_id")?.to_owned(),
        priority,
        team: text("team")?.to_owned(),
    })
}
