//! The rules that one action can meet, made ready at load: their conditions, and which attributes of the context they read.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy_core::ast::{
    EntityUID, Expr, ExprKind, Literal, Policy, PrincipalOrResourceConstraint as Constraint,
    Request, ValueKind, Var,
};
use cedar_policy_core::entities::Entities;
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;

use super::engine::Engine;
use super::judgement::{Objections, Voices};
use super::rule::Rule;
use crate::RulebookError;

/// The rules that one action can meet.
pub(super) struct Slice {
    pub(super) action: EntityUID,
    /// By id.
    rules: Vec<Ready>,
    /// What the action's context may hold, as the schema declares it.
    pub(super) attributes: Vec<String>,
    /// Those of them that a rule reads. Nothing else can change what the rules say.
    pub(super) reads: Vec<String>,
    /// In debug builds alone.
    pub(super) engine: Option<Engine>,
}

struct Ready {
    rule: Arc<Rule>,
    condition: Expr,
}

impl Slice {
    /// Of rules whose scope admits the action, by their ids.
    pub(super) fn new(
        action: EntityUID,
        rules: Vec<Arc<Rule>>,
        attributes: Vec<String>,
    ) -> Result<Self, RulebookError> {
        let engine = if cfg!(debug_assertions) {
            Some(Engine::new(&rules)?)
        } else {
            None
        };
        let prepare = |rule: Arc<Rule>| Ready {
            condition: placeless(&rule.policy),
            rule,
        };
        let rules: Vec<Ready> = rules.into_iter().map(prepare).collect();
        let mut reads = attributes.clone();
        if let Some(names) = read_by(&rules) {
            reads.retain(|name| names.contains(name.as_str()));
        }
        Ok(Self {
            action,
            rules,
            attributes,
            reads,
            engine,
        })
    }

    /// Every rule that can be against a request.
    pub(super) fn objections(&self) -> Objections<'_> {
        self.rules
            .iter()
            .filter_map(|ready| ready.rule.as_objection())
            .collect()
    }

    /// Asks every rule. Cedar's own authorizer skips one that fails, and so would allow what a failing forbid stands against.
    pub(super) fn hear(&self, request: Request, entities: &Entities) -> Voices<'_> {
        let evaluator = Evaluator::new(request, entities, Extensions::all_available());
        let mut voices = Voices::default();
        for Ready { rule, condition } in &self.rules {
            let outcome = evaluator.interpret(condition, rule.policy.as_ref().env());
            match (outcome.map(|value| value.value), rule.as_objection()) {
                (Ok(ValueKind::Lit(Literal::Bool(false))), _) => {}
                (Ok(ValueKind::Lit(Literal::Bool(true))), Some(against)) => {
                    voices.against.push(against);
                }
                (Ok(ValueKind::Lit(Literal::Bool(true))), None) => voices.permits.push(&rule.id),
                _ => voices.broken.push(&rule.id),
            }
        }
        voices
            .against
            .sort_by_key(|(id, objection)| (std::cmp::Reverse(objection.prio), *id));
        voices
    }
}

/// The condition without its places in the text: each step of an evaluation copies them, and counts on one counter that all
/// threads share. Taken only if nothing else is different.
fn placeless(policy: &cedar_policy::Policy) -> Expr {
    let written = condition(policy.as_ref());
    let form = policy.to_json().ok();
    let plain = form.and_then(|form| cedar_policy::Policy::from_json(None, form).ok());
    plain
        .map(|plain| condition(plain.as_ref()))
        .filter(|plain| *plain == written)
        .unwrap_or(written)
}

/// When the policy applies, to actions that its scope admits. Most scopes say nothing of principal and resource, so that
/// nothing is left of them.
fn condition(policy: &Policy) -> Expr {
    let is_open = matches!(policy.principal_constraint().as_inner(), Constraint::Any)
        && matches!(policy.resource_constraint().as_inner(), Constraint::Any);
    if !is_open {
        return policy.condition();
    }
    let always = || Expr::val(true);
    policy
        .non_scope_constraints()
        .cloned()
        .unwrap_or_else(always)
}

/// The attributes of `context` that the rules read or ask for; none where one takes the context as a whole.
fn read_by(rules: &[Ready]) -> Option<BTreeSet<&str>> {
    let mut names = BTreeSet::new();
    let (mut uses, mut accesses) = (0_usize, 0_usize);
    for part in rules.iter().flat_map(|one| one.condition.subexpressions()) {
        let (inner, name) = match part.expr_kind() {
            ExprKind::GetAttr { expr, attr } | ExprKind::HasAttr { expr, attr } => (expr, attr),
            ExprKind::ExtHasAttr { expr, attrs } => (expr, attrs.first()),
            ExprKind::Var(Var::Context) => {
                uses = uses.saturating_add(1);
                continue;
            }
            _ => continue,
        };
        if matches!(inner.expr_kind(), ExprKind::Var(Var::Context)) {
            accesses = accesses.saturating_add(1);
            names.insert(name.as_str());
        }
    }
    (uses == accesses).then_some(names)
}
