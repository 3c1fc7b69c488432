//! The capability gate: every request that a running plugin makes passes the policy again, here.

mod call_gate;
mod excess;
mod key_value;
mod model;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use policy::Refusal;

use crate::{CompletionError, CompletionRequest, KeyValueError, Progress};

pub(crate) use call_gate::{CallGate, Exchange};

/// A request that a plugin wants to send, whole.
#[derive(Clone, Debug)]
pub struct OutboundHttp {
    /// Method.
    pub method: Method,
    /// The whole URL, as the plugin built it.
    pub url: String,
    /// The whole body.
    pub body: Bytes,
}

/// Leave to send one request, and what the host adds to it.
#[derive(Debug)]
pub struct HttpApproval {
    /// Which request of the invocation this is, from 1.
    pub ordinal: u32,
    /// Headers that replace whatever the plugin set under these names: credentials, `Idempotency-Key`. Values are marked
    /// sensitive where they are secret.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Loopback and private addresses are granted.
    pub private_network: bool,
}

/// What became of an approved request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The backend answered with this status, and the whole head arrived.
    Status(u16),
    /// Nothing was sent: the connection never came about.
    NotSent,
    /// It may have arrived, and no answer came.
    Nothing,
}

/// What the sandbox asks before, and tells after, each use of a capability. One gate serves one invocation.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Decides one request. For an unsafe one, the ledger has durably recorded it when this returns leave.
    async fn http(&self, request: &OutboundHttp) -> Result<HttpApproval, Refusal>;

    /// Tells what became of it.
    async fn answered(&self, ordinal: u32, answer: Answer);

    /// A metered completion.
    async fn complete(&self, request: CompletionRequest) -> Result<String, CompletionError>;

    /// The value of one of the plugin's keys, as this call would leave it.
    async fn value(&self, key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        let _ = key;
        Err(not_lent())
    }

    /// Sets a key, or deletes it. It counts once the call's intent settles as done.
    async fn set_value(&self, key: &str, value: Option<Vec<u8>>) -> Result<(), KeyValueError> {
        let _ = (key, value);
        Err(not_lent())
    }

    /// The plugin's keys from a place on, and the place where the next ones start.
    async fn keys(&self, from: u64) -> Result<(Vec<String>, Option<u64>), KeyValueError> {
        let _ = from;
        Err(not_lent())
    }

    /// The plugin says how far it has come.
    fn progress(&self, progress: Progress) {
        let _ = progress;
    }

    /// Removes every secret of the tenant from a text that leaves the sandbox (errors, logs).
    fn scrub(&self, text: &str) -> String;
}

/// A gate need not lend keys and values.
fn not_lent() -> KeyValueError {
    KeyValueError::Denied("keys and values are not lent here".to_owned())
}
