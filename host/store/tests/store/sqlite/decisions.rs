//! What decisions were taken on: beside their records, bound by a digest, and forgotten in time.

use serde_json::json;
use sha2::{Digest, Sha256};
use store::{Recorded, RecordedDecision, visit_decisions};

use super::{FILE, world};
use crate::world::{START, World};

async fn decide(world: &World, input: &str) {
    let digest = hex::encode(Sha256::digest(input));
    let entry = world.entry(json!({ "decision": "deny", "input": digest }));
    let recorded = world.store.record_decision(entry, input.to_owned()).await;
    recorded.unwrap();
}

/// Everything so far is written, and later things are later.
async fn later(world: &World, seconds: i64) {
    world.store.records(None, 1).await.unwrap();
    world.clock.advance(seconds);
}

fn recorded(folder: &tempfile::TempDir, which: Recorded) -> Vec<RecordedDecision> {
    let mut found = vec![];
    visit_decisions(folder.path(), which, &mut |one| found.push(one)).unwrap();
    found
}

fn inputs(found: &[RecordedDecision]) -> Vec<&str> {
    found.iter().map(|one| one.input.as_str()).collect()
}

#[tokio::test]
async fn an_input_lies_beside_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    decide(&world, "one").await;
    world.store.record(world.entry(json!({}))).await.unwrap();
    later(&world, 10).await;
    decide(&world, "three").await;
    let verified = world.store.verify().await.unwrap().unwrap();
    assert_eq!(verified.0, 3);
    let found = recorded(&folder, Recorded::Since(0));
    assert_eq!(inputs(&found), ["one", "three"]);
    assert_eq!(found[1].record.seq, 3);
    assert_eq!(found[1].record.entry.detail["decision"], "deny");
    assert!(found.iter().all(|one| one.is_genuine));
    let since = recorded(&folder, Recorded::Since((START + 1) * 1000));
    assert_eq!(inputs(&since), ["three"]);
    assert_eq!(inputs(&recorded(&folder, Recorded::At(1))), ["one"]);
    assert!(recorded(&folder, Recorded::At(2)).is_empty());
    store.close().await;
}

#[tokio::test]
async fn an_input_that_was_changed_shows() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    decide(&world, "one").await;
    store.close().await;
    let db = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
    db.execute("UPDATE decisions SET input = 'another'", [])
        .unwrap();
    drop(db);
    assert!(!recorded(&folder, Recorded::Since(0))[0].is_genuine);
}

#[tokio::test]
async fn what_is_old_is_forgotten_and_the_chain_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    for n in 0..2_500 {
        decide(&world, &format!("old secret {n}")).await;
    }
    later(&world, 100).await;
    decide(&world, "new").await;
    let forgotten = store.forget_decision_inputs(START + 100).await.unwrap();
    assert_eq!(forgotten, 2_500);
    assert_eq!(inputs(&recorded(&folder, Recorded::Since(0))), ["new"]);
    assert_eq!(store.forget_decision_inputs(START + 100).await.unwrap(), 0);
    let verified = world.store.verify().await.unwrap().unwrap();
    assert_eq!(verified.0, 2_501);
    store.close().await;
    let file = std::fs::read(folder.path().join(FILE)).unwrap();
    let remains = file.windows(10).any(|bytes| bytes == b"old secret");
    assert!(!remains, "what was forgotten still lies in the file");
}
