//! Reflection: from the types of a component to the tools it offers, compiled once per component version.

mod compile;
mod contract;
mod convert;
mod described;
mod lift;
mod lower;
mod offer;
mod param_docs;
mod plan;
mod pointer;
mod schema;
mod shape;
mod text;
mod tool_error;
mod vendor;
mod words;

#[cfg(test)]
mod tests;

use ::described::Api;
use wit_component::DecodedWasm;
use wit_parser::{Interface, Resolve, TypeDefKind, WorldItem, WorldKey};

use crate::LoadError;
pub(crate) use contract::Contract;
pub(crate) use offer::Offer;
pub(crate) use plan::Plan;
pub(crate) use pointer::Pointer;

/// What a component offers and what it asks for.
pub(crate) struct Reflection {
    /// One per tool.
    pub(crate) offers: Vec<Offer>,
    /// In the component's order.
    pub(crate) imports: Vec<Import>,
    /// What is exported but cannot be offered, in words for a log.
    pub(crate) skipped: Vec<String>,
}

/// Something that a component asks for.
pub(crate) struct Import {
    /// `wasi:http/types@0.2.12`.
    pub(crate) name: String,
    /// Only types: nothing is asked for.
    pub(crate) inert: bool,
}

/// Reads a component.
pub(crate) fn reflect(component: &[u8], contract: &Contract) -> Result<Reflection, LoadError> {
    let decoded = wit_component::decode(component)
        .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
    let DecodedWasm::Component(resolve, world) = &decoded else {
        return Err(LoadError::NotAComponent("a WIT package"));
    };
    let mut skipped = Vec::new();
    let carried = Carried {
        documented: vendor::documented(component, contract).unwrap_or_else(|reason| {
            skipped.push(format!("the embedded documentation is unusable: {reason}"));
            None
        }),
        description: described::description(component)?,
    };
    let world = &resolve.worlds[*world];
    let mut offers = Vec::new();
    for (key, item) in &world.exports {
        // Only named interfaces offer tools: language runtimes export functions and inline interfaces of their own.
        if let (WorldKey::Interface(_), WorldItem::Interface { id, .. }) = (key, item) {
            let name = resolve.name_world_key(key);
            let exported = Exported {
                resolve,
                interface: &resolve.interfaces[*id],
                name: &name,
            };
            offers.extend(exported.offers(contract, &carried, &mut skipped)?);
        }
    }
    if carried.description.is_some() && !offers.iter().any(Offer::is_described) {
        return Err(described::unused());
    }
    let imports = world.imports.iter();
    Ok(Reflection {
        offers,
        imports: imports
            .map(|(key, item)| import(resolve, key, item))
            .collect(),
        skipped,
    })
}

/// What a component carries in custom sections.
struct Carried {
    /// The WIT of a vendor's own packages, with its documentation.
    documented: Option<Resolve>,
    /// The description of an HTTP API.
    description: Option<Api>,
}

/// One exported interface.
struct Exported<'a> {
    resolve: &'a Resolve,
    interface: &'a Interface,
    name: &'a str,
}

impl Exported<'_> {
    fn offers(
        &self,
        contract: &Contract,
        carried: &Carried,
        skipped: &mut Vec<String>,
    ) -> Result<Vec<Offer>, LoadError> {
        let package = contract::package(self.resolve, self.interface);
        let package = package.map(|package| (package.namespace.as_str(), package.name.as_str()));
        let plans = match package {
            Some((contract::NAMESPACE, described::PACKAGE)) => {
                let plans = contract.plans(self.resolve, self.interface, self.name)?;
                return described::offers(carried.description.as_ref(), contract, &plans);
            }
            Some((contract::NAMESPACE, _)) => {
                return contract.offers(self.resolve, self.interface, self.name, skipped);
            }
            // What `wasi:cli/run` and its like export is for other hosts.
            Some(("wasi", _)) | None => Vec::new(),
            Some(_) => self.vendor_plans(carried.documented.as_ref(), skipped),
        };
        Ok(plans.into_iter().map(Offer::direct).collect())
    }

    fn vendor_plans(&self, documented: Option<&Resolve>, skipped: &mut Vec<String>) -> Vec<Plan> {
        let mut plans = Vec::new();
        for (name, function) in &self.interface.functions {
            match Plan::compile(self.resolve, self.name, function) {
                Ok(plan) => plans.push(self.with_docs(plan, documented)),
                Err(uses) => skipped.push(format!("{}#{name} uses {uses}", self.name)),
            }
        }
        plans
    }

    /// The same function from the documented package, if it really is the same.
    fn with_docs(&self, plan: Plan, documented: Option<&Resolve>) -> Plan {
        let better = documented.and_then(|resolve| {
            let mut interfaces = resolve.interfaces.iter();
            let (_, interface) =
                interfaces.find(|(id, _)| resolve.id_of(*id).as_deref() == Some(self.name))?;
            let function = interface.functions.get(&plan.function.wit)?;
            Plan::compile(resolve, self.name, function).ok()
        });
        better
            .filter(|better| better.signature() == plan.signature())
            .unwrap_or(plan)
    }
}

fn import(resolve: &Resolve, key: &WorldKey, item: &WorldItem) -> Import {
    let inert = match item {
        WorldItem::Interface { id, .. } => {
            let interface = &resolve.interfaces[*id];
            let is_resource = |id| matches!(resolve.types[id].kind, TypeDefKind::Resource);
            interface.functions.is_empty() && !interface.types.values().any(|id| is_resource(*id))
        }
        WorldItem::Type { .. } => true,
        WorldItem::Function(_) => false,
    };
    Import {
        name: resolve.name_world_key(key),
        inert,
    }
}
