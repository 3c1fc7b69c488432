//! Cases are kept in memory: whoever was answered sees what was written, however many read beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dispatch::policy::Level;
use dispatch::{Case, CaseStatus, Cases};
use store::SqliteStore;

use super::world;
use crate::world::TENANT;

const READERS: usize = 4;
const WRITES: usize = 300;

async fn read(store: &SqliteStore, id: &str) -> Case {
    store.case(TENANT, id).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_read_after_an_answer_sees_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    let over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let (store, over, id) = (Arc::clone(&store), Arc::clone(&over), world.case.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    read(&store, &id).await;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for n in 0..WRITES {
        let status = [CaseStatus::Escalated, CaseStatus::Open][n % 2];
        store.set_status(&world.case, status).await.unwrap();
        assert_eq!(read(&store, &world.case).await.status, status, "write {n}");
    }
    over.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn an_identity_counts_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    assert_eq!(read(&store, &world.case).await.identity.customer, None);
    for level in [Level::Claimed, Level::Matched, Level::Verified] {
        let grown = store.identify(&world.case, "CUST-1", level).await;
        assert!(grown.unwrap());
        let identity = read(&store, &world.case).await.identity;
        assert_eq!(identity.level, level);
        assert_eq!(identity.customer.as_deref(), Some("CUST-1"));
    }
}

/// The caller goes away before it is answered; what it asked for is done, and seen, all the same.
#[tokio::test]
async fn a_write_whose_caller_has_gone_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let (world, store) = world(&folder).await;
    assert_eq!(read(&store, &world.case).await.status, CaseStatus::Open);
    {
        let write = store.set_status(&world.case, CaseStatus::Escalated);
        let mut write = std::pin::pin!(write);
        let put_in_line = std::future::poll_fn(|context| {
            let _ = write.as_mut().poll(context);
            std::task::Poll::Ready(())
        });
        put_in_line.await;
    }
    store.reset_session(TENANT, "none").await.unwrap();
    assert_eq!(
        read(&store, &world.case).await.status,
        CaseStatus::Escalated
    );
}
