//! Who holds a key of a tenant: as whom they act, and which tools they see.

use std::sync::Arc;

use policy::{Actor, Role};
use serde::{Deserialize, Serialize};

use super::secret_ref::SecretRef;
use crate::{Secret, Staff};

/// Whom a key names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// As the tenant's file names them; unique in the tenant.
    pub(crate) name: String,
    /// As whom they act.
    pub(crate) actor: Actor,
    /// What they see and may call.
    pub(crate) tools: ToolSet,
}

/// A key, and whom it names.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) identity: Arc<Identity>,
    pub(crate) key: Secret,
}

/// One of `[[keys]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyEntry {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) key: SecretRef,
    #[serde(default)]
    pub(super) tools: ToolSet,
}

/// Tools by their names, where `*` stands for any part of one; without patterns, every tool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ToolSet(Option<Vec<String>>);

impl ToolSet {
    /// Whether it holds this tool.
    pub(crate) fn admits(&self, tool: &str) -> bool {
        let patterns = self.0.as_ref();
        patterns.is_none_or(|patterns| patterns.iter().any(|pattern| fits(pattern, tool)))
    }
}

impl Identity {
    /// An agent's key says which client it is; a person's says who.
    pub(super) fn of(entry: &KeyEntry) -> Self {
        let kind = match entry.role {
            Role::Agent => "key",
            Role::Supervisor | Role::Admin => "user",
        };
        Self {
            name: entry.name.clone(),
            actor: Actor {
                role: entry.role,
                subject: format!("{kind}:{}", entry.name),
            },
            tools: entry.tools.clone(),
        }
    }

    /// Whoever runs the program.
    pub(super) fn operator() -> Self {
        Self {
            name: "operator".to_owned(),
            actor: Actor {
                role: Role::Supervisor,
                subject: "user:operator".to_owned(),
            },
            tools: ToolSet::default(),
        }
    }

    /// Whoever sits at the machine that only they can reach.
    pub(crate) fn local() -> Self {
        Self {
            name: "local".to_owned(),
            actor: Actor {
                role: Role::Supervisor,
                subject: "user:local".to_owned(),
            },
            tools: ToolSet::default(),
        }
    }

    /// What they hear of a tool that is not among theirs.
    pub(crate) fn not_granted(&self, tool: &str) -> String {
        format!(
            "the key of {} is not for the tool {tool}; list the tools to see those that it is for",
            self.name
        )
    }

    /// They answer what waits for staff.
    pub(crate) fn is_staff(&self) -> bool {
        self.actor.role > Role::Agent
    }
}

/// The members of staff as holders of keys to everything.
pub(crate) fn of_staff(staff: &Staff) -> Vec<Holder> {
    let holder = |(name, actor, key): (&str, Actor, &Secret)| Holder {
        identity: Arc::new(Identity {
            name: name.to_owned(),
            actor,
            tools: ToolSet::default(),
        }),
        key: key.clone(),
    };
    staff.members().map(holder).collect()
}

/// Whether the pattern, with `*` for any part, is this whole name.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(name) = name.strip_prefix(start) else {
        return false;
    };
    (0..=name.len())
        .filter(|cut| name.is_char_boundary(*cut))
        .any(|cut| fits(rest, &name[cut..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_the_whole_name() {
        for (pattern, name, expected) in [
            ("get_order", "get_order", true),
            ("get_order", "get_orders", false),
            ("get_*", "get_order", true),
            ("get_*", "forget_order", false),
            ("*_order", "get_order", true),
            ("*_order", "get_orders", false),
            ("get_*_info", "get_tracking_info", true),
            ("*", "anything", true),
            ("", "anything", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn no_patterns_are_every_tool_and_an_empty_list_is_none() {
        assert!(ToolSet::default().admits("process_refund"));
        assert!(!ToolSet(Some(Vec::new())).admits("process_refund"));
    }
}
