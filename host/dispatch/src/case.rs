//! The port to cases: who is asking, what is known, what was said and done.

use std::collections::BTreeMap;

use async_trait::async_trait;
use policy::{Channel, Entity, Fact, Identity, Level, Priority};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::StoreError;

/// Where a case stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseStatus {
    /// The agent works on it.
    #[default]
    Open,
    /// The customer has what they came for.
    Resolved,
    /// People have it; the agent is silent about the matter.
    Escalated,
    /// A yes is awaited.
    AwaitingConsent,
}

/// One customer's matter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Unique id.
    pub id: String,
    /// Whose.
    pub tenant: String,
    /// Who is asking.
    pub identity: Identity,
    /// Where it stands.
    pub status: CaseStatus,
    /// Unix seconds.
    pub created_at: i64,
}

/// One step of a turn, as it is streamed and stored. Tool results are what was released, never what was withheld.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The customer said something: a turn starts.
    Customer {
        /// Their words.
        text: String,
        /// Where.
        channel: Channel,
    },
    /// A piece of the reply (streamed), or the whole reply (stored).
    Text {
        /// The words.
        text: String,
    },
    /// The model asks for a tool.
    ToolCall {
        /// The model's id of the call.
        id: String,
        /// The tool.
        tool: String,
        /// As the model gave them.
        arguments: Value,
    },
    /// What the model was given back.
    ToolResult {
        /// The model's id of the call.
        id: String,
        /// The tool.
        tool: String,
        /// `ok`, `replayed`, `denied`, `escalated`, `awaiting_consent`, `failed`, `invalid`, …
        outcome: String,
        /// What the model sees.
        content: Value,
    },
    /// People were called.
    Escalation {
        /// The escalation's id.
        id: String,
        /// How urgent.
        priority: Priority,
        /// Which team.
        team: String,
    },
    /// The host asked the customer, or staff, for a yes.
    ConsentAsked {
        /// The pending consent's id.
        id: String,
        /// The host's question.
        question: String,
    },
    /// The answer to it.
    ConsentAnswered {
        /// The pending consent's id.
        id: String,
        /// Yes or no.
        granted: bool,
    },
    /// The turn could not go on.
    Error {
        /// What the customer may hear.
        message: String,
    },
    /// The turn is over.
    Done {
        /// Where the case stands.
        status: CaseStatus,
    },
}

/// An event with its place in the case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// Ascending within the case.
    pub seq: i64,
    /// Unix seconds.
    pub at: i64,
    /// What happened.
    pub event: Event,
}

/// The cases.
#[async_trait]
pub trait Cases: Send + Sync {
    /// The current case of a session (`chat:<session_id>`, `mcp:<principal>`); opens one where there is none.
    async fn case_of_session(&self, tenant: &str, session: &str) -> Result<Case, StoreError>;

    /// Ends the session's current case, so that the next message opens another. True if there was one.
    async fn reset_session(&self, tenant: &str, session: &str) -> Result<bool, StoreError>;

    /// A case by id; none if the tenant has no such case.
    async fn case(&self, tenant: &str, id: &str) -> Result<Option<Case>, StoreError>;

    /// Sets who is asking. Never lowers the level, and never changes the customer of a matched or verified case: then it
    /// answers false and changes nothing. A claim may be corrected by another claim.
    async fn identify(&self, case: &str, customer: &str, level: Level) -> Result<bool, StoreError>;

    /// Sets where it stands.
    async fn set_status(&self, case: &str, status: CaseStatus) -> Result<(), StoreError>;

    /// Records facts; newer ones replace older ones of the same entity, attribute by attribute.
    async fn establish(&self, case: &str, facts: Vec<(Entity, Fact)>) -> Result<(), StoreError>;

    /// What the case has established.
    async fn facts(&self, case: &str) -> Result<BTreeMap<Entity, Fact>, StoreError>;

    /// Appends one event.
    async fn append(&self, case: &str, event: Event) -> Result<i64, StoreError>;

    /// All events of the case, in order.
    async fn events(&self, case: &str) -> Result<Vec<StoredEvent>, StoreError>;
}
