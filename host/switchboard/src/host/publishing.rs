//! Publishing: from what a tenant's folder binds to live tools.

mod component;
mod left_out;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use artifacts::{Artifacts, Registries};
use dispatch::PluginVersion;
use sandbox::{
    Assembled, Canary, Compiler, LoadError, Plugin, PluginSet, PluginSource, Share, Toolbox,
    ToolboxSettings,
};
use thiserror::Error;
use tokio::sync::watch;

use super::bindings::{self, Bindings};
use super::vouched::NotVouched;
use super::{Progress, StartError};
use crate::tenants::{PluginEntry, PluginOrigin, Tenant};
use crate::{embedded, files};

pub(crate) use component::Component;
use component::Sources;
use left_out::{LeftOut, Refused};

/// Why a tenant's plugins were not published; those before are still live.
#[derive(Debug, Error)]
pub enum PublishError {
    /// One does not load.
    #[error("the plugin {plugin} does not load: {reason}")]
    Plugin {
        /// Which one.
        plugin: String,
        /// Why.
        reason: LoadError,
    },
    /// Its component is not where the tenant's folder says.
    #[error("the plugin {plugin} cannot be had: {message}")]
    Missing {
        /// Which one.
        plugin: String,
        /// Why, and what to do.
        message: String,
    },
    /// Nobody whom the tenant trusts vouches for it.
    #[error("the plugin {plugin} is not trusted: {reason}")]
    Untrusted {
        /// Which one.
        plugin: String,
        /// Why.
        reason: NotVouched,
    },
    /// An installed one is not what was installed any more, or nobody whom the tenant trusts by now vouches for it.
    #[error(transparent)]
    Installed(Box<PublishError>),
    /// A change would leave one out.
    #[error("{plugin} would not run any more: {reason}")]
    LeftOut {
        /// Which one.
        plugin: String,
        /// Why.
        reason: String,
    },
    /// They do not go together.
    #[error("the plugins do not go together: {0}")]
    Together(LoadError),
}

/// A tenant's plugins, prepared aside.
pub(crate) struct Ready {
    assembled: Assembled,
    set: PluginSet,
    share: Share,
    tenant: String,
    /// Digests that must not run.
    killed: Vec<String>,
    /// Installed plugins that are left out, and why.
    refused: Refused,
    /// The components that the folder names, by plugin; not those that run in their place.
    said: BTreeMap<String, Component>,
}

impl Ready {
    pub(crate) fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Installed plugins that are left out, and why.
    pub(crate) fn refused(&self) -> &Refused {
        &self.refused
    }

    /// What the folder names and what runs, by plugin; without what somebody has swapped to since.
    pub(crate) fn said(&self) -> impl Iterator<Item = (&Arc<Plugin>, &Component)> {
        let plugins = self.set.plugins.iter();
        plugins.filter_map(|plugin| Some((plugin, self.said.get(plugin.name())?)))
    }
}

/// Makes tenants' plugins live.
pub(crate) struct Publishing {
    toolbox: Arc<Toolbox>,
    sources: Sources,
    progress: Progress,
    /// What is live of each tenant, to hold newer versions against.
    live: Mutex<HashMap<String, PluginSet>>,
    /// Installed plugins of each tenant that are not live though they are bound, and why.
    refused: LeftOut,
    /// Wakes whoever shows tools, whenever some tenant's may have changed.
    news: watch::Sender<()>,
}

impl Publishing {
    /// Starts the sandbox, without any plugin; compiled code is kept in `compiled`, installed components in `artifacts`.
    pub(crate) fn start(
        compiled: &Path,
        aside: Option<Compiler>,
        (registries, artifacts): (Registries, Option<Artifacts>),
        progress: Progress,
    ) -> Result<Self, StartError> {
        files::make_writable_folder(compiled).map_err(|source| StartError::Folder {
            folder: compiled.into(),
            source,
        })?;
        let settings = ToolboxSettings {
            compiler: aside,
            ..settings(Some(compiled))
        };
        let toolbox = Toolbox::new(settings).map_err(StartError::Sandbox)?;
        Ok(Self {
            toolbox: Arc::new(toolbox),
            sources: Sources::new(registries, artifacts),
            progress,
            live: Mutex::default(),
            refused: LeftOut::default(),
            news: watch::Sender::new(()),
        })
    }

