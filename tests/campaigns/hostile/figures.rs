//! What the hostile campaign found out, as it is printed.

use std::collections::{BTreeMap, BTreeSet};

/// What the neighbour's p99 may come to under an attack, as a multiple of its p99 without.
const MOST: f64 = 2.0;
/// What a whole round of attacks may leave behind of memory when it is made again, MiB.
const MAY_GROW_MIB: u64 = 24;

/// One storm.
pub(super) struct Row {
    label: String,
    quiet: Vec<Option<u64>>,
    stormy: Vec<Option<u64>>,
    /// Before and after.
    resident_mib: (u64, u64),
    ends: BTreeMap<String, usize>,
    breaches: Vec<String>,
}

impl Row {
    pub(super) fn new(
        label: String,
        quiet: Vec<Option<u64>>,
        stormy: Vec<Option<u64>>,
        resident_mib: (u64, u64),
    ) -> Self {
        Self {
            label,
            quiet,
            stormy,
            resident_mib,
            ends: BTreeMap::new(),
            breaches: vec![],
        }
    }

    pub(super) fn breach(&mut self, what: String) {
        self.breaches.push(what);
    }

    pub(super) fn ended(&mut self, word: &str, why: &str) {
        let why: String = why.chars().take(70).collect();
        *self.ends.entry(format!("{word}: {why}")).or_default() += 1;
    }
}

/// Says what the columns are.
pub(super) fn heading() {
    println!(
        "  {:<28} {:>6} {:>9} {:>9} {:>9} {:>6}  {:>11}  ends as",
        "attack", "calls", "p50 ms", "p99 ms", "quiet p99", "ratio", "RSS MiB"
    );
}

/// All of it.
#[derive(Default)]
pub(super) struct Figures {
    pub(super) broken: Vec<String>,
    storms: usize,
    /// Storms in which the neighbour was slow, and how much slower.
    slow: Vec<(String, f64)>,
    /// Calls of the neighbour before all storms, and its p99 in each of them, microseconds.
    quiet: Vec<u64>,
    stormy_p99: Vec<(String, f64)>,
    rounds_mib: Vec<u64>,
    notes: Vec<String>,
}

impl Figures {
    /// Prints a storm, and keeps what counts.
    pub(super) fn add(&mut self, mut row: Row) {
        self.storms += 1;
        let failed = row
            .stormy
            .iter()
            .chain(&row.quiet)
            .filter(|call| call.is_none())
            .count();
        if failed > 0 {
            row.breach(format!("{failed} calls of the neighbour failed"));
        }
        let (quiet, stormy) = (sorted(&row.quiet), sorted(&row.stormy));
        let ratio = at(&stormy, 99) / at(&quiet, 99);
        let mark = if ratio > MOST { " (!)" } else { "" };
        if ratio > MOST {
            self.slow.push((row.label.clone(), ratio));
        }
        self.stormy_p99.push((row.label.clone(), at(&stormy, 99)));
        let (before, after) = row.resident_mib;
        let ends: Vec<String> = row
            .ends
            .iter()
            .map(|(end, times)| format!("{times} × {end}"))
            .collect();
        println!(
            "  {:<28} {:>6} {:>9.2} {:>9.2} {:>9.2} {ratio:>6.1}{mark}  {before:>4} → {after:>4}  {}",
            row.label,
            stormy.len(),
            at(&stormy, 50) / 1_000.0,
            at(&stormy, 99) / 1_000.0,
            at(&quiet, 99) / 1_000.0,
            ends.join(", ")
        );
        self.quiet.extend(quiet);
        let breaches = row.breaches.into_iter();
        self.broken
            .extend(breaches.map(|what| format!("{}: {what}", row.label)));
    }

    /// A whole round of attacks has been made.
    pub(super) fn end_round(&mut self, resident_mib: u64) {
        if let Some(before) = self.rounds_mib.last()
            && resident_mib > before + MAY_GROW_MIB
        {
            let grown = resident_mib - before;
            self.broken
                .push(format!("a second round of attacks left {grown} MiB behind"));
        }
        self.rounds_mib.push(resident_mib);
    }

    pub(super) fn note(&mut self, what: String) {
        self.notes.push(what);
    }

    pub(super) fn print(&self) {
        println!(
            "  memory after each round of attacks: {:?} MiB",
            self.rounds_mib
        );
        for note in &self.notes {
            println!("  {note}");
        }
        let slow = self
            .slow
            .iter()
            .map(|(label, ratio)| format!("{label} {ratio:.1}"));
        println!(
            "  {} storms; the neighbour's p99 was more than {MOST} times that without in {}: {:?}; in each round: {:?}",
            self.storms,
            self.slow.len(),
            slow.collect::<Vec<_>>(),
            self.slow_each_round()
        );
        self.print_against_all_quiet();
        println!("  {} promises broken", self.broken.len());
        for breach in &self.broken {
            println!("  BROKEN {breach}");
        }
    }

    /// A few hundred quiet calls before a storm have a p99 that changes by more than a factor of two from storm to storm: that of
    /// all quiet calls together says more.
    fn print_against_all_quiet(&self) {
        let mut quiet = self.quiet.clone();
        quiet.sort_unstable();
        let usual = at(&quiet, 99);
        let ratios = self.stormy_p99.iter();
        let ratios = ratios.map(|(label, p99)| (label, p99 / usual));
        let slow = ratios.filter(|(_, ratio)| *ratio > MOST);
        let slow: Vec<String> = slow
            .map(|(label, ratio)| format!("{label} {ratio:.1}"))
            .collect();
        println!(
            "  against the p99 of all {} quiet calls, {:.2} ms, it was more than {MOST} times in {}: {slow:?}",
            quiet.len(),
            usual / 1_000.0,
            slow.len()
        );
    }

    /// A busy moment of the machine slows down one storm, an attack that harms all of its storms.
    fn slow_each_round(&self) -> BTreeSet<&str> {
        let times = |label| self.slow.iter().filter(|(other, _)| other == label).count();
        let labels = self.slow.iter().map(|(label, _)| label);
        labels
            .filter(|label| times(*label) >= self.rounds_mib.len())
            .map(String::as_str)
            .collect()
    }
}

/// Microseconds, ascending.
fn sorted(calls: &[Option<u64>]) -> Vec<u64> {
    let mut calls: Vec<u64> = calls.iter().flatten().copied().collect();
    calls.sort_unstable();
    calls
}

#[allow(clippy::cast_precision_loss)]
fn at(sorted: &[u64], percent: usize) -> f64 {
    let index = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(index).copied().unwrap_or(1) as f64
}
