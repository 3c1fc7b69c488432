//! What the host knows when it decides. Established by the host from results that it saw itself, never by a plugin or a
//! model.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Call;

/// How sure the host is of who the customer is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing is known.
    #[default]
    Anonymous = 0,
    /// Somebody said an e-mail address.
    Claimed = 1,
    /// The e-mail address and one of that customer's order numbers agree.
    Matched = 2,
    /// A signed session proves it.
    Verified = 3,
}

/// Who the case's customer is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// How sure the host is.
    pub level: Level,
    /// The customer's id at the backend, once known.
    pub customer: Option<String>,
}

/// Names one thing at a backend: an order, a ticket, a customer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Entity {
    /// `order`, `ticket`, `customer`, or a vendor's own word.
    pub kind: String,
    /// The id at the backend.
    pub id: String,
}

/// What this case has established about one entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Unix seconds of the result that established it.
    pub established_at: i64,
    /// Attribute name → value, as the tool rule's `establishes` names them.
    pub attributes: Map<String, Value>,
}

/// A person's yes to this very call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Whose yes it is.
    pub from: crate::ConsentFrom,
    /// Who gave it, for the audit log.
    pub by: String,
}

/// What the ledger already holds under the call's business key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prior {
    /// Nothing, or only a failure that left no effect.
    #[default]
    None,
    /// The same business terms are settled or under way: allowed means [`Replay`](crate::Decision::Replay).
    Same,
    /// This very intent, reserved under an earlier decision, is being tried again (a retry, or recovery): rules that a
    /// replay is exempt from are not asked again, and allowed means [`Allow`](crate::Decision::Allow).
    Own,
    /// The key is taken with other terms: the ledger will answer conflict.
    Other,
}

/// Everything that a decision may depend on beside the rulebook and the call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Unix seconds, from the store's clock.
    pub now: i64,
    /// Who the case's customer is.
    pub identity: Identity,
    /// What this case has established, by entity.
    #[serde(with = "entity_list")]
    pub entities: BTreeMap<Entity, Fact>,
    /// Spent and reserved so far, minor units (or calls), by budget name, for this call's subject and window.
    pub spent: BTreeMap<String, i64>,
    /// The consent given for this very call, if any.
    pub consent: Option<Consent>,
    /// What the ledger holds under the call's key.
    pub prior: Prior,
}

/// Everything that one decision depends on beside the rulebook and the tools' classification: what is recorded of it, and
/// what it can be replayed from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionInput<'a> {
    /// The call that was judged.
    pub call: Cow<'a, Call>,
    /// What the host knew; of what the case has established, no more than the entity that the call names.
    pub facts: Cow<'a, Facts>,
}

/// JSON has no composite keys: entities travel as a list, each with its kind and id beside what is known of it.
mod entity_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Entity, Fact};

    #[derive(Serialize, Deserialize)]
    struct Known<E, F> {
        #[serde(flatten)]
        entity: E,
        #[serde(flatten)]
        fact: F,
    }

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<Entity, Fact>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(map.iter().map(|(entity, fact)| Known { entity, fact }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<Entity, Fact>, D::Error> {
        let list = Vec::<Known<Entity, Fact>>::deserialize(from)?;
        Ok(list
            .into_iter()
            .map(|known| (known.entity, known.fact))
            .collect())
    }
}
