//! The rules that one action can meet, and which attributes of the context they read.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy_core::ast::{EntityUID, ExprKind, Literal, Request, ValueKind, Var};
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
    rules: Vec<Arc<Rule>>,
    /// What the action's context may hold, as the schema declares it.
    pub(super) attributes: Vec<String>,
    /// Those of them that a rule reads. Nothing else can change what the rules say.
    pub(super) reads: Vec<String>,
    /// In debug builds alone.
    pub(super) engine: Option<Engine>,
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
            .filter_map(|rule| rule.as_objection())
            .collect()
    }

    /// Asks every rule. Cedar's own authorizer skips one that fails, and so would allow what a failing forbid stands against.
    pub(super) fn hear(&self, request: Request, entities: &Entities) -> Voices<'_> {
        let evaluator = Evaluator::new(request, entities, Extensions::all_available());
        let mut voices = Voices::default();
        for rule in &self.rules {
            let outcome = evaluator.interpret(&rule.condition, rule.policy.as_ref().env());
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

/// The attributes of `context` that the rules read or ask for; none where one takes the context as a whole.
fn read_by(rules: &[Arc<Rule>]) -> Option<BTreeSet<&str>> {
    let mut names = BTreeSet::new();
    let (mut uses, mut accesses) = (0_usize, 0_usize);
    for part in rules
        .iter()
        .flat_map(|rule| rule.condition.subexpressions())
    {
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
