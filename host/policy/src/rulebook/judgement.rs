//! What the rules say of one request.

use super::rule::Objection;

/// Rules that are against a request, with their ids.
pub(super) type Objections<'a> = Vec<(&'a str, &'a Objection)>;

/// All rules that have something to say of one request.
#[derive(Default)]
pub(super) struct Voices<'a> {
    /// The ids of those that could not be evaluated.
    pub(super) broken: Vec<&'a str>,
    /// Those against it, by falling priority.
    pub(super) against: Objections<'a>,
    /// The ids of those for it.
    pub(super) permits: Vec<&'a str>,
}

/// What it comes to.
#[derive(Debug, PartialEq)]
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

impl<'a> Voices<'a> {
    /// One rule that fails refuses, whatever the others say; then any forbid does; and what no permit speaks for is denied.
    pub(super) fn judgement(self) -> Judgement<'a> {
        let speaks_for = !self.permits.is_empty();
        if !self.broken.is_empty() {
            let broken = self.broken.into_iter().map(str::to_owned).collect();
            Judgement::Broken(broken)
        } else if !self.against.is_empty() {
            Judgement::Against {
                objections: self.against,
                otherwise_allowed: speaks_for,
            }
        } else if speaks_for {
            Judgement::Allowed
        } else {
            Judgement::Unpermitted
        }
    }
}
