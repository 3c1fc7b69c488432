//! Cedar's own authorizer over whole requests, held against the schema. Debug builds compare every judgement with its: what
//! the host leaves out of a request, or takes as settled at load, must change nothing.

use std::sync::Arc;

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request,
    Schema,
};
use cedar_policy_core::ast;

use super::judgement::{Judgement, Objections};
use super::rule::Rule;
use super::ruleset::policy_set;
use crate::RulebookError;

/// The rules of one slice as Cedar takes them.
pub(super) struct Engine {
    rules: Vec<Arc<Rule>>,
    all: PolicySet,
    permits: PolicySet,
}

impl Engine {
    pub(super) fn new(rules: &[Arc<Rule>]) -> Result<Self, RulebookError> {
        let permits = rules.iter().filter(|rule| rule.objection.is_none());
        Ok(Self {
            all: policy_set(rules.iter().map(|rule| &rule.policy))?,
            permits: policy_set(permits.map(|rule| &rule.policy))?,
            rules: rules.to_vec(),
        })
    }

    /// Judges a request that tells everything.
    pub(super) fn judge(
        &self,
        request: &ast::Request,
        schema: &Schema,
        entities: &Entities,
    ) -> Judgement<'_> {
        let Some(request) = checked(request, schema) else {
            return Judgement::Broken(vec![]);
        };
        let ask = |policies| self.ask(policies, &request, entities);
        match ask(&self.all) {
            Err(broken) => Judgement::Broken(broken),
            Ok((true, _)) => Judgement::Allowed,
            Ok((false, objections)) if objections.is_empty() => Judgement::Unpermitted,
            Ok((false, objections)) => match ask(&self.permits) {
                Err(broken) => Judgement::Broken(broken),
                Ok((otherwise_allowed, _)) => Judgement::Against {
                    objections,
                    otherwise_allowed,
                },
            },
        }
    }

    /// Whether it is allowed, and what is against it; or the rules that failed.
    fn ask(
        &self,
        policies: &PolicySet,
        request: &Request,
        entities: &Entities,
    ) -> Result<(bool, Objections<'_>), Vec<String>> {
        let response = Authorizer::new().is_authorized(request, policies, entities);
        let failed = |AuthorizationError::PolicyEvaluationError(error): &AuthorizationError| {
            error.policy_id().to_string()
        };
        let mut broken: Vec<String> = response.diagnostics().errors().map(failed).collect();
        if !broken.is_empty() {
            broken.sort();
            return Err(broken);
        }
        let decided: Vec<&str> = response.diagnostics().reason().map(AsRef::as_ref).collect();
        let spoke = self.rules.iter();
        let mut objections: Objections<'_> = spoke
            .filter(|rule| decided.contains(&rule.id.as_str()))
            .filter_map(|rule| rule.as_objection())
            .collect();
        objections.sort_by_key(|(id, objection)| (std::cmp::Reverse(objection.prio), *id));
        Ok((response.decision() == Decision::Allow, objections))
    }
}

/// The same request, if it is what the schema says.
fn checked(request: &ast::Request, schema: &Schema) -> Option<Request> {
    let uid = |entry: &ast::EntityUIDEntry| Some(EntityUid::from(entry.uid()?.clone()));
    Request::new(
        uid(request.principal())?,
        uid(request.action())?,
        uid(request.resource())?,
        Context::from(request.context()?.clone()),
        Some(schema),
    )
    .ok()
}
