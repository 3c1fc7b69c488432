//! A plugin: what its operator configures, and the compiled component that comes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dispatch::{Tool, ToolSpec};
use policy::HttpGrant;
use sha2::{Digest as _, Sha256};
use wasmtime::component::InstancePre;
use wasmtime_wasi_config::WasiConfigVariables;

use crate::invoke::{Function, PluginTool};
use crate::lane::Record;
use crate::library::{Loaded, Offered};
use crate::link::{self, Capability, Lent};
use crate::reflect;
use crate::runtime::Runtime;
use crate::state::State;
use crate::toolbox::Switch;
use crate::{Limits, LoadError, form, poison};

/// A plugin as its operator configures it.
#[derive(Clone, Debug, Default)]
pub struct PluginSource {
    /// Whose it is.
    pub tenant: String,
    /// Its name in the tenant's configuration.
    pub name: String,
    /// Its version as the operator names it.
    pub version: String,
    /// The component.
    pub bytes: Vec<u8>,
    /// What it reads through `wasi:config/store`. No secrets: they belong to grants.
    pub config: BTreeMap<String, String>,
    /// Where it may send requests to; none means that it may not import `wasi:http`.
    pub grants: Vec<HttpGrant>,
    /// It may ask the tenant's model.
    pub model: bool,
    /// It may keep keys and values, under its own name.
    pub key_value: bool,
    /// What one call of it may use.
    pub limits: Limits,
}

/// A plugin that is ready to run: compiled, linked and held against the contract. It is live once it is published.
pub struct Plugin {
    pub(crate) tools: Vec<Arc<dyn Tool>>,
    name: String,
    version: String,
    digest: String,
    capabilities: BTreeSet<Capability>,
    ready: Arc<Ready>,
}

impl Plugin {
    /// Its name in the tenant's configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its version as the operator names it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// sha256 (hex) of the component.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What it asks for beyond what every plugin has.
    pub fn capabilities(&self) -> &BTreeSet<Capability> {
        &self.capabilities
    }

    /// What it offers.
    pub fn tools(&self) -> impl Iterator<Item = &ToolSpec> {
        self.tools.iter().map(|tool| tool.spec())
    }

    /// The function behind a tool.
    pub(crate) fn function(&self, tool: &str) -> Option<Function> {
        let mut tools = self.ready.loaded.tools.iter();
        let tool = tools.find(|known| known.offered.offer.plan.tool() == tool)?;
        Some(Function::new(tool, self.ready.clone()))
    }
}

/// A component that can be instantiated, with everything that its calls share.
pub(crate) struct Ready {
    pub(crate) name: String,
    pub(crate) pre: InstancePre<State>,
    pub(crate) config: Arc<WasiConfigVariables>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) switch: Arc<Switch>,
    pub(crate) runtime: Arc<Runtime>,
    /// How its calls compute.
    pub(crate) record: Arc<Record>,
    /// Kept for the next plugin that is made of it.
    loaded: Arc<Loaded>,
}

/// sha256 (hex) of a component.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Makes a plugin ready. Blocks while it compiles.
pub(crate) fn prepare(
    source: &PluginSource,
    runtime: &Arc<Runtime>,
    digest: String,
    switch: Arc<Switch>,
) -> Result<Plugin, LoadError> {
    check_grants(source)?;
    let loaded = match runtime.library.get(&digest) {
        Some(loaded) => loaded,
        None => load(source, &digest, runtime)?,
    };
    link::check(&loaded.imports, source)?;
    let config = source.config.iter();
    let ready = Arc::new(Ready {
        name: source.name.clone(),
        pre: loaded.linked(&runtime.engine, Lent::to(source))?,
        config: Arc::new(config.map(|(k, v)| (k.as_str(), v.as_str())).collect()),
        limits: Arc::new(source.limits.clone()),
        switch,
        runtime: runtime.clone(),
        record: Arc::default(),
        loaded,
    });
    Ok(Plugin {
        capabilities: link::capabilities(&ready.loaded.imports),
        tools: tools(source, &digest, &ready),
        ready,
        name: source.name.clone(),
        version: source.version.clone(),
        digest,
    })
}

/// Reads and compiles a component that no plugin is made of yet; what costs least is checked first.
fn load(
    source: &PluginSource,
    digest: &str,
    runtime: &Arc<Runtime>,
) -> Result<Arc<Loaded>, LoadError> {
    form::check(&source.bytes, runtime.capacity.component_bytes)?;
    runtime
        .cache
        .try_reading(&runtime.engine, digest, &source.bytes)?;
    let reflection = reflect::reflect(&source.bytes, &runtime.contract)?;
    for what in &reflection.skipped {
        tracing::warn!(
            plugin = source.name,
            what,
            "part of the plugin is not offered"
        );
    }
    link::check(&reflection.imports, source)?;
    if reflection.offers.is_empty() {
        return Err(LoadError::NoTools(source.name.clone()));
    }
    poison::check(reflection.offers.iter().map(|offer| &offer.plan))?;
    let component = runtime
        .cache
        .component(&runtime.engine, digest, &source.bytes)?;
    let loaded = Arc::new(Loaded::new(reflection, component)?);
    Ok(runtime.library.put(digest, loaded))
}

fn check_grants(source: &PluginSource) -> Result<(), LoadError> {
    let refused = |reason| LoadError::Grant {
        plugin: source.name.clone(),
        reason,
    };
    source
        .grants
        .iter()
        .try_for_each(|grant| grant.check().map_err(refused))
}

fn tools(source: &PluginSource, digest: &str, ready: &Arc<Ready>) -> Vec<Arc<dyn Tool>> {
    let grants: Arc<[HttpGrant]> = source.grants.clone().into();
    let tools = ready.loaded.tools.iter();
    tools
        .map(|tool| {
            let spec = spec(source, &tool.offered, digest, grants.clone());
            let function = Function::new(tool, ready.clone());
            Arc::new(PluginTool::new(spec, function)) as Arc<dyn Tool>
        })
        .collect()
}

pub(crate) fn spec(
    source: &PluginSource,
    offered: &Offered,
    digest: &str,
    grants: Arc<[HttpGrant]>,
) -> ToolSpec {
    let plan = &offered.offer.plan;
    ToolSpec {
        name: plan.tool().to_owned(),
        title: plan.title(),
        description: plan.description(),
        input_schema: offered.input_schema.clone(),
        output_schema: offered.output_schema.clone(),
        bound: plan.bound(),
        interface: plan.interface.clone(),
        plugin: source.name.clone(),
        version: source.version.clone(),
        digest: digest.to_owned(),
        grants,
    }
}
