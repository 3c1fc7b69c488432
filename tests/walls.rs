//! The walls: which crate may depend on which, as `host/ARCHITECTURE.md` says.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Crate → the crates of ours that it may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("policy", &[]),
    ("described", &[]),
    ("dispatch", &["policy"]),
    ("sandbox", &["policy", "dispatch", "described"]),
    ("store", &["dispatch"]),
    ("agent", &["dispatch"]),
    ("artifacts", &[]),
    ("demo-backend", &[]),
    (
        "switchboard",
        &[
            "policy",
            "described",
            "dispatch",
            "sandbox",
            "store",
            "agent",
            "artifacts",
            "demo-backend",
        ],
    ),
];

#[test]
fn no_crate_reaches_over_a_wall() {
    let edges = workspace_edges();
    let allowed: BTreeMap<&str, BTreeSet<&str>> = ALLOWED
        .iter()
        .map(|(name, to)| (*name, to.iter().copied().collect()))
        .collect();
    assert_eq!(
        edges.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        allowed.keys().copied().collect::<BTreeSet<_>>(),
        "a crate without a wall, or a wall without a crate"
    );
    for (name, to) in &edges {
        for target in to {
            assert!(
                allowed[name.as_str()].contains(target.as_str()),
                "{name} depends on {target}: that edge is not in the table"
            );
        }
    }
}

#[test]
fn policy_has_no_way_to_the_outside() {
    let forbidden = [
        "tokio",
        "reqwest",
        "rusqlite",
        "rand",
        "async-trait",
        "uuid",
    ];
    let direct = dependencies_of("policy");
    for name in forbidden {
        assert!(
            !direct.contains(name),
            "policy depends on {name}: it must stay pure"
        );
    }
}

fn workspace_edges() -> BTreeMap<String, BTreeSet<String>> {
    let packages = packages();
    let ours: BTreeSet<String> = packages.keys().cloned().collect();
    packages
        .into_iter()
        .map(|(name, to)| (name, to.intersection(&ours).cloned().collect()))
        .collect()
}

fn dependencies_of(package: &str) -> BTreeSet<String> {
    packages().remove(package).unwrap()
}

/// Every package of the workspace with its direct dependencies; those of its tests are free.
fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--manifest-path",
        ])
        .arg(crate::tree::root().join("Cargo.toml"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let to = package["dependencies"].as_array().unwrap().iter();
            let normal = to.filter(|dependency| dependency["kind"] != "dev");
            (
                text(&package["name"]),
                normal.map(|dependency| text(&dependency["name"])).collect(),
            )
        })
        .collect()
}
