//! One turn of a case at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as Table, PoisonError, Weak};

use tokio::sync::{Mutex, OwnedMutexGuard};

/// By tenant and case.
type Held = HashMap<(String, String), Weak<Mutex<()>>>;

/// The cases that have a turn under way or waiting.
#[derive(Default)]
pub(super) struct Locks(Table<Held>);

impl Locks {
    /// Waits for the case's turn to come; in the order of asking.
    pub(super) async fn hold(&self, tenant: &str, case: &str) -> OwnedMutexGuard<()> {
        self.of(tenant, case).lock_owned().await
    }

    fn of(&self, tenant: &str, case: &str) -> Arc<Mutex<()>> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (tenant.to_owned(), case.to_owned());
        if let Some(lock) = table.get(&key).and_then(Weak::upgrade) {
            return lock;
        }
        table.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::new(Mutex::new(()));
        table.insert(key, Arc::downgrade(&lock));
        lock
    }
}
