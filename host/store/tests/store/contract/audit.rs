//! The audit log: in order, without gaps, chained.

use std::sync::Arc;

use dispatch::AuditEntry;
use serde_json::json;

use crate::world::{START, World, race};

pub(crate) async fn records_form_one_chain(world: World) {
    race(64, |n| {
        let (store, entry) = (
            Arc::clone(&world.store),
            world.entry(json!({ "n": n, "x": 0.1 })),
        );
        async move { store.record(entry).await.unwrap() }
    })
    .await;
    let records = world.store.records(None, 100).await.unwrap();
    assert!(records.iter().map(|record| record.seq).eq(1..=64));
    assert_eq!(records[0].previous, "0".repeat(64));
    assert!(
        records
            .windows(2)
            .all(|pair| pair[1].previous == pair[0].hash)
    );
    assert_eq!(records[0].at_ms, START * 1000);
    let verified = world.store.verify().await.unwrap();
    assert_eq!(verified, Ok((64, records[63].hash.clone())));
}

pub(crate) async fn an_empty_log_verifies(world: World) {
    assert_eq!(world.store.verify().await.unwrap(), Ok((0, "0".repeat(64))));
}

pub(crate) async fn entries_of_one_caller_stay_in_order_and_whole(world: World) {
    let entries: Vec<AuditEntry> = (0..20)
        .map(|n| {
            world.entry(json!({ "z": [n, { "b": "é\n", "a": null }], "amount": 1e300, "n": n }))
        })
        .collect();
    for entry in &entries {
        world.store.record(entry.clone()).await.unwrap();
    }
    let records = world.store.records(None, 5).await.unwrap();
    assert!(
        records
            .iter()
            .map(|record| &record.entry)
            .eq(&entries[15..])
    );
}

pub(crate) async fn a_case_has_its_own_records(world: World) {
    let elsewhere = AuditEntry {
        case: None,
        ..world.entry(json!({ "n": 1 }))
    };
    for entry in [
        world.entry(json!({ "n": 0 })),
        elsewhere,
        world.entry(json!({ "n": 2 })),
    ] {
        world.store.record(entry).await.unwrap();
    }
    let seqs = async |case, limit| -> Vec<i64> {
        let records = world.store.records(case, limit).await.unwrap();
        records.iter().map(|record| record.seq).collect()
    };
    assert_eq!(seqs(Some(world.case.as_str()), 10).await, [1, 3]);
    assert_eq!(seqs(Some(world.case.as_str()), 1).await, [3]);
    assert!(seqs(Some("none"), 10).await.is_empty());
}
