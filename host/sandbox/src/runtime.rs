//! What all plugins of a host share: engine, contract, compiled code, connections and the number of calls at a time.

use std::sync::Arc;
use std::time::Duration;

use dispatch::InvokeError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use wasmtime::Engine;

use crate::cache::Cache;
use crate::outbound::Connector;
use crate::reflect::Contract;
use crate::{Capacity, LoadError, ToolboxSettings, engine};

pub(crate) struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) contract: Contract,
    pub(crate) cache: Cache,
    pub(crate) connector: Arc<Connector>,
    pub(crate) capacity: Capacity,
    pub(crate) compilations: Arc<Semaphore>,
    calls: Arc<Semaphore>,
}

impl Runtime {
    pub(crate) fn start(settings: ToolboxSettings) -> Result<Arc<Self>, LoadError> {
        let capacity = settings.capacity;
        Ok(Arc::new(Self {
            engine: engine::start(&capacity)?,
            contract: Contract::parse(&settings.contract)?,
            cache: Cache::new(settings.cache),
            connector: Arc::default(),
            compilations: Arc::new(Semaphore::new(capacity.compilations.max(1))),
            calls: Arc::new(Semaphore::new(capacity.calls.max(1) as usize)),
            capacity,
        }))
    }

    /// A place among the calls that run; waits a little for one.
    pub(crate) async fn admit(&self) -> Result<OwnedSemaphorePermit, InvokeError> {
        let wait = Duration::from_millis(self.capacity.wait_ms);
        match timeout(wait, self.calls.clone().acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(InvokeError::Busy(format!(
                "{} calls are running, and none ended within {} ms",
                self.capacity.calls, self.capacity.wait_ms
            ))),
        }
    }
}