    /// Wakes whenever tools or rules of some tenant may have changed.
    pub(crate) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// Something that callers see has changed.
    pub(crate) fn announce(&self) {
        self.news.send_replace(());
    }

    /// Where the live tools are.
    pub(crate) fn toolbox(&self) -> &Arc<Toolbox> {
        &self.toolbox
    }

    /// Where installed components are kept.
    pub(crate) fn artifacts(&self) -> Option<&Artifacts> {
        self.sources.artifacts.as_ref()
    }

    /// How OCI registries are reached.
    pub(crate) fn registries(&self) -> &Registries {
        &self.sources.registries
    }

    /// Makes the plugins ready that a tenant's state and its bindings say, all of them or none, but for installed ones that must
    /// not run any more: those are left out. Nothing is live yet.
    pub(crate) async fn prepare(
        &self,
        tenant: &Tenant,
        bindings: &Bindings,
    ) -> Result<Ready, PublishError> {
        let mut set = PluginSet::default();
        let (mut said, mut refused) = (BTreeMap::new(), Refused::new());
        for entry in &tenant.plugins {
            (self.progress)(&format!("loading plugin {}", entry.name));
            set.kept.extend(self.kept(entry, tenant, bindings).await);
            let stable = self.sources.stable(entry, tenant, bindings).await;
            let Some(component) = left_out::unless_refused(entry, stable, &mut refused)? else {
                continue;
            };
            let granted = granted(entry, tenant, bindings)?;
            let plugin = self.load(&granted, tenant, &component).await?;
            set.plugins.push(plugin);
            let canary = self.canary(entry, tenant, bindings).await;
            let canary = left_out::unless_refused(entry, canary, &mut refused)?;
            set.canary = canary.flatten().or(set.canary);
            if component.said.is_some() {
                said.insert(entry.name.clone(), component);
            }
        }
        let assembled = self.toolbox.assemble(&tenant.name, set.clone());
        Ok(Ready {
            assembled: assembled.map_err(PublishError::Together)?,
            set,
            share: tenant.shares.share(),
            tenant: tenant.name.clone(),
            killed: bindings
                .all()
                .flat_map(|binding| binding.killed.clone())
                .collect(),
            refused,
            said,
        })
    }

    /// Refuses what would leave out a plugin that is not left out now, or this one.
    pub(crate) fn check_kept(&self, ready: &Ready, own: Option<&str>) -> Result<(), PublishError> {
        let before = self.refused(&ready.tenant);
        left_out::check(&ready.refused, &before, own)
    }

    /// A tenant's installed plugins that are not live though they are bound, and why.
    pub(crate) fn refused(&self, tenant: &str) -> Refused {
        self.refused.of(tenant)
    }

    /// Makes them the tenant's live tools, all at once; calls in flight keep what they started with.
    pub(crate) fn go_live(&self, ready: Ready) {
        for digest in &ready.killed {
            self.toolbox.stop(&ready.tenant, digest, true);
        }
        self.toolbox.set_share(&ready.tenant, ready.share);
        self.toolbox.go_live(ready.assembled);
        self.refused.replace(&ready.tenant, ready.refused);
        self.live().insert(ready.tenant, ready.set);
        self.announce();
    }

    /// A tenant's live plugin of this name.
    pub(crate) fn live_plugin(&self, tenant: &str, plugin: &str) -> Option<Arc<Plugin>> {
        let live = self.live();
        let plugins = &live.get(tenant)?.plugins;
        plugins.iter().find(|one| one.name() == plugin).cloned()
    }

    /// Every version of a plugin that is at hand: what calls use, what is on trial, and what is kept.
    pub(crate) fn at_hand(&self, tenant: &str, plugin: &str) -> Vec<Arc<Plugin>> {
        let live = self.live();
        let Some(set) = live.get(tenant) else {
            return Vec::new();
        };
        let tried = set.canary.iter().map(|canary| &canary.plugin);
        let all = set.plugins.iter().chain(tried).chain(&set.kept);
        all.filter(|one| one.name() == plugin).cloned().collect()
    }

