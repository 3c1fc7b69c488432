//! What the host must know of a tool to judge it: one entry of the contract's classification (`wit/contract.toml`) or of
//! the tenant's configuration.

mod arguments;
mod lookup;
mod output;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use arguments::id_text;
pub use lookup::{Lookup, Sought, Trace};
pub use output::Owners;

use crate::Effect;

/// How one tool is judged. Pointers are RFC 6901 JSON pointers; in outputs, `*` stands for every item of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolRule {
    /// What the tool does to the world.
    pub effect: Effect,
    /// Which entity the call names: its facts are what the rules see.
    #[serde(default)]
    pub entity: Option<EntityRule>,
    /// Pointer into the arguments: the money that rules and budgets judge.
    #[serde(default)]
    pub amount: Option<String>,
    /// The business intent of a write. Without it every call with the same arguments in one case is one intent.
    #[serde(default)]
    pub intent: Option<Intent>,
    /// How its effect is found again where its backend can only be asked. Without it such a backend's unknown outcomes
    /// wait for a person.
    #[serde(default)]
    pub lookup: Option<Lookup>,
    /// Pointers into the output that name the owner of what is returned.
    #[serde(default)]
    pub owner: Vec<String>,
    /// The same, where a record may lack an owner because this very call made it for nobody known.
    #[serde(default)]
    pub owner_if_any: Vec<String>,
    /// What a result establishes.
    #[serde(default)]
    pub establishes: Vec<Establishes>,
    /// String arguments that rules may look at: name → pointer into the arguments.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Budgets (by name) that a call draws on.
    #[serde(default)]
    pub budgets: Vec<String>,
    /// Budgets (by name) of which every call takes one, whatever its amount: how often, beside how much. Given back by
    /// what failed.
    #[serde(default)]
    pub rates: Vec<String>,
    /// Budgets (by name) that a call draws on while the customer is no more than claimed: a number that only its owner should
    /// know can be guessed, one after the other. Given back where it was no wrong guess.
    #[serde(default)]
    pub guesses: Vec<String>,
    /// Pointers into the output: withheld until the identity is matched.
    #[serde(default)]
    pub private: Vec<String>,
    /// What a result says of who the customer is.
    #[serde(default)]
    pub identity: Option<IdentityRule>,
    /// Pointer into the arguments: `identity` counts only where this argument was given: an id can be guessed, an e-mail
    /// address was said.
    #[serde(default)]
    pub claimed_by: Option<String>,
    /// What a person is asked before it runs, with `{order_id}` for that argument's value and `{arguments}` for all of
    /// them: `Shall I cancel order {order_id}?`
    #[serde(default)]
    pub question: Option<String>,
    /// What a reply may claim once this has settled: `refund`, `cancel`, …
    #[serde(default)]
    pub effect_claim: Option<String>,
}

/// What a tool's result says of who the customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityRule {
    /// The owner that the result names is who the customer claims to be.
    Claims,
    /// The result was found by a number that only its owner should know: where its owner is the claimed customer, the
    /// identity is matched.
    Matches,
}

/// Which entity a call is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntityRule {
    /// `order`, `ticket`, `customer`, …
    pub kind: String,
    /// Pointer into the arguments.
    pub id: String,
}

/// What makes two writes the same intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// Pointers into the arguments: the ledger key, beside tenant and tool.
    pub key: Vec<String>,
    /// Pointers into the arguments: what must be equal for a replay; free text is left out. Empty means the key.
    #[serde(default)]
    pub terms: Vec<String>,
    /// The key holds within one case only (a ticket opened, a person called), not across cases.
    #[serde(default)]
    pub per_case: bool,
    /// Only the last one counts, as where a value is set: once settled, other terms are a new intent in its place, and the
    /// first terms after those are another. Without it other terms are a conflict.
    #[serde(default)]
    pub latest: bool,
}

/// One fact that a result establishes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Establishes {
    /// The entity's kind.
    pub kind: String,
    /// Pointer into the output (or, where the output lacks it, into the arguments).
    pub id: String,
    /// Attribute name → pointer into the output.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

/// A sum over a window that calls draw on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Whose sum it is.
    pub per: BudgetSubject,
    /// The window's length in seconds; windows are aligned to the Unix epoch (86,400 is a UTC day).
    pub window_seconds: u32,
    /// Minor units of the tenant's currency for tools with an `amount`, else calls.
    pub limit: i64,
}

/// Whose sum a budget is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetSubject {
    /// The case.
    Case,
    /// The case's customer.
    Customer,
    /// The whole tenant.
    Tenant,
}
