//! From what the rules say to a decision: which objection is heard, and whether a person is asked or told.

use super::judgement::{Judgement, Objections};
use super::rule::Objection;
use crate::{ConsentFrom, Decision, Priority, Refusal};

const SAY_BROKEN: &str =
    "I'm sorry, something went wrong on our side, so I can't do this right now.";
const SAY_NOT_OFFERED: &str = "I'm sorry, that is not something I can do here.";

/// The decision against a call; none if the rules allow it.
pub(super) fn refuse(judgement: Judgement<'_>) -> Option<Decision> {
    match judgement {
        Judgement::Allowed => None,
        Judgement::Broken(rules) => Some(Decision::Deny(rule_error(rules))),
        Judgement::Unpermitted => Some(Decision::Deny(not_permitted())),
        Judgement::Against {
            objections,
            otherwise_allowed,
        } => Some(weigh(&objections, otherwise_allowed)),
    }
}

/// Refuses because a rule, or what it was to be told, could not be computed.
pub(super) fn rule_error(rules: Vec<String>) -> Refusal {
    Refusal {
        code: "RULE_ERROR".to_owned(),
        say: SAY_BROKEN.to_owned(),
        hint: None,
        rules,
    }
}

/// Refuses a tool that nobody has classified.
pub(super) fn unclassified() -> Refusal {
    not_offered("UNCLASSIFIED")
}

/// Refuses what no rule speaks for.
pub(super) fn not_permitted() -> Refusal {
    not_offered("NOT_PERMITTED")
}

fn not_offered(code: &str) -> Refusal {
    Refusal {
        code: code.to_owned(),
        say: SAY_NOT_OFFERED.to_owned(),
        hint: Some("this tool cannot be used here: go on without it".to_owned()),
        rules: vec![],
    }
}

/// An alarm is raised whatever else holds. Otherwise people are asked or told only if that can help: if every objection
/// says so, and the call would be allowed without them.
fn weigh(objections: &Objections<'_>, otherwise_allowed: bool) -> Decision {
    let heard = |pick: &dyn Fn(&Objection) -> bool| refusal(objections, pick);
    if let Some(priority) = most_urgent(objections, |objection| objection.alarm) {
        return Decision::Escalate {
            priority,
            refusal: heard(&|objection| objection.alarm.is_some()),
        };
    }
    let helpless =
        |objection: &Objection| objection.escalate.is_none() && objection.consent.is_none();
    if !otherwise_allowed || objections.iter().any(|(_, objection)| helpless(objection)) {
        return Decision::Deny(heard(&helpless));
    }
    let priority = most_urgent(objections, |objection| objection.escalate);
    let unliftable = |objection: &Objection| objection.consent.is_none();
    match priority {
        Some(priority) if objections.iter().any(|(_, one)| unliftable(one)) => Decision::Escalate {
            priority,
            refusal: heard(&unliftable),
        },
        priority => Decision::NeedsConsent {
            from: whose(objections),
            priority,
            refusal: heard(&|_| true),
        },
    }
}

fn most_urgent(
    objections: &Objections<'_>,
    of: impl Fn(&Objection) -> Option<Priority>,
) -> Option<Priority> {
    objections.iter().filter_map(|(_, one)| of(one)).min()
}

/// Staff, if any objection needs staff: their yes stands for the customer's too.
fn whose(objections: &Objections<'_>) -> ConsentFrom {
    let staff = objections
        .iter()
        .any(|(_, one)| one.consent == Some(ConsentFrom::Staff));
    if staff {
        ConsentFrom::Staff
    } else {
        ConsentFrom::Customer
    }
}

/// The words of the first objection (they come by falling priority) that `pick` takes, or of the first at all.
fn refusal(objections: &Objections<'_>, pick: &dyn Fn(&Objection) -> bool) -> Refusal {
    let heard = objections
        .iter()
        .find(|(_, one)| pick(one))
        .or(objections.first());
    match heard {
        None => not_permitted(),
        Some((_, one)) => Refusal {
            code: one.code.clone(),
            say: one.say.clone(),
            hint: one.hint.clone(),
            rules: objections.iter().map(|(id, _)| (*id).to_owned()).collect(),
        },
    }
}
