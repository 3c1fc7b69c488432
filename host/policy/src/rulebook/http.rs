//! The decision on one outbound request of a running plugin.

use super::context::{self, Untellable};
use super::ruleset::Ruleset;
use super::slice::Slice;
use super::{schema, verdict};
use crate::target::Target;
use crate::{
    BodyRule, Call, CapabilityDecision, Decision, HttpGrant, HttpRequest, PathPattern, Refusal,
    Scope, binding,
};

/// The action that rules name.
pub(super) const ACTION: &str = "http_request";

const SAFE_METHODS: &[&str] = &["GET", "HEAD", "OPTIONS"];

/// What a request breaks that has a body and may have none. Many backends do not read the body of a GET: what follows its head on
/// the connection is the next request to them, one that nobody judged, or the beginning of somebody else's.
const BODY: &str = "body";

/// A call and what its plugin may do meanwhile.
type Permitted<'a> = (&'a Call, &'a Scope);

/// How one grant covers a request.
#[derive(Clone, Copy)]
struct Cover<'a> {
    grant: &'a HttpGrant,
    pattern: &'a PathPattern,
    safe_post: bool,
    /// What the body must say.
    body: &'a [BodyRule],
}

/// Tries every grant that covers the request, and takes the first that the rules allow.
pub(super) fn decide(
    ruleset: &Ruleset,
    slice: &Slice,
    permitted: Permitted<'_>,
    request: &HttpRequest<'_>,
) -> CapabilityDecision {
    let (call, scope) = permitted;
    let target = Target::parse(request.url);
    let covers = target
        .iter()
        .flat_map(|target| scope.grants.iter().map(move |grant| (grant, target)))
        .flat_map(|(grant, target)| covers(grant, target, &call.tool, request.method));
    let mut first_refusal = None;
    for cover in covers {
        let broken = target
            .as_ref()
            .and_then(|target| broken(cover, target, call, request));
        let is_broken = broken.is_some();
        match refuse(ruleset, slice, scope, request, Some((cover, is_broken))) {
            None => {
                return CapabilityDecision::Allow {
                    grant: cover.grant.clone(),
                    pattern: cover.pattern.clone(),
                    unsafe_request: !is_safe(request, cover),
                };
            }
            Some(mut refusal) => {
                refusal.rules.extend(broken.map(|at| format!("bound:{at}")));
                first_refusal = first_refusal.or(Some(refusal));
            }
        }
    }
    let refusal = first_refusal.or_else(|| refuse(ruleset, slice, scope, request, None));
    CapabilityDecision::Deny(refusal.unwrap_or_else(verdict::not_permitted))
}

/// Every pattern of a grant that covers the request.
fn covers<'a>(
    grant: &'a HttpGrant,
    target: &'a Target,
    tool: &str,
    method: &str,
) -> impl Iterator<Item = Cover<'a>> {
    let body = if grant.tools.is_empty() {
        Some([].as_slice())
    } else {
        grant.tools.get(tool).map(Vec::as_slice)
    };
    let body = body.filter(|_| target.is_at(&grant.origin));
    let listed = body.filter(|_| grant.methods.iter().any(|one| one == method));
    let safe_post = body.filter(|_| method == "POST");
    let cover = move |patterns: &'a [PathPattern], body: Option<&'a [BodyRule]>, safe_post| {
        body.into_iter().flat_map(move |body| {
            let matching = patterns.iter().filter(|one| one.matches(target.path()));
            matching.map(move |pattern| Cover {
                grant,
                pattern,
                safe_post,
                body,
            })
        })
    };
    cover(&grant.safe_posts, safe_post, true).chain(cover(&grant.paths, listed, false))
}

/// What the request says otherwise than it was permitted: a segment of the path, a pointer into the body, a body at all, or why it is
/// none.
fn broken(
    cover: Cover<'_>,
    target: &Target,
    call: &Call,
    request: &HttpRequest<'_>,
) -> Option<String> {
    if let Some(segment) = cover.pattern.broken(target.path(), &call.arguments) {
        return Some(segment.to_owned());
    }
    if SAFE_METHODS.contains(&request.method) && !request.body.is_empty() {
        return Some(BODY.to_owned());
    }
    let bodies = cover.grant.bodies;
    if is_safe(request, cover) {
        // No rule asks what a search says, but a form that only searches is one: `_method=DELETE` would not.
        let reads = !cover.safe_post || bodies.is_json();
        return if reads {
            None
        } else {
            binding::broken(&[], bodies, request.body, &call.arguments)
        };
    }
    if target.has_query() && !cover.body.is_empty() {
        return Some("?".to_owned());
    }
    binding::broken(cover.body, bodies, request.body, &call.arguments)
}

fn is_safe(request: &HttpRequest<'_>, cover: Cover<'_>) -> bool {
    cover.safe_post || SAFE_METHODS.contains(&request.method)
}

/// The rules' refusal, if they refuse. A request is judged on its own: who calls was judged with the call.
fn refuse(
    ruleset: &Ruleset,
    slice: &Slice,
    scope: &Scope,
    request: &HttpRequest<'_>,
    cover: Option<(Cover<'_>, bool)>,
) -> Option<Refusal> {
    let body_bytes = i64::try_from(request.body.len()).unwrap_or(i64::MAX);
    let safe_method = SAFE_METHODS.contains(&request.method);
    let safe_post = cover.is_some_and(|(cover, _)| cover.safe_post);
    let as_permitted = cover.is_none_or(|(_, is_broken)| !is_broken);
    let tell = |name: &str| {
        Ok(Some(match name {
            "granted" => cover.is_some().into(),
            "effect" => schema::group(scope.effect).into(),
            "safe_method" => safe_method.into(),
            "safe_post" => safe_post.into(),
            "as_permitted" => as_permitted.into(),
            "calls_before" => i64::from(request.calls_before).into(),
            "max_calls" => i64::from(scope.max_http_calls).into(),
            "body_bytes" => body_bytes.into(),
            _ => return Err(Untellable),
        }))
    };
    let judgement = ruleset.judge(slice, ("plugin", ""), |attributes| {
        context::of_attributes(attributes, tell)
    });
    match verdict::refuse(judgement)? {
        Decision::Deny(refusal)
        | Decision::Escalate { refusal, .. }
        | Decision::NeedsConsent { refusal, .. } => Some(refusal),
        Decision::Allow(_) | Decision::Replay => Some(verdict::not_permitted()),
    }
}
