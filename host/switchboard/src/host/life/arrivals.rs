//! Watched folders: a component that is put into a tenant's `install` folder is installed for that tenant; the first version of a
//! plugin with all that it asks for. Whoever may write there may write plugins.toml beside it, and grant the same by that. A
//! further version often comes from whoever made the first, and nobody looks at it: it gets what the live one was granted.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use artifacts::{Fetched, Inbox};
use dispatch::Pinned;
use tokio_util::task::AbortOnDropHandle;

use super::{Acceptance, Life, LifeError, Offered, Parcel};
use crate::Manifest;
use crate::host::roster::Roster;

/// The folder's name, in a tenant's folder; in the data folder for the built-in tenant.
pub(crate) const FOLDER: &str = "install";
/// As whom it is recorded.
const BY: &str = "host:install-folder";
/// Between two looks; a file that changed since the last one is still being written.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The task that looks; it ends when this is dropped.
pub(crate) struct Arrivals(#[expect(dead_code, reason = "held, not used")] AbortOnDropHandle<()>);

impl Arrivals {
    pub(crate) fn start(roster: Arc<Roster>) -> Self {
        let work = async move {
            let mut watched: BTreeMap<String, (PathBuf, AbortOnDropHandle<()>)> = BTreeMap::new();
            loop {
                let folders = roster.install_folders();
                watched.retain(|name, (folder, _)| folders.get(name) == Some(folder));
                for (tenant, folder) in folders {
                    watched.entry(tenant.clone()).or_insert_with(|| {
                        let looking = watch(Arc::clone(&roster), tenant, folder.clone());
                        (folder, AbortOnDropHandle::new(tokio::spawn(looking)))
                    });
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        Self(AbortOnDropHandle::new(tokio::spawn(work)))
    }
}

async fn watch(roster: Arc<Roster>, tenant: String, folder: PathBuf) {
    let install = |fetched| installed(Arc::clone(&roster), tenant.clone(), fetched);
    Box::pin(Inbox::new(folder).watch(LOOK_EVERY, install)).await;
}

/// What was ever known, live or taken out of service or forgotten, is left as it is: files lie there at every start.
async fn installed(roster: Arc<Roster>, tenant: String, fetched: Fetched) -> Result<(), LifeError> {
    let Some(state) = roster.tenant(&tenant) else {
        return Err(LifeError::Unknown(format!("{tenant} is not served")));
    };
    let manifest = Manifest::of_component(&fetched.bytes, fetched.source.as_ref())?;
    if let Some(manifest) = manifest {
        let history = roster
            .registry()
            .history(&tenant, Some(&manifest.name))
            .await?;
        let digest = fetched.digest.hex();
        let is_this = |pinned: &Pinned| pinned.digest == digest;
        if history
            .iter()
            .any(|entry| entry.to.as_ref().is_some_and(is_this))
        {
            return Ok(());
        }
    }
    let offered = Offered {
        parcel: Parcel::Brought(Box::new(fetched)),
        accept: Acceptance::OfFirst,
        settings: BTreeMap::new(),
        reason: "it was put into the folder".to_owned(),
    };
    Life::of(&roster, state, BY)
        .install(offered)
        .await
        .map(drop)
}
