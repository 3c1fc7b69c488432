//! Why a plugin was not installed or changed.

use artifacts::FetchError;
use dispatch::StoreError;
use thiserror::Error;

use crate::ManifestError;
use crate::host::PublishError;
use crate::host::roster::Refusal;
use crate::host::vouched::NotVouched;

/// Why a plugin's life did not take this turn. What was live is still live, and what was bound is still bound.
#[derive(Debug, Error)]
pub(crate) enum LifeError {
    /// No such tenant, plugin or version.
    #[error("{0}")]
    Unknown(String),
    /// It asks for more than was accepted, or breaks what its callers rely on; an operator may accept that.
    #[error("{what}:\n- {}\nLook at it, and say `accept` if you want that", .points.join("\n- "))]
    Unaccepted {
        /// What is to be accepted.
        what: String,
        /// One by one.
        points: Vec<String>,
    },
    /// The plugin is not in a state for that, or somebody else was first.
    #[error("{0}")]
    Conflict(String),
    /// A version was stopped, and the registry does not know.
    #[error(
        "version {version} of {plugin} is stopped, but that could not be recorded (the host's log says why): a restart of the host would let it run again. Kill it once more to have it recorded, or revive it"
    )]
    KillUnrecorded {
        /// Which one.
        plugin: String,
        /// Its version.
        version: String,
    },
    /// The component cannot be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What it says of itself does not fit.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Nobody whom the tenant trusts vouches for it.
    #[error("it is not trusted: {0}")]
    Untrusted(#[from] NotVouched),
    /// It does not load.
    #[error(transparent)]
    Plugin(#[from] PublishError),
    /// Something else about it does not fit.
    #[error("{0}")]
    Unfit(String),
    /// The tenant's plugins and rules would not go together with it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It cannot be recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
}
