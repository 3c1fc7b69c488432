//! The registry: versions that never change, bindings that one of two operators changes, and a history that tells all of it.

use std::sync::Arc;

use dispatch::{
    Added, AuditKind, Binding, BindingAction, BindingChange, Bound, Canary, NewVersion, Pinned,
    TagFound, Tolerance,
};
use serde_json::{Value, json};

use crate::world::{START, TENANT, World, race};

const PLUGIN: &str = "loyalty";
const OPERATOR: &str = "user:alice";

/// A digest that is told from others by its first digit.
fn digest(first: char) -> String {
    format!("{first}{}", "0".repeat(63))
}

fn pinned(version: &str, first: char) -> Pinned {
    Pinned {
        version: version.into(),
        digest: digest(first),
    }
}

fn version(version: &str, first: char) -> NewVersion {
    NewVersion {
        tenant: TENANT.into(),
        plugin: PLUGIN.into(),
        version: version.into(),
        digest: digest(first),
        source: "loyalty.wasm".into(),
        signed_by: Some("acme".into()),
        signatures: Some("a line\nand another".into()),
        accepted: json!({ "model": false }),
        installed_by: OPERATOR.into(),
        reason: String::new(),
    }
}

/// A swap to `to`, made from the binding at `revision`.
fn swap(revision: i64, to: Pinned) -> BindingChange {
    BindingChange {
        binding: Binding {
            tenant: TENANT.into(),
            plugin: PLUGIN.into(),
            revision,
            stable: Some(to.clone()),
            ..Binding::default()
        },
        action: BindingAction::Swap,
        by: OPERATOR.into(),
        from: None,
        to: Some(to),
        reason: "new rates".into(),
    }
}

async fn add(world: &World, version: NewVersion) -> Added {
    world.registry.add_version(version).await.unwrap()
}

async fn bound(world: &World, change: BindingChange) -> Binding {
    match world.registry.bind(change).await.unwrap() {
        Bound::Done(binding) => binding,
        other => panic!("{other:?}"),
    }
}

async fn remove(world: &World, version: &str) -> bool {
    let registry = &world.registry;
    registry
        .remove_version(TENANT, PLUGIN, version, OPERATOR, "not used")
        .await
        .unwrap()
}

async fn known(world: &World) -> Vec<(String, String)> {
    let versions = world.registry.versions(TENANT).await.unwrap();
    versions
        .into_iter()
        .map(|version| (version.plugin, version.version))
        .collect()
}

/// How many entries the history has, and how many records the audit log has.
async fn told(world: &World) -> (usize, usize) {
    let history = world.registry.history(TENANT, None).await.unwrap();
    let records = world.store.records(None, 1_000).await.unwrap();
    (history.len(), records.len())
}

pub(crate) async fn a_version_never_means_another_digest(world: World) {
    assert_eq!(add(&world, version("1.0.0", 'a')).await, Added::New);
    assert_eq!(add(&world, version("1.0.0", 'a')).await, Added::Known);
    let other = Added::OtherDigest(digest('a'));
    assert_eq!(add(&world, version("1.0.0", 'b')).await, other);
    assert!(remove(&world, "1.0.0").await);
    assert_eq!(add(&world, version("1.0.0", 'b')).await, other);
    assert!(known(&world).await.is_empty());
    assert_eq!(add(&world, version("1.0.0", 'a')).await, Added::New);
    let versions = world.registry.versions(TENANT).await.unwrap();
    assert_eq!(versions.len(), 1);
    assert_eq!(versions[0].digest, digest('a'));
    // Two installs, one removal; neither what was known nor what was refused.
    assert_eq!(told(&world).await, (3, 3));
}

pub(crate) async fn a_known_version_takes_what_is_said_anew_and_loses_nothing(world: World) {
    let unsigned = NewVersion {
        signed_by: None,
        signatures: None,
        accepted: Value::Null,
        ..version("1.0.0", 'a')
    };
    add(&world, unsigned.clone()).await;
    world.clock.advance(5);
    add(&world, version("1.0.0", 'a')).await;
    assert_eq!(add(&world, unsigned).await, Added::Known);
    let found = world.registry.versions(TENANT).await.unwrap().remove(0);
    assert_eq!(found.accepted, json!({ "model": false }));
    assert_eq!(found.signed_by.as_deref(), Some("acme"));
    assert_eq!(found.signatures.as_deref(), Some("a line\nand another"));
    assert_eq!(found.installed_at, START);
    assert_eq!(told(&world).await, (2, 2));
}

