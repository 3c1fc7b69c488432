//! Guesses at who the customer is: an order number that fits an e-mail address opens an account, so wrong ones are counted.

use policy::{Level, Permit};

use super::Dispatcher;
use super::act::Act;
use crate::{DispatchError, Outcome, ToolError};

impl Act {
    /// The call may be a guess: right or wrong, it says something of an account that is only claimed.
    pub(super) fn is_guess(&self) -> bool {
        self.rule()
            .is_some_and(|rule| !rule.guesses(&self.call, &self.case.identity).is_empty())
    }
}

impl Dispatcher {
    /// Runs a read that may be a guess. It is counted before it runs, so that many at once cannot pass the limit together, and
    /// given back where it was not wrong.
    pub(super) async fn guess(&self, act: &Act, permit: Permit) -> Result<Outcome, DispatchError> {
        let store = &self.parts.store;
        let tenant = &act.call.tenant;
        let charges = act.charges(store.now().await?);
        if let Some(full) = store.draw(tenant, charges.clone()).await? {
            return self.over_budget(act, &full).await;
        }
        let outcome = self.read(act, permit).await?;
        if !self.was_wrong(act, &outcome).await? {
            store.give_back(tenant, charges).await?;
        }
        Ok(outcome)
    }

    async fn was_wrong(&self, act: &Act, outcome: &Outcome) -> Result<bool, DispatchError> {
        Ok(match outcome {
            Outcome::Withheld { .. } => true,
            Outcome::Failed { error, .. } => !matches!(error, ToolError::Unavailable { .. }),
            // A result that matched nobody, such as one without an owner, leaves the guesser where they were.
            Outcome::Done { .. } => self.identity_now(act).await?.level < Level::Matched,
            _ => false,
        })
    }
}
