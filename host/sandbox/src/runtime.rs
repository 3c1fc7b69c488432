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

pub(crate) struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) contract: Contract,
    pub(crate) cache: Cache,
    /// What is loaded, for the next plugin that is made of it.
    pub(crate) library: Library,
    pub(crate) connector: Arc<Connector>,
    pub(crate) capacity: Capacity,
    pub(crate) compilations: Arc<Semaphore>,
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
            accounts: Accounts::new(&capacity),
            recordings: Recordings::new(&capacity),
            lane: Lane::start()?,
            capacity,
        }))
    }
}