pub(crate) async fn versions_are_one_tenants(world: World) {
    let acme = NewVersion {
        tenant: "acme".into(),
        ..version("1.0.0", 'b')
    };
    let other = NewVersion {
        plugin: "crm".into(),
        ..version("0.9.0", 'c')
    };
    for version in [
        version("1.0.0", 'a'),
        acme,
        version("2.0.0-rc.1", 'd'),
        other,
    ] {
        assert_eq!(add(&world, version).await, Added::New);
    }
    let expected = [("crm", "0.9.0"), (PLUGIN, "1.0.0"), (PLUGIN, "2.0.0-rc.1")];
    assert_eq!(
        known(&world).await,
        expected.map(|(plugin, version)| (plugin.to_owned(), version.to_owned()))
    );
    let all = world.registry.known().await.unwrap();
    assert_eq!(all.len(), 4);
    assert_eq!(
        (&all[0].tenant, &all[0].digest),
        (&"acme".to_owned(), &digest('b'))
    );
    let acme = world.registry.versions("acme").await.unwrap();
    assert_eq!((acme.len(), &acme[0].digest), (1, &digest('b')));
    let removed = world
        .registry
        .remove_version("other", PLUGIN, "1.0.0", OPERATOR, "")
        .await
        .unwrap();
    assert!(!removed);
    bound(&world, swap(0, pinned("1.0.0", 'a'))).await;
    assert!(world.registry.bindings("acme").await.unwrap().is_empty());
    let history = world.registry.history("acme", None).await.unwrap();
    assert_eq!(history.len(), 1);
}

pub(crate) async fn a_version_that_is_bound_stays(world: World) {
    for (number, first) in [
        ("1.0.0", 'a'),
        ("2.0.0", 'b'),
        ("3.0.0", 'c'),
        ("4.0.0", 'd'),
    ] {
        add(&world, version(number, first)).await;
    }
    let mut change = swap(0, pinned("2.0.0", 'b'));
    change.binding.previous = Some(pinned("1.0.0", 'a'));
    change.binding.canary = Some(Canary {
        version: "3.0.0".into(),
        digest: digest('c'),
        per_mille: 50,
        tolerance: Tolerance::default(),
    });
    bound(&world, change).await;
    for number in ["1.0.0", "2.0.0", "3.0.0", "9.9.9"] {
        assert!(!remove(&world, number).await, "{number}");
    }
    assert!(remove(&world, "4.0.0").await);
    assert!(!remove(&world, "4.0.0").await);
    assert_eq!(known(&world).await.len(), 3);
    // What is bound is needed, whatever was removed that is the same.
    add(&world, version("1.0.1", 'a')).await;
    assert!(remove(&world, "1.0.1").await);
    let all = world.registry.known().await.unwrap();
    let all = all.iter().map(|one| (one.version.as_str(), one.is_removed));
    assert_eq!(
        all.collect::<Vec<_>>(),
        [
            ("1.0.0", false),
            ("2.0.0", false),
            ("3.0.0", false),
            ("4.0.0", true),
            ("1.0.1", false)
        ]
    );
    bound(&world, swap(1, pinned("2.0.0", 'b'))).await;
    assert!(remove(&world, "1.0.0").await);
}

