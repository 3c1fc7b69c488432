//! A thousand installations of what is no plugin: cut short, flipped, huge, and made to be expensive.

use std::collections::BTreeMap;

use super::components;
use super::figures::Figures;
use super::process::Hosting;

/// What an installation may add to the host's own memory at its height, MiB: some copies of the largest component.
const MAY_TAKE_MIB: u64 = 400;
/// What the second half may leave behind, MiB: what the first half did, the allocator has to use again.
const MAY_LEAVE_MIB: u64 = 64;
const MIB: usize = 1 << 20;
/// What takes longest of it to be refused.
pub(super) const LARGE_FUNCTION: &str = "one large function";

/// Installs `times` components, most of them broken by chance.
pub(super) async fn make(
    times: usize,
    seed: u64,
    good: &[u8],
    hosting: &mut Hosting,
    figures: &mut Figures,
) {
    let mut chance = fastrand::Rng::with_seed(seed);
    let (before, peak_before) = (hosting.resident_mib(), hosting.peak_mib());
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let mut longest = (0, String::new());
    let crafted = crafted(good);
    let broken = times.saturating_sub(crafted.len());
    let by_chance = (0..broken).map(|turn| by_chance(good, turn, &mut chance));
    let of_note = crafted.len();
    let (half, mut halfway) = (of_note.max(times / 2), None);
    let all = crafted.into_iter().chain(by_chance.collect::<Vec<_>>());
    for (number, (kind, must_fail, bytes)) in all.enumerate() {
        if number == half {
            halfway = Some(hosting.resident_mib());
        }
        let file = hosting.folder().join("install.wasm");
        tokio::fs::write(&file, bytes).await.unwrap();
        let ended = hosting.asker().install(file.clone()).await;
        tokio::fs::remove_file(file).await.unwrap();
        let Some(ended) = ended else {
            figures.broken.push(format!("{kind}: the host is gone"));
            return;
        };
        let is_typed = ended.word == "refused" || ended.word == "loaded" && !must_fail;
        if !is_typed {
            figures
                .broken
                .push(format!("{kind}: {}: {}", ended.word, ended.why));
        }
        if ended.micros > longest.0 {
            longest = (ended.micros, kind.clone());
        }
        if number < of_note {
            let why: String = ended.why.chars().take(110).collect();
            figures.note(format!(
                "install, {kind}: {} in {} ms: {why}",
                ended.word,
                ended.micros / 1_000
            ));
        }
        *ends.entry(ended.word).or_default() += 1;
    }
    let (after, peak) = (hosting.resident_mib(), hosting.peak_mib());
    // Few installations have no second half.
    let halfway = halfway.unwrap_or(after);
    figures.note(format!(
        "{times} installations: {ends:?}; the longest took {} ms ({}); memory {before} → {halfway} MiB halfway → {after} MiB, at its height {peak} MiB",
        longest.0 / 1_000,
        longest.1
    ));
    if peak > peak_before.max(before + MAY_TAKE_MIB) {
        figures
            .broken
            .push(format!("an installation took the host to {peak} MiB"));
    }
    if after > halfway + MAY_LEAVE_MIB {
        figures
            .broken
            .push(format!("installations left {} MiB behind", after - halfway));
    }
}

/// What is made to harm: (kind, whether it must be refused, bytes).
pub(super) fn crafted(good: &[u8]) -> Vec<(String, bool, Vec<u8>)> {
    let text = |bytes: &[u8]| bytes.to_vec();
    let refused = [
        ("nothing", Vec::new()),
        ("a text", text(b"#!/bin/sh\necho hello")),
        ("a core module", text(b"\0asm\x01\0\0\0")),
        ("an empty component", text(b"\0asm\x0d\0\x01\0")),
        ("100 MB", components::padded(good, 100_000_000)),
        ("100 MB of zeros", vec![0; 100_000_000]),
        ("a million functions", components::many_functions(1_000_000)),
        (LARGE_FUNCTION, components::compile_bomb(1, 60_000)),
        ("a type bomb", components::type_bomb(30)),
        ("components in components", components::nested(1_000)),
        ("packages in a circle", components::packages_in_a_circle()),
    ];
    // What counts of these is what they cost.
    let costly = [
        ("60 MB of nothing more", components::padded(good, 60 * MIB)),
        ("60 memories", components::many_memories(60)),
        ("3 modules with a memory each", components::many_modules(3)),
        ("a compile bomb", components::compile_bomb(8, 10_000)),
        ("a smaller type bomb", components::type_bomb(14)),
        (
            "deep documentation",
            components::deep_documentation(good, 100_000),
        ),
    ];
    let refused = refused.map(|(kind, bytes)| (kind.to_owned(), true, bytes));
    let costly = costly.map(|(kind, bytes)| (kind.to_owned(), false, bytes));
    refused.into_iter().chain(costly).collect()
}

fn by_chance(good: &[u8], turn: usize, chance: &mut fastrand::Rng) -> (String, bool, Vec<u8>) {
    let mut bytes = good.to_vec();
    if turn.is_multiple_of(2) {
        let end = chance.usize(0..bytes.len());
        bytes.truncate(end);
        return (format!("cut at {end}"), true, bytes);
    }
    let flips = chance.usize(1..=8);
    for _ in 0..flips {
        let at = chance.usize(0..bytes.len());
        bytes[at] ^= 1 << chance.u8(0..8);
    }
    (format!("{flips} bits flipped"), false, bytes)
}
