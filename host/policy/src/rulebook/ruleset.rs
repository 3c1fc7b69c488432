//! All rules together with the schema that they were validated against, and the slice of them that one action can meet.

use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy::{
    ActionConstraint, Entities, EntityUid, Policy, PolicyId, PolicySet, Schema, ValidationMode,
    Validator,
};
use cedar_policy_core::ast::{Context, Eid, EntityType, EntityUID, EntityUIDEntry, Request};
use cedar_policy_core::validator::types::Type;
use miette::Diagnostic;

use super::context::Told;
use super::judgement::{Judgement, Voices};
use super::rule::{self, Rule};
use super::slice::Slice;
use crate::RulebookError;

/// No rule follows more than this many references between entities; ours have no attributes to follow.
const DEREFERENCES: u32 = 1;

/// Rules by id, and what it takes to evaluate them.
pub(super) struct Ruleset {
    rules: BTreeMap<String, Arc<Rule>>,
    schema: Schema,
    groups: Entities,
    names: Names,
}

/// The names of the schema, parsed once.
struct Names {
    actor: EntityType,
    case: EntityType,
    action: EntityType,
}

/// Who asks: the actor's stable name, and the case.
pub(super) type Asker<'a> = (&'a str, &'a str);

impl Ruleset {
    pub(super) fn load(
        policies: &[(String, String)],
        schema_text: &str,
    ) -> Result<Self, RulebookError> {
        let schema = parse_schema(schema_text)?;
        let rules = read_all(policies)?;
        validate(&rules, policies, &schema)?;
        let invalid = |error: &dyn std::fmt::Display| RulebookError::Invalid(error.to_string());
        let name = |text: &str| text.parse().map_err(|error| invalid(&error));
        Ok(Self {
            groups: schema.action_entities().map_err(|error| invalid(&error))?,
            names: Names {
                actor: name("Actor")?,
                case: name("Case")?,
                action: name("Action")?,
            },
            schema,
            rules,
        })
    }

    /// The rules that `action`, a member of `group`, can meet.
    pub(super) fn slice(&self, action: &str, group: Option<&str>) -> Result<Slice, RulebookError> {
        let action = uid(&self.names.action, action);
        let group = group.map(|group| uid(&self.names.action, group));
        let (named, within) = (action.clone().into(), group.map(EntityUid::from));
        let meets = |rule: &&Arc<Rule>| concerns(&rule.policy, &named, within.as_ref());
        let matching = self.rules.values().filter(meets).cloned().collect();
        let attributes = match self.schema.as_ref().context_type(&action) {
            Some(Type::Record { attrs, .. }) => attrs.keys().map(ToString::to_string).collect(),
            _ => return Err(RulebookError::Invalid(format!("{action} has no context"))),
        };
        Slice::new(action, matching, attributes)
    }

    /// Judges one request, whose context `tell` builds of the attributes that it is given. Whatever goes wrong is
    /// [`Judgement::Broken`].
    pub(super) fn judge<'a>(
        &'a self,
        slice: &'a Slice,
        asker: Asker<'_>,
        tell: impl Fn(&[String]) -> Told<Context>,
    ) -> Judgement<'a> {
        let Ok(context) = tell(&slice.reads) else {
            return Judgement::Broken(vec![]);
        };
        let judgement = self.voices(slice, asker, context).judgement();
        if let Some(engine) = &slice.engine {
            let whole = tell(&slice.attributes).map(|whole| self.request(slice, asker, whole));
            let compared = whole.map_or(Judgement::Broken(vec![]), |whole| {
                engine.judge(&whole, &self.schema, &self.groups)
            });
            assert_eq!(
                judgement, compared,
                "Cedar's own authorizer judges otherwise"
            );
        }
        judgement
    }

    /// Every rule that speaks for or against one request, or cannot be evaluated.
    pub(super) fn voices<'a>(
        &self,
        slice: &'a Slice,
        asker: Asker<'_>,
        context: Context,
    ) -> Voices<'a> {
        slice.hear(self.request(slice, asker, context), self.groups.as_ref())
    }

    /// Nothing of it is held against the schema here: it is made of typed fields (see `context`).
    fn request(&self, slice: &Slice, (actor, case): Asker<'_>, context: Context) -> Request {
        Request::new_unchecked(
            EntityUIDEntry::known(uid(&self.names.actor, actor), None),
            EntityUIDEntry::known(slice.action.clone(), None),
            EntityUIDEntry::known(uid(&self.names.case, case), None),
            Some(context),
        )
    }

    /// Every rule, by its id.
    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values().map(Arc::as_ref)
    }

    /// A rule by its id.
    pub(super) fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id).map(Arc::as_ref)
    }
}

