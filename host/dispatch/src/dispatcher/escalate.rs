//! Calling people: through the tenant's own escalation tool, and never lost where that fails.

use policy::{Actor, Channel, Effect, Priority, Role};
use serde_json::{Value, json};

use super::act::Act;
use super::{CallRequest, Dispatcher, EscalationRequest};
use crate::{AuditEntry, AuditKind, Case, CaseStatus, DispatchError, EscalationRef, Outcome};

/// The contract's escalation tool.
const ESCALATION_TOOL: &str = "escalate_to_human";

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
        let outcome = self.run(call, None).await?;
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
        request.summary = format!("{} {}", who(&act.case), request.summary);
        Ok(Some(self.escalate(request).await?))
    }
}

/// The first thing that a colleague wants to know.
fn who(case: &Case) -> String {
    let identity = &case.identity;
    match &identity.customer {
        Some(customer) => {
            let level = format!("{:?}", identity.level).to_lowercase();
            format!("Customer {customer} ({level}).")
        }
        None => "Customer unknown.".to_owned(),
    }
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
