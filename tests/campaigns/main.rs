//! The campaigns: what the host promises, tried thousands of times by force. Each prints its figures; without arguments a
//! bounded slice of each is run.
//!
//! A target without a test harness, because one and the same program is also the victim that the campaigns kill, and the host
//! that they attack.

#![allow(
    clippy::unwrap_used,
    reason = "a campaign that cannot go on should stop where it stands"
)]

// With the program's allocator: what the host keeps of its memory is measured here.
#[path = "../../host/sandbox/examples/figures.rs"]
mod costs;
mod hostile;
mod kills;
mod mutants;
mod program;
mod served;
mod size;
mod soak;
mod swaps;
mod tampering;
mod victim;
mod wire;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

/// What can be run, by the names that a filter on the command line selects.
const CAMPAIGNS: &[(&str, fn())] = &[
    ("costs_of_plugins", costs::main),
    ("hostile_plugins", hostile::run),
    ("kills", kills::run),
    ("kills_of_the_program", program::run),
    ("mutants", mutants::run),
    ("soak", soak::run),
    ("swapped_plugins", swaps::run),
    ("tampering", tampering::run),
];

fn main() -> ExitCode {
    if let Ok(setup) = std::env::var(victim::VARIABLE) {
        return victim::run(&setup);
    }
    if let Ok(setup) = std::env::var(hostile::host::VARIABLE) {
        return hostile::host::run(&setup);
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // What cargo passes on to every test target is meant for the usual harness.
    let filters: Vec<&String> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
    let is_wanted = |name: &str| filters.is_empty() || filters.iter().any(|f| name.contains(*f));
    let wanted = CAMPAIGNS.iter().filter(|(name, _)| is_wanted(name));
    if arguments.iter().any(|argument| argument == "--list") {
        wanted.for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    // All of them, whatever comes of the first.
    let failed = wanted.filter(|(name, campaign)| !passes(name, *campaign));
    if failed.count() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn passes(name: &str, campaign: fn()) -> bool {
    println!("\ncampaign {name}");
    let started = Instant::now();
    let passed = catch_unwind(AssertUnwindSafe(campaign)).is_ok();
    let verdict = if passed { "passed" } else { "FAILED" };
    println!(
        "campaign {name}: {verdict} in {:.1} s",
        started.elapsed().as_secs_f64()
    );
    passed
}
