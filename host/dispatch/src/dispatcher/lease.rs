//! Holding an intent: its lease is renewed while the work runs, and work whose lease was lost is dropped.

use std::time::Duration;

use super::Dispatcher;
use crate::{Holder, Lease};

/// How long an intent stays ours without a sign of life. Another process waits this long before it takes up what a dead one
/// left open, where the store cannot tell that it is dead.
const LEASE_SECONDS: u32 = 30;
/// A renewal may fail twice before the lease runs out.
const RENEWED_EVERY: Duration = Duration::from_secs(10);

impl Dispatcher {
    /// As whom this process takes leases.
    pub(super) fn holder(&self) -> Holder {
        Holder {
            name: self.name.to_string(),
            seconds: LEASE_SECONDS,
        }
    }

    /// Runs `work` while the lease holds; none where it was lost, and then the work is dropped where it stands. Whoever took
    /// over treats it as that of a dead process.
    pub(super) async fn holding<T>(
        &self,
        lease: &Lease,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.lost(lease) => None,
        }
    }

    /// Ends when the lease is lost. A store that does not answer loses nothing: it is asked again, and no request leaves
    /// without it.
    async fn lost(&self, lease: &Lease) {
        loop {
            tokio::time::sleep(RENEWED_EVERY).await;
            match self.parts.store.renew(lease, LEASE_SECONDS).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%error, intent = lease.intent, "a lease could not be renewed");
                }
            }
        }
    }
}
