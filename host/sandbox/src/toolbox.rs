//! The toolbox: loads plugins off to the side, and publishes a tenant's tools at once.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use dispatch::{Snapshot, Tool, Tools};

use crate::inspect::{self, Inspection};
use crate::plugin::{self, Plugin, PluginSource};
use crate::runtime::Runtime;
use crate::{Capacity, Compiler, LoadError, Share};

/// What a toolbox is made of.
#[derive(Clone, Debug, Default)]
pub struct ToolboxSettings {
    /// The contract's WIT: (path, text) of every file under `wit/`.
    pub contract: Vec<(String, String)>,
    /// Where compiled code is kept between runs; the host's own directory. None compiles at every start.
    pub cache: Option<PathBuf>,
    /// Compiles in a process of its own, with an end to its time and memory. None compiles in this process.
    pub compiler: Option<Compiler>,
    /// What all plugins together may use.
    pub capacity: Capacity,
}

/// Every tenant's tools. Loading never disturbs what is live; publishing replaces it at once, and calls in flight keep
/// what they started with.
pub struct Toolbox {
    runtime: Arc<Runtime>,
    live: RwLock<HashMap<String, Arc<Snapshot>>>,
}

impl Toolbox {
    /// Starts the sandbox, without any tools.
    pub fn new(settings: ToolboxSettings) -> Result<Self, LoadError> {
        Ok(Self {
            runtime: Runtime::start(settings)?,
            live: RwLock::default(),
        })
    }

    /// Makes a plugin ready: reads, checks, compiles and links it. Nothing is live yet. Compiling happens on a thread of
    /// its own, a few plugins at a time.
    pub async fn load(&self, source: PluginSource) -> Result<Arc<Plugin>, LoadError> {
        let runtime = self.runtime.clone();
        let place = runtime.compilations.clone().acquire_owned().await;
        let loading = tokio::task::spawn_blocking(move || {
            let _place = place;
            plugin::prepare(&source, &runtime)
        });
        let loaded = loading.await;
        loaded
            .unwrap_or_else(|error| Err(LoadError::Sandbox(error.to_string())))
            .map(Arc::new)
    }

    /// Reads a component without granting it anything or compiling it: what it offers, and what it asks for.
    pub fn inspect(
        &self,
        name: &str,
        version: &str,
        bytes: &[u8],
    ) -> Result<Inspection, LoadError> {
        inspect::inspect(name, version, bytes, &self.runtime)
    }

    /// Gives a tenant this share of what all plugins together may use; from now on, also for plugins that are live.
    pub fn set_share(&self, tenant: &str, share: Share) {
        self.runtime.accounts.set(tenant, share);
    }

    /// Makes these plugins, and no others, the tenant's. Gives the new generation, from 1.
    pub fn publish(&self, tenant: &str, plugins: &[Arc<Plugin>]) -> Result<u64, LoadError> {
        let tools = merged(plugins)?;
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        let generation = live.get(tenant).map_or(0, |snapshot| snapshot.generation) + 1;
        let snapshot = Arc::new(Snapshot { generation, tools });
        live.insert(tenant.to_owned(), snapshot);
        Ok(generation)
    }
}

impl Tools for Toolbox {
    fn snapshot(&self, tenant: &str) -> Option<Arc<Snapshot>> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.get(tenant).cloned()
    }
}

fn merged(plugins: &[Arc<Plugin>]) -> Result<BTreeMap<String, Arc<dyn Tool>>, LoadError> {
    let mut tools: BTreeMap<String, Arc<dyn Tool>> = BTreeMap::new();
    for tool in plugins.iter().flat_map(|plugin| &plugin.tools) {
        let name = tool.spec().name.clone();
        if let Some(known) = tools.get(&name) {
            return Err(LoadError::Clash {
                tool: name,
                first: origin(known),
                second: origin(tool),
            });
        }
        tools.insert(name, tool.clone());
    }
    Ok(tools)
}

fn origin(tool: &Arc<dyn Tool>) -> String {
    let spec = tool.spec();
    format!("{} ({})", spec.interface, spec.plugin)
}
