//! What the component that carries out descriptions is told of one tool, as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Api, Errors, Kind, Tool, TypeDef};

/// One tool with everything that carrying it out needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The tool.
    pub tool: Tool,
    /// The types that it uses, by name.
    pub types: BTreeMap<String, TypeDef>,
    /// How failures are read.
    pub errors: Errors,
}

impl Task {
    /// What of a description one tool needs; none where there is no such tool.
    pub fn of(api: &Api, tool: &str) -> Option<Self> {
        let mut tool = api.tools.get(tool)?.clone();
        tool.docs.clear();
        let mut types = BTreeMap::new();
        let parameters = tool.parameters.iter().map(|(_, parameter)| &parameter.kind);
        for kind in parameters.chain(&tool.result) {
            gather(api, kind, &mut types);
        }
        Some(Self {
            tool,
            types,
            errors: api.errors.clone(),
        })
    }
}

fn gather(api: &Api, kind: &Kind, types: &mut BTreeMap<String, TypeDef>) {
    match kind {
        Kind::List(item) => gather(api, item, types),
        Kind::Named(name) if !types.contains_key(name) => {
            if let Some(def) = api.types.get(name) {
                types.insert(name.clone(), without_docs(def));
                for (_, field) in def.fields.iter() {
                    gather(api, &field.kind, types);
                }
            }
        }
        _ => {}
    }
}

fn without_docs(def: &TypeDef) -> TypeDef {
    let mut def = def.clone();
    def.docs = None;
    def
}
