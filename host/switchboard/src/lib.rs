//! The composition root: configuration, HTTP, MCP and the command line around the agent and the dispatcher.
//!
//! [`start`] puts the whole program together and serves it; [`cli::run`] is what `main` calls. Nothing here decides anything:
//! every tool call goes through [`dispatch::Dispatcher`], whoever makes it.

mod bench;
mod classified;
pub mod cli;
mod complaint;
mod config;
mod embedded;
mod environment;
mod eval;
mod files;
mod host;
mod http;
mod ledger;
mod manifest;
mod mcp;
mod oauth;
mod openapi;
mod reach;
mod registries;
mod rehearsal;
mod secrets;
mod staff;
mod tenants;

pub use classified::{Classified, OpenTo};
pub use complaint::Complaint;
pub use config::{
    Amount, AmountError, Budgets, Config, ConfigError, DEFAULT_FILE, DeclaredNature, DemoBackend,
    Model, NatureError, OAuth, Plugins, Provider, Retention, Rules, ScopeGrant, Share, Tls, Turn,
    VARIABLES, Variable,
};
pub use environment::Environment;
pub use host::{
    ModelSetupError, NotVouched, Options, Progress, PublishError, Running, StartError, TlsError,
    start,
};
pub use http::session::{Claims, sign};
pub use manifest::{Asks, Build, MANIFEST_FILE, Manifest, ManifestError, is_plugin_name};
pub use reach::{Reach, ReachError};
pub use secrets::{Secret, SecretError, Secrets};
pub use staff::{Member, Staff, StaffError};
pub use tenants::{SharedKey, TenantError};
