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
