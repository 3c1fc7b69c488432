//! Why a decision came out as it did: every rule that spoke, where it stands, and what it saw.

use std::sync::Arc;

use cedar_policy::{Context, Policy};
use serde_json::Value;

use super::rule::Rule;
use super::{Rulebook, context, expression};
use crate::{Decision, DecisionInput};

/// A decision with the rules behind it.
#[derive(Debug)]
pub struct Explanation {
    /// What was decided.
    pub decision: Decision,
    /// The rules that spoke: those that could not be evaluated, those against by falling priority, those for it.
    pub rules: Vec<RuleVoice>,
}

/// Which side a rule is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Its permit matches.
    For,
    /// Its forbid matches.
    Against,
    /// It could not be evaluated, so the call is refused.
    Broken,
}

/// One rule that spoke.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleVoice {
    /// Its `@id`.
    pub id: String,
    /// The file it is in.
    pub file: String,
    /// Where it starts there: `line:column`.
    pub at: String,
    /// Which side it is on.
    pub side: Side,
    /// What it looks at: the path below `context`, and the value there; none where nothing is known.
    pub saw: Vec<(String, Option<Value>)>,
}

impl Rulebook {
    /// Decides as [`Rulebook::decide`] does, and says which rules spoke and what they saw.
    pub fn explain(&self, input: &DecisionInput<'_>) -> Explanation {
        let call = input.call.clone().into_owned();
        let decision = self.decide(call, &input.facts, &Arc::from([]));
        Explanation {
            decision,
            rules: self.voices(input).unwrap_or_default(),
        }
    }

    /// None where the tool has no rules, or the facts cannot be told to any.
    fn voices(&self, input: &DecisionInput<'_>) -> Option<Vec<RuleVoice>> {
        let (rule, slice) = self.tools.get(&input.call.tool)?;
        let subject = self.subject(rule, &input.call, &input.facts);
        let context = context::tool_call(&subject, &slice.attributes).ok()?;
        let seen = Context::from(context.clone()).to_json_value().ok()?;
        let asker = (input.call.actor.subject.as_str(), input.call.case.as_str());
        let voices = self.ruleset.voices(slice, asker, context);
        let mut against: Vec<&str> = voices.against.iter().map(|(id, _)| *id).collect();
        if !voices.broken.is_empty() {
            against.clear();
        }
        let sides = [
            (Side::Broken, voices.broken),
            (Side::Against, against),
            (Side::For, voices.permits),
        ];
        let voices = sides.into_iter().flat_map(|(side, ids)| {
            let rules = ids.into_iter().filter_map(|id| self.ruleset.rule(id));
            rules.map(move |rule| (side, rule)).collect::<Vec<_>>()
        });
        Some(
            voices
                .map(|(side, rule)| voice(side, rule, &seen))
                .collect(),
        )
    }
}

fn voice(side: Side, rule: &Rule, seen: &Value) -> RuleVoice {
    RuleVoice {
        id: rule.id.clone(),
        file: rule.file.clone(),
        at: rule.at.clone(),
        side,
        saw: paths_of(&rule.policy)
            .into_iter()
            .map(|path| {
                let value = value_at(seen, &path).cloned();
                (path, value)
            })
            .collect(),
    }
}

fn paths_of(policy: &Policy) -> Vec<String> {
    let form = policy.to_json().unwrap_or_default();
    let conditions = form.get("conditions").cloned().unwrap_or_default();
    expression::paths(&conditions).into_iter().collect()
}

fn value_at<'a>(seen: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .try_fold(seen, |value, name| value.get(name))
}
