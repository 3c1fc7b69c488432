//! What the clients have met: counts, and the first of what was wrong.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How much of what is wrong is kept.
const KEPT: usize = 5;

#[derive(Default)]
pub(super) struct Books {
    pub(super) requests: AtomicU64,
    pub(super) sessions: AtomicU64,
    pub(super) streams: AtomicU64,
    pub(super) notifications: AtomicU64,
    pub(super) errors: AtomicU64,
    kinds: Mutex<BTreeMap<String, u64>>,
    wrong: Mutex<Vec<String>>,
}

impl Books {
    /// Counts what an answer was, in one word.
    pub(super) fn was(&self, kind: &str) {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        *kinds.entry(kind.to_owned()).or_default() += 1;
    }

    /// How many answers were this.
    pub(super) fn of(&self, kind: &str) -> u64 {
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        kinds.get(kind).copied().unwrap_or_default()
    }

    /// Something was not as it must be.
    pub(super) fn wrong_is(&self, what: &str) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() < KEPT {
            wrong.push(what.chars().take(600).collect());
        }
    }

    /// The first of what was wrong.
    pub(super) fn wrong(&self) -> Vec<String> {
        self.wrong
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn print(&self, clients: u64, time: Duration) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        println!(
            "  {clients} clients, half of them of each era, {} s: {} requests, {} sessions opened and ended, {} streams with {} notifications",
            time.as_secs(),
            count(&self.requests),
            count(&self.sessions),
            count(&self.streams),
            count(&self.notifications),
        );
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let kinds: Vec<String> = kinds
            .iter()
            .map(|(kind, n)| format!("{kind} {n}"))
            .collect();
        println!(
            "  answers: {}; protocol errors: {}",
            kinds.join(", "),
            count(&self.errors)
        );
    }
}
