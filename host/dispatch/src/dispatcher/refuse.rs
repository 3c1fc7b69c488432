//! What becomes of a call that may not run as it stands: refused, handed to people, or put to a person as a question.

use policy::{Call, ConsentFrom, Decision, Money, Prior, Priority, Refusal};
use serde_json::{Value, json};

use super::Dispatcher;
use super::act::Act;
use crate::{
    AuditKind, CaseStatus, ConsentState, DispatchError, EscalationRef, EscalationRequest, Outcome,
    PendingConsent, ToolError,
};

/// How long a customer has to say yes, seconds.
const CUSTOMER_CONSENT_SECONDS: i64 = 30 * 60;
/// How long staff have, seconds.
const STAFF_CONSENT_SECONDS: i64 = 7 * 24 * 60 * 60;

impl Dispatcher {
    pub(super) async fn refuse(
        &self,
        act: &Act,
        decision: Decision,
    ) -> Result<Outcome, DispatchError> {
        match decision {
            Decision::Deny(refusal) => Ok(Outcome::Denied {
                refusal,
                escalation: None,
            }),
            Decision::Escalate { priority, refusal } => {
                let escalation = self.refusal_to_people(act, priority, &refusal).await?;
                Ok(Outcome::Denied {
                    refusal,
                    escalation,
                })
            }
            Decision::NeedsConsent {
                from,
                priority,
                refusal,
            } => self.ask_consent(act, from, priority, &refusal).await,
            // The callers of this function have dealt with both.
            Decision::Allow(_) | Decision::Replay => Ok(Outcome::InFlight),
        }
    }

    async fn refusal_to_people(
        &self,
        act: &Act,
        priority: Priority,
        refusal: &Refusal,
    ) -> Result<Option<EscalationRef>, DispatchError> {
        let team = if refusal.code == "NOT_OWNER" {
            "security"
        } else {
            "billing"
        };
        let request = EscalationRequest {
            tenant: act.call.tenant.clone(),
            case: act.call.case.clone(),
            priority,
            team: team.to_owned(),
            reason: refusal.code.to_lowercase().replace('_', " "),
            summary: format!(
                "{} was not allowed: {}.",
                describe_call(&act.call),
                refusal.code
            ),
            order: act.order(),
        };
        self.escalate_for(act, request).await
    }

    async fn ask_consent(
        &self,
        act: &Act,
        from: ConsentFrom,
        priority: Option<Priority>,
        refusal: &Refusal,
    ) -> Result<Outcome, DispatchError> {
        if self.prior(act).await? == Prior::Other {
            // Nobody is asked to approve what could not run.
            return Ok(on_other_terms());
        }
        let now = self.parts.store.now().await?;
        let seconds = match from {
            ConsentFrom::Customer => CUSTOMER_CONSENT_SECONDS,
            ConsentFrom::Staff => STAFF_CONSENT_SECONDS,
        };
        let consent = PendingConsent {
            id: uuid::Uuid::now_v7().to_string(),
            from,
            call: act.call.clone(),
            binding: binding(&act.call, act.rulebook.version()),
            question: act.question(),
            state: ConsentState::Pending,
            created_at: now,
            expires_at: now + seconds,
            answered_by: None,
        };
        let consent = self.parts.store.ask(consent).await?;
        let detail = json!({ "consent": consent.id, "from": from, "code": refusal.code });
        self.record(act, AuditKind::Consent, detail).await?;
        let escalation = match priority {
            Some(priority) => self.refusal_to_people(act, priority, refusal).await?,
            None => None,
        };
        if from == ConsentFrom::Customer {
            self.parts
                .store
                .set_status(&act.call.case, CaseStatus::AwaitingConsent)
                .await?;
        }
        Ok(Outcome::Pending {
            consent: Box::new(consent),
            escalation,
        })
    }

