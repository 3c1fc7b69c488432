//! The roster: keeps the tenants as their folders say, one change of each at a time, and says how each of them stands.

mod changes;
mod follow;
mod kept;
mod proposal;
mod pruning;
mod take_up;
mod watch;
mod weighed;
mod writing;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dispatch::{AuditEntry, AuditKind, Registry, Store, StoreError};
use serde_json::Value;
use thiserror::Error;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, RwLock};

use super::bindings::Bindings;
use super::demo;
use super::life;
use super::publishing::{PublishError, Publishing};
use crate::files::{self, Stamp};
use crate::tenants::{
    Common, Given, Installed, SecretRef, SharedKey, Tenant, TenantError, TenantFolder, Tenants,
    check_name, load,
};
use crate::{Config, Environment};

use kept::KeptStates;
pub(super) use proposal::Proposal;
pub(crate) use pruning::{PruneError, Unused};
pub(crate) use watch::Watching;
pub(crate) use writing::FolderChange;

/// What the roster is made of.
pub(crate) struct RosterParts {
    pub(crate) config: Config,
    pub(crate) common: Common,
    pub(crate) environment: Environment,
    pub(crate) publishing: Publishing,
    pub(crate) tenants: Arc<Tenants>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) registry: Arc<dyn Registry>,
    /// Makes the built-in tenant's state, which has no folder.
    pub(crate) built_in: BuiltIn,
}

/// The built-in tenant with these plugins bound.
pub(crate) type BuiltIn = Box<dyn Fn(&[Installed]) -> Result<Tenant, TenantError> + Send + Sync>;

/// Keeps the tenants as their folders say.
pub(crate) struct Roster {
    parts: RosterParts,
    known: Mutex<BTreeMap<String, Known>>,
    kept: KeptStates,
    /// Held through a change of a tenant, by its name; only those that somebody holds or waits for.
    turns: Mutex<HashMap<String, Arc<AsyncMutex<()>>>>,
    /// Held while a state that is ready becomes live: what tenants may not share is looked at once more, and nothing waits for the
    /// network.
    going_live: AsyncMutex<()>,
    /// Read while a component is kept that the registry does not know yet; written while those are deleted that nobody can reach.
    keeping: Arc<RwLock<()>>,
}