pub(crate) async fn of_two_operators_one_is_done(world: World) {
    for revision in 0..8 {
        let changes = race(2, |n| {
            let registry = Arc::clone(&world.registry);
            let to = pinned(&format!("{revision}.{n}.0"), if n == 0 { 'a' } else { 'b' });
            async move { registry.bind(swap(revision, to)).await.unwrap() }
        })
        .await;
        let done: Vec<_> = changes
            .iter()
            .filter_map(|bound| match bound {
                Bound::Done(binding) => Some(binding.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(done.len(), 1, "{changes:?}");
        assert_eq!(done[0].revision, revision + 1);
        assert!(changes.contains(&Bound::Stale(Some(done[0].clone()))));
        assert_eq!(world.registry.bindings(TENANT).await.unwrap(), done);
    }
    assert_eq!(told(&world).await, (8, 8));
}

pub(crate) async fn a_change_of_what_is_no_longer_so_changes_nothing(world: World) {
    let nothing = world.registry.bind(swap(1, pinned("1.0.0", 'a'))).await;
    assert_eq!(nothing.unwrap(), Bound::Stale(None));
    let newest = bound(&world, swap(0, pinned("1.0.0", 'a'))).await;
    for revision in [0, 2, -1] {
        let late = world.registry.bind(swap(revision, pinned("2.0.0", 'b')));
        assert_eq!(late.await.unwrap(), Bound::Stale(Some(newest.clone())));
    }
    assert_eq!(world.registry.bindings(TENANT).await.unwrap(), [newest]);
    assert_eq!(told(&world).await, (1, 1));
}

pub(crate) async fn what_was_removed_is_not_bound(world: World) {
    let gone = pinned("1.0.0", 'a');
    add(&world, version("1.0.0", 'a')).await;
    assert!(remove(&world, "1.0.0").await);
    let mut previous = swap(0, pinned("2.0.0", 'b'));
    previous.binding.previous = Some(gone.clone());
    let mut canary = swap(0, pinned("2.0.0", 'b'));
    canary.binding.canary = Some(Canary {
        version: gone.version.clone(),
        digest: gone.digest.clone(),
        per_mille: 1,
        tolerance: Tolerance::default(),
    });
    for change in [swap(0, gone.clone()), previous, canary] {
        let refused = world.registry.bind(change).await.unwrap();
        assert_eq!(refused, Bound::Removed(gone.clone()));
    }
    assert!(world.registry.bindings(TENANT).await.unwrap().is_empty());
    assert_eq!(told(&world).await, (2, 2));
    add(&world, version("1.0.0", 'a')).await;
    bound(&world, swap(0, gone)).await;
}

pub(crate) async fn a_binding_is_read_as_it_was_written(world: World) {
    let full = Binding {
        tenant: TENANT.into(),
        plugin: PLUGIN.into(),
        revision: 0,
        stable: Some(pinned("1.0.0", 'a')),
        canary: Some(Canary {
            version: "1.1.0".into(),
            digest: digest('b'),
            per_mille: 1_000,
            tolerance: Tolerance {
                min_calls: 7,
                traps_per_mille: 0,
                errors_per_mille: 1_000,
                denials_per_mille: 33,
            },
        }),
        previous: Some(pinned("0.9.0", 'c')),
        killed: vec![digest('d'), digest('e')],
        from_folder: Some("{\"version\":\"1.0.0\"}".into()),
    };
    let written = bound(
        &world,
        BindingChange {
            binding: full.clone(),
            ..swap(0, pinned("1.0.0", 'a'))
        },
    )
    .await;
    assert_eq!(
        written,
        Binding {
            revision: 1,
            ..full
        }
    );
    assert_eq!(world.registry.bindings(TENANT).await.unwrap(), [written]);
    let mut without = swap(1, pinned("1.0.0", 'a'));
    without.binding.stable = None;
    let without = bound(&world, without).await;
    assert_eq!(world.registry.bindings(TENANT).await.unwrap(), [without]);
}

pub(crate) async fn every_change_is_told_in_history_and_audit_log(world: World) {
    add(&world, version("1.0.0", 'a')).await;
    world.clock.advance(1);
    bound(&world, swap(0, pinned("1.0.0", 'a'))).await;
    let mut back = swap(1, pinned("0.9.0", 'b'));
    back.from = Some(pinned("1.0.0", 'a'));
    back.action = BindingAction::AutoRollback;
    back.by = "host".into();
    bound(&world, back).await;
    let other = NewVersion {
        plugin: "crm".into(),
        signed_by: None,
        reason: "a second opinion".into(),
        ..version("1.0.0", 'a')
    };
    add(&world, other).await;
    add(&world, version("2.0.0", 'c')).await;
    assert!(remove(&world, "2.0.0").await);

    let history = world.registry.history(TENANT, Some(PLUGIN)).await.unwrap();
    assert!(history.windows(2).all(|pair| pair[0].seq > pair[1].seq));
    let told: Vec<_> = history
        .iter()
        .map(|entry| (entry.action, entry.by.as_str(), entry.reason.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (BindingAction::Remove, OPERATOR, "not used"),
            (
                BindingAction::Install,
                OPERATOR,
                "from loyalty.wasm, signed by acme"
            ),
            (BindingAction::AutoRollback, "host", "new rates"),
            (BindingAction::Swap, OPERATOR, "new rates"),
            (
                BindingAction::Install,
                OPERATOR,
                "from loyalty.wasm, signed by acme"
            ),
        ]
    );
    assert_eq!(history[0].from, Some(pinned("2.0.0", 'c')));
    assert_eq!(history[2].from, Some(pinned("1.0.0", 'a')));
    assert_eq!(history[2].to, Some(pinned("0.9.0", 'b')));
    assert_eq!(history[3].at_ms, (START + 1) * 1000);

    let all = world.registry.history(TENANT, None).await.unwrap();
    let records = world.store.records(None, 10).await.unwrap();
    assert_eq!((all.len(), records.len()), (6, 6));
    assert_eq!(
        all[2].reason,
        "a second opinion (from loyalty.wasm, not signed)"
    );
    for (entry, record) in all.iter().rev().zip(&records) {
        assert_eq!(record.entry.kind, AuditKind::Host);
        assert_eq!(record.entry.tenant, TENANT);
        assert_eq!(record.entry.actor, entry.by);
        assert_eq!(
            record.entry.detail,
            json!({
                "plugin": entry.plugin,
                "action": entry.action,
                "from": entry.from,
                "to": entry.to,
                "reason": entry.reason,
            })
        );
    }
    assert_eq!(world.store.verify().await.unwrap().unwrap().0, 6);
}

pub(crate) async fn what_does_not_fit_leaves_no_trace(world: World) {
    let digests = [
        String::new(),
        digest('A'),
        "a".repeat(63),
        format!("sha256:{}", "a".repeat(64)),
    ];
    for digest in digests {
        let odd = NewVersion {
            digest: digest.clone(),
            ..version("1.0.0", 'a')
        };
        assert!(world.registry.add_version(odd).await.is_err(), "{digest}");
        let to = Pinned {
            version: "1.0.0".into(),
            digest: digest.clone(),
        };
        assert!(world.registry.bind(swap(0, to)).await.is_err(), "{digest}");
    }
    for per_mille in [0, 1_001, u16::MAX] {
        let mut change = swap(0, pinned("1.0.0", 'a'));
        change.binding.canary = Some(Canary {
            version: "1.1.0".into(),
            digest: digest('b'),
            per_mille,
            tolerance: Tolerance::default(),
        });
        assert!(world.registry.bind(change).await.is_err(), "{per_mille}");
    }
    assert!(known(&world).await.is_empty());
    assert!(world.registry.bindings(TENANT).await.unwrap().is_empty());
    assert_eq!(told(&world).await, (0, 0));
}

/// A look that found the tag to lead there.
fn look(now: Option<&str>) -> TagFound {
    TagFound {
        tenant: TENANT.into(),
        plugin: PLUGIN.into(),
        reference: "registry.example/loyalty:1@sha256:a".into(),
        pinned: "sha256:a".into(),
        now: now.map(str::to_owned),
        by: "host:tags".into(),
    }
}

/// Whoever looks again and again tells once where a tag leads, and what is told is as it was last found.
pub(crate) async fn a_tag_that_moved_is_told_once_for_each_place(world: World) {
    let audited = async || {
        let records = world.store.records(None, 100).await.unwrap();
        let told = records.into_iter().map(|record| record.entry.detail);
        told.filter(|detail| detail["event"] == "tag_moved")
            .collect::<Vec<_>>()
    };
    let (there, nowhere) = (Some("sha256:b"), None);
    let looks = [
        (Some("sha256:a"), false, false),
        (there, true, true),
        (there, false, true),
        (nowhere, true, true),
        (Some("sha256:a"), false, false),
        (there, false, true),
    ];
    for (now, is_news, leads_elsewhere) in looks {
        assert_eq!(world.registry.tag_found(look(now)).await.unwrap(), is_news);
        let moves = world.registry.tag_moves(TENANT).await.unwrap();
        let shown: Vec<_> = moves.iter().map(|one| one.now.as_deref()).collect();
        let expected: &[_] = if leads_elsewhere { &[now] } else { &[] };
        assert_eq!(shown, expected);
        world.clock.advance(60);
    }
    let moves = world.registry.tag_moves(TENANT).await.unwrap();
    assert_eq!(moves[0].seen_at_ms, (START + 60) * 1_000);
    assert_eq!(moves[0].reference, look(there).reference);
    assert_eq!(world.registry.tag_moves("other").await.unwrap(), []);
    let told = |now: Value, seconds: i64| {
        json!({
            "event": "tag_moved",
            "plugin": PLUGIN,
            "reference": look(there).reference,
            "pinned": "sha256:a",
            "now": now,
            "seen_at_ms": (START + seconds) * 1_000,
        })
    };
    let expected = [told(json!("sha256:b"), 60), told(json!(null), 180)];
    assert_eq!(audited().await, expected);
    // Another tenant that pinned the same is told for itself.
    let other = TagFound {
        tenant: "other".into(),
        ..look(there)
    };
    assert!(world.registry.tag_found(other).await.unwrap());
    assert_eq!(audited().await.len(), 3);
    assert!(
        world
            .registry
            .history(TENANT, None)
            .await
            .unwrap()
            .is_empty()
    );
}
