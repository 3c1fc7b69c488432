//! Why a tenant's plugins were not published.

use sandbox::LoadError;
use thiserror::Error;

use crate::host::vouched::NotVouched;

/// Why a tenant's plugins were not published; those before are still live.
#[derive(Debug, Error)]
pub enum PublishError {
    /// One does not load.
    #[error("the plugin {plugin} does not load: {reason}")]
    Plugin {
        /// Which one.
        plugin: String,
        /// Why.
        reason: LoadError,
    },
    /// Its component is not where the tenant's folder says.
    #[error("the plugin {plugin} cannot be had: {message}")]
    Missing {
        /// Which one.
        plugin: String,
        /// Why, and what to do.
        message: String,
    },
    /// Nobody whom the tenant trusts vouches for it.
    #[error("the plugin {plugin} is not trusted: {reason}")]
    Untrusted {
        /// Which one.
        plugin: String,
        /// Why.
        reason: NotVouched,
    },
    /// What was accepted of an installed one cannot be granted.
    #[error("what was accepted of the plugin {plugin} cannot be granted: {message}")]
    Granted {
        /// Which one.
        plugin: String,
        /// Why, and what to do.
        message: String,
    },
    /// An installed one that is left out, so that the others run: it is not what was installed any more, nobody whom the tenant
    /// trusts by now vouches for it, or it does not load at a start.
    #[error(transparent)]
    Installed(Box<PublishError>),
    /// The same of a version on trial; the one beside it runs.
    #[error("version {version} is on trial, and does not run: {reason}")]
    OnTrial {
        /// Which one.
        version: String,
        /// Why.
        reason: Box<PublishError>,
    },
    /// A change would leave one out.
    #[error("{plugin} would not run: {reason}")]
    LeftOut {
        /// Which one.
        plugin: String,
        /// Why.
        reason: String,
    },
    /// They do not go together.
    #[error("the plugins do not go together: {0}")]
    Together(LoadError),
}
