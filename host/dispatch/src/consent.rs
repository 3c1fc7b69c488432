//! The port to pending consents: a yes is bound to tool, arguments, plugin and rules, expires, and is used once.

use async_trait::async_trait;
use policy::{Call, ConsentFrom};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// How far a pending consent has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// Nobody has answered.
    Pending,
    /// Yes, and the call is resumed.
    Granted,
    /// No.
    Denied,
}

/// A call that waits for a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingConsent {
    /// Unique id.
    pub id: String,
    /// Whose yes.
    pub from: ConsentFrom,
    /// The very call; as it was amended, once staff have.
    pub call: Call,
    /// sha256 (hex) over tenant, case, tool, arguments, plugin digest and rulebook version.
    pub binding: String,
    /// The host's question, with the exact effect.
    pub question: String,
    /// How far.
    pub state: ConsentState,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub expires_at: i64,
    /// Who answered.
    pub answered_by: Option<String>,
}

/// An answer to a pending consent.
#[derive(Clone, Debug)]
pub struct Answered {
    /// What was said.
    pub verdict: Verdict,
    /// Who said it.
    pub by: String,
}

/// Yes, no, or yes to something else.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The call may run as it stands.
    Grant,
    /// It may run in this form instead.
    Amend {
        /// The call with other arguments.
        call: Box<Call>,
        /// As [`PendingConsent::binding`], of that call.
        binding: String,
    },
    /// It may not run.
    Deny,
}

/// The pending consents.
#[async_trait]
pub trait Consents: Send + Sync {
    /// Records a question; one that is pending with the same binding comes back instead of a second one.
    async fn ask(&self, consent: PendingConsent) -> Result<PendingConsent, StoreError>;

    /// One by id.
    async fn consent(&self, tenant: &str, id: &str) -> Result<Option<PendingConsent>, StoreError>;

    /// Those still pending and not expired, oldest first; of one case where it is given.
    async fn pending(
        &self,
        tenant: &str,
        case: Option<&str>,
    ) -> Result<Vec<PendingConsent>, StoreError>;

    /// Answers it, if it is pending and not expired: exactly one caller gets true. A yes stays unfinished until
    /// [`Consents::finish`].
    async fn answer(&self, id: &str, answered: Answered) -> Result<bool, StoreError>;

    /// The granted ones whose call nobody has seen to an end, oldest first.
    async fn unfinished(&self) -> Result<Vec<PendingConsent>, StoreError>;

    /// The granted call has ended, whatever became of it.
    async fn finish(&self, id: &str) -> Result<(), StoreError>;
}
