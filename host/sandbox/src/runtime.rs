//! What all plugins of a host share: engine, contract, compiled code, connections, the tenants' accounts, and their
//! recorded calls.

use std::sync::Arc;

use tokio::sync::Semaphore;
use wasmtime::Engine;

use crate::cache::Cache;
use crate::lane::Lane;
use crate::library::Library;
use crate::outbound::Connector;
use crate::reflect::Contract;
use crate::shadow::Recordings;
use crate::share::Accounts;
use crate::{Capacity, LoadError, ToolboxSettings, engine};

/// Compiled components that are loaded at a time.
const LOADS: usize = 4;

pub(crate) struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) contract: Contract,
    pub(crate) cache: Cache,
    /// What is loaded, for the next plugin that is made of it.
    pub(crate) library: Library,
    pub(crate) connector: Arc<Connector>,
    pub(crate) capacity: Capacity,
    compilations: Arc<Semaphore>,
    /// Places for those that are compiled already: they do not wait for somebody else's compilation.
    loads: Arc<Semaphore>,
    pub(crate) accounts: Accounts,
    pub(crate) recordings: Recordings,
    pub(crate) lane: Lane,
}

impl Runtime {
    pub(crate) fn start(settings: ToolboxSettings) -> Result<Arc<Self>, LoadError> {
        let capacity = settings.capacity;
        Ok(Arc::new(Self {
            engine: engine::start(&capacity)?,
            contract: Contract::parse(&settings.contract)?,
            cache: Cache::new(settings.cache, settings.compiler),
            library: Library::default(),
            connector: Arc::default(),
            compilations: Arc::new(Semaphore::new(capacity.compilations.max(1))),
            loads: Arc::new(Semaphore::new(LOADS)),
            accounts: Accounts::new(&capacity),
            recordings: Recordings::new(&capacity),
            lane: Lane::start()?,
            capacity,
        }))
    }

    /// Where a component of this digest waits until it may be loaded.
    pub(crate) fn place_for(&self, digest: &str) -> Arc<Semaphore> {
        let is_compiled =
            self.library.get(digest).is_some() || self.cache.holds(&self.engine, digest);
        Arc::clone(if is_compiled {
            &self.loads
        } else {
            &self.compilations
        })
    }
}
