//! The toolbox: loads plugins off to the side, and publishes a tenant's tools at once.

mod canary;
mod switches;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use dispatch::{Snapshot, Tool, Tools};
use tokio::sync::broadcast;

use crate::inspect::{self, Inspection};
use crate::plugin::{self, Plugin, PluginSource};
use crate::reflect::Contract;
use crate::runtime::Runtime;
use crate::{Capacity, Compiler, LoadError, Share, poison};
use canary::Trial;
use switches::Switches;

pub use canary::{Canary, CanaryEnded};
pub(crate) use switches::Switch;

/// Ended trials that a slow listener may be behind.
const TOLD: usize = 64;

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
    pub(crate) runtime: Arc<Runtime>,
    live: RwLock<HashMap<String, Live>>,
    switches: Switches,
    ended: broadcast::Sender<CanaryEnded>,
}

/// A tenant's plugins, to be live together.
#[derive(Clone, Default)]
pub struct PluginSet {
    /// What calls use.
    pub plugins: Vec<Arc<Plugin>>,
    /// A version on trial, beside the plugin of its name.
    pub canary: Option<Canary>,
    /// Versions that no new call uses, kept at hand: what they began is seen through by them.
    pub kept: Vec<Arc<Plugin>>,
}

type ToolsByName = BTreeMap<String, Arc<dyn Tool>>;

/// Plugins that go together, ready to be live.
pub struct Assembled {
    tenant: String,
    tools: ToolsByName,
    trial: Option<(Arc<Trial>, ToolsByName)>,
    kept: Vec<Arc<Plugin>>,
}

/// What one tenant has now.
#[derive(Default)]
struct Live {
    stable: Arc<Snapshot>,
    /// What the cases of a canary's share see.
    trial: Option<(Arc<Trial>, Arc<Snapshot>)>,
    /// Versions that are not live, kept to see through what they began.
    kept: Vec<Arc<Plugin>>,
}

impl Toolbox {
    /// Starts the sandbox, without any tools.
    pub fn new(settings: ToolboxSettings) -> Result<Self, LoadError> {
        Ok(Self {
            runtime: Runtime::start(settings)?,
            live: RwLock::default(),
            switches: Switches::default(),
            ended: broadcast::Sender::new(TOLD),
        })
    }

