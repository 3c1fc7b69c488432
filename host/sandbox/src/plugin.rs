//! A plugin: what its operator configures, and the compiled component that comes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use dispatch::{Tool, ToolSpec};
use policy::HttpGrant;
use sha2::{Digest as _, Sha256};
use wasmparser::Parser;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};
use wasmtime_wasi_config::WasiConfigVariables;

use crate::invoke::PluginTool;
use crate::lane::Record;
use crate::reflect::{self, Offer, Reflection};
use crate::runtime::Runtime;
use crate::state::State;
use crate::{Limits, LoadError, link};

/// A plugin as its operator configures it.
#[derive(Clone, Debug, Default)]
pub struct PluginSource {
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

    /// What it offers.
    pub fn tools(&self) -> impl Iterator<Item = &ToolSpec> {
        self.tools.iter().map(|tool| tool.spec())
    }
}

/// A component that can be instantiated, with everything that its calls share.
pub(crate) struct Ready {
    pub(crate) name: String,
    pub(crate) pre: InstancePre<State>,
    pub(crate) config: Arc<WasiConfigVariables>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) runtime: Arc<Runtime>,
    /// How its calls compute.
    pub(crate) record: Record,
}

/// Makes a plugin ready. Blocks while it compiles.
pub(crate) fn prepare(source: &PluginSource, runtime: &Arc<Runtime>) -> Result<Plugin, LoadError> {
    check_grants(source)?;
    check_form(&source.bytes, runtime.capacity.component_bytes)?;
    let reflection = reflect::reflect(&source.bytes, &runtime.contract)?;
    for what in &reflection.skipped {
        tracing::warn!(
            plugin = source.name,
            what,
            "part of the plugin is not offered"
        );
    }
    let linker = link::linker(&runtime.engine, &reflection.imports, source)?;
    if reflection.offers.is_empty() {
        return Err(LoadError::NoTools(source.name.clone()));
    }
    let digest = hex::encode(Sha256::digest(&source.bytes));
    let component = runtime
        .cache
        .component(&runtime.engine, &digest, &source.bytes)?;
    // Made now rather than by the first call.
    component
        .initialize_copy_on_write_image()
        .map_err(|error| LoadError::Sandbox(format!("{error:#}")))?;
    let pre = linker
        .instantiate_pre(&component)
        .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
    let ready = Arc::new(Ready {
        name: source.name.clone(),
        pre,
        config: Arc::new(
            source
                .config
                .iter()
                .map(|(k, v)| (k.as_str(), v.as_str()))
                .collect(),
        ),
        limits: Arc::new(source.limits.clone()),
        runtime: runtime.clone(),
        record: Record::default(),
    });
    Ok(Plugin {
        tools: tools(source, reflection, &digest, &component, &ready)?,
        name: source.name.clone(),
        version: source.version.clone(),
        digest,
    })
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

pub(crate) fn check_form(bytes: &[u8], limit: usize) -> Result<(), LoadError> {
    if bytes.len() > limit {
        let bytes = bytes.len();
        Err(LoadError::TooLarge { bytes, limit })
    } else if Parser::is_core_wasm(bytes) {
        Err(LoadError::NotAComponent("a core module"))
    } else if Parser::is_component(bytes) {
        Ok(())
    } else {
        Err(LoadError::NotAComponent("something else"))
    }
}

fn tools(
    source: &PluginSource,
    reflection: Reflection,
    digest: &str,
    component: &Component,
    ready: &Arc<Ready>,
) -> Result<Vec<Arc<dyn Tool>>, LoadError> {
    let grants: Arc<[HttpGrant]> = source.grants.clone().into();
    reflection
        .offers
        .into_iter()
        .map(|offer| {
            let spec = spec(source, &offer, digest, grants.clone());
            let function = export(component, &offer)?;
            Ok(Arc::new(PluginTool::new(spec, offer, function, ready.clone())) as Arc<dyn Tool>)
        })
        .collect()
}

pub(crate) fn spec(
    source: &PluginSource,
    offer: &Offer,
    digest: &str,
    grants: Arc<[HttpGrant]>,
) -> ToolSpec {
    let plan = &offer.plan;
    ToolSpec {
        name: plan.tool().to_owned(),
        title: plan.title(),
        description: plan.description(),
        input_schema: plan.input_schema(),
        output_schema: plan.output_schema(),
        bound: plan.bound(),
        interface: plan.interface.clone(),
        plugin: source.name.clone(),
        version: source.version.clone(),
        digest: digest.to_owned(),
        grants,
    }
}

fn export(component: &Component, offer: &Offer) -> Result<ComponentExportIndex, LoadError> {
    let (interface, function) = offer.export();
    component
        .get_export_index(None, interface)
        .and_then(|instance| component.get_export_index(Some(&instance), function))
        .ok_or_else(|| LoadError::Contract {
            interface: interface.to_owned(),
            function: function.to_owned(),
            message: "the component does not export it".to_owned(),
        })
}
