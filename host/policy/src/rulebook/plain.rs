//! The rules in plain words: what stands against a tool's calls, as its rules say it themselves.

use super::Rulebook;
use crate::{ConsentFrom, Priority};

/// One thing that must hold before a tool may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The rule's `@id`.
    pub rule: String,
    /// The code of its refusals.
    pub code: String,
    /// What the customer hears where it does not hold.
    pub say: String,
    /// What whoever calls can do about it.
    pub hint: Option<String>,
    /// Whose yes lifts it.
    pub consent: Option<ConsentFrom>,
    /// People are called, this urgently, where nothing else stands against the call.
    pub escalate: Option<Priority>,
}

impl Rulebook {
    /// What must hold before this tool may run, the weightiest first; nothing for a tool that has no rules and is denied.
    pub fn conditions(&self, tool: &str) -> Vec<Condition> {
        let Some((_, slice)) = self.tools.get(tool) else {
            return Vec::new();
        };
        let mut against = slice.objections();
        against.sort_by_key(|(_, objection)| std::cmp::Reverse(objection.prio));
        let condition = |(rule, objection): (&str, &super::rule::Objection)| Condition {
            rule: rule.to_owned(),
            code: objection.code.clone(),
            say: objection.say.clone(),
            hint: objection.hint.clone(),
            consent: objection.consent,
            escalate: objection.escalate,
        };
        against.into_iter().map(condition).collect()
    }
}
