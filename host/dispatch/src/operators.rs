//! The port to the operators: who may change a program that runs, each by a name and a key of their own.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// sha256 of a key.
pub type KeyDigest = [u8; 32];

/// Somebody who runs the program, or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// As history and audit log name them: `user:NAME`.
    pub name: String,
    /// sha256 of their key; the key itself is kept nowhere.
    pub key_digest: KeyDigest,
    /// Who added them.
    pub added_by: String,
    /// Unix milliseconds.
    pub added_at_ms: i64,
    /// Since when their key counts no more, and who said so.
    pub revoked: Option<Revoked>,
}

/// The end of an operator's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// Who revoked it.
    pub by: String,
    /// Unix milliseconds.
    pub at_ms: i64,
}

/// The operators. Every change of them and its audit record, which belongs to no tenant, are one transaction.
#[async_trait]
pub trait Operators: Send + Sync {
    /// Everybody who ever was one, by name.
    async fn operators(&self) -> Result<Vec<Operator>, StoreError>;

    /// Adds somebody; as they are kept. None where the name is taken, in whatever case of its letters, also by one whose key is
    /// revoked: a name in the history means one person for ever.
    async fn add_operator(
        &self,
        name: &str,
        key_digest: KeyDigest,
        by: &str,
    ) -> Result<Option<Operator>, StoreError>;

    /// Ends somebody's key; as they are kept from now on. None where nobody of this name has one that counts.
    async fn revoke_operator(&self, name: &str, by: &str) -> Result<Option<Operator>, StoreError>;
}
