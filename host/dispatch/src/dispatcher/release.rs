//! The release check: what a result establishes, and whether this customer may have it.

use policy::{Call, Effect, IdentityRule, Level, Owners, Priority, Refusal, Role, ToolRule};
use serde_json::{Value, json};

use super::Dispatcher;
use super::act::Act;
use super::escalate::escalation_of;
use crate::{AuditKind, CaseStatus, DispatchError, EscalationRequest, Outcome, ToolError};

impl Dispatcher {
    /// Establishes what the host saw, then lets the result through, in part or not at all.
    pub(super) async fn release(
        &self,
        act: &Act,
        mut output: Value,
        replayed: bool,
    ) -> Result<Outcome, DispatchError> {
        let Some(rule) = act.rule() else {
            return self.withhold(act).await;
        };
        let owners = rule.owners(&output);
        if !replayed {
            self.establish(act, rule, &owners, &output).await?;
        }
        let identity = self.identity_now(act).await?;
        if !may_see(act, &owners, identity.customer.as_deref()) {
            return self.withhold(act).await;
        }
        if identity.level < Level::Matched && act.call.actor.role == Role::Agent {
            rule.withhold(&mut output);
        }
        let escalation = match rule.effect {
            Effect::Escalation => {
                self.parts
                    .store
                    .set_status(&act.call.case, CaseStatus::Escalated)
                    .await?;
                escalation_of(&output)
            }
            Effect::Read | Effect::Write => None,
        };
        Ok(Outcome::Done {
            output,
            replayed,
            escalation,
        })
    }

    async fn establish(
        &self,
        act: &Act,
        rule: &ToolRule,
        owners: &Owners,
        output: &Value,
    ) -> Result<(), DispatchError> {
        let store = &self.parts.store;
        let facts = rule.facts(&act.call.arguments, output, store.now().await?);
        if !facts.is_empty() {
            store.establish(&act.call.case, facts).await?;
        }
        let (Some(says), Some(owner)) = (rule.identity, single(owners)) else {
            return Ok(());
        };
        // A colleague who looks somebody up says nothing of who the case's customer is, and a guessed id says nothing at all.
        if act.call.actor.role > Role::Agent || !is_claimed(rule, &act.call) {
            return Ok(());
        }
        let level = match says {
            IdentityRule::Claims => Level::Claimed,
            IdentityRule::Matches if act.case.identity.customer.as_deref() == Some(owner) => {
                Level::Matched
            }
            IdentityRule::Matches => return Ok(()),
        };
        // Refused for a case that is already sure of somebody else: then the owner check withholds the result.
        store.identify(&act.call.case, owner, level).await?;
        Ok(())
    }

    pub(super) async fn identity_now(&self, act: &Act) -> Result<policy::Identity, DispatchError> {
        if act.rule().is_none_or(|rule| rule.identity.is_none()) {
            return Ok(act.case.identity.clone());
        }
        let case = self
            .parts
            .store
            .case(&act.call.tenant, &act.call.case)
            .await?;
        Ok(case.map(|case| case.identity).unwrap_or_default())
    }

    async fn withhold(&self, act: &Act) -> Result<Outcome, DispatchError> {
        let refusal = Refusal {
            code: "NOT_OWNER".to_owned(),
            say: "I can't find that under your details. A colleague will look into it with you."
                .to_owned(),
            hint: Some(
                "this does not belong to the customer of this case; do not try again".to_owned(),
            ),
            rules: vec!["release".to_owned()],
        };
        self.record(
            act,
            AuditKind::Release,
            json!({ "withheld": "all", "code": refusal.code }),
        )
        .await?;
        let escalation = self
            .escalate_for(
                act,
                EscalationRequest {
                    tenant: act.call.tenant.clone(),
                    case: act.call.case.clone(),
                    priority: Priority::P1,
                    team: "security".to_owned(),
                    reason: "a request for data of another customer".to_owned(),
                    summary: format!(
                        "{} returned data of another customer; it was withheld.",
                        act.call.tool
                    ),
                    order: act.order(),
                },
            )
            .await?;
        Ok(Outcome::Withheld {
            refusal,
            escalation,
        })
    }
}

impl Act {
    /// A failure as this caller may hear of it: where the tool deals with what is somebody's, only staff get the plugin's text.
    pub(super) fn told(&self, error: ToolError) -> ToolError {
        let is_owned = self.rule().is_none_or(ToolRule::is_owned);
        if is_owned && self.call.actor.role == Role::Agent {
            error.without_text()
        } else {
            error
        }
    }
}

/// Staff see everything; an agent only what belongs to the case's customer. A result whose owner cannot be told is nobody's.
fn may_see(act: &Act, owners: &Owners, customer: Option<&str>) -> bool {
    act.call.actor.role > Role::Agent || owners.all_are(customer)
}

/// Whether the caller gave what a claim needs, such as the e-mail address.
fn is_claimed(rule: &ToolRule, call: &Call) -> bool {
    let Some(at) = &rule.claimed_by else {
        return true;
    };
    let arguments = Value::Object(call.arguments.clone());
    arguments.pointer(at).is_some_and(|value| !value.is_null())
}

/// The one owner of a result, where there is exactly one.
fn single(owners: &Owners) -> Option<&str> {
    let mut named = owners.named.iter();
    named
        .next()
        .filter(|_| named.next().is_none())
        .map(String::as_str)
}