    /// Whether this plugin goes together with the tenant's live ones, in the place of the one of its name.
    pub(crate) fn check_beside(
        &self,
        tenant: &str,
        plugin: Arc<Plugin>,
    ) -> Result<(), PublishError> {
        let live = self.live().get(tenant).map(|live| live.plugins.clone());
        let mut plugins = live.unwrap_or_default();
        plugins.retain(|one| one.name() != plugin.name());
        plugins.push(plugin);
        let set = PluginSet {
            plugins,
            ..PluginSet::default()
        };
        let assembled = self.toolbox.assemble(tenant, set);
        assembled.map(drop).map_err(PublishError::Together)
    }

    /// Takes a tenant's tools out of service.
    pub(crate) fn withdraw(&self, tenant: &str) {
        self.toolbox.withdraw(tenant);
        self.live().remove(tenant);
        self.refused.replace(tenant, Refused::new());
        self.announce();
    }

    /// What the tenant's folder says of a plugin now.
    pub(crate) async fn said(
        &self,
        entry: &PluginEntry,
        tenant: &Tenant,
        bindings: &Bindings,
    ) -> Result<Option<Component>, PublishError> {
        self.sources.said(entry, tenant, bindings).await
    }

    /// The component of an installed version, to be looked at: nobody needs to vouch for it by now.
    pub(crate) async fn looked_at(
        &self,
        entry: &PluginEntry,
        version: &PluginVersion,
    ) -> Result<Component, PublishError> {
        self.sources.kept(entry, version).await
    }

    /// The component of an installed version.
    pub(crate) async fn installed(
        &self,
        entry: &PluginEntry,
        tenant: &Tenant,
        version: &PluginVersion,
    ) -> Result<Component, PublishError> {
        self.sources.installed(entry, tenant, version).await
    }

    /// An installed version, ready to run as the tenant's plugin of its name.
    pub(crate) async fn version(
        &self,
        entry: &PluginEntry,
        tenant: &Tenant,
        version: &PluginVersion,
    ) -> Result<Arc<Plugin>, PublishError> {
        let entry = entry_of(version, entry, tenant)?;
        let component = self.sources.installed(&entry, tenant, version).await?;
        self.load(&entry, tenant, &component).await
    }

    /// Makes a component ready as this entry grants it.
    pub(crate) async fn load(
        &self,
        entry: &PluginEntry,
        tenant: &Tenant,
        component: &Component,
    ) -> Result<Arc<Plugin>, PublishError> {
        if let Some(digest) = &entry.digest
            && component.said.is_some()
            && *digest != format!("sha256:{}", component.digest)
        {
            let found = &component.digest;
            let message = format!("its digest is sha256:{found}, and {digest} was expected");
            return Err(component::missing(entry, message));
        }
        let source = PluginSource {
            tenant: tenant.name.clone(),
            name: entry.name.clone(),
            version: component.version.clone(),
            bytes: component.bytes.to_vec(),
            config: entry.settings.clone(),
            grants: entry.grants.clone(),
            model: entry.model,
            key_value: entry.key_value,
            limits: tenant.limits.clone(),
        };
        let loaded = self.toolbox.load(source).await;
        loaded.map_err(|reason| PublishError::Plugin {
            plugin: component::label(entry),
            reason,
        })
    }

    async fn canary(
        &self,
        entry: &PluginEntry,
        tenant: &Tenant,
        bindings: &Bindings,
    ) -> Result<Option<Canary>, PublishError> {
        let bound = bindings
            .get(&entry.name)
            .and_then(|binding| binding.canary.as_ref());
        let Some(canary) = bound else {
            return Ok(None);
        };
        let Some(version) = bindings.version(&entry.name, &canary.version) else {
            return Ok(None);
        };
        Ok(Some(Canary {
            plugin: self.version(entry, tenant, version).await?,
            per_mille: canary.per_mille,
            tolerance: canary.tolerance,
        }))
    }

