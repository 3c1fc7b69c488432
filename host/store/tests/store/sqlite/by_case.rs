//! Which records are a case's: found whether they are listed yet or not, and a list that somebody changed is found out.

use dispatch::{Audit, AuditRecord, Cases};
use rusqlite::Connection;
use serde_json::json;
use store::SqliteStore;
use tempfile::TempDir;

use super::{FILE, open, world};
use crate::world::{TENANT, TestClock, World};

/// More than gather before they are listed.
const MANY: usize = 5_000;
const NO_GUARDS: &str = "DROP TRIGGER audit_cases_no_update; DROP TRIGGER audit_cases_no_delete; \
    DROP TRIGGER audit_listed_grows; DROP TRIGGER audit_listed_no_delete;";

/// Records `count` entries, of two cases by turns.
async fn record(store: &SqliteStore, world: &World, other: &str, count: usize) {
    for n in 0..count {
        let mut entry = world.entry(json!({ "n": n }));
        if n % 2 == 1 {
            entry.case = Some(other.to_owned());
        }
        store.record(entry).await.unwrap();
    }
}

async fn of_case(store: &SqliteStore, case: &str, limit: u32) -> Vec<i64> {
    let records = store.records(Some(case), limit).await.unwrap();
    assert!(
        records
            .iter()
            .all(|r| r.entry.case.as_deref() == Some(case))
    );
    records.iter().map(|AuditRecord { seq, .. }| *seq).collect()
}

fn listed(folder: &TempDir) -> i64 {
    let db = Connection::open(folder.path().join(FILE)).unwrap();
    let sql = "SELECT seq FROM audit_listed";
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn records_are_found_before_and_after_they_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    record(&store, &world, "other", 9).await;
    store.reset_session(TENANT, "none").await.unwrap();
    assert_eq!(listed(&folder), 0);
    store.close().await;
    assert_eq!(of_case(&store, "other", 3).await, [4, 6, 8]);

    let store = open(folder.path(), &TestClock::new());
    assert_eq!(of_case(&store, "other", 3).await, [4, 6, 8]);
    assert_eq!(listed(&folder), 0, "so few are looked through");
    record(&store, &world, "other", 91).await;
    assert_eq!(of_case(&store, "other", 3).await, [95, 97, 99]);
    assert_eq!(listed(&folder), 100);
    record(&store, &world, "other", 4).await;
    store.close().await;
    assert_eq!(listed(&folder), 100);
    assert_eq!(of_case(&store, "other", 4).await, [97, 99, 102, 104]);
    assert_eq!(of_case(&store, "other", 1).await, [104]);
    assert_eq!(store.verify().await.unwrap().unwrap().0, 104);
}

#[tokio::test]
async fn what_nobody_asks_for_is_listed_now_and_then() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    record(&store, &world, "other", MANY).await;
    store.close().await;
    assert!(listed(&folder) > 2_000, "{}", listed(&folder));
    for case in ["other", &world.case] {
        assert_eq!(of_case(&store, case, u32::MAX).await.len(), MANY / 2);
    }
    assert_eq!(store.verify().await.unwrap().unwrap().0, 5_000);
}

#[tokio::test]
async fn a_record_that_is_hidden_from_its_case_is_found() {
    let changes = [
        ("take it out", "DELETE FROM audit_cases WHERE seq = 4", 4),
        (
            "move it",
            "UPDATE audit_cases SET case_id = 'x' WHERE seq = 4",
            4,
        ),
        (
            "show it elsewhere",
            "INSERT INTO audit_cases VALUES ('x', 4)",
            4,
        ),
        (
            "list what is not",
            "INSERT INTO audit_cases VALUES ('other', 102)",
            102,
        ),
        (
            "skip what is not listed",
            "UPDATE audit_listed SET seq = 999",
            101,
        ),
        ("list again", "UPDATE audit_listed SET seq = 3", 4),
        ("forget how far", "DELETE FROM audit_listed", 1),
    ];
    for (name, sql, seq) in changes {
        let folder = tempfile::tempdir().unwrap();
        let (world, store) = world(&folder).await;
        record(&store, &world, "other", 100).await;
        of_case(&store, "other", 1).await;
        record(&store, &world, "other", 3).await;
        assert_eq!(store.verify().await.unwrap().unwrap().0, 103);
        let db = Connection::open(folder.path().join(FILE)).unwrap();
        db.execute_batch(&format!("{NO_GUARDS} {sql}")).unwrap();
        let broken = store.verify().await.unwrap().unwrap_err();
        assert_eq!(broken.seq, seq, "{name}: {}", broken.reason);
        assert!(broken.reason.contains("lists of the cases"), "{name}");
        assert!(of_case(&store, "x", 9).await.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn the_guards_keep_the_lists() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    record(&store, &world, "other", 100).await;
    of_case(&store, "other", 1).await;
    let db = Connection::open(folder.path().join(FILE)).unwrap();
    let forbidden = [
        "UPDATE audit_cases SET case_id = 'x'",
        "DELETE FROM audit_cases WHERE seq = 4",
        "UPDATE audit_listed SET seq = 3",
        "DELETE FROM audit_listed",
    ];
    for sql in forbidden {
        let error = db.execute(sql, []).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
}
