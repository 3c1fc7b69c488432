//! Reads that are counted: those with a rate, and guesses at who the customer is. An order number that fits an e-mail address
//! opens an account, so wrong ones have a limit.

use policy::{Level, Permit};

use super::Dispatcher;
use super::act::Act;
use crate::{Charge, DispatchError, Outcome, ToolError};

impl Act {
    /// A read that draws on a budget.
    pub(super) fn is_counted(&self) -> bool {
        self.rule().is_some_and(|rule| !rule.rates.is_empty()) || !self.guesses().is_empty()
    }

    /// The budgets that it draws on because it may be a guess: right or wrong, it says something of an account that is only
    /// claimed.
    fn guesses(&self) -> &[String] {
        self.rule()
            .map_or(&[], |rule| rule.guesses(&self.call, &self.case.identity))
    }
}

impl Dispatcher {
    /// Runs a read that is counted. It is counted before it runs, so that many at once cannot pass the limit together. A
    /// backend that does not answer costs nothing, and what was no wrong guess is given back.
    pub(super) async fn counted_read(
        &self,
        act: &Act,
        permit: Permit,
    ) -> Result<Outcome, DispatchError> {
        let store = &self.parts.store;
        let tenant = &act.call.tenant;
        let mut charges = act.charges(store.now().await?);
        if let Some(full) = store.draw(tenant, charges.clone()).await? {
            return self.over_budget(act, &full).await;
        }
        let outcome = self.read(act, permit).await?;
        if act.waiting.gone.is_cancelled() {
            // Whoever goes away before the answer comes pays for it: what it was, nobody has seen.
            return Ok(outcome);
        }
        if !has_failed(&outcome) {
            let wrong = self.was_wrong(act, &outcome).await?;
            charges.retain(|charge: &Charge| !wrong && act.guesses().contains(&charge.budget));
        }
        if !charges.is_empty() {
            store.give_back(tenant, charges).await?;
        }
        Ok(outcome)
    }

    async fn was_wrong(&self, act: &Act, outcome: &Outcome) -> Result<bool, DispatchError> {
        Ok(match outcome {
            Outcome::Withheld { .. } | Outcome::Failed { .. } => true,
            // A result that matched nobody, such as one without an owner, leaves the guesser where they were.
            Outcome::Done { .. } => self.identity_now(act).await?.level < Level::Matched,
            _ => false,
        })
    }
}

fn has_failed(outcome: &Outcome) -> bool {
    let Outcome::Failed { error, .. } = outcome else {
        return false;
    };
    matches!(error, ToolError::Unavailable { .. })
}