    /// What cannot be had any more keeps nobody from being served: its calls are seen through by the newer version, or by a person.
    async fn kept(
        &self,
        entry: &PluginEntry,
        tenant: &Tenant,
        bindings: &Bindings,
    ) -> Vec<Arc<Plugin>> {
        let mut kept = Vec::new();
        for version in bindings.kept(&entry.name) {
            match self.version(entry, tenant, version).await {
                Ok(plugin) => kept.push(plugin),
                Err(reason) => {
                    tracing::warn!(tenant = tenant.name, plugin = entry.name, version = version.version, %reason, "an earlier version is not at hand");
                }
            }
        }
        kept
    }

    fn live(&self) -> MutexGuard<'_, HashMap<String, PluginSet>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What plugins.toml says of a plugin holds for all its versions; where it says nothing, each has what was accepted of it.
fn entry_of(
    version: &PluginVersion,
    entry: &PluginEntry,
    tenant: &Tenant,
) -> Result<PluginEntry, PublishError> {
    if entry.origin != PluginOrigin::Registry {
        return Ok(entry.clone());
    }
    let accepted = bindings::accepted(version);
    let own = accepted.entry(&entry.name, &entry.settings, &tenant.credentials);
    own.map_err(|message| component::missing(entry, message))
}

/// An entry for the version that is bound.
fn granted(
    entry: &PluginEntry,
    tenant: &Tenant,
    bindings: &Bindings,
) -> Result<PluginEntry, PublishError> {
    let stable = bindings
        .get(&entry.name)
        .and_then(|binding| binding.stable.as_ref());
    let version = stable.and_then(|stable| bindings.pinned(&entry.name, stable));
    version.map_or_else(
        || Ok(entry.clone()),
        |version| entry_of(version, entry, tenant),
    )
}

/// A toolbox of this host's contract, which keeps compiled code in `cache`.
fn settings(cache: Option<&Path>) -> ToolboxSettings {
    let contract = embedded::CONTRACT
        .iter()
        .filter(|(path, _)| *path != embedded::CLASSIFICATION);
    ToolboxSettings {
        contract: contract
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect(),
        cache: cache.map(Path::to_path_buf),
        ..ToolboxSettings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{demo, rules};
    use crate::{Config, Secret};

    /// What publishing says of this file as a further plugin.
    async fn refusal(file: &Path) -> String {
        let mut config = Config::default();
        config.plugins.extra = vec![file.to_path_buf()];
        let common = rules::common(&config).unwrap();
        let backend = ([127, 0, 0, 1], 1).into();
        let tenant = demo::tenant((&config, &common), (backend, &Secret::random()), &[]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let publishing =
            Publishing::start(folder.path(), None, <_>::default(), Arc::new(|_| ())).unwrap();
        let refused = publishing.prepare(&tenant, &Bindings::default()).await;
        StartError::from(refused.err().unwrap()).to_string()
    }

    #[tokio::test]
    async fn a_file_that_is_no_plugin_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("extra.wasm");
        let missing = refusal(&file).await;
        assert!(
            missing.contains("extra.wasm") && missing.contains("EXTRA_PLUGINS"),
            "{missing}"
        );
        for (content, words) in [
            ("just some text", "no WebAssembly component"),
            ("\0asm\x01\0\0\0", "no WebAssembly component"),
            ("\0asm\x0d\0\x01\0", "exports no tools"),
        ] {
            files::write_text(&file, content).unwrap();
            let said = refusal(&file).await;
            assert!(
                said.contains("extra.wasm") && said.contains(words),
                "{said}"
            );
        }
    }

    /// The shipped plugins send requests; the same component without grants must not load.
    #[tokio::test]
    async fn an_extra_plugin_is_granted_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("crm.wasm");
        files::write_bytes(&file, embedded::component("crm")).unwrap();
        let said = refusal(&file).await;
        assert!(
            said.contains("wasi:http") && said.contains("granted nothing"),
            "{said}"
        );
    }
}
