//! All rules together with the schema that they were validated against, and the slice of them that one action can meet.

use std::collections::BTreeMap;

use cedar_policy::{
    ActionConstraint, AuthorizationError, Authorizer, Context, Entities, EntityId, EntityTypeName,
    EntityUid, Policy, PolicyId, PolicySet, Request, Schema, ValidationMode, Validator,
};
use miette::Diagnostic;

use super::rule::{self, Objection, Rule};
use crate::RulebookError;

/// No rule follows more than this many references between entities; ours have no attributes to follow.
const DEREFERENCES: u32 = 1;

/// Rules by id, and what it takes to evaluate them.
pub(super) struct Ruleset {
    rules: BTreeMap<String, Rule>,
    schema: Schema,
    groups: Entities,
    authorizer: Authorizer,
    names: Names,
}

/// The names of the schema, parsed once.
struct Names {
    actor: EntityTypeName,
    case: EntityTypeName,
    action: EntityTypeName,
}

/// The rules that one action can meet.
pub(super) struct Slice {
    action: EntityUid,
    all: PolicySet,
    permits: PolicySet,
}

/// Rules that are against a request, with their ids.
pub(super) type Objections<'a> = Vec<(&'a str, &'a Objection)>;

/// The ids of all rules that have something to say of one request.
#[derive(Default)]
pub(super) struct Voices {
    /// Those that could not be evaluated.
    pub(super) broken: Vec<String>,
    /// Those against it, by falling priority.
    pub(super) against: Vec<String>,
    /// Those for it.
    pub(super) permits: Vec<String>,
}

/// What the rules say of one request.
pub(super) enum Judgement<'a> {
    /// Some permit, no forbid.
    Allowed,
    /// These rules could not be evaluated, so nothing may be concluded from the others.
    Broken(Vec<String>),
    /// No rule speaks for it, and none against it.
    Unpermitted,
    /// These rules are against it.
    Against {
        /// By falling priority; never empty.
        objections: Objections<'a>,
        /// Without them it would be allowed.
        otherwise_allowed: bool,
    },
}

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
            authorizer: Authorizer::new(),
            schema,
            rules,
        })
    }

    /// The rules that `action`, a member of `group`, can meet.
    pub(super) fn slice(&self, action: &str, group: Option<&str>) -> Result<Slice, RulebookError> {
        let action = uid(&self.names.action, action);
        let group = group.map(|group| uid(&self.names.action, group));
        let meets = |rule: &&Rule| concerns(&rule.policy, &action, group.as_ref());
        let matching: Vec<&Rule> = self.rules.values().filter(meets).collect();
        let permits = matching.iter().filter(|rule| rule.objection.is_none());
        Ok(Slice {
            all: policy_set(matching.iter().map(|rule| &rule.policy))?,
            permits: policy_set(permits.map(|rule| &rule.policy))?,
            action: action.clone(),
        })
    }

    /// Every rule of the slice that can be against a request.
    pub(super) fn objections(&self, slice: &Slice) -> Objections<'_> {
        let of = |policy: &Policy| {
            let id: &str = policy.id().as_ref();
            let rule = self.rules.get(id)?;
            Some((rule.id.as_str(), rule.objection.as_ref()?))
        };
        slice.all.policies().filter_map(of).collect()
    }

    /// Judges one request. Whatever goes wrong is [`Judgement::Broken`].
    pub(super) fn judge(
        &self,
        slice: &Slice,
        actor: &str,
        case: &str,
        context: Context,
    ) -> Judgement<'_> {
        let request = Request::new(
            uid(&self.names.actor, actor),
            slice.action.clone(),
            uid(&self.names.case, case),
            context,
            Some(&self.schema),
        );
        let Ok(request) = request else {
            return Judgement::Broken(vec![]);
        };
        match self.evaluate(&slice.all, &request) {
            Err(broken) => Judgement::Broken(broken),
            Ok((true, _)) => Judgement::Allowed,
            Ok((false, objections)) if objections.is_empty() => Judgement::Unpermitted,
            Ok((false, objections)) => match self.evaluate(&slice.permits, &request) {
                Err(broken) => Judgement::Broken(broken),
                Ok((otherwise_allowed, _)) => Judgement::Against {
                    objections,
                    otherwise_allowed,
                },
            },
        }
    }

    /// Every rule that speaks for or against one request, or cannot.
    pub(super) fn voices(
        &self,
        slice: &Slice,
        actor: &str,
        case: &str,
        context: Context,
    ) -> Voices {
        let request = Request::new(
            uid(&self.names.actor, actor),
            slice.action.clone(),
            uid(&self.names.case, case),
            context,
            Some(&self.schema),
        );
        let Ok(request) = request else {
            return Voices::default();
        };
        let mut voices = Voices::default();
        match self.evaluate(&slice.all, &request) {
            Err(broken) => voices.broken = broken,
            Ok((_, against)) => {
                voices.against = against.iter().map(|(id, _)| (*id).to_owned()).collect();
            }
        }
        let permits = self
            .authorizer
            .is_authorized(&request, &slice.permits, &self.groups);
        voices.permits = permits
            .diagnostics()
            .reason()
            .map(ToString::to_string)
            .collect();
        voices.permits.sort();
        voices
    }

    /// Every rule, by its id.
    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// A rule by its id.
    pub(super) fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// Whether it is allowed, and what is against it; or the rules that failed. The engine skips a rule that fails, and so
    /// would allow what a failing forbid stands against.
    fn evaluate(
        &self,
        policies: &PolicySet,
        request: &Request,
    ) -> Result<(bool, Objections<'_>), Vec<String>> {
        let response = self
            .authorizer
            .is_authorized(request, policies, &self.groups);
        let mut broken: Vec<String> = response
            .diagnostics()
            .errors()
            .map(|error| match error {
                AuthorizationError::PolicyEvaluationError(error) => error.policy_id().to_string(),
            })
            .collect();
        if !broken.is_empty() {
            broken.sort();
            return Err(broken);
        }
        let mut objections: Objections<'_> = response
            .diagnostics()
            .reason()
            .filter_map(|id| self.rules.get(AsRef::<str>::as_ref(id)))
            .filter_map(|rule| Some((rule.id.as_str(), rule.objection.as_ref()?)))
            .collect();
        objections.sort_by_key(|(id, objection)| (std::cmp::Reverse(objection.prio), *id));
        let allowed = response.decision() == cedar_policy::Decision::Allow;
        Ok((allowed, objections))
    }
}

/// The plain names of actions.
pub(super) fn names_of(actions: &[EntityUid]) -> Vec<String> {
    let name = |action: &EntityUid| AsRef::<str>::as_ref(action.id()).to_owned();
    actions.iter().map(name).collect()
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
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

fn read_all(policies: &[(String, String)]) -> Result<BTreeMap<String, Rule>, RulebookError> {
    let mut rules: BTreeMap<String, Rule> = BTreeMap::new();
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
            rules.insert(rule.id.clone(), rule);
        }
    }
    Ok(rules)
}

/// Warnings refuse too: a rule that can never apply, or a name that only looks like another, protects nobody.
fn validate(
    rules: &BTreeMap<String, Rule>,
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

fn policy_set<'a>(policies: impl Iterator<Item = &'a Policy>) -> Result<PolicySet, RulebookError> {
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