/// The plain names of actions.
pub(super) fn names_of(actions: &[EntityUid]) -> Vec<String> {
    let name = |action: &EntityUid| AsRef::<str>::as_ref(action.id()).to_owned();
    actions.iter().map(name).collect()
}

fn uid(kind: &EntityType, id: &str) -> EntityUID {
    EntityUID::from_components(kind.clone(), Eid::new(id), None)
}

fn parse_schema(text: &str) -> Result<Schema, RulebookError> {
    match Schema::from_cedarschema_str(text) {
        Ok((schema, _)) => Ok(schema),
        Err(error) => {
            let at = rule::position(text, &error).unwrap_or_default();
            Err(RulebookError::Invalid(format!("schema: {at}: {error}")))
        }
    }
}

fn read_all(policies: &[(String, String)]) -> Result<BTreeMap<String, Arc<Rule>>, RulebookError> {
    let mut rules: BTreeMap<String, Arc<Rule>> = BTreeMap::new();
    for (file, text) in policies {
        for rule in rule::read(file, text)? {
            if let Some(other) = rules.get(&rule.id) {
                return Err(RulebookError::Parse {
                    file: file.clone(),
                    message: format!(
                        "{}: rule {} is there already, in {} at {}",
                        rule.at, rule.id, other.file, other.at
                    ),
                });
            }
            rules.insert(rule.id.clone(), Arc::new(rule));
        }
    }
    Ok(rules)
}

/// Warnings refuse too: a rule that can never apply, or a name that only looks like another, protects nobody.
fn validate(
    rules: &BTreeMap<String, Arc<Rule>>,
    policies: &[(String, String)],
    schema: &Schema,
) -> Result<(), RulebookError> {
    let set = policy_set(rules.values().map(|rule| &rule.policy))?;
    let result = Validator::new(schema.clone()).validate_with_level(
        &set,
        ValidationMode::Strict,
        DEREFERENCES,
    );
    let describe = |id: &PolicyId, problem: &dyn Diagnostic| {
        let file = rules
            .get(AsRef::<str>::as_ref(id))
            .map_or("", |rule| &rule.file);
        let text = policies.iter().find(|(name, _)| name == file);
        let at = text.and_then(|(_, text)| rule::position(text, problem));
        let help = problem
            .help()
            .map_or_else(String::new, |help| format!(" ({help})"));
        format!("{file}: {}: {problem}{help}", at.unwrap_or_default())
    };
    let errors = result
        .validation_errors()
        .map(|error| describe(error.policy_id(), error));
    let warnings = result
        .validation_warnings()
        .map(|warning| describe(warning.policy_id(), warning));
    let mut problems: Vec<String> = errors.collect();
    if problems.is_empty() {
        problems.extend(warnings);
    }
    problems.sort();
    if problems.is_empty() {
        return Ok(());
    }
    Err(RulebookError::Invalid(problems.join("\n")))
}

pub(super) fn policy_set<'a>(
    policies: impl Iterator<Item = &'a Policy>,
) -> Result<PolicySet, RulebookError> {
    PolicySet::from_policies(policies.cloned())
        .map_err(|error| RulebookError::Invalid(error.to_string()))
}

/// Whether a policy's scope admits the action.
fn concerns(policy: &Policy, action: &EntityUid, group: Option<&EntityUid>) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(named) => named == *action,
        ActionConstraint::In(named) => named
            .iter()
            .any(|named| named == action || Some(named) == group),
    }
}
