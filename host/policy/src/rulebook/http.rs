//! The decision on one outbound request of a running plugin.

use cedar_policy::Context;

use super::context::{field, flag, long, text};
use super::ruleset::{Ruleset, Slice};
use super::{schema, verdict};
use crate::target::Target;
use crate::{CapabilityDecision, Decision, HttpGrant, HttpRequest, Refusal, Scope};

/// The action that rules name.
pub(super) const ACTION: &str = "http_request";

const SAFE_METHODS: &[&str] = &["GET", "HEAD", "OPTIONS"];

/// How one grant covers a request.
#[derive(Clone, Copy)]
struct Cover<'a> {
    grant: &'a HttpGrant,
    safe_post: bool,
}

/// Tries every grant that covers the request, and takes the first that the rules allow.
pub(super) fn decide(
    ruleset: &Ruleset,
    slice: &Slice,
    scope: &Scope,
    request: &HttpRequest,
) -> CapabilityDecision {
    let target = Target::parse(&request.url);
    let covers = target
        .iter()
        .flat_map(|target| scope.grants.iter().map(move |grant| (grant, target)))
        .filter_map(|(grant, target)| cover(grant, target, &request.method));
    let mut first_refusal = None;
    for cover in covers {
        match refuse(ruleset, slice, scope, request, Some(cover)) {
            None => {
                return CapabilityDecision::Allow {
                    grant: cover.grant.clone(),
                    unsafe_request: !is_safe(request, cover),
                };
            }
            Some(refusal) => drop(first_refusal.get_or_insert(refusal)),
        }
    }
    let refusal = first_refusal.or_else(|| refuse(ruleset, slice, scope, request, None));
    CapabilityDecision::Deny(refusal.unwrap_or_else(verdict::not_permitted))
}

fn cover<'a>(grant: &'a HttpGrant, target: &Target, method: &str) -> Option<Cover<'a>> {
    if !target.is_at(&grant.origin) {
        return None;
    }
    let matches = |patterns: &[crate::PathPattern]| {
        patterns
            .iter()
            .any(|pattern| pattern.matches(target.path()))
    };
    let safe_post = method == "POST" && matches(&grant.safe_posts);
    let listed = grant.methods.iter().any(|one| one == method) && matches(&grant.paths);
    (listed || safe_post).then_some(Cover { grant, safe_post })
}

fn is_safe(request: &HttpRequest, cover: Cover<'_>) -> bool {
    cover.safe_post || SAFE_METHODS.contains(&request.method.as_str())
}

/// The rules' refusal, if they refuse. A request is judged on its own: who calls was judged with the call.
fn refuse(
    ruleset: &Ruleset,
    slice: &Slice,
    scope: &Scope,
    request: &HttpRequest,
    cover: Option<Cover<'_>>,
) -> Option<Refusal> {
    let body_bytes = i64::try_from(request.body_bytes).unwrap_or(i64::MAX);
    let context = Context::from_pairs([
        field("granted", flag(cover.is_some())),
        field("effect", text(schema::group(scope.effect))),
        field(
            "safe_method",
            flag(SAFE_METHODS.contains(&request.method.as_str())),
        ),
        field(
            "safe_post",
            flag(cover.is_some_and(|cover| cover.safe_post)),
        ),
        field("calls_before", long(request.calls_before)),
        field("max_calls", long(scope.max_http_calls)),
        field("body_bytes", long(body_bytes)),
    ]);
    let Ok(context) = context else {
        return Some(verdict::rule_error(vec![]));
    };
    match verdict::refuse(ruleset.judge(slice, "plugin", "", context))? {
        Decision::Deny(refusal)
        | Decision::Escalate { refusal, .. }
        | Decision::NeedsConsent { refusal, .. } => Some(refusal),
        Decision::Allow(_) | Decision::Replay => Some(verdict::not_permitted()),
    }
}
