//! The port to the audit log: append-only, hash-chained, one chain per store.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::broadcast;

use crate::StoreError;

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditKind {
    /// A tool call was decided.
    Decision,
    /// A capability call was decided.
    Capability,
    /// An intent reached another state.
    Ledger,
    /// A result was withheld, or part of it.
    Release,
    /// A consent was asked for or answered.
    Consent,
    /// A tool call ended.
    Outcome,
    /// The host started, or loaded plugins or rules.
    Host,
}

/// What happened, before it has a place in the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// What it is about.
    pub kind: AuditKind,
    /// Whose; empty where it is the whole program's.
    pub tenant: String,
    /// In which case, if any.
    pub case: Option<String>,
    /// Who.
    pub actor: String,
    /// Which tool, if any.
    pub tool: Option<String>,
    /// Plugin digest, rulebook version, rules, key, arguments digest, outcome: whatever explains it. No secrets.
    pub detail: Value,
}

/// An entry in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// From 1, without gaps.
    pub seq: i64,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// What happened.
    pub entry: AuditEntry,
    /// Hash of the record before (hex sha256), 64 zeros for the first.
    pub previous: String,
    /// sha256 (hex) over `previous`, seq, time and entry.
    pub hash: String,
}

/// Where a chain breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditBreak {
    /// The first record that does not fit.
    pub seq: i64,
    /// What does not fit.
    pub reason: String,
}

/// Something was recorded of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseNews {
    /// Whose.
    pub tenant: String,
    /// Which.
    pub case: String,
}

/// The audit log.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Appends; it is durable no later than anything that the same caller writes to the store afterwards.
    async fn record(&self, entry: AuditEntry) -> Result<(), StoreError>;

    /// Appends a decision with its input ([`DecisionInput`](policy::DecisionInput) as JSON), both or neither. The entry names
    /// the input's digest as `input` in its detail; the input itself is no part of the chain, so it can be forgotten.
    async fn record_decision(&self, entry: AuditEntry, input: String) -> Result<(), StoreError>;

    /// Hears of every case that something was recorded of, or said in, from now on.
    fn news(&self) -> broadcast::Receiver<CaseNews>;

    /// A case's records, or the newest `limit` ones, oldest first.
    async fn records(&self, case: Option<&str>, limit: u32)
    -> Result<Vec<AuditRecord>, StoreError>;

    /// Walks the whole chain; the count and head hash, or where it breaks.
    async fn verify(&self) -> Result<Result<(i64, String), AuditBreak>, StoreError>;
}
