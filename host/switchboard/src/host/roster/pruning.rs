//! Components in the data folder that nobody can reach any more, found and deleted.
//!
//! Reached is what some tenant knows: whatever is bound, on trial, gone back to, or named by a last good state is known, and what is
//! known can be swapped to. Forgetting a version is what its operator says first (`switchboard plugin remove PLUGIN VERSION`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use artifacts::{ArtifactError, Digest};
use dispatch::StoreError;
use serde_json::json;
use thiserror::Error;
use tokio::sync::OwnedRwLockReadGuard;

use super::Roster;

/// Held from before a component is written until the registry knows it: meanwhile nothing is deleted.
#[must_use]
pub(in crate::host) struct BeingKept(
    #[expect(dead_code, reason = "held, not used")] OwnedRwLockReadGuard<()>,
);

/// A component that nobody can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unused {
    pub(crate) digest: Digest,
    /// Its size.
    pub(crate) bytes: u64,
    /// What it was: `shelf 1.1.0 of acme`; none of what was never known, such as what a crash has left.
    pub(crate) was: Vec<String>,
}

/// Why nothing, or not everything, was deleted.
#[derive(Debug, Error)]
pub(crate) enum PruneError {
    /// What is being installed is not known yet.
    #[error("a plugin is being installed just now: try again in a moment")]
    Busy,
    /// The data folder cannot be read or written.
    #[error(transparent)]
    Disk(#[from] ArtifactError),
    /// It cannot be read what is known, or recorded what is deleted.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Roster {
    /// The components that nobody can reach.
    pub(crate) async fn unused(&self) -> Result<Vec<Unused>, PruneError> {
        let _nothing_comes = self.keeping.try_write().map_err(|_| PruneError::Busy)?;
        self.found_unused().await
    }

    /// Deletes them, once it is recorded. What calls run by now needs no file.
    pub(crate) async fn prune(&self, by: &str) -> Result<Vec<Unused>, PruneError> {
        let _nothing_comes = self.keeping.try_write().map_err(|_| PruneError::Busy)?;
        let unused = self.found_unused().await?;
        let Some(artifacts) = self.parts.publishing.artifacts().cloned() else {
            return Ok(Vec::new());
        };
        if unused.is_empty() {
            return Ok(unused);
        }
        let digests: Vec<Digest> = unused.iter().map(|one| one.digest).collect();
        let detail = json!({ "event": "artifacts_deleted", "digests": digests });
        // They are no tenant's.
        self.record("", by, detail).await?;
        let toolbox = Arc::clone(self.parts.publishing.toolbox());
        let deleting = move || {
            let mut digests = digests.iter();
            digests.try_for_each(|digest| {
                if let Err(error) = toolbox.forget_compiled(&digest.hex()) {
                    tracing::warn!(%error, %digest, "the compiled code of a deleted component stays: it takes up room, nothing else");
                }
                artifacts.remove(digest)
            })
        };
        aside(deleting).await?;
        Ok(unused)
    }

    /// From now on nothing is deleted, until this is dropped.
    pub(in crate::host) async fn being_kept(&self) -> BeingKept {
        BeingKept(self.keeping.clone().read_owned().await)
    }

    async fn found_unused(&self) -> Result<Vec<Unused>, PruneError> {
        let Some(artifacts) = self.parts.publishing.artifacts().cloned() else {
            return Ok(Vec::new());
        };
        let mut reached: BTreeSet<String> = self.parts.publishing.digests_at_hand();
        let open = self.parts.store.open_intents().await?.into_iter();
        reached.extend(open.map(|intent| intent.plugin_digest));
        let mut was: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for known in self.parts.registry.known().await? {
            if !known.is_removed {
                reached.insert(known.digest);
                continue;
            }
            let told = format!("{} {} of {}", known.plugin, known.version, known.tenant);
            was.entry(known.digest).or_default().push(told);
        }
        let all = aside(move || artifacts.all()).await?;
        let unused = all
            .into_iter()
            .filter(|(digest, _)| !reached.contains(&digest.hex()));
        Ok(unused
            .map(|(digest, bytes)| Unused {
                digest,
                bytes,
                was: was.remove(&digest.hex()).unwrap_or_default(),
            })
            .collect())
    }
}

/// Work on the disk, off the threads that serve.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ArtifactError> + Send + 'static,
) -> Result<T, PruneError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| StoreError::Unavailable(error.to_string()))??)
}
