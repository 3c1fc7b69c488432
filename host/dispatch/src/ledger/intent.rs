//! What the ledger holds of one business intent: its terms, its charges, its requests and its end.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Lease;
use crate::ToolError;

/// How far an intent has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentState {
    /// Durable, nothing sent: safe to run after a crash.
    Reserved,
    /// An unsafe request may have left, and no outcome is recorded: after a crash this is unknown.
    Sent,
    /// Sent and never heard: money stays reserved until it is settled by a resend, a query or a person.
    Unknown,
    /// It happened; the output is saved.
    Done,
    /// It did not happen; the key is free again.
    Failed,
    /// It happened, and a later intent of the same key took its place.
    Replaced,
}

/// What one call draws on a budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The budget's name.
    pub budget: String,
    /// Whose: a customer's id, or the tenant's name.
    pub subject: String,
    /// Unix seconds at which the window starts.
    pub window_start: i64,
    /// Minor units, or calls.
    pub amount: i64,
    /// What the window may not pass.
    pub limit: i64,
}

/// An intent about to be made durable.
#[derive(Clone, Debug)]
pub struct NewIntent {
    /// A new unique id; idempotency keys at backends derive from it.
    pub id: String,
    /// Whose.
    pub tenant: String,
    /// The business key, unique per tenant among intents that have neither failed nor been replaced.
    pub key: String,
    /// Digest of the business terms: equal means the same intent asked again.
    pub terms: String,
    /// The case that asks.
    pub case: String,
    /// The tool.
    pub tool: String,
    /// The judged arguments.
    pub arguments: Map<String, Value>,
    /// Which plugin version runs it.
    pub plugin_digest: String,
    /// Under which rules it was allowed.
    pub rulebook: String,
    /// Reserved now, released when it fails.
    pub charges: Vec<Charge>,
    /// A done intent of the same key and other terms gives up its place.
    pub replaces: bool,
}

/// An intent as the ledger holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Unique id.
    pub id: String,
    /// Whose.
    pub tenant: String,
    /// Business key.
    pub key: String,
    /// Digest of the business terms.
    pub terms: String,
    /// The case that asked first.
    pub case: String,
    /// The tool.
    pub tool: String,
    /// The judged arguments.
    pub arguments: Map<String, Value>,
    /// The plugin version that runs it.
    pub plugin_digest: String,
    /// How far it has come.
    pub state: IntentState,
    /// The saved output of a done intent, the error of a failed one.
    pub outcome: Option<Value>,
    /// Which process may run it, while `leased_until` is ahead.
    pub holder: Option<String>,
    /// Unix seconds; 0 where nobody holds it.
    pub leased_until: i64,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
}

/// The answer to [`Ledger::reserve`].
#[derive(Clone, Debug)]
pub enum Reserved {
    /// It is ours to run.
    New(Lease),
    /// The key is taken, by this intent; whether it is the same business shows in its `terms`.
    Taken(Box<Intent>),
    /// A budget would be passed; nothing was reserved.
    OverBudget(Charge),
}

/// An unsafe request, recorded before it leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentRequest {
    /// Which unsafe request of the intent, from 1.
    pub ordinal: u32,
    /// Method.
    pub method: String,
    /// URL.
    pub url: String,
    /// sha256 (hex) of the body.
    pub body_digest: String,
    /// The body itself.
    pub body: Vec<u8>,
}

/// How an intent ends, or that its end is not known.
#[derive(Clone, Debug)]
pub enum Settlement {
    /// It happened.
    Done(Value),
    /// It certainly did not; budgets are released.
    Failed(ToolError),
    /// Nobody knows; budgets stay reserved.
    Unknown,
}

/// Which intents are listed.
#[derive(Clone, Debug, Default)]
pub struct IntentFilter {
    /// In one of these states; empty for all.
    pub states: Vec<IntentState>,
    /// Of this tool; none for all.
    pub tool: Option<String>,
    /// Touched at or after this time, Unix seconds.
    pub since: i64,
    /// The newest so many.
    pub limit: u32,
}

/// All that the ledger knows of one intent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntentHistory {
    /// The intent.
    pub intent: Intent,
    /// Under which rules it was allowed.
    pub rulebook: String,
    /// What it has drawn; given back where it failed. `limit` is not kept, and 0.
    pub charges: Vec<Charge>,
    /// Its unsafe requests, with the Unix second at which each last was given leave.
    pub requests: Vec<(i64, SentRequest)>,
}