/// Why a tenant's folder is not what is served.
#[derive(Debug, Error)]
pub enum Refusal {
    /// A file of it does not fit.
    #[error(transparent)]
    Folder(#[from] TenantError),
    /// A plugin of it does not.
    #[error("plugins.toml: {0}")]
    Plugins(#[from] PublishError),
    /// A component that it names asks for more than the one before, or breaks its callers, and the operator has not accepted that.
    #[error("plugins.toml, key {plugin}: {what}:\n- {}\nLook at it, and say `accept` if you want that: accept = {accept}", .points.join("\n- "))]
    Unaccepted {
        /// Which one.
        plugin: String,
        /// What is to be accepted.
        what: String,
        /// One by one.
        points: Vec<String>,
        /// All that must be accepted, as plugins.toml says it.
        accept: String,
    },
    /// A key of it is somebody else's.
    #[error("tenant.toml, key keys: {0}")]
    Keys(#[from] SharedKey),
    /// Its name is no name.
    #[error("{0}")]
    Name(String),
}

/// Why a request about a tenant was not done.
#[derive(Debug, Error)]
pub enum RosterError {
    /// No folder, or the built-in tenant, which has none.
    #[error("{0}")]
    Missing(String),
    /// It does not fit; what was live is still live, and the folder is as it was.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The folder cannot be read or written.
    #[error("the tenants' folder cannot be changed: {0}")]
    Disk(#[from] std::io::Error),
    /// What was done cannot be recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a tenant stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Its name.
    pub(crate) name: String,
    /// Why its folder is not what is served; none where it is.
    pub(crate) refused: Option<String>,
    /// Since when there is what is served instead, as RFC 3339 has it; none where nothing is.
    pub(crate) good_since: Option<String>,
}

/// What was last seen of a tenant's folder.
struct Known {
    seen: Seen,
    refused: Option<Refused>,
}

/// Why it is not what is served.
struct Refused {
    reason: String,
    /// Since when there is what is served instead; none where nothing is.
    good_since: Option<String>,
}

/// What a folder's state is told by.
#[derive(Clone, PartialEq, Eq)]
struct Seen {
    folder: Result<TenantFolder, TenantError>,
    /// The files beside its texts that count, where it could be read.
    named: Vec<(PathBuf, Option<Stamp>)>,
}

impl Roster {
    /// Without any tenant yet.
    pub(crate) fn new(parts: RosterParts) -> Self {
        Self {
            kept: KeptStates::below(&parts.config.data_dir),
            parts,
            known: Mutex::default(),
            turns: Mutex::default(),
            going_live: AsyncMutex::default(),
            keeping: Arc::default(),
        }
    }

    /// Makes the built-in tenant live.
    pub(crate) async fn start(&self) -> Result<(), RosterError> {
        let _turn = self.turn(demo::TENANT).await;
        let bindings = self.bindings(demo::TENANT).await?;
        let proposal = self.proposed(demo::TENANT, bindings).await??;
        Ok(self.make_live(proposal, "host:start").await??)
    }

    /// Loads a tenant's folder again, changed or not.
    pub(crate) async fn reload(&self, name: &str, by: &str) -> Result<(), RosterError> {
        let folder = self.folder_of(name)?;
        let _turn = self.turn(name).await;
        if !files::is_folder(&folder) {
            return Err(RosterError::Missing(no_folder(name)));
        }
        Ok(self.take_up(name, by).await??)
    }

    /// Removes a tenant with its folder. What it did stays in the ledger and the audit log.
    pub(crate) async fn remove(&self, name: &str, by: &str) -> Result<(), RosterError> {
        let path = self.folder_of(name)?;
        let _turn = self.turn(name).await;
        if !files::is_folder(&path) {
            return Err(RosterError::Missing(no_folder(name)));
        }
        files::remove_folder(&path)?;
        self.forget(name, by).await
    }

    /// How every tenant stands, by name.
    pub(crate) fn standings(&self) -> Vec<Standing> {
        let known = self.known();
        let folders = known.iter().map(|(name, known)| {
            let refused = known.refused.as_ref();
            Standing {
                name: name.clone(),
                refused: refused.map(|refused| refused.reason.clone()),
                good_since: refused.and_then(|refused| refused.good_since.clone()),
            }
        });
        let built_in = Standing {
            name: demo::TENANT.to_owned(),
            refused: None,
            good_since: None,
        };
        std::iter::once(built_in).chain(folders).collect()
    }

    /// The texts of a tenant's folder as they were last seen, by their path in it.
    pub(crate) fn texts(&self, name: &str) -> BTreeMap<String, String> {
        let known = self.known();
        let seen = known
            .get(name)
            .and_then(|known| known.seen.folder.as_ref().ok());
        seen.map(|folder| folder.texts.clone()).unwrap_or_default()
    }

    /// One change of a tenant at a time. What one of them waits for, a registry say, nobody else does.
    pub(super) async fn turn(&self, tenant: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(turns.entry(tenant.to_owned()).or_default())
        };
        turn.lock_owned().await
    }

    /// A tenant as it is served.
    pub(super) fn tenant(&self, name: &str) -> Option<Arc<Tenant>> {
        self.parts.tenants.get(name)
    }

    /// Where components are put to be installed, by tenant; only folders that are there.
    pub(super) fn install_folders(&self) -> BTreeMap<String, PathBuf> {
        let in_folder = |name: &String| Some((name.clone(), self.folder()?.join(name)));
        let mut folders: BTreeMap<String, PathBuf> =
            self.known().keys().filter_map(in_folder).collect();
        folders.insert(demo::TENANT.to_owned(), self.parts.config.data_dir.clone());
        for folder in folders.values_mut() {
            folder.push(life::INSTALL_FOLDER);
        }
        folders.retain(|name, folder| self.tenant(name).is_some() && files::is_folder(folder));
        folders
    }

    pub(super) fn registry(&self) -> &dyn Registry {
        self.parts.registry.as_ref()
    }

    pub(crate) fn publishing(&self) -> &Publishing {
        &self.parts.publishing
    }

    fn folder(&self) -> Option<&PathBuf> {
        Some(&self.parts.config.tenants).filter(|folder| !folder.as_os_str().is_empty())
    }

    fn folder_of(&self, name: &str) -> Result<PathBuf, RosterError> {
        let folder = self
            .folder()
            .ok_or_else(|| RosterError::Missing(NO_FOLDERS.to_owned()))?;
        check(name)?;
        Ok(folder.join(name))
    }

    fn read(&self, name: &str) -> Result<TenantFolder, TenantError> {
        TenantFolder::read(&self.parts.config.tenants, name)
    }

    fn load(&self, folder: &TenantFolder, bindings: &Bindings) -> Result<Tenant, TenantError> {
        let given = Given {
            config: &self.parts.config,
            common: &self.parts.common,
            secret: &|place: &SecretRef| place.read(&self.parts.environment),
            settings: &BTreeMap::new(),
            installed: &bindings.installed(),
        };
        load(folder, &given)
    }

    /// Looks at a folder without taking it up.
    fn look(&self, name: &str) -> Seen {
        stamped(self.read(name))
    }

    fn has_changed(&self, name: &str) -> bool {
        let seen = self.look(name);
        self.known()
            .get(name)
            .is_none_or(|known| known.seen != seen)
    }

    /// What the registry holds of a tenant's plugins.
    pub(super) async fn bindings(&self, tenant: &str) -> Result<Bindings, StoreError> {
        let parts = &self.parts;
        Bindings::of(tenant, parts.registry.as_ref(), parts.store.as_ref()).await
    }

    fn know(&self, name: &str, seen: Seen, refused: Option<Refused>) {
        self.known()
            .insert(name.to_owned(), Known { seen, refused });
    }

    pub(super) async fn record(
        &self,
        tenant: &str,
        by: &str,
        detail: Value,
    ) -> Result<(), StoreError> {
        let entry = AuditEntry {
            kind: AuditKind::Host,
            tenant: tenant.to_owned(),
            case: None,
            actor: by.to_owned(),
            tool: None,
            detail,
        };
        self.parts.store.record(entry).await
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A folder as it was read, with the files that it names as they are now.
fn stamped(folder: Result<TenantFolder, TenantError>) -> Seen {
    let named = folder.as_ref().map(TenantFolder::named_files);
    let with_stamp = |file: PathBuf| {
        let stamp = files::stamp(&file);
        (file, stamp)
    };
    Seen {
        named: named
            .unwrap_or_default()
            .into_iter()
            .map(with_stamp)
            .collect(),
        folder,
    }
}

const NO_FOLDERS: &str = "there are no tenants but the built-in one: the key tenants (TENANTS_FOLDER) names a folder for them";

fn check(name: &str) -> Result<(), Refusal> {
    if name == demo::TENANT {
        return Err(Refusal::Name(BUILT_IN.to_owned()));
    }
    check_name(name).map_err(Refusal::Name)
}

const BUILT_IN: &str = "demo is the built-in tenant, and has no folder: choose another name";

fn no_folder(name: &str) -> String {
    format!("there is no folder of a tenant {name}; GET /api/tenants lists those that there are")
}
