//! The tree holds to its own style page: what a file opens with, and how long it may grow.

use std::path::{Path, PathBuf};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Lines of one source file, at most. At 400 one thinks again; this is the wall.
const LONGEST_FILE: usize = 500;

#[test]
fn every_source_file_says_what_it_owns_and_stays_readable() {
    let files = sources();
    assert!(
        files.len() > 50,
        "the walk found too little: {}",
        files.len()
    );
    let mut faults = vec![];
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        if !text.starts_with("//!") {
            faults.push(format!(
                "{}: does not open with a `//!` sentence",
                file.display()
            ));
        }
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            faults.push(format!("{}: {lines} lines", file.display()));
        }
        if file.file_name().is_some_and(|name| name == "mod.rs") {
            faults.push(format!(
                "{}: `foo.rs` beside `foo/`, not mod.rs",
                file.display()
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_top_level_holds_what_it_should() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "clippy.toml",
        "deny.toml",
        "rust-toolchain.toml",
        "host",
        "plugins",
        "prompts",
        "tests",
        "wit",
    ];
    let tracked = std::process::Command::new("git")
        .args(["ls-tree", "--name-only", "HEAD"])
        .current_dir(root())
        .output();
    // A source archive without git has nothing to say here.
    let Ok(tracked) = tracked else {
        return println!("skipped: git is not installed");
    };
    for name in String::from_utf8(tracked.stdout).unwrap().lines() {
        assert!(
            name.starts_with('.') || allowed.contains(&name),
            "{name} does not belong at the top level"
        );
    }
}

fn sources() -> Vec<PathBuf> {
    let mut found = vec![];
    let mut folders: Vec<PathBuf> = ["host", "plugins", "tests"]
        .map(|name| root().join(name))
        .into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}
