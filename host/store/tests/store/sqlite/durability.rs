//! What is answered is on disk, what is queued comes first, and what is lost stops everything.

use dispatch::{Audit, Cases, Event, Leave, Ledger, Reserved, Settlement, StoreError};
use rusqlite::Connection;
use serde_json::json;

use super::{FILE, open, world};
use crate::world::{TENANT, TestClock, charge, first_lease, holder, order, request, reserve};

#[tokio::test]
async fn a_settled_intent_is_replayed_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    world
        .reserve(world.charged("i1", vec![charge("day", 30, 100)]))
        .await
        .unwrap();
    let leave = world.sent("i1", request(1, "body")).await.unwrap();
    assert_eq!(leave, Leave::First);
    world
        .settle("i1", Settlement::Done(json!({ "refund": "R1" })))
        .await
        .unwrap();
    world.reserve(world.intent("i2", "cancel")).await.unwrap();
    let leave = world.sent("i2", request(1, "bytes")).await.unwrap();
    assert_eq!(leave, Leave::First);
    store
        .establish(&world.case, vec![order("A", 1, json!({ "total": 1 }))])
        .await
        .unwrap();
    let intent = world.intent("i3", "i1");
    let case = world.case.clone();
    store.close().await;

    let store = open(folder.path(), &TestClock::new());
    let Reserved::Taken(taken) = reserve(&*store, intent).await.unwrap() else {
        panic!("the key was free again");
    };
    assert_eq!(taken.outcome, Some(json!({ "refund": "R1" })));
    let open: Vec<_> = store
        .open_intents()
        .await
        .unwrap()
        .into_iter()
        .map(|i| i.id)
        .collect();
    assert_eq!(open, ["i2"]);
    let late = store.sent(&first_lease("i2"), request(1, "bytes")).await;
    assert_eq!(late.unwrap(), Leave::Void, "its process is gone");
    let held = store.take("i2", &holder("second")).await.unwrap().unwrap();
    let again = store.sent(&held.lease, request(1, "others")).await.unwrap();
    assert_eq!(again, Leave::Again(request(1, "bytes")));
    assert_eq!(
        store
            .case_of_session(TENANT, "chat:world")
            .await
            .unwrap()
            .id,
        case
    );
    assert_eq!(store.facts(&case).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_audit_record_is_on_disk_before_the_write_that_follows_it() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    let other = Connection::open(folder.path().join(FILE)).unwrap();
    for n in 1..=20_i64 {
        store.record(world.entry(json!({ "n": n }))).await.unwrap();
        store
            .append(
                &world.case,
                Event::Text {
                    text: n.to_string(),
                },
            )
            .await
            .unwrap();
        let count = other.query_row("SELECT count(*) FROM audit", [], |row| row.get::<_, i64>(0));
        assert_eq!(count.unwrap(), n);
    }
}

#[tokio::test]
async fn a_lost_audit_record_stops_all_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    world.reserve(world.intent("i1", "before")).await.unwrap();
    let leave = world.sent("i1", request(1, "body")).await.unwrap();
    assert_eq!(leave, Leave::First);
    let other = Connection::open(folder.path().join(FILE)).unwrap();
    let trap =
        "CREATE TRIGGER trap BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END";
    other.execute_batch(trap).unwrap();

    store.record(world.entry(json!({}))).await.unwrap();
    let refused = world.reserve(world.intent("i2", "after")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(why)) if why.contains("no room")));
    assert!(store.record(world.entry(json!({}))).await.is_err());
    assert!(store.intent(TENANT, "before").await.unwrap().is_some());
    assert_eq!(store.intent(TENANT, "after").await.unwrap(), None);

    other.execute_batch("DROP TRIGGER trap").unwrap();
    store.close().await;
    let store = open(folder.path(), &TestClock::new());
    assert!(matches!(
        reserve(&*store, world.intent("i2", "after")).await.unwrap(),
        Reserved::New(_)
    ));
}

#[tokio::test]
async fn a_closed_store_has_kept_everything_and_takes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    for n in 0..500 {
        store.record(world.entry(json!({ "n": n }))).await.unwrap();
    }
    store.close().await;
    assert!(store.record(world.entry(json!({}))).await.is_err());
    assert!(store.reset_session(TENANT, "chat:world").await.is_err());
    let (count, head) = store.verify().await.unwrap().unwrap();
    assert_eq!(count, 500);
    let exported = std::fs::read_to_string(folder.path().join("audit.head")).unwrap();
    assert_eq!(exported, format!("{:020} {head}\n", 500));
}

#[tokio::test]
async fn a_store_that_is_dropped_has_kept_everything() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    for n in 0..500 {
        store.record(world.entry(json!({ "n": n }))).await.unwrap();
    }
    drop((world, store));
    let (count, _) = store::verify_audit(folder.path()).unwrap().unwrap();
    assert_eq!(count, 500);
}

#[tokio::test]
async fn a_reservation_is_seen_at_once_and_on_disk_before_a_request_may_leave() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    let other = Connection::open(folder.path().join(FILE)).unwrap();
    for n in 1..=20_i64 {
        let (id, key) = (format!("i{n}"), format!("key-{n}"));
        world.reserve(world.intent(&id, &key)).await.unwrap();
        if n % 2 == 0 {
            let seen = store.intent(TENANT, &key).await.unwrap();
            assert_eq!(seen.map(|intent| intent.id).as_deref(), Some(id.as_str()));
        }
        let leave = world.sent(&id, request(1, "body")).await.unwrap();
        assert_eq!(leave, Leave::First);
        let sent = "SELECT count(*) FROM intents WHERE state = 'sent'";
        let count = other.query_row(sent, [], |row| row.get::<_, i64>(0));
        assert_eq!(count.unwrap(), n);
    }
}

/// Records that nobody waits for and those of the ledger stand in one transaction; what fails of it takes its record along.
#[tokio::test]
async fn records_of_one_transaction_form_one_chain_whoever_wrote_them() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    for n in 0..50 {
        store.record(world.entry(json!({ "n": n }))).await.unwrap();
        let id = format!("i{n}");
        world.reserve(world.intent(&id, &id)).await.unwrap();
        store.record(world.entry(json!({ "n": n }))).await.unwrap();
        let misfit = dispatch::NewIntent {
            tenant: "other".into(),
            ..world.intent("misfit", &id)
        };
        world.reserve(misfit).await.unwrap_err();
    }
    assert_eq!(store.verify().await.unwrap().unwrap().0, 150);
}
