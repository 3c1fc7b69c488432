//! The port to what plugins remember: keys and values of one tenant's plugin, written only together with a settlement.

use async_trait::async_trait;
use thiserror::Error;

use crate::{Lease, StoreError};

/// One change that a plugin made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyValueWrite {
    /// The key.
    pub key: String,
    /// The value; none deletes the key.
    pub value: Option<Vec<u8>>,
}

/// The keys and values of plugins, by tenant and plugin name.
#[async_trait]
pub trait KeyValues: Send + Sync {
    /// The settled value of a key.
    async fn value(
        &self,
        tenant: &str,
        plugin: &str,
        key: &str,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// All settled keys, in order.
    async fn keys(&self, tenant: &str, plugin: &str) -> Result<Vec<String>, StoreError>;

    /// Keeps what a write has changed, in place of what an earlier try of it changed. It counts once the intent settles as
    /// done, in that transaction, and is forgotten where it fails. False where the lease is void.
    async fn stage(
        &self,
        lease: &Lease,
        plugin: &str,
        writes: Vec<KeyValueWrite>,
    ) -> Result<bool, StoreError>;
}

/// Why a plugin may not have it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyValueError {
    /// The call is none that may do this.
    #[error("access denied: {0}")]
    Denied(String),
    /// A key or value that does not fit, or too many of them.
    #[error("{0}")]
    Limit(String),
    /// The store does not answer now.
    #[error("the store is unavailable")]
    Unavailable,
}
