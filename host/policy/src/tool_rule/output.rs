//! What a tool's rule reads from an output: whose it is, what it establishes, and what is private.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::arguments::id_text;
use crate::{Entity, Establishes, Fact, ToolRule, pointer, pointer::Found};

/// Whose data an output holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    /// Every owner that the output names.
    pub named: BTreeSet<String>,
    /// Some record lacks the owner that the rule declares for it. Nobody can be shown to own it: withhold it.
    pub unknown: bool,
}

impl Owners {
    /// Whether all of it belongs to `customer`. An output with no owned record in it does.
    pub fn all_are(&self, customer: Option<&str>) -> bool {
        !self.unknown
            && self
                .named
                .iter()
                .all(|owner| Some(owner.as_str()) == customer)
    }
}

impl ToolRule {
    /// Whose data `output` holds, by the rule's owner pointers.
    pub fn owners(&self, output: &Value) -> Owners {
        let mut owners = Owners::default();
        let mut note = |pointers: &[String], required: bool| {
            for found in pointers.iter().flat_map(|at| pointer::find_all(output, at)) {
                match found {
                    Found::NoRecord => {}
                    Found::Missing => owners.unknown |= required,
                    Found::Value(value) => match id_text(value) {
                        Some(owner) => drop(owners.named.insert(owner)),
                        None => owners.unknown = true,
                    },
                }
            }
        };
        note(&self.owner, true);
        note(&self.owner_if_any, false);
        owners
    }

    /// Whether what the tool returns can be somebody's.
    pub fn is_owned(&self) -> bool {
        !self.owner.is_empty() || !self.owner_if_any.is_empty()
    }

    /// What a result establishes, at `now` (Unix seconds). Attributes that are absent or null in the output are left out.
    pub fn facts(
        &self,
        arguments: &Map<String, Value>,
        output: &Value,
        now: i64,
    ) -> Vec<(Entity, Fact)> {
        let mut facts = vec![];
        for rule in &self.establishes {
            for (prefix, item) in pointer::expand(output, &rule.id) {
                let at = |path: &str| match path.strip_prefix(prefix) {
                    Some(rest) => format!("{item}{rest}"),
                    None => path.to_owned(),
                };
                facts.extend(establish(rule, arguments, output, now, &at));
            }
        }
        facts
    }

    /// Takes the private fields out of `output`.
    pub fn withhold(&self, output: &mut Value) {
        for at in &self.private {
            pointer::remove(output, at);
        }
    }
}

fn establish(
    rule: &Establishes,
    arguments: &Map<String, Value>,
    output: &Value,
    now: i64,
    at: &dyn Fn(&str) -> String,
) -> Option<(Entity, Fact)> {
    let id = output
        .pointer(&at(&rule.id))
        .filter(|value| !value.is_null())
        .or_else(|| pointer::lookup(arguments, &rule.id))?;
    let entity = Entity {
        kind: rule.kind.clone(),
        id: id_text(id)?,
    };
    let attributes = rule
        .attributes
        .iter()
        .filter_map(|(name, path)| Some((name.clone(), output.pointer(&at(path))?.clone())))
        .filter(|(_, value)| !value.is_null())
        .collect();
    let fact = Fact {
        established_at: now,
        attributes,
    };
    Some((entity, fact))
}
