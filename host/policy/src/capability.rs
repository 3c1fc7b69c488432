//! What a running plugin may reach: grants, and the decision on each outbound request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{BodyRule, Refusal, target};

/// How a backend treats a request that it may have seen before; declared by the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// It honours `Idempotency-Key`: the same bytes may be sent again.
    Deduplicates,
    /// It can be asked what happened, after its longest processing time; nothing is sent again blindly. Counts as
    /// `Neither` for tools whose rule declares no lookup.
    Queryable {
        /// Its longest processing time: only so long after the last request does an absent effect prove anything.
        after_seconds: u32,
    },
    /// Neither: an unknown outcome waits for a person.
    #[default]
    Neither,
}

/// A path with `*` for exactly one segment and a trailing `/**` for any rest: `/orders/*/cancel`. `{order_id}` is one segment
/// too, and what stands there must be the permitted argument of that name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PathPattern(pub String);

/// In which words a backend reads the bodies of requests. It is the operator who says so: what a plugin says of its body counts for
/// nothing, for it could be read in two ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyEncoding {
    /// JSON.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`: `a[b]=1&c[0]=2`, in the one spelling that all parsers agree on.
    Form,
}

/// One destination that an operator granted to a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpGrant {
    /// Scheme, host and port: `https://api.example.com` or `http://127.0.0.1:9100`.
    pub origin: String,
    /// Upper-case methods.
    pub methods: Vec<String>,
    /// Paths; empty grants none.
    pub paths: Vec<PathPattern>,
    /// Paths whose POST changes nothing (a search), allowed to reads.
    #[serde(default)]
    pub safe_posts: Vec<PathPattern>,
    /// The credential (by name) that the host adds to requests under this grant.
    #[serde(default)]
    pub credential: Option<String>,
    /// How the backend treats repeats.
    #[serde(default)]
    pub nature: Nature,
    /// The origin is on loopback or a private network, and the operator means it.
    #[serde(default)]
    pub private_network: bool,
    /// How the backend reads bodies. What has a body that is no form is not sent under a grant of forms, whether or not a rule
    /// reads it.
    #[serde(default, skip_serializing_if = "BodyEncoding::is_json")]
    pub bodies: BodyEncoding,
    /// The tools that may use it, each with what the body of its unsafe requests must say. Such a request has no query.
    /// Empty: every tool of the plugin, with any body.
    #[serde(default)]
    pub tools: BTreeMap<String, Vec<BodyRule>>,
}

/// Why a grant, as it is written, can never cover a request.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GrantError {
    /// More or less than an origin, or not its plain spelling.
    #[error(
        "`{0}` is no origin: write scheme, host and port only, such as https://api.example.com"
    )]
    Origin(String),
    /// Not an upper-case method.
    #[error("`{0}` is no method: write it in upper case, such as GET")]
    Method(String),
    /// No path pattern.
    #[error(
        "`{0}` is no path pattern: write one such as /orders/* (one segment) or /orders/** (any rest)"
    )]
    Path(String),
    /// No pair of JSON pointers.
    #[error(
        "`{0}` is no body rule: write two JSON pointers, such as at = \"/amount/minor\", is = \"/amount\""
    )]
    Body(String),
}

impl Nature {
    /// What may be relied on where both backends take part: the less able of the two, and the slower.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Neither, _) | (_, Self::Neither) => Self::Neither,
            (Self::Deduplicates, nature) | (nature, Self::Deduplicates) => nature,
            (Self::Queryable { after_seconds: a }, Self::Queryable { after_seconds: b }) => {
                Self::Queryable {
                    after_seconds: a.max(b),
                }
            }
        }
    }
}

impl BodyEncoding {
    /// Whether it is JSON, which need not be said.
    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde asks for this form"
    )]
    pub fn is_json(&self) -> bool {
        *self == Self::Json
    }
}

impl HttpGrant {
    /// The content type under which the body of a request of this tool was judged, if it has one, and must leave; none where
    /// nobody has read it.
    pub fn judged_as(&self, tool: &str) -> Option<&'static str> {
        let has_rules = self.tools.get(tool).is_some_and(|rules| !rules.is_empty());
        match self.bodies {
            BodyEncoding::Form => Some("application/x-www-form-urlencoded"),
            BodyEncoding::Json => has_rules.then_some("application/json"),
        }
    }

    /// Whether it lets this tool send anything that may change something.
    pub fn is_unsafe_for(&self, tool: &str) -> bool {
        let unsafe_method =
            |method: &String| !matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS");
        let granted = self.tools.is_empty() || self.tools.contains_key(tool);
        granted && self.methods.iter().any(unsafe_method)
    }

    /// Finds the first thing that keeps this grant from ever covering a request.
    pub fn check(&self) -> Result<(), GrantError> {
        if !target::is_origin(&self.origin) {
            return Err(GrantError::Origin(self.origin.clone()));
        }
        let is_upper = |method: &&String| method.bytes().all(|byte| byte.is_ascii_uppercase());
        if let Some(method) = self.methods.iter().find(|method| !is_upper(method)) {
            return Err(GrantError::Method(method.clone()));
        }
        let mut patterns = self.paths.iter().chain(&self.safe_posts);
        if let Some(pattern) = patterns.find(|pattern| !pattern.is_plain()) {
            return Err(GrantError::Path(pattern.0.clone()));
        }
        match self.tools.values().flatten().find(|rule| !rule.is_plain()) {
            Some(rule) => Err(GrantError::Body(format!("{} is {}", rule.at, rule.is))),
            None => Ok(()),
        }
    }
}

/// An outbound request as the rules see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpRequest<'a> {
    /// Upper-case method.
    pub method: &'a str,
    /// The whole URL as the plugin asked for it.
    pub url: &'a str,
    /// The whole body.
    pub body: &'a [u8],
    /// How many requests this invocation has made before.
    pub calls_before: u32,
}

/// The outcome of [`Rulebook::decide_http`](crate::Rulebook::decide_http).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CapabilityDecision {
    /// Send it under this grant.
    Allow {
        /// The grant that covers it.
        grant: HttpGrant,
        /// The path pattern of that grant that does.
        pattern: PathPattern,
        /// It may change something: the ledger must know before it leaves.
        unsafe_request: bool,
    },
    /// Do not send it.
    Deny(Refusal),
}
