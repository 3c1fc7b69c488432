//! Admission: what one call is about, before anybody judges it.

use std::sync::{Arc, OnceLock};

use policy::{Call, Consent, Effect, Entity, Rulebook, ToolRule};
use serde_json::{Map, Value};

use super::{CallRequest, Dispatcher};
use crate::{Case, DispatchError, Outcome, Tool, Violation, Waiting};

/// One admitted call with everything that its steps need.
#[derive(Clone)]
pub(super) struct Act {
    pub(super) case: Case,
    pub(super) tool: Arc<dyn Tool>,
    pub(super) rulebook: Arc<Rulebook>,
    pub(super) call: Call,
    pub(super) consent: Option<Consent>,
    /// A host-bound parameter that the tool cannot run without, and that the case does not know.
    pub(super) unbound: Option<String>,
    /// Whoever waits for it.
    pub(super) waiting: Waiting,
    /// What an allowed read was decided on, until it is recorded with the outcome.
    pub(super) allowed_on: OnceLock<String>,
    /// Why its plugin gave no output, in the host's words, until that is recorded with the outcome.
    pub(super) failure: Arc<OnceLock<String>>,
}

/// Whether a call gets as far as being judged.
pub(super) enum Admission {
    Act(Box<Act>),
    Ended(Outcome),
}

impl Act {
    pub(super) fn rule(&self) -> Option<&ToolRule> {
        self.rulebook.tool(&self.call.tool)
    }

    /// Tools that no rule classifies count as writes.
    pub(super) fn effect(&self) -> Effect {
        self.rule().map_or(Effect::Write, |rule| rule.effect)
    }

    /// The order that the call names, for hand-offs.
    pub(super) fn order(&self) -> Option<String> {
        let entity: Entity = self.rule()?.entity(&self.call.arguments)?;
        (entity.kind == "order").then_some(entity.id)
    }
}

impl Dispatcher {
    pub(super) async fn admit(
        &self,
        request: CallRequest,
        consent: Option<Consent>,
    ) -> Result<Admission, DispatchError> {
        let unknown_tenant = || DispatchError::UnknownTenant(request.tenant.clone());
        let snapshot = self
            .parts
            .tools
            .snapshot_for(&request.tenant, &request.case)
            .ok_or_else(unknown_tenant)?;
        let rulebook = self.rulebook(&request.tenant).ok_or_else(unknown_tenant)?;
        let case = self
            .parts
            .store
            .case(&request.tenant, &request.case)
            .await?;
        let case = case.ok_or_else(|| DispatchError::UnknownCase(request.case.clone()))?;
        let Some(tool) = snapshot.tools.get(&request.tool).cloned() else {
            return Ok(Admission::Ended(Outcome::UnknownTool));
        };
        let mut arguments = match tool.check(&request.arguments) {
            Ok(arguments) => arguments,
            Err(violations) => return Ok(Admission::Ended(Outcome::Invalid(violations))),
        };
        let staff = request.actor.role > policy::Role::Agent;
        let unbound = match bind(tool.as_ref(), &case, staff, &mut arguments) {
            Ok(unbound) => unbound,
            Err(violation) => return Ok(Admission::Ended(Outcome::Invalid(vec![violation]))),
        };
        let call = Call {
            tenant: request.tenant,
            case: request.case,
            actor: request.actor,
            channel: request.channel,
            tool: request.tool,
            plugin_digest: tool.spec().digest.clone(),
            arguments,
        };
        Ok(Admission::Act(Box::new(Act {
            case,
            tool,
            rulebook,
            call,
            consent,
            unbound,
            waiting: Waiting::default(),
            allowed_on: OnceLock::new(),
            failure: Arc::default(),
        })))
    }
}

/// Fills in what the host alone may say (who the customer is). A caller that says it anyway must say the same; only staff
/// may name a customer where the case knows none.
fn bind(
    tool: &dyn Tool,
    case: &Case,
    staff: bool,
    arguments: &mut Map<String, Value>,
) -> Result<Option<String>, Violation> {
    for (name, required) in &tool.spec().bound {
        let known = case.identity.customer.as_deref();
        match (arguments.get(name).and_then(Value::as_str), known) {
            (Some(said), Some(known)) if said != known => return Err(not_yours(name)),
            (Some(_), None) if !staff => return Err(not_yours(name)),
            (None, Some(known)) => {
                arguments.insert(name.clone(), Value::from(known));
            }
            (None, None) if *required => return Ok(Some(name.clone())),
            _ => {}
        }
    }
    Ok(None)
}

fn not_yours(name: &str) -> Violation {
    Violation {
        field: format!("/{name}"),
        message: "is set by the host from the case's customer: leave it out".to_owned(),
    }
}
