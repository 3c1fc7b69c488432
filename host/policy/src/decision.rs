//! What a decision says, and the permit that an allowed call carries.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Call, Effect, HttpGrant};

/// How urgent a hand-off to people is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Priority {
    /// At once: legal, security, or a customer who asks for a person.
    P1,
    /// Today: above a limit, failed tools.
    P2,
    /// When there is time: misunderstandings.
    P3,
}

/// Whose yes a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentFrom {
    /// The case's customer, on their own channel.
    Customer,
    /// A supervisor.
    Staff,
}

/// Why a call may not run as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// For operators and the audit log: `LIMIT_EXCEEDED`. Never shown to a customer.
    pub code: String,
    /// What a customer may hear.
    pub say: String,
    /// What the model may do next, in words that name tools but nothing internal: "look the order up first: `lookup_order`".
    pub hint: Option<String>,
    /// The ids of the rules that decided.
    pub rules: Vec<String>,
}

/// The outcome of [`Rulebook::decide`](crate::Rulebook::decide).
#[derive(Debug)]
pub enum Decision {
    /// Run it with this permit.
    Allow(Permit),
    /// The same intent is settled or under way, and the caller may see its result.
    Replay,
    /// It cannot run.
    Deny(Refusal),
    /// It cannot run, and people must hear of it.
    Escalate {
        /// How urgent.
        priority: Priority,
        /// Why.
        refusal: Refusal,
    },
    /// It may run once this person says yes to exactly these arguments.
    NeedsConsent {
        /// Whose yes.
        from: ConsentFrom,
        /// People must be told as well, this urgently.
        priority: Option<Priority>,
        /// Why.
        refusal: Refusal,
    },
}

/// What the permitted plugin may do while it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    /// A read may send only safe requests.
    pub effect: Effect,
    /// Where it may send requests to.
    pub grants: Arc<[HttpGrant]>,
    /// Calls of the HTTP capability in this invocation, at most.
    pub max_http_calls: u32,
}

/// The right to run one call once. Only `policy` can make one; it is consumed by the invocation, and it cannot be copied.
///
/// ```compile_fail
/// fn forge(call: policy::Call, scope: policy::Scope) -> policy::Permit {
///     policy::Permit { call, scope }
/// }
/// ```
#[derive(Debug)]
pub struct Permit {
    call: Call,
    scope: Scope,
}

impl Permit {
    pub(crate) fn new(call: Call, scope: Scope) -> Self {
        Self { call, scope }
    }

    /// The very call that was judged.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// What the plugin may do meanwhile.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Gives the call and the scope up to the invocation.
    pub fn into_parts(self) -> (Call, Scope) {
        (self.call, self.scope)
    }
}
