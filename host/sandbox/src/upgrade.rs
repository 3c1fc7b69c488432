//! What changes between two versions of a plugin, for whoever calls its tools and for whoever grants it things.

mod accepts;

use std::collections::{BTreeMap, BTreeSet};

use dispatch::ToolSpec;
use serde::Serialize;

use crate::{Capability, Plugin};
use accepts::{Openness, accepts};

/// What a newer version of a plugin changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Tools that only the newer version has.
    pub added: Vec<String>,
    /// Tools that it has no more.
    pub removed: Vec<String>,
    /// What callers of the older version would trip over: a tool that is gone, an argument that does not fit any more, a result
    /// that is no longer what it was. In words, each with the tool and the place in its schema.
    pub incompatible: Vec<String>,
    /// Tools whose description changed, which is what a model goes by.
    pub redescribed: Vec<String>,
    /// Capabilities that the older version does not ask for.
    pub capabilities: BTreeSet<Capability>,
}

impl Comparison {
    /// Of two versions of one plugin, held against each other tool by tool.
    pub fn of(old: &Plugin, new: &Plugin) -> Self {
        Self {
            capabilities: new.capabilities() - old.capabilities(),
            ..Self::of_tools(old.tools(), new.tools())
        }
    }

    /// Of the tools alone, for a version that nobody loads any more; no capabilities are found.
    pub fn of_tools<'a>(
        old: impl Iterator<Item = &'a ToolSpec>,
        new: impl Iterator<Item = &'a ToolSpec>,
    ) -> Self {
        let (before, after) = (by_name(old), by_name(new));
        let mut found = Self {
            added: only_in(&after, &before),
            removed: only_in(&before, &after),
            ..Self::default()
        };
        let gone = |tool: &String| format!("{tool}: the tool is gone");
        found.incompatible.extend(found.removed.iter().map(gone));
        for (name, was) in &before {
            if let Some(is) = after.get(name) {
                found.hold(was, is);
            }
        }
        found
    }

    /// Whether callers of the older version can go on as before.
    pub fn is_compatible(&self) -> bool {
        self.incompatible.is_empty()
    }

    fn hold(&mut self, was: &ToolSpec, is: &ToolSpec) {
        let input = accepts(&is.input_schema, &was.input_schema, Openness::Closed);
        let output = accepts(&was.output_schema, &is.output_schema, Openness::Open);
        let input = input
            .into_iter()
            .map(|what| format!("{}: argument {what}", is.name));
        let output = output
            .into_iter()
            .map(|what| format!("{}: result {what}", is.name));
        self.incompatible.extend(input.chain(output));
        if was.bound != is.bound {
            let words = "other arguments are filled in by the host";
            self.incompatible.push(format!("{}: {words}", is.name));
        }
        if was.description != is.description || was.title != is.title {
            self.redescribed.push(is.name.clone());
        }
    }
}

fn by_name<'a>(tools: impl Iterator<Item = &'a ToolSpec>) -> BTreeMap<&'a str, &'a ToolSpec> {
    tools.map(|spec| (spec.name.as_str(), spec)).collect()
}

fn only_in(tools: &BTreeMap<&str, &ToolSpec>, others: &BTreeMap<&str, &ToolSpec>) -> Vec<String> {
    let missing = tools.keys().filter(|name| !others.contains_key(*name));
    missing.map(|name| (*name).to_owned()).collect()
}
