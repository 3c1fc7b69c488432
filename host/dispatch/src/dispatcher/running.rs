//! Which intents this process is running right now, so that a second call waits instead of running them again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// The intents under way, by id.
#[derive(Clone, Default)]
pub(super) struct Running {
    by_intent: Arc<Mutex<HashMap<String, watch::Receiver<()>>>>,
}

/// Held while an intent runs; dropping it wakes whoever waits.
pub(super) struct Turnstile {
    intent: String,
    running: Running,
    _wake: watch::Sender<()>,
}

impl Running {
    /// Takes the intent, or says where its end can be awaited.
    pub(super) fn enter(&self, intent: &str) -> Result<Turnstile, watch::Receiver<()>> {
        let mut by_intent = self
            .by_intent
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(end) = by_intent.get(intent) {
            return Err(end.clone());
        }
        let (wake, end) = watch::channel(());
        by_intent.insert(intent.to_owned(), end);
        Ok(Turnstile {
            intent: intent.to_owned(),
            running: self.clone(),
            _wake: wake,
        })
    }
}

impl Running {
    /// Whether this process runs the intent now.
    pub(super) fn holds(&self, intent: &str) -> bool {
        self.by_intent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(intent)
    }
}

impl Drop for Turnstile {
    fn drop(&mut self) {
        self.running
            .by_intent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.intent);
    }
}
