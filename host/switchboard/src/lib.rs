//! The composition root: configuration, HTTP, MCP and the command line around the agent and the dispatcher.
//!
//! [`start`] puts the whole program together and serves it; [`cli::run`] is what `main` calls. Nothing here decides anything:
//! every tool call goes through [`dispatch::Dispatcher`], whoever makes it.

mod bench;
pub mod cli;
mod config;
mod embedded;
mod environment;
mod eval;
mod files;
mod host;
mod http;
mod ledger;
mod mcp;
mod secrets;
mod staff;

pub use config::{
    Amount, AmountError, Budgets, Config, ConfigError, DEFAULT_FILE, DeclaredNature, DemoBackend,
    Model, NatureError, Plugins, Provider, Retention, Rules, Share, Turn, VARIABLES, Variable,
};
pub use environment::Environment;
pub use host::{ModelSetupError, Options, Progress, Running, StartError, start};
pub use http::session::{Claims, sign};
pub use secrets::{Secret, SecretError, Secrets};
pub use staff::{Member, Staff, StaffError};
