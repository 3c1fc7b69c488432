//! Publishing: from what a tenant's folder binds to live tools.

mod component;
mod error;
mod left_out;
mod prepare;
mod together;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use artifacts::{Artifacts, Registries};
use dispatch::PluginVersion;
use sandbox::{Compiler, Plugin, PluginSet, PluginSource, Toolbox, ToolboxSettings};
use tokio::sync::watch;

use super::bindings::Bindings;
use super::{Progress, StartError};
use crate::tenants::{PluginEntry, Tenant};
use crate::{embedded, files};

pub(crate) use component::Component;
use component::Sources;
pub use error::PublishError;
use left_out::{LeftOut, Refused};
pub(crate) use prepare::Ready;
use prepare::entry_of;

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

    /// Digests of all that is at hand, of every tenant.
    pub(crate) fn digests_at_hand(&self) -> BTreeSet<String> {
        let live = self.live();
        let of_set = |set: &PluginSet| {
            let tried = set.canary.iter().map(|canary| &canary.plugin);
            let all = set.plugins.iter().chain(tried).chain(&set.kept);
            all.map(|one| one.digest().to_owned()).collect::<Vec<_>>()
        };
        live.values().flat_map(of_set).collect()
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

    fn live(&self) -> MutexGuard<'_, HashMap<String, PluginSet>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
mod tests;
