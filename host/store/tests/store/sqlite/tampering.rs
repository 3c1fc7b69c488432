//! Hands in the audit log: whatever they do to a copy, by SQL that drops the guards first, verification finds it.

use std::fs;
use std::path::Path;

use dispatch::{Audit, Cases};
use rusqlite::Connection;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{OpenError, OpenOptions, SqliteStore, verify_audit};
use tempfile::TempDir;

use super::{FILE, open, world};
use crate::world::TestClock;

const RECORDS: i64 = 12;
const NO_GUARDS: &str =
    "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; DROP TRIGGER audit_no_gap;";

/// A closed data folder with a log in it.
async fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    for n in 1..=RECORDS {
        store.record(world.entry(json!({ "n": n }))).await.unwrap();
    }
    store.close().await;
    folder
}

fn copy(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    copy
}

fn tamper(folder: &Path, sql: &str) {
    let db = Connection::open(folder.join(FILE)).unwrap();
    db.execute_batch(&format!("{NO_GUARDS} {sql}")).unwrap();
}

#[tokio::test]
async fn every_kind_of_change_is_found_where_it_begins() {
    let folder = folder().await;
    let (count, _) = verify_audit(folder.path()).unwrap().unwrap();
    assert_eq!(count, RECORDS);
    let cases = [
        (
            "edit",
            "UPDATE audit SET entry = replace(entry, '\"n\":5', '\"n\":6') WHERE seq = 5",
            5,
        ),
        (
            "edit the time",
            "UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 1",
            1,
        ),
        (
            "edit the hash",
            "UPDATE audit SET hash = upper(hash) WHERE seq = 12",
            12,
        ),
        (
            "edit into something else",
            "UPDATE audit SET hash = CAST(x'ff00' AS TEXT) WHERE seq = 4",
            4,
        ),
        ("delete", "DELETE FROM audit WHERE seq = 7", 7),
        (
            "delete and close the gap",
            "DELETE FROM audit WHERE seq = 7; UPDATE audit SET seq = seq - 1 WHERE seq > 7",
            7,
        ),
        ("delete the first", "DELETE FROM audit WHERE seq = 1", 1),
        (
            "insert",
            "UPDATE audit SET seq = -seq WHERE seq > 3; UPDATE audit SET seq = 1 - seq WHERE seq < 0; \
            INSERT INTO audit SELECT 4, at_ms, entry, hash, hash FROM audit WHERE seq = 3",
            4,
        ),
        (
            "insert before the first",
            "INSERT INTO audit SELECT 0, at_ms, entry, previous, hash FROM audit WHERE seq = 1",
            1,
        ),
        (
            "append",
            "INSERT INTO audit SELECT 13, at_ms, entry, hash, hash FROM audit WHERE seq = 12",
            13,
        ),
        (
            "swap",
            "UPDATE audit SET seq = -1 WHERE seq = 8; UPDATE audit SET seq = 8 WHERE seq = 9; \
            UPDATE audit SET seq = 9 WHERE seq = -1",
            8,
        ),
        ("truncate", "DELETE FROM audit WHERE seq > 9", 10),
        ("truncate by one", "DELETE FROM audit WHERE seq = 12", 12),
        ("empty", "DELETE FROM audit", 1),
    ];
    for (name, sql, seq) in cases {
        let copy = copy(folder.path());
        tamper(copy.path(), sql);
        let found = verify_audit(copy.path())
            .unwrap()
            .map_err(|broken| broken.seq);
        assert_eq!(found, Err(seq), "{name}");
    }
}

/// Hashes are no secret: a forger can compute them all again. What gives it away is the exported head.
#[tokio::test]
async fn a_rewritten_log_does_not_fit_its_head() {
    let folder = folder().await;
    tamper(
        folder.path(),
        "UPDATE audit SET entry = replace(entry, '\"n\":5', '\"n\":6') WHERE seq = 5",
    );
    let db = Connection::open(folder.path().join(FILE)).unwrap();
    for seq in 5..=RECORDS {
        let previous: String = db
            .query_row("SELECT hash FROM audit WHERE seq = ?", [seq - 1], |row| {
                row.get(0)
            })
            .unwrap();
        let entry = "SELECT at_ms || char(10) || entry FROM audit WHERE seq = ?";
        let entry: String = db.query_row(entry, [seq], |row| row.get(0)).unwrap();
        let hash = hex::encode(Sha256::digest(format!("{previous}\n{seq}\n{entry}")));
        let sql = "UPDATE audit SET previous = ?, hash = ? WHERE seq = ?";
        db.execute(sql, (previous, hash, seq)).unwrap();
    }
    let broken = verify_audit(folder.path()).unwrap().unwrap_err();
    assert_eq!(broken.seq, RECORDS);
    assert!(broken.reason.contains("rewritten"), "{}", broken.reason);
}

#[tokio::test]
async fn a_log_without_its_end_does_not_grow_over_the_place() {
    let folder = folder().await;
    tamper(folder.path(), "DELETE FROM audit WHERE seq > 9");
    let opened = SqliteStore::open(folder.path(), OpenOptions::default());
    let Err(error) = opened else {
        panic!("it was opened")
    };
    assert!(matches!(error, OpenError::AuditTail { .. }), "{error}");

    fs::rename(
        folder.path().join("audit.head"),
        folder.path().join("evidence"),
    )
    .unwrap();
    let broken = verify_audit(folder.path()).unwrap().unwrap_err();
    assert_eq!(broken.seq, 10);
    let store = open(folder.path(), &TestClock::new());
    let last = store.records(None, 1).await.unwrap().remove(0);
    assert_eq!(
        (last.seq, &last.entry.detail),
        (10, &json!({ "audit_head": "missing", "records": 9 }))
    );
    assert_eq!(store.verify().await.unwrap(), Ok((10, last.hash)));
}

/// Nothing is closed, and nobody waits: what lies in the folder is what a killed process leaves behind.
#[tokio::test]
async fn the_head_of_a_killed_host_names_its_very_last_record() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    for n in 1..=RECORDS {
        store.record(world.entry(json!({ "n": n }))).await.unwrap();
        store.reset_session("demo", "none").await.unwrap();
        let killed = copy(folder.path());
        assert_eq!(verify_audit(killed.path()).unwrap().unwrap().0, n);
        tamper(
            killed.path(),
            "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)",
        );
        let broken = verify_audit(killed.path()).unwrap().unwrap_err();
        assert_eq!(broken.seq, n);
    }
}

#[tokio::test]
async fn a_running_host_finds_a_change_and_can_be_verified_from_outside() {
    let folder = folder().await;
    let store = open(folder.path(), &TestClock::new());
    assert_eq!(
        verify_audit(folder.path()).unwrap(),
        store.verify().await.unwrap()
    );
    tamper(folder.path(), "UPDATE audit SET entry = '{}' WHERE seq = 2");
    assert_eq!(store.verify().await.unwrap().unwrap_err().seq, 2);
}

#[tokio::test]
async fn the_guards_forbid_changes() {
    let folder = folder().await;
    let db = Connection::open(folder.path().join(FILE)).unwrap();
    let forbidden = [
        "UPDATE audit SET at_ms = 0",
        "DELETE FROM audit WHERE seq = 12",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 3",
        "INSERT INTO audit SELECT 14, at_ms, entry, previous, hash FROM audit WHERE seq = 12",
    ];
    for sql in forbidden {
        let error = db.execute(sql, []).unwrap_err();
        assert!(
            error.to_string().contains("the audit log"),
            "{sql}: {error}"
        );
    }
}
