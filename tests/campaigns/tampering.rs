//! The tampering campaign: a real audit log is changed in a thousand ways, and `audit verify` finds every one.

mod forger;
mod log;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use store::verify_audit;

use crate::kills;
use crate::size;
use forger::{KINDS, tamper};
use log::Record;

/// Changes in an ordinary run; `TAMPERINGS` sets another number.
const SLICE: usize = 1_000;
/// Every so many of them are shown to the program itself; no multiple of the kinds, so that it sees all of those.
const SHOWN: usize = 47;

/// Tampers `TAMPERINGS` times from `SEED`, prints the figures, and fails if anything went unseen.
pub(crate) fn run() {
    let (times, seed) = (size::number("TAMPERINGS", SLICE), size::seed());
    println!("  SEED={seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    kills::runtime().block_on(kills::fill(folder.path(), chance.u64(..)));
    let whole = log::read(folder.path());
    assert!(is_whole(folder.path()) && program_says_whole(folder.path()));
    let mut tried: BTreeMap<String, usize> = BTreeMap::new();
    let (mut unseen, mut shown) = (vec![], 0);
    for turn in 0..times {
        let kind = KINDS[turn % KINDS.len()];
        let copy = tempfile::tempdir().unwrap();
        let forged = another(&whole, kind, &mut chance);
        log::forge(folder.path(), copy.path(), &forged);
        *tried.entry(format!("{kind:?}").to_lowercase()).or_default() += 1;
        let is_shown = turn % SHOWN == 0;
        shown += usize::from(is_shown);
        if is_whole(copy.path()) || is_shown && program_says_whole(copy.path()) {
            unseen.push(format!("{kind:?} in turn {turn}"));
        }
    }
    println!(
        "  a log of {} records, tampered with {times} times ({tried:?}): {} found by `audit verify`, {} not; {shown} of them shown to the program",
        whole.len(),
        times - unseen.len(),
        unseen.len()
    );
    assert!(unseen.is_empty(), "repeat with SEED={seed}: {unseen:?}");
}

/// A log that is not the one that was written.
fn another(whole: &[Record], kind: forger::Kind, chance: &mut fastrand::Rng) -> Vec<Record> {
    loop {
        let mut records = whole.to_vec();
        tamper(&mut records, kind, chance);
        if records != whole {
            return records;
        }
    }
}

fn is_whole(folder: &Path) -> bool {
    verify_audit(folder).unwrap().is_ok()
}

fn program_says_whole(folder: &Path) -> bool {
    let mut program = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    let verify = program.args(["audit", "verify", "--data"]).arg(folder);
    verify.output().unwrap().status.success()
}
