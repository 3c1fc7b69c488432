//! What must hold: after every death, and once everything has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use policy::Nature;

use super::backend::{Effect, Journal};
use super::books::{Books, Intent};
use super::desk::Order;
use crate::victim::{CUSTOMER_DAY, REFUND};

/// A promise that was broken, and by what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Breach {
    /// Money of one order went out twice.
    DoubleEffect(String),
    /// Something happened that the ledger does not hold, or holds as not done.
    NoRecord(String),
    /// An intent vanished, has no end, or has another one than was told.
    LostIntent(String),
    /// More went out, or is charged, than the budget has.
    Overshoot(String),
    /// A request came again under its key with other bytes.
    OtherBytes(String),
    /// The audit log does not verify.
    BrokenAudit(String),
}

/// What must hold at every moment at which no victim runs.
pub(crate) fn at_any_time(journal: &Journal, books: &Books) -> Vec<Breach> {
    let mut breaches = vec![];
    let mut paid = BTreeSet::new();
    let orders = journal
        .effects
        .iter()
        .filter_map(|effect| effect.order.clone());
    let again = orders.filter(|order| !paid.insert(order.clone()));
    breaches.extend(again.map(Breach::DoubleEffect));
    let unrecorded = journal
        .effects
        .iter()
        .filter(|effect| !is_recorded(effect, books));
    breaches.extend(
        unrecorded.map(|effect| {
            Breach::NoRecord(format!("{effect:?}: {:?}", books.intent_of(&effect.key)))
        }),
    );
    let unknown = journal
        .seen
        .iter()
        .filter(|key| books.intent_of(key).is_none());
    breaches.extend(
        unknown.map(|key| Breach::LostIntent(format!("the backend was asked under {key}"))),
    );
    if journal.reused > 0 {
        breaches.push(Breach::OtherBytes(format!("{} times", journal.reused)));
    }
    breaches.extend(overshoots(journal, books));
    breaches
}

fn is_recorded(effect: &Effect, books: &Books) -> bool {
    books
        .intent_of(&effect.key)
        .is_some_and(|intent| matches!(intent.state.as_str(), "sent" | "unknown" | "done"))
}

fn overshoots(journal: &Journal, books: &Books) -> Vec<Breach> {
    let mut breaches = vec![];
    for window in &books.windows {
        let is_over = window.budget == "refund_customer_day" && window.spent > CUSTOMER_DAY;
        if is_over || window.spent != window.charged {
            breaches.push(Breach::Overshoot(format!("{window:?}")));
        }
    }
    let mut paid: BTreeMap<_, i64> = BTreeMap::new();
    for effect in &journal.effects {
        // `ORD-3-2` is the second order of `C-3`.
        let customer = effect
            .order
            .as_deref()
            .and_then(|order| order.rsplit_once('-'));
        let day = books.intent_of(&effect.key).and_then(|intent| intent.day);
        if let (Some((customer, _)), Some(day)) = (customer, day) {
            *paid.entry((customer, day)).or_default() += effect.amount;
        }
    }
    let over = paid.into_iter().filter(|(_, paid)| *paid > CUSTOMER_DAY);
    breaches.extend(over.map(|(of, paid)| Breach::Overshoot(format!("{of:?}: {paid} paid"))));
    breaches
}

/// What was in the ledger once stays there, and an end is an end.
pub(crate) fn since(before: &Books, books: &Books) -> Vec<Breach> {
    let lost = before.intents.iter().filter(|earlier| {
        let now = books.intents.iter().find(|intent| intent.id == earlier.id);
        let is_settled = matches!(earlier.state.as_str(), "done" | "failed");
        now.is_none_or(|now| is_settled && now.state != earlier.state)
    });
    lost.map(|intent| Breach::LostIntent(format!("it was there before: {intent:?}")))
        .collect()
}

/// What must hold when nothing is under way any more. `told` are the refunds that clients were told of, by order.
pub(crate) fn at_rest(
    nature: Nature,
    journal: &Journal,
    books: &Books,
    told: &BTreeMap<String, String>,
) -> Vec<Breach> {
    let open = books
        .intents
        .iter()
        .filter(|intent| !has_ended(intent, nature));
    let mut breaches: Vec<Breach> = open
        .map(|intent| Breach::LostIntent(format!("it has no end: {intent:?}")))
        .collect();
    let done = |intent: &&Intent| intent.tool == REFUND && intent.state == "done";
    for intent in books.intents.iter().filter(done) {
        let happened = journal.effects.iter().any(|effect| {
            effect.order == intent.order && Some(&effect.id) == intent.refund.as_ref()
        });
        if !happened {
            breaches.push(Breach::LostIntent(format!(
                "it is called done, and did not happen: {intent:?}"
            )));
        }
    }
    let parked = books
        .intents
        .iter()
        .filter(|intent| intent.state == "unknown" && intent.tool == REFUND);
    let silent = parked.filter(|intent| !people_were_told(intent, books));
    breaches
        .extend(silent.map(|intent| Breach::LostIntent(format!("nobody was told: {intent:?}"))));
    for (order, refund) in told {
        let holds = books.intents.iter().filter(done).any(|intent| {
            intent.order.as_ref() == Some(order) && intent.refund.as_ref() == Some(refund)
        });
        if !holds {
            breaches.push(Breach::LostIntent(format!(
                "{order}: the client was told of {refund}"
            )));
        }
    }
    breaches
}

/// Whoever waits for a person has called one, by name.
fn people_were_told(parked: &Intent, books: &Books) -> bool {
    books.intents.iter().any(|intent| {
        let summary = intent.summary.as_deref().unwrap_or_default();
        intent.state == "done" && summary.contains(&parked.id)
    })
}

/// Only what a backend could not be asked about may wait for a person.
pub(crate) fn has_ended(intent: &Intent, nature: Nature) -> bool {
    match intent.state.as_str() {
        "done" | "failed" => true,
        "unknown" => intent.tool == REFUND && nature == Nature::Neither,
        _ => false,
    }
}

/// Whether the budget had no room left for an order that was refused.
pub(crate) fn is_out_of_budget(order: &Order, books: &Books) -> bool {
    let mut windows = books.windows.iter();
    windows.any(|window| {
        window.budget == "refund_customer_day"
            && window.subject == order.customer
            && window.charged + order.amount > CUSTOMER_DAY
    })
}
