//! The model as a capability: metered, on record, and told of nothing that has not been shown to be the customer's.

use policy::Role;
use serde_json::{Value, json};

use super::CallGate;
use super::call_gate::STOPPED;
use crate::{CompletionError, CompletionRequest, StoreError};

/// The code of every refusal past the limit.
pub(super) const BUDGET: &str = "MODEL_BUDGET";
/// Completions that one invocation may ask for.
const MAX_COMPLETIONS: u32 = 2;
/// Tokens that one completion may ask for.
const MAX_COMPLETION_TOKENS: u32 = 1024;

impl CallGate {
    pub(super) async fn complete_within_limits(
        &self,
        mut request: CompletionRequest,
    ) -> Result<String, CompletionError> {
        let unavailable = |error: StoreError| CompletionError::Unavailable(error.to_string());
        let asked = self.count_completion();
        let refusal = self.refuse_completion(asked).await.map_err(unavailable)?;
        if let Some((_, error)) = &refusal
            && asked > MAX_COMPLETIONS + 1
        {
            self.excess.completions.one_more();
            return Err(error.clone());
        }
        let detail = json!({
            "capability": "model",
            "decision": if refusal.is_some() { "deny" } else { "allow" },
            "code": refusal.as_ref().map(|(code, _)| code),
            "rules": ["gate"],
        });
        self.record(detail).await.map_err(unavailable)?;
        if let Some((_, error)) = refusal {
            return Err(error);
        }
        request.max_tokens = request.max_tokens.min(MAX_COMPLETION_TOKENS);
        self.parts
            .completions
            .complete(&self.call.tenant, request)
            .await
    }

    fn count_completion(&self) -> u32 {
        let mut trace = self.trace();
        trace.completions = trace.completions.saturating_add(1);
        trace.completions
    }

    async fn refuse_completion(
        &self,
        asked: u32,
    ) -> Result<Option<(&'static str, CompletionError)>, StoreError> {
        if self.tool.is_stopped() {
            let error =
                CompletionError::Unavailable("an operator has stopped this plugin".to_owned());
            return Ok(Some((STOPPED, error)));
        }
        if asked > MAX_COMPLETIONS {
            return Ok(Some((BUDGET, CompletionError::Budget)));
        }
        let released = self.is_released().await?;
        Ok((!released).then_some(("NOT_RELEASED", CompletionError::NotReleased)))
    }

    /// Whether what the call is about has been shown to be the customer's: a prompt is made of what the plugin read, before the
    /// host sees any of it.
    async fn is_released(&self) -> Result<bool, StoreError> {
        let call = &self.call;
        let Some(rule) = self.rulebook.tool(&call.tool) else {
            return Ok(false);
        };
        if call.actor.role > Role::Agent || !rule.is_owned() {
            return Ok(true);
        }
        let Some(entity) = rule.entity(&call.arguments) else {
            return Ok(false);
        };
        let case = self.parts.store.case(&call.tenant, &call.case).await?;
        let customer = case.and_then(|case| case.identity.customer);
        let facts = self.parts.store.facts(&call.case).await?;
        let owner = facts
            .get(&entity)
            .and_then(|fact| fact.attributes.get("owner"));
        Ok(customer.is_some() && owner.and_then(Value::as_str) == customer.as_deref())
    }
}
