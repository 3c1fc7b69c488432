//! Who holds a key of a tenant: as whom they act, and which tools they see.

use std::sync::Arc;

use policy::{Actor, Role};
use serde::{Deserialize, Serialize};

use super::secret_ref::SecretRef;
use crate::staff::kind_of;
use crate::{Secret, Staff};

/// Whoever holds the host's own operator key.
pub(crate) const FIRST_OPERATOR: &str = "operator";
/// Whoever sits at the machine.
const LOCAL: &str = "local";

/// Whom a key or an access token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// As the tenant's file names them, or as the issuer of their token does.
    pub(crate) name: String,
    /// Who made the token that names them; none where it is a key.
    pub(crate) issuer: Option<String>,
    /// As whom they act; the subject is nobody else's in the tenant.
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ToolSet(Option<Vec<String>>);

impl ToolSet {
    /// By these patterns; without any list, every tool.
    pub(crate) fn of(patterns: Option<Vec<String>>) -> Self {
        Self(patterns)
    }

    /// Whether it holds this tool.
    pub(crate) fn admits(&self, tool: &str) -> bool {
        let patterns = self.0.as_ref();
        patterns.is_none_or(|patterns| patterns.iter().any(|pattern| fits(pattern, tool)))
    }
}

impl Identity {
    /// An agent's key says which client it is; a person's says who.
    pub(super) fn of(entry: &KeyEntry) -> Self {
        let kind = kind_of(entry.role);
        Self {
            name: entry.name.clone(),
            issuer: None,
            actor: Actor {
                role: entry.role,
                subject: format!("{kind}:{}", entry.name),
            },
            tools: entry.tools.clone(),
        }
    }

    /// The bearer of an access token. Neither a key nor another issuer's token has this subject, and no name of a case can be taken
    /// for a part of it: what follows it in the name of a session begins with a colon, which it does not hold beyond its first.
    pub(crate) fn by_token(issuer: &str, subject: &str, role: Role, tools: ToolSet) -> Self {
        Self {
            name: subject.to_owned(),
            issuer: Some(issuer.to_owned()),
            actor: Actor {
                role,
                subject: format!("token:{}@{}", encoded(subject), encoded(issuer)),
            },
            tools,
        }
    }

    /// Somebody who runs the program.
    pub(super) fn operator(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            issuer: None,
            actor: Actor {
                role: Role::Supervisor,
                subject: format!("user:{name}"),
            },
            tools: ToolSet::default(),
        }
    }

    /// Whoever sits at the machine that only they can reach.
    pub(crate) fn local() -> Self {
        Self {
            name: LOCAL.to_owned(),
            issuer: None,
            actor: Actor {
                role: Role::Supervisor,
                subject: format!("user:{LOCAL}"),
            },
            tools: ToolSet::default(),
        }
    }

    /// Whether a name is of one who comes without having been added by it.
    pub(crate) fn is_the_hosts(name: &str) -> bool {
        [FIRST_OPERATOR, LOCAL]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(name))
    }

    /// What they hear of a tool that is not among theirs.
    pub(crate) fn not_granted(&self, tool: &str) -> String {
        let shown = if self.issuer.is_some() {
            "token"
        } else {
            "key"
        };
        format!(
            "the {shown} of {} is not for the tool {tool}; list the tools to see those that it is for",
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
            issuer: None,
            actor,
            tools: ToolSet::default(),
        }),
        key: key.clone(),
    };
    staff.members().map(holder).collect()
}

/// Letters, digits and `*-._` as they are, everything else by its bytes.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
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
    fn a_tokens_subject_is_nobody_elses() {
        let subject = |issuer: &str, subject: &str| {
            let identity = Identity::by_token(issuer, subject, Role::Agent, ToolSet::default());
            identity.actor.subject
        };
        let id = "https://id.example";
        assert_eq!(
            subject(id, "auth0|5f7"),
            "token:auth0%7C5f7@https%3A%2F%2Fid.example"
        );
        let all = [
            subject(id, "a"),
            subject(id, "key:a"),
            subject(id, "a:b"),
            subject(id, "a@b"),
            subject(id, "a%3Ab"),
            subject(id, "a b"),
            subject(id, "a+b"),
            subject("https://b@id.example", "a"),
            subject("https://id.example/", "a"),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len(), "{all:?}");
        assert!(
            all.iter().all(|one| one.matches(':').count() == 1),
            "{all:?}"
        );
    }

    #[test]
    fn no_patterns_are_every_tool_and_an_empty_list_is_none() {
        assert!(ToolSet::default().admits("process_refund"));
        assert!(!ToolSet(Some(Vec::new())).admits("process_refund"));
    }
}
