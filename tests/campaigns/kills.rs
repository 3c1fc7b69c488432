//! The kill campaign: victims die at every step of a write and at any moment, start again, and are asked again; after each
//! death the ledger is held against what the backend really did.

mod backend;
mod books;
mod desk;
mod epoch;
mod figures;
mod invariants;
mod plan;
mod process;

use std::path::Path;

use policy::Nature;
use tokio::task::JoinSet;

use crate::size;
use crate::victim::Bookkeeping;
pub(crate) use books::{Books, Intent};
use epoch::Epoch;
pub(crate) use figures::Figures;

/// Kills in an ordinary run; `KILLS` sets another number.
const SLICE: u64 = 300;
/// Epochs at a time: victims wait for late answers most of their lives.
const WORKERS: u64 = 4;
/// A long campaign says every now and then how far it is.
const TELLS_EVERY: u64 = 1_000;
/// Kills in one epoch at most: one data folder, one backend, one set of orders.
const LIVES: u64 = 12;

/// The natures that are tried in turn.
const NATURES: [Nature; 3] = [
    Nature::Deduplicates,
    Nature::Queryable {
        after_seconds: epoch::PROCESSING_SECONDS,
    },
    Nature::Neither,
];

/// Runs `KILLS` kills from `SEED`, prints the figures, and fails if any promise was broken.
pub(crate) fn run() {
    let (kills, seed) = (size::number("KILLS", SLICE), size::seed());
    let figures = runtime().block_on(campaign(kills, seed));
    figures.print();
    assert_eq!(figures.broken(), 0, "repeat with SEED={seed}");
    assert!(figures.accidents.is_empty(), "{:?}", figures.accidents);
    assert_eq!(figures.kills(), kills);
}

/// Several threads: backends must go on while the campaign waits for a victim.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

async fn campaign(kills: u64, seed: u64) -> Figures {
    println!("  SEED={seed}");
    let mut waiting = (0..kills.div_ceil(LIVES)).map(|number| {
        let nature = NATURES[usize::try_from(number).unwrap() % NATURES.len()];
        let lives = LIVES.min(kills - number * LIVES);
        epoch(seed.wrapping_add(number), nature, Bookkeeping::Real, lives)
    });
    let mut running = JoinSet::new();
    let mut figures = Figures::default();
    for first in waiting
        .by_ref()
        .take(size::number("WORKERS", WORKERS).try_into().unwrap())
    {
        running.spawn(first);
    }
    while let Some(ended) = running.join_next().await {
        let before = figures.kills();
        match ended {
            Ok(epoch) => {
                epoch.print_breaches();
                figures.add(epoch);
            }
            Err(accident) => figures.accidents.push(accident.to_string()),
        }
        if figures.kills() / TELLS_EVERY > before / TELLS_EVERY {
            println!(
                "  {} kills, {} promises broken",
                figures.kills(),
                figures.broken()
            );
        }
        if let Some(next) = waiting.next() {
            running.spawn(next);
        }
    }
    figures
}

/// Fills a data folder with what a bad day at the desk leaves in it: calls of every outcome, and some deaths.
pub(crate) async fn fill(folder: &Path, seed: u64) {
    let mut epoch = Epoch::begin(folder, seed, Nature::Neither, Bookkeeping::Real).await;
    for _ in 0..LIVES {
        epoch.live_and_die().await;
    }
    epoch.ask_everything();
    let figures = epoch.end().await;
    assert_eq!(figures.broken(), 0);
}

/// One epoch with its own figures.
pub(crate) async fn epoch(seed: u64, nature: Nature, ledger: Bookkeeping, lives: u64) -> Figures {
    let folder = tempfile::tempdir().unwrap();
    let mut epoch = Epoch::begin(folder.path(), seed, nature, ledger).await;
    for _ in 0..lives {
        epoch.live_and_die().await;
    }
    epoch.end().await
}
