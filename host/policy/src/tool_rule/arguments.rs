//! What a tool's rule reads from the arguments: the entity, the money, and which writes are the same intent.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{Call, Entity, Identity, Level, Money, Role, ToolRule, pointer};

impl ToolRule {
    /// The entity that a call with these arguments is about; none if the rule names none or the argument is absent.
    pub fn entity(&self, arguments: &Map<String, Value>) -> Option<Entity> {
        let rule = self.entity.as_ref()?;
        Some(Entity {
            kind: rule.kind.clone(),
            id: id_text(pointer::lookup(arguments, &rule.id)?)?,
        })
    }

    /// The money that the call is about; none if the rule names none or the argument is no money.
    pub fn amount(&self, arguments: &Map<String, Value>) -> Option<Money> {
        let value = pointer::lookup(arguments, self.amount.as_deref()?)?;
        Money::parse(value).ok()
    }

    /// What one call takes from each of its budgets: minor units for tools with an amount, else one call. None where the
    /// amount cannot be read.
    pub fn draw(&self, arguments: &Map<String, Value>) -> Option<i64> {
        self.drawn(self.amount(arguments).as_ref())
    }

    /// The same, of the amount that was read from the arguments.
    pub(crate) fn drawn(&self, amount: Option<&Money>) -> Option<i64> {
        match self.amount {
            None => Some(1),
            Some(_) => amount.map(|amount| amount.minor.max(0)),
        }
    }

    /// The budgets that this call draws on because it may be a guess at who the customer is.
    pub fn guesses(&self, call: &Call, identity: &Identity) -> &[String] {
        if call.actor.role == Role::Agent && identity.level < Level::Matched {
            &self.guesses
        } else {
            &[]
        }
    }

    /// The ledger key: equal for two calls exactly if they are the same business intent. A JSON array of tenant, tool,
    /// case (null where the key holds across cases) and the fields that make up the key.
    pub fn intent_key(
        &self,
        tenant: &str,
        tool: &str,
        case: &str,
        arguments: &Map<String, Value>,
    ) -> String {
        let (case, fields) = match &self.intent {
            Some(intent) => (
                intent.per_case.then_some(case),
                select(arguments, &intent.key),
            ),
            None => (Some(case), canonical_object(arguments)),
        };
        json!([tenant, tool, case, fields]).to_string()
    }

    /// A digest (hex sha256) of what must be equal for a replay: the intent's terms, its key where it has no terms, all
    /// arguments where it has no intent. "50" and "50.00" of one currency are equal.
    pub fn terms_digest(&self, arguments: &Map<String, Value>) -> String {
        let fields = match &self.intent {
            Some(intent) if intent.terms.is_empty() => select(arguments, &intent.key),
            Some(intent) => select(arguments, &intent.terms),
            None => canonical_object(arguments),
        };
        hex::encode(Sha256::digest(fields.to_string()))
    }
}

/// An id as text; numbers are ids too.
pub(crate) fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The values at some pointers, by pointer; an absent one counts as null.
fn select(arguments: &Map<String, Value>, pointers: &[String]) -> Value {
    let fields: BTreeMap<&str, Value> = pointers
        .iter()
        .map(|at| {
            let value = pointer::lookup(arguments, at).map_or(Value::Null, canonical);
            (at.as_str(), value)
        })
        .collect();
    json!(fields)
}

/// One form for equal values: keys sorted, absent and null the same, money in minor units.
pub(super) fn canonical(value: &Value) -> Value {
    if let Ok(money) = Money::parse(value) {
        return json!({ "minor": money.minor, "currency": money.currency });
    }
    match value {
        Value::Array(items) => items.iter().map(canonical).collect(),
        Value::Object(object) => canonical_object(object),
        other => other.clone(),
    }
}

fn canonical_object(object: &Map<String, Value>) -> Value {
    let sorted: BTreeMap<&str, Value> = object
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.as_str(), canonical(value)))
        .collect();
    json!(sorted)
}
