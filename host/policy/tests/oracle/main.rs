//! The campaign that holds the shipped rulebook against an oracle: the support rules once more, in plain Rust, by the prose
//! and without a look at Cedar. Generated calls must be decided the same by both.
//!
//! `cargo test` decides a slice. All of it: `ORACLE_CASES=1000000 cargo test --release -p policy --test oracle -- --nocapture`;
//! `ORACLE_SEED` begins elsewhere. `ORACLE_WITHOUT=refund.limit` takes a rule away, to see that the campaign notices.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a campaign that cannot go on should stop where it stands"
)]

mod asked;
mod generate;
mod outbound;
mod render;
mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use policy::{Decision, Rulebook, RulebookSource, Settings, ToolRule};

use generate::Dice;

/// What an ordinary run decides.
const SLICE: u64 = 20_000;

#[derive(serde::Deserialize)]
struct Contract {
    tool: BTreeMap<String, ToolRule>,
}

fn shipped() -> Rulebook {
    let text = include_str!("../../../../wit/contract.toml");
    let contract: Contract = toml::from_str(text).unwrap();
    let mut source = RulebookSource::shipped(contract.tool, Settings::default());
    if let Ok(id) = std::env::var("ORACLE_WITHOUT") {
        remove(&mut source, &id);
    }
    Rulebook::load(source).unwrap()
}

/// Takes a rule away: from its `@id` to the next one.
fn remove(source: &mut RulebookSource, id: &str) {
    let start = format!("@id(\"{id}\")");
    let mut texts = source.policies.iter_mut().map(|(_, text)| text);
    let text = texts.find(|text| text.contains(&start)).unwrap();
    let from = text.find(&start).unwrap();
    let rest = from + start.len();
    let to = text[rest..].find("@id(").map_or(text.len(), |at| rest + at);
    text.replace_range(from..to, "");
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// How often each thing happened.
#[derive(Default)]
struct Tally {
    rules: BTreeMap<String, u64>,
    decisions: BTreeMap<String, u64>,
    differences: u64,
    /// The first of them.
    examples: Vec<String>,
}

impl Tally {
    fn decided(&mut self, line: &str, rules: &[String]) {
        *self.decisions.entry(line.to_owned()).or_default() += 1;
        for rule in rules {
            *self.rules.entry(rule.clone()).or_default() += 1;
        }
    }

    fn compare(&mut self, expected: &str, found: &str, of: impl FnOnce() -> String) {
        if expected == found {
            return;
        }
        self.differences += 1;
        if self.examples.len() < 5 {
            let of = of();
            let example = format!("the oracle says {expected}, the rulebook {found}, of {of}");
            self.examples.push(example);
        }
    }

    fn print(&self, count: u64, seed: u64, seconds: f64) {
        println!(
            "{count} generated decisions from seed {seed} in {seconds:.1} s, by what they came to:"
        );
        for (line, count) in &self.decisions {
            println!("{count:>9}  {line}");
        }
        println!("how often each rule was against a call, or for one that ran:");
        for (rule, count) in &self.rules {
            println!("{count:>9}  {rule}");
        }
        println!("{} differences", self.differences);
    }
}

#[test]
fn the_rulebook_decides_as_the_oracle_does() {
    let (count, seed) = (number("ORACLE_CASES", SLICE), number("ORACLE_SEED", 1));
    let rulebook = shipped();
    let permits = permits_by_tool(&rulebook);
    let mut tally = Tally::default();
    let started = Instant::now();
    for case in 0..count {
        let mut dice = Dice::new(seed, case);
        if dice.one_in(10) {
            outbound::decide(&rulebook, &mut dice, &mut tally);
            continue;
        }
        let asked = generate::asked(&mut dice);
        let (call, facts) = render::render(&asked, &mut dice);
        let tool = call.tool.clone();
        let decision = rulebook.decide(call, &facts, &Arc::from([]));
        let line = decision.summary().to_string();
        tally.compare(&verdict::expected(&asked), &line, || format!("{asked:#?}"));
        let mut rules = decision.summary().rules;
        if matches!(decision, Decision::Allow(_) | Decision::Replay) {
            rules.extend(permits.get(&tool).cloned());
        }
        tally.decided(&line, &rules);
    }
    tally.print(count, seed, started.elapsed().as_secs_f64());
    assert!(tally.differences == 0, "{}", tally.examples.join("\n"));
    assert_every_rule_was_reached(&tally);
}

/// The permit that speaks for each tool.
fn permits_by_tool(rulebook: &Rulebook) -> BTreeMap<String, String> {
    let mut permits = BTreeMap::new();
    for seed in 0..4_000 {
        let mut dice = Dice::new(u64::MAX, seed);
        let asked = generate::asked(&mut dice);
        if permits.contains_key(asked.tool) {
            continue;
        }
        let (call, facts) = render::render(&asked, &mut dice);
        let input = policy::DecisionInput {
            call: std::borrow::Cow::Borrowed(&call),
            facts: std::borrow::Cow::Borrowed(&facts),
        };
        let rules = rulebook.explain(&input).rules;
        let speaks = rules
            .into_iter()
            .find(|rule| rule.side == policy::Side::For);
        permits.extend(speaks.map(|rule| (call.tool.clone(), rule.id)));
    }
    permits
}

/// A rule that no generated call met would have been compared with nothing.
fn assert_every_rule_was_reached(tally: &Tally) {
    let texts = Rulebook::SHIPPED.iter().map(|(_, text)| *text);
    let ids = texts
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix("@id(\"")?.strip_suffix("\")"));
    let missed: Vec<&str> = ids.filter(|id| !tally.rules.contains_key(*id)).collect();
    assert!(missed.is_empty(), "no generated call met {missed:?}");
}