    /// Makes a plugin ready: reads, checks, compiles and links it. Nothing is live yet. Compiling happens on a thread of
    /// its own, a few plugins at a time.
    pub async fn load(&self, source: PluginSource) -> Result<Arc<Plugin>, LoadError> {
        let runtime = self.runtime.clone();
        let digest = plugin::digest(&source.bytes);
        let switch = self.switches.of(&source.tenant, &digest);
        let place = runtime.place_for(&digest).acquire_owned().await;
        let loading = tokio::task::spawn_blocking(move || {
            let _place = place;
            plugin::prepare(&source, &runtime, digest, switch)
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

    /// Deletes the compiled code of a component that nobody needs any more; should it come again, it is compiled again. Blocks.
    pub fn forget_compiled(&self, digest: &str) -> std::io::Result<()> {
        self.runtime.cache.forget(digest)
    }

    /// Gives a tenant this share of what all plugins together may use; from now on, also for plugins that are live.
    pub fn set_share(&self, tenant: &str, share: Share) {
        self.runtime.accounts.set(tenant, share);
    }

    /// Makes these plugins, and no others, the tenant's. Gives the new generation, from 1.
    pub fn publish(&self, tenant: &str, plugins: &[Arc<Plugin>]) -> Result<u64, LoadError> {
        let set = PluginSet {
            plugins: plugins.to_vec(),
            ..PluginSet::default()
        };
        Ok(self.go_live(self.assemble(tenant, set)?))
    }

    /// Holds a tenant's plugins against each other and puts their tools together. Nothing is live yet.
    pub fn assemble(&self, tenant: &str, set: PluginSet) -> Result<Assembled, LoadError> {
        let contract = &self.runtime.contract;
        let mut tools = merged(&set.plugins, contract)?;
        let trial = set.canary.map(|canary| self.trial(tenant, canary));
        let tried = trial
            .as_ref()
            .map(|trial| on_trial(trial, &set.plugins, &mut tools, contract))
            .transpose()?;
        Ok(Assembled {
            tenant: tenant.to_owned(),
            tools,
            trial: trial.zip(tried),
            kept: set.kept,
        })
    }

    /// Makes them live, all at once: a call sees all of them or none. Gives the new generation, from 1.
    pub fn go_live(&self, assembled: Assembled) -> u64 {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        let tools = assembled.tools.values();
        let plugins = tools.map(|tool| tool.spec().plugin.as_str());
        self.runtime.recordings.only(&assembled.tenant, plugins);
        let live = live.entry(assembled.tenant).or_default();
        let generation = live.stable.generation + 1;
        let snapshot = |tools| Arc::new(Snapshot { generation, tools });
        live.stable = snapshot(assembled.tools);
        live.trial = (assembled.trial).map(|(trial, tools)| (trial, snapshot(tools)));
        live.kept = assembled.kept;
        generation
    }

    /// A trial of this version; one that is under way goes on with what it has counted.
    fn trial(&self, tenant: &str, canary: Canary) -> Arc<Trial> {
        let now = self.with_live(tenant, |live| Some(live.trial.as_ref()?.0.clone()));
        Trial::new(tenant, canary, self.ended.clone(), now.as_deref())
    }

    /// The tenant has no tools any more.
    pub fn withdraw(&self, tenant: &str) {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        live.remove(tenant);
        self.runtime.recordings.only(tenant, [].into_iter());
    }

    /// Stops a version of a tenant's, or lets it run again. Its calls are refused from now on; those under way get no
    /// capability any more.
    pub fn stop(&self, tenant: &str, digest: &str, stopped: bool) {
        self.switches.set(tenant, digest, stopped);
    }

    /// Whether this version of a tenant's is stopped now.
    pub fn is_stopped(&self, tenant: &str, digest: &str) -> bool {
        self.switches.is_stopped(tenant, digest)
    }

    /// Hears of each trial that ends by itself.
    pub fn canaries(&self) -> broadcast::Receiver<CanaryEnded> {
        self.ended.subscribe()
    }

    fn with_live<T>(&self, tenant: &str, look: impl FnOnce(&Live) -> Option<T>) -> Option<T> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.get(tenant).and_then(look)
    }
}

impl Tools for Toolbox {
    fn snapshot(&self, tenant: &str) -> Option<Arc<Snapshot>> {
        self.with_live(tenant, |live| Some(live.stable.clone()))
    }

    fn snapshot_for(&self, tenant: &str, case: &str) -> Option<Arc<Snapshot>> {
        self.with_live(tenant, |live| {
            let tried = live.trial.as_ref();
            let tried = tried.filter(|(trial, _)| trial.includes(case));
            Some(tried.map_or(&live.stable, |(_, tools)| tools).clone())
        })
    }

    fn has_trial(&self, tenant: &str) -> bool {
        let under_way = |live: &Live| Some(live.trial.as_ref()?.0.is_under_way());
        self.with_live(tenant, under_way).unwrap_or(false)
    }

    fn version(&self, tenant: &str, tool: &str, digest: &str) -> Option<Arc<dyn Tool>> {
        self.with_live(tenant, |live| {
            let tried = live.trial.as_ref().map(|(trial, _)| trial.plugin());
            let kept = live.kept.iter().chain(tried);
            let mut tools = (live.stable.tools.get(tool).into_iter())
                .chain(kept.flat_map(|plugin| &plugin.tools));
            tools
                .find(|one| one.spec().name == tool && one.spec().digest == digest)
                .cloned()
        })
    }
}

/// The tools with the version on trial in its place; those beside it are counted from now on.
fn on_trial(
    trial: &Arc<Trial>,
    plugins: &[Arc<Plugin>],
    stable: &mut ToolsByName,
    contract: &Contract,
) -> Result<ToolsByName, LoadError> {
    let name = trial.plugin().name();
    let others = plugins.iter().filter(|plugin| plugin.name() != name);
    let together: Vec<_> = others.chain([trial.plugin()]).cloned().collect();
    let mut tried = merged(&together, contract)?;
    for (tools, is_tried) in [(stable, false), (&mut tried, true)] {
        for tool in tools.values_mut().filter(|tool| tool.spec().plugin == name) {
            *tool = trial.counted(tool, is_tried);
        }
    }
    Ok(tried)
}

fn merged(plugins: &[Arc<Plugin>], contract: &Contract) -> Result<ToolsByName, LoadError> {
    let mut tools = ToolsByName::new();
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
    let specs: Vec<_> = tools.values().map(|tool| tool.spec()).collect();
    poison::check_names(&specs, contract.tools())?;
    Ok(tools)
}

fn origin(tool: &Arc<dyn Tool>) -> String {
    let spec = tool.spec();
    format!("{} ({})", spec.interface, spec.plugin)
}
