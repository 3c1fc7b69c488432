//! What is wrong with a rulebook although it loads: rules that no call can meet, and rules that others make needless.

use std::collections::BTreeSet;

use cedar_policy::{ActionConstraint, Effect};
use serde_json::Value;

use super::rule::Rule;
use super::ruleset::names_of;
use super::{Rulebook, RulebookSource, http, reach, schema};
use crate::RulebookError;

/// One thing that is wrong with a rulebook. Reads as one line: file, position, rule, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file; empty where none is to blame.
    pub file: String,
    /// `line:column` in it; empty where the message says it.
    pub at: String,
    /// The rule's `@id`, where one is to blame.
    pub rule: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for part in [&self.file, &self.at] {
            if !part.is_empty() {
                write!(to, "{part}: ")?;
            }
        }
        if let Some(rule) = &self.rule {
            write!(to, "{rule}: ")?;
        }
        to.write_str(&self.message)
    }
}

/// Loads a rulebook, and says everything that is wrong with it; nothing if it is sound.
pub fn check(source: RulebookSource) -> Result<Rulebook, Vec<Finding>> {
    let rulebook = Rulebook::load(source).map_err(refused)?;
    let known: Vec<Known<'_>> = rulebook
        .ruleset
        .rules()
        .map(|rule| Known::of(rule, &rulebook))
        .collect();
    let findings: Vec<Finding> = known
        .iter()
        .filter_map(|one| Some(one.finding(one.complaint(&known)?)))
        .collect();
    if findings.is_empty() {
        return Ok(rulebook);
    }
    Err(findings)
}

/// What keeps a rulebook from loading names file, position and rule already.
fn refused(error: RulebookError) -> Vec<Finding> {
    let plain = |file: String, message: &str| Finding {
        file,
        at: String::new(),
        rule: None,
        message: message.to_owned(),
    };
    match error {
        RulebookError::Parse { file, message } => vec![plain(file, &message)],
        RulebookError::Invalid(messages) => messages
            .lines()
            .map(|message| plain(String::new(), message))
            .collect(),
    }
}

/// A rule with what it comes down to.
struct Known<'a> {
    rule: &'a Rule,
    /// Its JSON form.
    form: Value,
    /// The classified tools (and the HTTP capability) that it can meet.
    actions: BTreeSet<String>,
    /// Its conditions, each as `when …` or `unless …`: all must hold.
    conditions: BTreeSet<String>,
}

impl<'a> Known<'a> {
    fn of(rule: &'a Rule, rulebook: &Rulebook) -> Self {
        let form = rule.policy.to_json().unwrap_or_default();
        let listed = form.get("conditions").and_then(Value::as_array);
        let conditions = listed.into_iter().flatten().flat_map(conjuncts).collect();
        Self {
            rule,
            actions: actions(rule, rulebook),
            conditions,
            form,
        }
    }

    fn complaint(&self, all: &[Self]) -> Option<String> {
        if !reach::can_match(&self.form) {
            return Some(
                "never matches: its conditions contradict each other, or what the host tells rules"
                    .to_owned(),
            );
        }
        if self.actions.is_empty() {
            return Some(
                "never matches: nothing classifies the tools that it names (wit/contract.toml)"
                    .to_owned(),
            );
        }
        let bars = |other: &&Self| self.is_barred_by(other);
        if let Some(other) = all.iter().find(bars) {
            return Some(format!(
                "never allows anything: {} ({} at {}) refuses all that it permits",
                other.rule.id, other.rule.file, other.rule.at
            ));
        }
        let covers = |other: &&Self| self.is_needless_beside(other);
        all.iter().find(covers).map(|other| {
            format!(
                "is unreachable: wherever it matches, {} ({} at {}) does, and decides the same",
                other.rule.id, other.rule.file, other.rule.at
            )
        })
    }

    /// Wherever it matches the other one does, and with it, nothing comes out differently. Of two that are the same, the
    /// one that comes later by its id is needless.
    fn is_needless_beside(&self, other: &Self) -> bool {
        let (mine, its) = (&self.rule.objection, &other.rule.objection);
        let is_heard = match (mine, its) {
            (None, None) => true,
            (Some(mine), Some(its)) => {
                let weight = |one: &super::rule::Objection| (one.alarm, one.escalate, one.consent);
                weight(mine) == weight(its) && its.prio >= mine.prio
            }
            _ => false,
        };
        let is_covered =
            self.actions.is_subset(&other.actions) && other.conditions.is_subset(&self.conditions);
        let is_same = self.actions == other.actions && self.conditions == other.conditions;
        let later = self.rule.id > other.rule.id
            || mine.as_ref().map(|one| one.prio) < its.as_ref().map(|one| one.prio);
        self.rule.id != other.rule.id && is_heard && is_covered && (!is_same || later)
    }

    /// It permits, and the other one refuses all of that, whatever holds.
    fn is_barred_by(&self, other: &Self) -> bool {
        self.rule.policy.effect() == Effect::Permit
            && other.rule.policy.effect() == Effect::Forbid
            && other.conditions.is_subset(&self.conditions)
            && self.actions.is_subset(&other.actions)
    }

    fn finding(&self, message: String) -> Finding {
        Finding {
            file: self.rule.file.clone(),
            at: self.rule.at.clone(),
            rule: Some(self.rule.id.clone()),
            message,
        }
    }
}

/// Of everything that can be asked for, what the rule's scope admits.
fn actions(rule: &Rule, rulebook: &Rulebook) -> BTreeSet<String> {
    let named: Option<Vec<String>> = match rule.policy.action_constraint() {
        ActionConstraint::Any => None,
        ActionConstraint::Eq(action) => Some(names_of(&[action])),
        ActionConstraint::In(actions) => Some(names_of(&actions)),
    };
    let admits = |name: &str, group: Option<&str>| {
        named.as_ref().is_none_or(|named| {
            named
                .iter()
                .any(|one| one == name || Some(one.as_str()) == group)
        })
    };
    let tools = rulebook.tools.iter();
    let mut admitted: BTreeSet<String> = tools
        .filter(|(name, (rule, _))| admits(name, Some(schema::group(rule.effect))))
        .map(|(name, _)| name.clone())
        .collect();
    if admits(http::ACTION, None) {
        admitted.insert(http::ACTION.to_owned());
    }
    admitted
}

/// The parts of one condition that must all hold, each with its sign.
fn conjuncts(condition: &Value) -> Vec<String> {
    let holds = condition.get("kind").is_none_or(|kind| kind == "when");
    let mut parts = vec![];
    if let Some(body) = condition.get("body") {
        split(body, holds, &mut parts);
    }
    parts
}

fn split(expression: &Value, holds: bool, parts: &mut Vec<String>) {
    let inner = |name: &str| expression.get(name);
    let sides = if holds { inner("&&") } else { inner("||") };
    if let Some(sides) = sides {
        for side in ["left", "right"] {
            if let Some(side) = sides.get(side) {
                split(side, holds, parts);
            }
        }
    } else if let Some(negated) = inner("!").and_then(|inner| inner.get("arg")) {
        split(negated, !holds, parts);
    } else {
        let sign = if holds { "when" } else { "unless" };
        parts.push(format!("{sign} {expression}"));
    }
}
