//! The host as it runs: what it is put together from, in which order, and how it starts and stops.

mod assemble;
mod backend;
pub(crate) mod bindings;
pub(crate) mod demo;
mod error;
pub(crate) mod figures;
pub(crate) mod life;
pub(crate) mod model;
pub(crate) mod operators;
pub(crate) mod publishing;
mod retention;
pub(crate) mod roster;
pub(crate) mod rules;
mod running;
mod settling;
mod state_key;
pub(crate) mod tls;
mod vouched;

use std::path::PathBuf;
use std::sync::Arc;

use agent::Agent;
use dispatch::{Dispatcher, RetryPolicy, Snapshot, Store, StoreError};
use sandbox::Compiler;
use store::Clock;
use tokio_util::task::TaskTracker;

pub(crate) use assemble::{Assembled, assemble, try_demo, try_tenants};
pub use error::StartError;
pub use model::ModelSetupError;
pub use publishing::PublishError;
pub(crate) use rules::{classification, load as load_rules, source_of_tenant as rules_source};
pub(crate) use running::check_access;
pub use running::{Running, start};
pub use tls::TlsError;
pub use vouched::NotVouched;

use crate::tenants::{Tenant, Tenants};
use crate::{Config, Secrets};
use operators::Operators;
use roster::Roster;

/// Hears, in a person's words, what the start is doing.
pub type Progress = Arc<dyn Fn(&str) + Send + Sync>;

/// How to start.
#[derive(Clone)]
pub struct Options {
    /// The configuration.
    pub config: Config,
    /// The secrets of the environment.
    pub secrets: Secrets,
    /// Where compiled plugins are kept; `compiled` in the data folder where there is none.
    pub compiled: Option<PathBuf>,
    /// Compiles plugins in a process of its own; in this one where there is none.
    pub compiler: Option<Compiler>,
    /// How failed calls are tried again.
    pub retry: RetryPolicy,
    /// The store's clock; the system's where there is none.
    pub clock: Option<Clock>,
    /// Offers clients of the built-in tenant, over MCP, what the protocol's conformance suite calls, and nothing else.
    pub conformance: bool,
    /// Hears what the start is doing.
    pub progress: Progress,
}

impl Options {
    /// With this configuration and nothing else out of the ordinary.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            secrets: Secrets::default(),
            compiled: None,
            compiler: None,
            retry: RetryPolicy::default(),
            clock: None,
            conformance: false,
            progress: Arc::new(|_| ()),
        }
    }
}

/// Everything that answers requests.
pub(crate) struct Host {
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) agent: Agent,
    pub(crate) tenants: Arc<Tenants>,
    /// How they speak.
    pub(crate) speaks: agent::Tenants,
    /// Keeps the tenants as their folders say.
    pub(crate) roster: Arc<Roster>,
    /// Who runs it.
    pub(crate) operators: Operators,
    /// Seals what MCP clients keep between two rounds of a call.
    pub(crate) state_key: Vec<u8>,
    /// Which model answers: `offline`.
    pub(crate) model_label: String,
    /// Only this machine's user can reach it.
    pub(crate) is_local: bool,
    /// Work that a client's hanging up must not cut short.
    pub(crate) tasks: TaskTracker,
}

impl Host {
    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        self.dispatcher.store()
    }

    /// A tenant's tools are for holders of its keys, or of its authorization server's tokens. Open to this machine's own user, whom
    /// nobody else can pass for, are a tenant without either, and the built-in one without the latter.
    pub(crate) fn asks_for_keys(&self, tenant: &Tenant) -> bool {
        let has_keys = tenant.name != demo::TENANT && !tenant.keys.is_empty();
        !self.is_local || has_keys || tenant.authority.is_some()
    }

    /// Unix seconds by the store's clock.
    pub(crate) async fn now(&self) -> Result<i64, StoreError> {
        self.store().now().await
    }

    /// A tenant's tools now.
    pub(crate) fn tools(&self, tenant: &str) -> Arc<Snapshot> {
        let snapshot = self.dispatcher.tools().snapshot(tenant);
        snapshot.unwrap_or_default()
    }

    /// The tools that calls of this case run now.
    pub(crate) fn tools_for(&self, tenant: &str, case: &str) -> Arc<Snapshot> {
        let snapshot = self.dispatcher.tools().snapshot_for(tenant, case);
        snapshot.unwrap_or_default()
    }
}
