//! Deleting in time what customers said: once at the start, then every hour.

use std::sync::Arc;
use std::time::Duration;

use dispatch::{Ledger, StoreError};
use store::SqliteStore;
use tokio_util::task::AbortOnDropHandle;

use crate::Retention;

const EVERY: Duration = Duration::from_hours(1);
const DAY_SECONDS: i64 = 86_400;

/// The task; it ends when this is dropped.
pub(crate) struct Forgetting(#[expect(dead_code, reason = "held, not used")] AbortOnDropHandle<()>);

impl Forgetting {
    pub(super) fn start(store: Arc<SqliteStore>, retention: &Retention) -> Self {
        let seconds = i64::from(retention.decision_days) * DAY_SECONDS;
        let work = async move {
            let mut hours = tokio::time::interval(EVERY);
            loop {
                hours.tick().await;
                if let Err(error) = forget(&store, seconds).await {
                    tracing::error!(%error, "what is kept for a while only could not be deleted; tried again in an hour");
                }
            }
        };
        Self(AbortOnDropHandle::new(tokio::spawn(work)))
    }
}

async fn forget(store: &SqliteStore, seconds: i64) -> Result<(), StoreError> {
    let before = store.now().await? - seconds;
    let forgotten = store.forget_decision_inputs(before).await?;
    tracing::debug!(forgotten, "inputs of old decisions were deleted");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use dispatch::{Audit, AuditEntry, AuditKind};
    use serde_json::json;
    use store::{OpenOptions, Recorded, visit_decisions};

    use super::*;

    #[tokio::test]
    async fn an_input_is_kept_for_its_days_and_no_longer() {
        let folder = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicI64::new(1_800_000_000));
        let clock = Arc::clone(&now);
        let options = OpenOptions {
            clock: Some(Arc::new(move || clock.load(Ordering::SeqCst))),
        };
        let store = SqliteStore::open(folder.path(), options).unwrap();
        let entry = AuditEntry {
            kind: AuditKind::Decision,
            tenant: "demo".to_owned(),
            case: None,
            actor: "agent".to_owned(),
            tool: None,
            detail: json!({}),
        };
        let recorded = store.record_decision(entry, "what was said".to_owned());
        recorded.await.unwrap();
        store.records(None, 1).await.unwrap();
        let month = 30 * DAY_SECONDS;
        for (passed, kept) in [(month, 1), (month + 1, 0)] {
            now.store(1_800_000_000 + passed, Ordering::SeqCst);
            forget(&store, month).await.unwrap();
            let mut found = 0;
            visit_decisions(folder.path(), Recorded::Since(0), &mut |_| found += 1).unwrap();
            assert_eq!(found, kept, "after {passed} seconds");
        }
    }
}
