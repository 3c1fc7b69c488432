//! The facts of the moment, and the record of what was decided on them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use policy::{BudgetSubject, Decision, DecisionInput, Effect, Facts, Money, Prior};
use serde_json::{Value, json};

use super::Dispatcher;
use super::act::Act;
use crate::{
    AuditEntry, AuditKind, Charge, DispatchError, IntentState, Outcome, SentRequest, StoreError,
};

impl Dispatcher {
    /// What the rules may know about this call now. `own` is the intent that is being tried again: what it has reserved
    /// does not count against itself.
    pub(super) async fn facts(&self, act: &Act, own: Option<&str>) -> Result<Facts, DispatchError> {
        let store = &self.parts.store;
        let now = store.now().await?;
        // Rules see the facts of the entity that the call names, and of no other.
        let names_entity = act.rule().is_some_and(|rule| rule.entity.is_some());
        let entities = if names_entity {
            store.facts(&act.case.id).await?
        } else {
            BTreeMap::new()
        };
        let mut facts = Facts {
            now,
            identity: act.case.identity.clone(),
            entities,
            consent: act.consent.clone(),
            ..Facts::default()
        };
        if own.is_none() && act.effect() != Effect::Read {
            facts.prior = self.prior(act).await?;
            self.read_budgets(act, &mut facts).await?;
        } else if own.is_none() && act.is_counted() {
            self.read_budgets(act, &mut facts).await?;
        }
        Ok(facts)
    }

    pub(super) async fn prior(&self, act: &Act) -> Result<Prior, DispatchError> {
        let Some((key, terms)) = act.intent() else {
            return Ok(Prior::None);
        };
        Ok(
            match self.parts.store.intent(&act.call.tenant, &key).await? {
                None => Prior::None,
                Some(intent) if intent.terms == terms => Prior::Same,
                Some(intent) if intent.state == IntentState::Done && act.only_latest_counts() => {
                    Prior::None
                }
                Some(_) => Prior::Other,
            },
        )
    }

    async fn read_budgets(&self, act: &Act, facts: &mut Facts) -> Result<(), DispatchError> {
        let charges = act.charges(facts.now);
        let asked: Vec<_> = charges
            .iter()
            .map(|c| (c.budget.clone(), c.subject.clone(), c.window_start))
            .collect();
        let sums = self.parts.store.spent(&act.call.tenant, &asked).await?;
        facts.spent = charges.into_iter().map(|c| c.budget).zip(sums).collect();
        Ok(())
    }

    /// Records what was decided, before anything follows from it. An allowed read changes nothing, so its decision is
    /// recorded together with its outcome.
    pub(super) async fn record_decision(
        &self,
        act: &Act,
        facts: Facts,
        decision: &Decision,
    ) -> Result<(), DispatchError> {
        let prior = facts.prior;
        let input = act.input(facts)?;
        if matches!(decision, Decision::Allow(_)) && act.effect() == Effect::Read {
            // A further try is decided on the same grounds: the first input stands for it.
            let _ = act.allowed_on.set(input);
            return Ok(());
        }
        let mut detail = act.explained();
        detail["prior"] = json!(prior);
        if let (Value::Object(detail), Value::Object(summary)) =
            (&mut detail, json!(decision.summary()))
        {
            detail.extend(summary);
        }
        self.record_with_input(act, AuditKind::Decision, detail, input)
            .await
    }

    pub(super) async fn record_outcome(
        &self,
        act: &Act,
        outcome: &Outcome,
    ) -> Result<(), DispatchError> {
        let read = act.effect() == Effect::Read && outcome.has_run();
        let mut detail = if read { act.explained() } else { json!({}) };
        if read {
            detail["decision"] = "allow".into();
        }
        detail["outcome"] = outcome.word().into();
        if let Some(failure) = act.failure.get() {
            detail["failure"] = failure.as_str().into();
        }
        if let Some(escalation) = outcome.escalation() {
            detail["escalation"] = json!(escalation);
        }
        match act.allowed_on.get() {
            Some(input) if read => {
                self.record_with_input(act, AuditKind::Outcome, detail, input.clone())
                    .await
            }
            _ => self.record(act, AuditKind::Outcome, detail).await,
        }
    }

