//! Linking: what a component imports is its request for capabilities; only what is granted is linked.

use std::collections::BTreeSet;

use serde::Serialize;
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::reflect::Import;
use crate::state::State;
use crate::{LoadError, PluginSource, key_value, model, outbound, progress};

/// The parts of WASI that are linked for everybody, with nothing behind them.
const INERT: [&str; 6] = [
    "wasi:cli",
    "wasi:clocks",
    "wasi:filesystem",
    "wasi:io",
    "wasi:random",
    "wasi:sockets",
];

/// What is lent to a component beside what everybody has.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Lent {
    http: bool,
    model: bool,
    key_value: bool,
}

impl Lent {
    /// What the operator grants.
    pub(crate) fn to(plugin: &PluginSource) -> Self {
        Self {
            http: !plugin.grants.is_empty(),
            model: plugin.model,
            key_value: plugin.key_value,
        }
    }
}

/// Says whether all that a component asks for is granted.
pub(crate) fn check(imports: &[Import], plugin: &PluginSource) -> Result<(), LoadError> {
    for import in imports.iter().filter(|import| !import.inert) {
        if let Some(remedy) = refusal(&import.name, Lent::to(plugin)) {
            return Err(LoadError::UngrantedImport {
                plugin: plugin.name.clone(),
                import: import.name.clone(),
                remedy,
            });
        }
    }
    Ok(())
}

/// A linker with exactly what is lent.
pub(crate) fn linker(engine: &Engine, lent: Lent) -> Result<Linker<State>, LoadError> {
    assemble(engine, lent).map_err(|error| LoadError::Sandbox(format!("{error:#}")))
}

/// What an import asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Requests to the destinations that were granted.
    Http,
    /// The plugin's settings.
    Settings,
    /// Keys and values of its own.
    KeyValue,
    /// The tenant's model.
    Model,
    /// What language run-times ask for, and reports of progress: linked for everybody, with nothing behind it.
    Inert,
    /// Something that no plugin can have.
    Unknown,
}

/// What this import asks for.
pub(crate) fn capability(import: &str) -> Capability {
    let interface = import.split('@').next().unwrap_or(import);
    let package = interface.split('/').next().unwrap_or(interface);
    match interface {
        "wasi:http/outgoing-handler" | "wasi:http/types" => Capability::Http,
        "switchboard:host/model" => Capability::Model,
        "wasi:keyvalue/store" => Capability::KeyValue,
        "wasi:config/store" => Capability::Settings,
        "switchboard:host/progress" => Capability::Inert,
        _ if INERT.contains(&package) => Capability::Inert,
        _ => Capability::Unknown,
    }
}

/// What these imports ask for that an operator grants.
pub(crate) fn capabilities(imports: &[Import]) -> BTreeSet<Capability> {
    let granted = [Capability::Http, Capability::KeyValue, Capability::Model];
    let asked = imports.iter().filter(|import| !import.inert);
    asked
        .map(|import| capability(&import.name))
        .filter(|capability| granted.contains(capability))
        .collect()
}

/// Why a plugin may not import this; none if it may.
fn refusal(import: &str, lent: Lent) -> Option<&'static str> {
    match capability(import) {
        Capability::Http => (!lent.http)
            .then_some("no HTTP destination is granted to it; add a grant to its configuration"),
        Capability::Model => (!lent.model)
            .then_some("the model is not granted to it; set `model = true` in its configuration"),
        Capability::KeyValue => (!lent.key_value).then_some(
            "keys and values are not granted to it; set `key_value = true` in its configuration",
        ),
        Capability::Settings | Capability::Inert => None,
        Capability::Unknown => Some("no plugin can have that"),
    }
}

fn assemble(engine: &Engine, lent: Lent) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_config::add_to_linker(&mut linker, State::config)?;
    progress::add_to_linker(&mut linker)?;
    if lent.http {
        outbound::add_to_linker(&mut linker)?;
    }
    if lent.model {
        model::add_to_linker(&mut linker)?;
    }
    if lent.key_value {
        key_value::add_to_linker(&mut linker)?;
    }
    Ok(linker)
}