    /// A write whose outcome nobody knows waits for a person.
    pub(super) async fn parked(&self, act: &Act, intent: &str) -> Result<Outcome, DispatchError> {
        let request = EscalationRequest {
            tenant: act.call.tenant.clone(),
            case: act.call.case.clone(),
            priority: Priority::P2,
            team: "operations".to_owned(),
            reason: "a write without a known outcome".to_owned(),
            summary: format!(
                "{} was sent, and no answer came (intent {intent}).",
                describe_call(&act.call)
            ),
            order: act.order(),
        };
        let escalation = self.escalate_for(act, request).await?;
        Ok(Outcome::Unknown {
            intent: intent.to_owned(),
            escalation,
        })
    }

    /// A tool that failed after its retries is handed to people.
    pub(super) async fn tool_failed(
        &self,
        act: &Act,
        error: &ToolError,
    ) -> Result<Option<EscalationRef>, DispatchError> {
        let request = EscalationRequest {
            tenant: act.call.tenant.clone(),
            case: act.call.case.clone(),
            priority: Priority::P2,
            team: "operations".to_owned(),
            reason: "a tool that keeps failing".to_owned(),
            summary: format!(
                "{} kept failing: {}.",
                describe_call(&act.call),
                error.kind()
            ),
            order: act.order(),
        };
        self.escalate_for(act, request).await
    }
}

/// What a yes is bound to: another tenant, case, tool, argument, plugin or rulebook is another binding.
pub(super) fn binding(call: &Call, rulebook: &str) -> String {
    crate::digest::of_json(&json!([
        call.tenant,
        call.case,
        call.tool,
        call.arguments,
        call.plugin_digest,
        rulebook
    ]))
}

/// The business key is taken by something else than what is asked.
pub(super) fn on_other_terms() -> Outcome {
    let message = "this was already done, or is under way, on other terms".to_owned();
    Outcome::Conflict { message }
}

/// The rules allow it for anyone, and the tool itself must know whose it is.
pub(super) fn nobody_known() -> Outcome {
    let refusal = Refusal {
        code: "IDENTITY_REQUIRED".to_owned(),
        say: "Could you tell me the e-mail address of your account?".to_owned(),
        hint: Some("find out who the customer is first: get_customer".to_owned()),
        rules: vec!["bound".to_owned()],
    };
    Outcome::Denied {
        refusal,
        escalation: None,
    }
}

/// A budget refused, and no rule has words for it.
pub(super) fn budget_refusal(budget: &str) -> Refusal {
    Refusal {
        code: "BUDGET_EXCEEDED".to_owned(),
        say: "I can't do this right now. A colleague needs to look at it.".to_owned(),
        hint: None,
        rules: vec![format!("budget:{budget}")],
    }
}

/// The call in one line for a colleague: `process_refund(order_id: ORD-1, amount: 49.99 USD)`.
fn describe_call(call: &Call) -> String {
    format!("{}({})", call.tool, describe_arguments(call))
}

fn describe_arguments(call: &Call) -> String {
    let pairs = call
        .arguments
        .iter()
        .filter(|(name, _)| *name != "customer_id");
    pairs
        .map(|(name, value)| format!("{name}: {}", in_words(value)))
        .collect::<Vec<_>>()
        .join(", ")
}

impl Act {
    /// The host's question for a person, with the exact effect.
    fn question(&self) -> String {
        let Some(template) = self.rule().and_then(|rule| rule.question.as_deref()) else {
            return format!(
                "Shall I go ahead: {}? Please answer yes or no.",
                describe_call(&self.call)
            );
        };
        let whole = template.replace("{arguments}", &describe_arguments(&self.call));
        self.call
            .arguments
            .iter()
            .fold(whole, |text, (name, value)| {
                text.replace(&format!("{{{name}}}"), &in_words(value))
            })
    }
}

fn in_words(value: &Value) -> String {
    match (Money::parse(value), value) {
        (Ok(_), Value::Object(money)) => {
            let part = |name| money.get(name).and_then(Value::as_str).unwrap_or_default();
            format!("{} {}", part("amount"), part("currency"))
        }
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}
