//! Why the program did not start; each says what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use agent::PromptError;
use dispatch::DispatchError;
use policy::RulebookError;
use sandbox::LoadError;
use thiserror::Error;

use super::roster::RosterError;
use super::tls::TlsError;
use super::{ModelSetupError, PublishError};
use crate::{ConfigError, SecretError, SharedKey, TenantError};

/// Why the program did not start. Nothing was changed.
#[derive(Debug, Error)]
pub enum StartError {
    /// The configuration does not fit.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A secret does not fit.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The address is taken or not ours.
    #[error(
        "cannot listen on {address}: {source}. If another program has the port, stop it, or choose another: --listen 127.0.0.1:0 takes a free one"
    )]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Others could call the built-in tenant's tools, and nothing would ask who they are.
    #[error(
        "on {address}, or under allowed_hosts, others reach the tools of the built-in tenant, and nothing says who may call them: set SWITCHBOARD_STAFF_KEYS (name:role:key) or SWITCHBOARD_OPERATOR_KEY, or configure [oauth]; or listen on 127.0.0.1 without allowed_hosts, where they are open to you alone"
    )]
    Open {
        /// Where.
        address: SocketAddr,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The data folder cannot be made or written.
    #[error(
        "cannot write to the data folder {folder}: {source}. Make it writable for this user, or choose another with --data DIR"
    )]
    Folder {
        /// Which folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The store in the data folder cannot be opened.
    #[error(transparent)]
    Store(#[from] store::OpenError),
    /// The demo backend did not start.
    #[error(transparent)]
    Backend(#[from] demo_backend::StartError),
    /// The model is not configured.
    #[error(transparent)]
    Model(#[from] ModelSetupError),
    /// The classification of the tools does not parse.
    #[error("wit/contract.toml does not fit: {0}")]
    Contract(#[from] toml::de::Error),
    /// A tenant does not fit: the built-in one, whose rules come from the configuration, or the one that was asked for.
    #[error("the tenant {tenant} does not load: {reason}")]
    Tenant {
        /// Which one.
        tenant: String,
        /// Why.
        reason: TenantError,
    },
    /// Two people have one key.
    #[error(transparent)]
    Keys(#[from] SharedKey),
    /// The tenants' folder cannot be read.
    #[error("{0}. The key tenants (TENANTS_FOLDER) names a folder with one folder per tenant")]
    Tenants(#[from] RosterError),
    /// The rules do not fit.
    #[error("the rules do not load: {0}")]
    Rules(#[from] RulebookError),
    /// The folder of rules cannot be read, or holds none.
    #[error(
        "the rules in {folder} cannot be read: {source}. The key rules.folder (RULES_FOLDER) names a folder of *.cedar files; leave it empty to use the shipped rules"
    )]
    RulesFolder {
        /// Which folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The prompts do not fit.
    #[error("the prompts do not load: {0}")]
    Prompts(#[from] PromptError),
    /// A plugin was refused.
    #[error(
        "{0}. The key plugins.extra (EXTRA_PLUGINS) names files of components, which are granted nothing"
    )]
    Plugins(#[from] PublishError),
    /// The folder of installed plugins cannot be used.
    #[error("the installed plugins in the data folder cannot be read: {0}")]
    Artifacts(#[from] artifacts::ArtifactError),
    /// The sandbox does not start.
    #[error(transparent)]
    Sandbox(LoadError),
    /// Calls that an earlier run left open could not be seen through.
    #[error(
        "cannot take up the calls that were open when the program last stopped: {0}; start it again"
    )]
    Recovery(#[from] DispatchError),
}
