//! The campaign of cross-customer attempts: every value of every customer carries a mark, and whatever leaves is searched for
//! marks of somebody else.

mod shop;

use std::collections::BTreeSet;
use std::sync::Arc;

use dispatch::policy::Level;
use dispatch::{Cases, Outcome};
use serde_json::{Value, json};

use self::shop::{CUSTOMERS, Dice, Manner, Shop};
use crate::world::{Plugin, Traces, World, code};

/// Attempts in an ordinary run; `ATTEMPTS` in the environment asks for another number.
const SLICE: u32 = 200;

/// What the campaign counts.
#[derive(Debug, Default)]
struct Figures {
    attempts: u32,
    calls: u32,
    refused: u32,
    withheld: u32,
    failed: u32,
    own: u32,
    searched_bytes: usize,
    allowed: u32,
    leaked_bytes: usize,
}

/// One case and those whose data it may have seen: whoever it was identified as, while it was.
struct Attempt<'a> {
    world: &'a World,
    traces: &'a Traces,
    case: String,
    theirs: BTreeSet<String>,
    figures: &'a mut Figures,
}

impl Attempt<'_> {
    async fn call(&mut self, (tool, arguments): (&str, Value)) {
        let outcome = self.world.call(&self.case, tool, arguments.clone()).await;
        let case = self.world.store.case("demo", &self.case).await.unwrap();
        let identity = case.unwrap().identity;
        self.theirs.extend(identity.customer.clone());
        self.count(&outcome);
        let events = json!({ "told": outcome.for_model(), "asked": arguments });
        let prompts = self.world.model.asked().join("\n");
        let left = format!("{outcome:?}\n{events}\n{prompts}\n{}", self.traces.take());
        self.search(tool, &left, identity.level);
        if let Outcome::Done { output, .. } = &outcome {
            let owners = shop::owners(output);
            let customer = identity.customer.unwrap_or_default();
            let foreign = owners.iter().any(|owner| *owner != customer);
            self.figures.allowed += u32::from(foreign);
            assert!(!foreign, "{tool}({arguments}) of {customer}: {output:#}");
        }
    }

    fn count(&mut self, outcome: &Outcome) {
        let figures = &mut *self.figures;
        figures.calls += 1;
        match outcome {
            Outcome::Done { .. } => figures.own += 1,
            Outcome::Withheld { .. } => figures.withheld += 1,
            Outcome::Failed { .. } => figures.failed += 1,
            _ if !code(outcome).is_empty() => figures.refused += 1,
            _ => {}
        }
    }

    /// Looks for marks of anybody else, and for marks of private values while nobody is matched.
    fn search(&mut self, what: &str, left: &str, level: Level) {
        self.figures.searched_bytes += left.len();
        for mark in shop::marks(left) {
            let is_theirs = self.theirs.contains(&mark.owner);
            let is_early = mark.private && level < Level::Matched;
            if !is_theirs || is_early {
                self.figures.leaked_bytes += mark.text.len();
                panic!("{what} let {mark:?} out: {left}");
            }
        }
    }

    async fn search_audit(&mut self) {
        let records = self.world.audit(&self.case).await;
        let text = serde_json::to_string(&records).unwrap();
        self.search("the audit log", &text, Level::Matched);
    }
}

#[tokio::test]
async fn nothing_of_another_customer_leaves() {
    let attempts = std::env::var("ATTEMPTS").map_or(SLICE, |text| text.parse().unwrap());
    let (traces, _guard) = Traces::capture();
    let shop = Arc::new(Shop::default());
    let behind = shop.clone();
    let plugin: Plugin = Arc::new(move |call, gate| Box::pin(behind.clone().answer(call, gate)));
    let world = World::new(plugin);
    let mut figures = Figures::default();
    for number in 0..attempts {
        // A number of its own for each, so that a failure can be run again by itself.
        let mut dice = Dice::new(u64::from(number));
        let mut attempt = Attempt {
            world: &world,
            traces: &traces,
            case: world.case(&format!("case {number}")).await,
            theirs: BTreeSet::new(),
            figures: &mut figures,
        };
        let whose = dice.pick(CUSTOMERS);
        shop.behave(Manner::Honest);
        for known in shop::becomes_known(&mut dice, whose) {
            attempt.call(known).await;
        }
        shop.behave(Manner::Any(dice.fork()));
        for _ in 0..dice.below(4) + 3 {
            attempt.call(shop::any_call(&mut dice, whose)).await;
        }
        attempt.search_audit().await;
        figures.attempts += 1;
        // One customer's guesses would soon be used up for all cases.
        world.later(86_400);
    }
    println!("cross-customer campaign: {figures:?}");
    assert_eq!((figures.allowed, figures.leaked_bytes), (0, 0));
    assert!(
        figures.withheld > attempts / 4 && figures.own > attempts,
        "it tries what it should: {figures:?}"
    );
}

/// The search itself: a result that is let out by mistake would be found.
#[test]
fn a_leak_would_be_found() {
    let mut dice = Dice::new(1);
    for customer in CUSTOMERS {
        let order = shop::order(&mut dice, customer, "ORD-1");
        let found: BTreeSet<_> = shop::marks(&order.to_string())
            .into_iter()
            .map(|mark| mark.owner)
            .collect();
        assert_eq!(found, BTreeSet::from([(*customer).to_owned()]));
        assert_eq!(
            shop::owners(&Value::from(vec![order])),
            [(*customer).to_owned()]
        );
    }
}
