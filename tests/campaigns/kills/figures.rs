//! What a kill campaign counts, and how it is printed.

use std::collections::BTreeMap;

use super::invariants::Breach;

/// The figures of one epoch, or of many.
#[derive(Default)]
pub(crate) struct Figures {
    /// By the way to die; those whose point was never reached count as idle.
    deaths: BTreeMap<String, u64>,
    /// Deaths before the victim had recovered.
    pub(crate) unready: u64,
    pub(crate) restarts: u64,
    /// Calls made, and how they ended where they did.
    pub(crate) asked: u64,
    pub(crate) words: BTreeMap<String, u64>,
    /// Requests that reached a backend, and what they effected.
    pub(crate) seen: u64,
    pub(crate) effects: u64,
    /// How the intents stood at the end.
    pub(crate) states: BTreeMap<String, u64>,
    /// How often the audit log was verified, and found whole.
    pub(crate) verified: u64,
    pub(crate) whole: u64,
    pub(crate) breaches: Vec<(u64, Breach)>,
    /// Epochs that did not come to their end: a victim that broke or hung.
    pub(crate) accidents: Vec<String>,
}

impl Figures {
    pub(crate) fn died(&mut self, how: String) {
        *self.deaths.entry(how).or_default() += 1;
    }

    pub(crate) fn kills(&self) -> u64 {
        self.deaths.values().sum()
    }

    /// Promises broken.
    pub(crate) fn broken(&self) -> usize {
        self.breaches.len()
    }

    /// Orders whose money went out twice.
    pub(crate) fn double_effects(&self) -> usize {
        self.count(|breach| matches!(breach, Breach::DoubleEffect(_)))
    }

    fn count(&self, of: fn(&Breach) -> bool) -> usize {
        self.breaches
            .iter()
            .filter(|(_, breach)| of(breach))
            .count()
    }

    pub(crate) fn add(&mut self, other: Self) {
        merge(&mut self.deaths, other.deaths);
        merge(&mut self.words, other.words);
        merge(&mut self.states, other.states);
        self.unready += other.unready;
        self.restarts += other.restarts;
        self.asked += other.asked;
        self.seen += other.seen;
        self.effects += other.effects;
        self.verified += other.verified;
        self.whole += other.whole;
        self.breaches.extend(other.breaches);
        self.accidents.extend(other.accidents);
    }

    pub(crate) fn print(&self) {
        println!(
            "  {} kills ({} of them before the victim had recovered), {} restarts, {} calls, {} requests at the backends, {} effects",
            self.kills(),
            self.unready,
            self.restarts,
            self.asked,
            self.seen,
            self.effects
        );
        line("kills by step", &self.deaths);
        line("answers", &self.words);
        line("intents at the end", &self.states);
        println!(
            "  {} double effects, {} effects without a record, {} lost intents, {} budget overshoots, {} resends of other bytes; audit log whole {} of {} times",
            self.double_effects(),
            self.count(|b| matches!(b, Breach::NoRecord(_))),
            self.count(|b| matches!(b, Breach::LostIntent(_))),
            self.count(|b| matches!(b, Breach::Overshoot(_))),
            self.count(|b| matches!(b, Breach::OtherBytes(_))),
            self.whole,
            self.verified,
        );
    }

    /// What was broken, and the seed of the epoch in which it was.
    pub(crate) fn print_breaches(&self) {
        for (seed, breach) in self.breaches.iter().take(10) {
            println!("  epoch {seed}: {breach:?}");
        }
    }
}

fn merge(into: &mut BTreeMap<String, u64>, from: BTreeMap<String, u64>) {
    for (name, count) in from {
        *into.entry(name).or_default() += count;
    }
}

fn line(title: &str, counts: &BTreeMap<String, u64>) {
    let counts: Vec<String> = counts
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    println!("  {title}: {}", counts.join(", "));
}
