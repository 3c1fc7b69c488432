//! What only an operator can say of a tool: who its result makes of the customer, what it tells of things that the contract
//! deals with, and which figures it draws on. A plugin whose author could say so would forge all three.

use std::collections::BTreeMap;

use policy::{Establishes, ToolRule};

use super::Classified;

impl Classified {
    /// The first key that tools.toml alone can say, and why; none where the author of a plugin may say all of it.
    pub(crate) fn reserved(
        &self,
        contract: &BTreeMap<String, ToolRule>,
    ) -> Option<(&'static str, String)> {
        // Every field by its name: one that is new must be thought of here.
        let ToolRule {
            identity,
            claimed_by,
            establishes,
            budgets,
            rates,
            guesses,
            // What follows is about the tool alone, and is shown to whoever accepts it.
            effect: _,
            entity: _,
            amount: _,
            intent: _,
            lookup: _,
            owner: _,
            owner_if_any: _,
            attributes: _,
            private: _,
            question: _,
            effect_claim: _,
        } = &self.rule;
        let of_contract = |fact: &&Establishes| is_of_contract(&fact.kind, contract);
        let forged = establishes.iter().find(of_contract);
        [
            (
                "identity",
                identity.map(|_| "who the customer is".to_owned()),
            ),
            (
                "claimed_by",
                claimed_by
                    .as_ref()
                    .map(|_| "who the customer is".to_owned()),
            ),
            (
                "establishes",
                forged
                    .map(|fact| format!("what is so of an entity of the contract ({})", fact.kind)),
            ),
            ("budgets", drawn(budgets)),
            ("rates", drawn(rates)),
            ("guesses", drawn(guesses)),
        ]
        .into_iter()
        .find_map(|(key, what)| Some((key, format!("{} {OPERATOR}", what?))))
    }
}

const OPERATOR: &str =
    "is not for a plugin to say: take it out here; only the operator's tools.toml can say so";

fn drawn(budgets: &[String]) -> Option<String> {
    let some = !budgets.is_empty();
    some.then(|| format!("which budgets a call draws on ({})", budgets.join(", ")))
}

/// Whether a tool of the contract is about such a thing, or tells what is so of it.
fn is_of_contract(kind: &str, contract: &BTreeMap<String, ToolRule>) -> bool {
    contract.values().any(|rule| {
        let about = rule.entity.iter().map(|entity| &entity.kind);
        let told = rule.establishes.iter().map(|fact| &fact.kind);
        about.chain(told).any(|known| known == kind)
    })
}