    /// Records a decision together with what it was taken on, bound by its digest.
    async fn record_with_input(
        &self,
        act: &Act,
        kind: AuditKind,
        mut detail: Value,
        input: String,
    ) -> Result<(), DispatchError> {
        detail["input"] = crate::digest::of_bytes(input.as_bytes()).into();
        let entry = act.entry(kind, detail);
        Ok(self.parts.store.record_decision(entry, input).await?)
    }

    pub(super) async fn record(
        &self,
        act: &Act,
        kind: AuditKind,
        detail: Value,
    ) -> Result<(), DispatchError> {
        Ok(self.parts.store.record(act.entry(kind, detail)).await?)
    }
}

impl Act {
    /// Asking for other terms takes the place of what is settled.
    pub(super) fn only_latest_counts(&self) -> bool {
        let intent = self.rule().and_then(|rule| rule.intent.as_ref());
        intent.is_some_and(|intent| intent.latest)
    }

    fn entry(&self, kind: AuditKind, detail: Value) -> AuditEntry {
        AuditEntry {
            kind,
            tenant: self.call.tenant.clone(),
            case: Some(self.call.case.clone()),
            actor: self.call.actor.subject.clone(),
            tool: Some(self.call.tool.clone()),
            detail,
        }
    }

    /// What a decision is taken on, as it is recorded. Of what the case has established, rules see the entity that the call
    /// names: no more of it is kept.
    fn input(&self, mut facts: Facts) -> Result<String, DispatchError> {
        let named = self
            .rule()
            .and_then(|rule| rule.entity(&self.call.arguments));
        facts
            .entities
            .retain(|entity, _| Some(entity) == named.as_ref());
        let input = DecisionInput {
            call: Cow::Borrowed(&self.call),
            facts: Cow::Owned(facts),
        };
        serde_json::to_string(&input).map_err(|error| StoreError::Corrupt(error.to_string()).into())
    }

    /// What explains a decision: on which arguments, plugin and rules it was taken, for whom, with whose consent.
    fn explained(&self) -> Value {
        json!({
            "arguments_digest": crate::digest::of_object(&self.call.arguments),
            "plugin": self.call.plugin_digest,
            "rulebook": self.rulebook.version(),
            "identity": self.case.identity,
            "consent": self.consent,
        })
    }

    /// The business key and the digest of the business terms; none for tools that no rule classifies.
    pub(super) fn intent(&self) -> Option<(String, String)> {
        let rule = self.rule()?;
        let key = rule.intent_key(
            &self.call.tenant,
            &self.call.tool,
            &self.call.case,
            &self.call.arguments,
        );
        Some((key, rule.terms_digest(&self.call.arguments)))
    }

    /// What the call draws on each budget of its tool, in the windows of `now`. A budget per customer is not drawn on
    /// while nobody is known: the rules refuse such a call by themselves.
    pub(super) fn charges(&self, now: i64) -> Vec<Charge> {
        let Some(rule) = self.rule() else {
            return Vec::new();
        };
        let amount = if rule.amount.is_some() {
            rule.amount(&self.call.arguments)
                .map_or(0, |money: Money| money.minor)
        } else {
            1
        };
        let budgets = &self.rulebook.settings().budgets;
        let drawn = rule.budgets.iter().map(|name| (name, amount));
        let guesses = rule.guesses(&self.call, &self.case.identity);
        drawn
            .chain(rule.rates.iter().chain(guesses).map(|name| (name, 1)))
            .filter_map(|(name, amount)| {
                let budget = budgets.get(name)?;
                let subject = match budget.per {
                    BudgetSubject::Case => self.call.case.clone(),
                    BudgetSubject::Customer => self.case.identity.customer.clone()?,
                    BudgetSubject::Tenant => self.call.tenant.clone(),
                };
                let window_start = now - now.rem_euclid(i64::from(budget.window_seconds.max(1)));
                Some(Charge {
                    budget: name.clone(),
                    subject,
                    window_start,
                    amount,
                    limit: budget.limit,
                })
            })
            .collect()
    }
}

/// Whether a plugin that is run again asks for what it asked for before.
pub(crate) fn same_request(before: &SentRequest, now: &SentRequest) -> bool {
    before.method == now.method && before.url == now.url && before.body_digest == now.body_digest
}
