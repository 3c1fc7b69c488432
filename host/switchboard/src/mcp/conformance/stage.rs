//! The suite's tools as a live snapshot, in which one tool comes and goes.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use dispatch::{CompletionError, CompletionRequest, Completions, Snapshot, Tools};
use tokio::sync::watch;

use super::{TENANT, tools};

/// The snapshot of now, and whoever waits for the next.
pub(super) struct Stage {
    snapshot: RwLock<Arc<Snapshot>>,
    news: watch::Sender<()>,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self {
            snapshot: RwLock::new(Arc::new(snapshot(1))),
            news: watch::Sender::new(()),
        }
    }

    /// Wakes with every other snapshot.
    pub(super) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// Publishes the next snapshot, with the tool that comes and goes or without it.
    pub(super) fn swap(&self) {
        let mut now = self
            .snapshot
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *now = Arc::new(snapshot(now.generation.saturating_add(1)));
        drop(now);
        self.news.send_replace(());
    }
}

/// The tool that comes and goes is there in every second one.
fn snapshot(generation: u64) -> Snapshot {
    let is_there = generation.is_multiple_of(2);
    let listed = tools::all().filter(|part| is_there || part.name != tools::EXTRA);
    Snapshot {
        generation,
        tools: listed
            .map(|part| (part.name.to_owned(), part.tool()))
            .collect(),
    }
}

impl Tools for Stage {
    fn snapshot(&self, tenant: &str) -> Option<Arc<Snapshot>> {
        let now = self.snapshot.read().unwrap_or_else(PoisonError::into_inner);
        (tenant == TENANT).then(|| Arc::clone(&now))
    }
}

/// None of the suite's tools asks a model of the host's.
pub(super) struct NoModel;

#[async_trait]
impl Completions for NoModel {
    async fn complete(&self, _: &str, _: CompletionRequest) -> Result<String, CompletionError> {
        Err(CompletionError::Unavailable(
            "the conformance suite's tools have no model".to_owned(),
        ))
    }
}
