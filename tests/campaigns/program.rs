//! The kill campaign on the whole program: `switchboard serve` with its real plugins, over its real HTTP surface. The shop
//! runs inside it and dies with it, as durable as any backend.

mod shift;

use std::path::Path;

use crate::kills::runtime;
use crate::size;
use shift::Shift;
pub(crate) use shift::program;

/// One in so many kills of `KILLS` hits the whole program, which takes a thousand times as long to start.
const SHARE: u64 = 100;
/// Kills in an ordinary run.
const SLICE: u64 = 12;
/// Kills in one data folder.
const LIVES: u64 = 4;

/// What a campaign on the whole program counts.
#[derive(Default)]
struct Figures {
    kills: u64,
    /// Kills that left a write open.
    midway: u64,
    effects: usize,
    breaches: Vec<String>,
}

/// Runs a share of `KILLS` from `SEED`, prints the figures, and fails if any promise was broken.
pub(crate) fn run() {
    let kills = size::number::<u64>("KILLS", 0).div_ceil(SHARE).max(SLICE);
    let seed = size::seed();
    println!("  SEED={seed}");
    let figures = runtime().block_on(campaign(kills, seed));
    println!(
        "  {} kills of the whole program, {} of them in the middle of a write; {} refunds at the shop; {} promises broken",
        figures.kills,
        figures.midway,
        figures.effects,
        figures.breaches.len()
    );
    assert_eq!(
        figures.breaches,
        Vec::<String>::new(),
        "repeat with SEED={seed}"
    );
}

async fn campaign(kills: u64, seed: u64) -> Figures {
    let mut figures = Figures::default();
    let mut chance = fastrand::Rng::with_seed(seed);
    // The first start compiles the plugins, for all that follow.
    let first = tempfile::tempdir().unwrap();
    Shift::begin(first.path()).compile().await;
    while figures.kills < kills {
        let folder = tempfile::tempdir().unwrap();
        copy_compiled(first.path(), folder.path());
        let mut shift = Shift::begin(folder.path());
        for _ in 0..LIVES.min(kills - figures.kills) {
            figures.midway += u64::from(shift.live_and_die(&mut chance).await);
            figures.kills += 1;
        }
        figures.effects += shift.end(&mut figures.breaches).await;
    }
    figures
}

fn copy_compiled(from: &Path, to: &Path) {
    let (from, to) = (from.join("compiled"), to.join("compiled"));
    std::fs::create_dir(&to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
