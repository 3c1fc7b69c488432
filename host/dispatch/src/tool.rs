//! The port to the tools: what they are, and how one is invoked.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use policy::{HttpGrant, Permit, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::Gate;

/// What a tool is, for the model, for MCP clients and for the host.
#[derive(Clone, Debug)]
pub struct ToolSpec {
    /// `process_refund`.
    pub name: String,
    /// `Process refund`.
    pub title: String,
    /// What the model reads; from the WIT documentation.
    pub description: String,
    /// JSON Schema (2020-12) of the arguments, host-bound parameters left out.
    pub input_schema: Arc<Value>,
    /// JSON Schema of the output; always an object.
    pub output_schema: Arc<Value>,
    /// The parameters that the host binds from the case: name → whether the tool cannot run without it.
    pub bound: BTreeMap<String, bool>,
    /// `switchboard:refunds/refunds@1.0.0`.
    pub interface: String,
    /// The plugin's name in the tenant's configuration.
    pub plugin: String,
    /// The plugin's version as its operator names it.
    pub version: String,
    /// sha256 (hex) of the component.
    pub digest: String,
    /// Where the plugin may send requests to.
    pub grants: Arc<[HttpGrant]>,
}

/// One argument that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// JSON pointer of the field, empty for the whole.
    pub field: String,
    /// What was expected, and what was found: `expected a string of 1 to 128 characters, found 10000`.
    pub message: String,
}

/// A typed error that a plugin returned. Its text may tell of anybody: it is shown to staff alone, see
/// [`ToolError::without_text`].
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ToolError {
    /// The backend would not take the arguments.
    #[error("invalid input: {message}")]
    InvalidInput {
        /// What was wrong.
        message: String,
    },
    /// There is no such thing.
    #[error("not found: {message}")]
    NotFound {
        /// What was looked for.
        message: String,
    },
    /// The backend's own rules forbid it.
    #[error("not eligible: {message}")]
    NotEligible {
        /// Why.
        message: String,
    },
    /// The thing changed meanwhile, or the request clashes with another.
    #[error("conflict: {message}")]
    Conflict {
        /// With what.
        message: String,
    },
    /// The backend cannot answer now.
    #[error("unavailable: {message}")]
    Unavailable {
        /// Why.
        message: String,
        /// Seconds after which a retry makes sense.
        retry_after_seconds: Option<u32>,
    },
}

impl ToolError {
    /// What kind of failure it is, in two words of ours.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::InvalidInput { .. } => "invalid input",
            Self::NotFound { .. } => "not found",
            Self::NotEligible { .. } => "not eligible",
            Self::Conflict { .. } => "conflict",
            Self::Unavailable { .. } => "unavailable",
        }
    }

    /// The same failure in our words: whose data the plugin's own words tell, nobody can check.
    #[must_use]
    pub fn without_text(mut self) -> Self {
        let (text, ours) = match &mut self {
            Self::InvalidInput { message } => {
                (message, "the backend does not take these arguments")
            }
            Self::NotFound { message } => (message, "there is no such thing"),
            Self::NotEligible { message } => (message, "the backend's own rules do not allow it"),
            Self::Conflict { message } => (message, "it clashes with another change"),
            Self::Unavailable { message, .. } => (message, "the backend does not answer now"),
        };
        ours.clone_into(text);
        self
    }
}

/// Why an invocation gave no output. Shown and logged without the plugin's own text.
#[derive(Clone, Debug, Error)]
pub enum InvokeError {
    /// The plugin answered with a typed error.
    #[error("the plugin's answer: {}", .0.kind())]
    Tool(#[from] ToolError),
    /// The capability gate refused something the plugin asked for, and the plugin gave up.
    #[error("refused at the capability gate: {}", .0.code)]
    Refused(Refusal),
    /// The plugin trapped, or broke the contract.
    #[error("the plugin failed: {0}")]
    Trapped(String),
    /// The plugin went past its deadline.
    #[error("the plugin ran past its deadline of {0} ms")]
    Deadline(u64),
    /// The plugin went past a limit.
    #[error("the plugin went past its limit: {0}")]
    Limit(String),
    /// Whoever waited for it has gone, and it had no effect to be seen through.
    #[error("the caller has cancelled it")]
    Abandoned,
    /// No instance could be had in time, or none of the memory that its tenant's calls share. The plugin may have begun: whether it
    /// had an effect is known from what the gate let through, not from this.
    #[error("no capacity to run the plugin: {0}")]
    Busy(String),
}

/// One tool of a live snapshot.
#[async_trait]
pub trait Tool: Send + Sync {
    /// What it is.
    fn spec(&self) -> &ToolSpec;

    /// Checks arguments against the contract and gives them back in canonical form (money with its full decimals, absent
    /// options left out). Host-bound parameters may be present or absent.
    fn check(&self, arguments: &Value) -> Result<Map<String, Value>, Vec<Violation>>;

    /// Whether an operator has stopped this version: it gets no capability any more, not even in the middle of a call.
    fn is_stopped(&self) -> bool {
        false
    }

    /// Runs the call that the permit carries, in a fresh instance; every capability passes `gate`.
    async fn invoke(&self, permit: Permit, gate: Arc<dyn Gate>) -> Result<Value, InvokeError>;
}

/// A tenant's tools at one moment; immutable, so that calls in flight keep what they started with.
#[derive(Default)]
pub struct Snapshot {
    /// Grows with every swap.
    pub generation: u64,
    /// By name.
    pub tools: BTreeMap<String, Arc<dyn Tool>>,
}

/// Where snapshots come from.
pub trait Tools: Send + Sync {
    /// The tenant's tools now; none if there is no such tenant.
    fn snapshot(&self, tenant: &str) -> Option<Arc<Snapshot>>;

    /// The tools that calls of this case run. While a version is on trial (a canary), its share of the cases sees it, and a case
    /// sees the same one every time.
    fn snapshot_for(&self, tenant: &str, case: &str) -> Option<Arc<Snapshot>> {
        let _ = case;
        self.snapshot(tenant)
    }

    /// Whether a version is on trial in this tenant, so that not all its cases see the same tools.
    fn has_trial(&self, tenant: &str) -> bool {
        let _ = tenant;
        false
    }

    /// A tool of exactly this version, where it is still at hand: what a version began is best seen through by it, for it alone
    /// certainly sends the same bytes again.
    fn version(&self, tenant: &str, tool: &str, digest: &str) -> Option<Arc<dyn Tool>> {
        let snapshot = self.snapshot(tenant)?;
        let tool = snapshot.tools.get(tool)?;
        (tool.spec().digest == digest).then(|| Arc::clone(tool))
    }
}
