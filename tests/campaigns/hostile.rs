//! The hostile campaign: a plugin attacks host and neighbours in every way we know of, again and again, while the neighbour is
//! called; then a thousand components that are none are installed. Every attack ends in a defined error and on record, the
//! host stays up, and its memory comes back.

mod attack;
mod backend;
mod books;
mod components;
mod figures;
pub(crate) mod host;
mod installs;
mod offers;
mod process;
mod storm;

use std::path::Path;
use std::process::Command;

use crate::kills::runtime;
use crate::size;
use attack::ATTACKS;
use backend::Backend;
use figures::{Figures, Row};
use process::Hosting;

/// Times that each attack is made in an ordinary run; `RUNS` sets another number.
const SLICE: usize = 2;
/// Components that are installed in an ordinary run; `INSTALLS` sets another number.
const INSTALLS: usize = 25;

/// Makes every attack `RUNS` times and `INSTALLS` installations, prints the figures, and fails if a promise was broken.
pub(crate) fn run() {
    let seed = size::seed();
    println!("  SEED={seed}");
    let (runs, installs) = (
        size::number("RUNS", SLICE),
        size::number("INSTALLS", INSTALLS),
    );
    let guest = guest();
    let figures = runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let backend = Backend::start().await;
        let mut hosting = Hosting::start(folder.path(), backend.addr, &guest).await;
        let mut figures = Figures::default();
        storm::keep(&hosting).await;
        figures::heading();
        // Twice: what the first round leaves behind, the second must not leave again.
        let rounds = [runs.div_ceil(2), runs / 2];
        for share in rounds.into_iter().filter(|share| *share > 0) {
            for attack in ATTACKS {
                if is_wanted(attack.name) {
                    let row = storm::make(attack, share, &mut hosting, &backend).await;
                    figures.add(row);
                }
            }
            figures.end_round(hosting.resident_mib());
        }
        let (quiet, before) = (storm::quiet(&hosting.asker()).await, hosting.resident_mib());
        let beside = storm::Beside::begin(&hosting.asker());
        installs::make(installs, seed, &guest, &mut hosting, &mut figures).await;
        let (stormy, after) = (beside.end().await, hosting.resident_mib());
        let label = "installations".to_owned();
        figures.add(Row::new(label, quiet, stormy, (before, after)));
        storm::look_at_kept(&hosting, &mut figures).await;
        hosting.end().await;
        offers::make(folder.path(), &guest, &mut figures).await;
        figures
    });
    figures.print();
    assert_eq!(
        figures.broken,
        Vec::<String>::new(),
        "repeat with SEED={seed}"
    );
}

/// `ATTACKS` holds parts of the names of those that are made, separated by commas; all of them without it.
fn is_wanted(name: &str) -> bool {
    let Ok(wanted) = std::env::var("ATTACKS") else {
        return true;
    };
    wanted.split(',').any(|part| name.contains(part))
}

/// The hostile plugin, built like any other, with a description of an API that it answers for.
fn guest() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap();
    let folder = root.join("tests/campaigns/hostile/guest");
    let target = root.join("target/plugins");
    let built = Command::new("cargo")
        .args([
            "build",
            "--release",
            "--quiet",
            "--target",
            "wasm32-wasip2",
            "--target-dir",
        ])
        .arg(&target)
        .current_dir(folder)
        .status();
    assert!(
        built.unwrap().success(),
        "the hostile plugin does not build"
    );
    let built = std::fs::read(target.join("wasm32-wasip2/release/hostile.wasm"));
    components::described(&built.unwrap(), "dig")
}
