//! What is judged: one tool call, by whom, over which channel, in which case.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a tool does to the world outside the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes nothing; may be retried; its plugin may send only safe requests.
    Read,
    /// Changes something; runs only through the ledger.
    Write,
    /// Calls a person; open to everyone, runs through the ledger.
    Escalation,
}

/// What somebody may do because of who they are, beside what the rules say of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The support agent, or an MCP client that acts for a customer.
    Agent,
    /// A person who may approve what the rules leave to people.
    Supervisor,
    /// A person who may change plugins, rules and settings.
    Admin,
}

/// Where the request of the current turn came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The web chat and its HTTP interface.
    Chat,
    /// An MCP client.
    Mcp,
    /// The HTTP tool interface.
    Http,
    /// The terminal chat.
    Terminal,
    /// The host itself: a flow such as an automatic escalation, or the recovery of an open intent.
    Host,
}

impl Channel {
    /// Its name, in rules and in configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Mcp => "mcp",
            Self::Http => "http",
            Self::Terminal => "terminal",
            Self::Host => "host",
        }
    }
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// What they may do.
    pub role: Role,
    /// A stable name for the audit log: `agent:offline`, `mcp:local`, `user:alice`.
    pub subject: String,
}

/// One tool call, exactly as it will run if it is allowed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Whose tools, rules and data these are.
    pub tenant: String,
    /// The case that the call belongs to.
    pub case: String,
    /// Who calls.
    pub actor: Actor,
    /// The channel of the current turn.
    pub channel: Channel,
    /// The tool's name, such as `process_refund`.
    pub tool: String,
    /// The sha256 digest (hex) of the plugin version that would run.
    pub plugin_digest: String,
    /// The validated arguments, host-bound ones (`customer_id`) included.
    pub arguments: Map<String, Value>,
}
