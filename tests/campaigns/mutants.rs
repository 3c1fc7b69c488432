//! The kill campaign proves itself: hosts that lack what it watches over must fail it.

use policy::Nature;

use crate::kills::{Figures, epoch, runtime};
use crate::size;
use crate::victim::Bookkeeping;

/// A campaign that needs more kills than this to find a mutant out finds nothing.
const MOST_KILLS: u64 = 300;
const LIVES: u64 = 12;

/// Kills mutant hosts until money goes out twice.
pub(crate) fn run() {
    let seed = size::seed();
    println!("  SEED={seed}");
    for mutant in [Bookkeeping::Off, Bookkeeping::LookUpThenResend] {
        let figures = runtime().block_on(until_found(mutant, seed));
        let found = figures.double_effects();
        println!(
            "  {mutant:?}: {found} double effects, found within {} kills",
            figures.kills()
        );
        assert!(
            found > 0,
            "{mutant:?} was not found; repeat with SEED={seed}"
        );
    }
}

async fn until_found(mutant: Bookkeeping, seed: u64) -> Figures {
    let mut figures = Figures::default();
    let mut number = 0;
    while figures.double_effects() == 0 && figures.kills() < MOST_KILLS {
        let seed = seed.wrapping_add(number);
        figures.add(epoch(seed, Nature::Deduplicates, mutant, LIVES).await);
        number += 1;
    }
    figures
}
