//! What a component is, read without granting it anything, compiling it or running it.

use std::sync::Arc;

use dispatch::ToolSpec;
use serde::Serialize;

use crate::link::{self, Capability};
use crate::reflect;
use crate::runtime::Runtime;
use crate::{LoadError, PluginSource, form, plugin, poison};

/// What a component is and asks for.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// sha256 (hex) of the component.
    pub digest: String,
    /// Its size.
    pub bytes: usize,
    /// What it offers.
    pub tools: Vec<ToolSpec>,
    /// What it imports, in its own order; types alone are left out, for they ask for nothing.
    pub imports: Vec<Imported>,
    /// What it exports and no tool can be made of, in words.
    pub skipped: Vec<String>,
}

/// One interface that a component imports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// `wasi:http/outgoing-handler@0.2.12`.
    pub interface: String,
    /// What it asks for by that.
    pub capability: Capability,
}

/// Reads a component as it is loaded, short of linking and compiling.
pub(crate) fn inspect(
    name: &str,
    version: &str,
    bytes: &[u8],
    runtime: &Runtime,
) -> Result<Inspection, LoadError> {
    form::check(bytes, runtime.capacity.component_bytes)?;
    let digest = plugin::digest(bytes);
    runtime.cache.try_reading(&runtime.engine, &digest, bytes)?;
    let reflection = reflect::reflect(bytes, &runtime.contract)?;
    poison::check(reflection.offers.iter().map(|offer| &offer.plan))?;
    let source = PluginSource {
        name: name.to_owned(),
        version: version.to_owned(),
        ..PluginSource::default()
    };
    let offers = reflection.offers.into_iter();
    let imports = reflection.imports.iter().filter(|import| !import.inert);
    Ok(Inspection {
        tools: offers
            .map(|offer| plugin::spec(&source, &offer.into(), &digest, Arc::default()))
            .collect(),
        imports: imports
            .map(|import| Imported {
                interface: import.name.clone(),
                capability: link::capability(&import.name),
            })
            .collect(),
        bytes: bytes.len(),
        skipped: reflection.skipped,
        digest,
    })
}
