//! What can go wrong with a call beside its outcome: the host's own parts failed, and nothing is known to have run.

use thiserror::Error;

use crate::StoreError;

/// The host itself could not carry the call.
#[derive(Clone, Debug, Error)]
pub enum DispatchError {
    /// The store failed: nothing runs without it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such tenant.
    #[error("there is no tenant {0}")]
    UnknownTenant(String),
    /// No such case of this tenant.
    #[error("there is no case {0}")]
    UnknownCase(String),
    /// No such pending consent, or it was answered, expired or voided by a change.
    #[error("this approval is not pending: {0}")]
    NotPending(String),
    /// The consent stays pending: the call cannot be amended in this way.
    #[error("{0}")]
    Amendment(String),
}
