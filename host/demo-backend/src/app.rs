//! What every request shares: the store, the faults, the journal, the keys in flight, and the token.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, header};
use tokio::sync::watch;

use crate::faults::Faults;
use crate::journal::Journal;
use crate::store::Store;

/// The service's state, one per running backend.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) keys: KeysInFlight,
    pub(crate) token: AccessToken,
    pub(crate) require_idempotency_key: bool,
    /// Where this service is reached, for the links it hands out.
    pub(crate) base_url: String,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// The service is being shut down.
pub(crate) struct Stopping;

impl App {
    /// Waits, unless the service stops first.
    pub(crate) async fn pause(&self, ms: u64) -> Result<(), Stopping> {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(ms)) => Ok(()),
            () = stopped(self.stopping.clone()) => Err(Stopping),
        }
    }
}

/// Returns once the service is told to stop, or nobody is left who could tell it.
pub(crate) async fn stopped(mut stopping: watch::Receiver<bool>) {
    stopping.wait_for(|stopping| *stopping).await.ok();
}

/// The token that writes and control paths need. Never printed.
pub(crate) struct AccessToken(String);

impl AccessToken {
    pub(crate) fn new(token: String) -> Self {
        Self(token)
    }

    /// Whether these headers carry the token.
    pub(crate) fn is_in(&self, headers: &HeaderMap) -> bool {
        headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.as_bytes().split_at_checked("Bearer ".len()))
            .is_some_and(|(scheme, token)| {
                scheme.eq_ignore_ascii_case(b"Bearer ") && token == self.0.as_bytes()
            })
    }
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("AccessToken(…)")
    }
}

/// Idempotency keys whose first request has not committed yet.
#[derive(Debug, Default, Clone)]
pub(crate) struct KeysInFlight(Arc<Mutex<HashSet<String>>>);

impl KeysInFlight {
    /// Claims a key until the claim is dropped; `None` where another request holds it.
    pub(crate) fn claim(&self, key: &str) -> Option<KeyClaim> {
        let is_new = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.to_owned());
        is_new.then(|| KeyClaim {
            keys: self.clone(),
            key: key.to_owned(),
        })
    }
}

/// Holds a key while its request is being carried out.
#[derive(Debug)]
pub(crate) struct KeyClaim {
    keys: KeysInFlight,
    key: String,
}

impl Drop for KeyClaim {
    fn drop(&mut self) {
        self.keys
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}
