//! Kill switches: one for each version that a tenant has, which every load of that version shares.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A version's switch.
#[derive(Debug, Default)]
pub(crate) struct Switch(AtomicBool);

impl Switch {
    pub(crate) fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The switches of all tenants, by tenant and digest.
#[derive(Debug, Default)]
pub(super) struct Switches(Mutex<HashMap<(String, String), Arc<Switch>>>);

impl Switches {
    pub(super) fn of(&self, tenant: &str, digest: &str) -> Arc<Switch> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (tenant.to_owned(), digest.to_owned());
        Arc::clone(known.entry(key).or_default())
    }

    pub(super) fn is_stopped(&self, tenant: &str, digest: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let switch = known.get(&(tenant.to_owned(), digest.to_owned()));
        switch.is_some_and(|switch| switch.is_stopped())
    }

    pub(super) fn set(&self, tenant: &str, digest: &str, stopped: bool) {
        self.of(tenant, digest).0.store(stopped, Ordering::Release);
    }
}
