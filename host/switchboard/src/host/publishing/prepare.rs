//! A tenant's plugins, prepared aside: each is loaded, and held against the others. An installed one that does not load or does not
//! go together with the others is left out where nothing of it runs yet, which is at a start; where it runs, it goes on doing so,
//! because whatever would end that is refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use dispatch::PluginVersion;
use sandbox::{Assembled, Canary, Plugin, PluginSet, Share};

use super::component::Component;
use super::left_out::{self, Refused};
use super::together::{Yielding, together};
use super::{PublishError, Publishing, component};
use crate::host::bindings::{self, Bindings};
use crate::tenants::{PluginEntry, PluginOrigin, Tenant};

/// A tenant's plugins, prepared aside.
pub(crate) struct Ready {
    pub(super) assembled: Assembled,
    pub(super) set: PluginSet,
    pub(super) share: Share,
    pub(super) tenant: String,
    /// Digests that must not run.
    pub(super) killed: Vec<String>,
    /// Installed plugins that are left out, and why.
    pub(super) refused: Refused,
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

impl Publishing {
    /// Makes the plugins ready that a tenant's state and its bindings say, all of them or none, but for installed ones that must
    /// not run any more, and for those that cannot, as far as nothing of them runs now: those are left out. Nothing is live yet.
    pub(crate) async fn prepare(
        &self,
        tenant: &Tenant,
        bindings: &Bindings,
    ) -> Result<Ready, PublishError> {
        let live = self.live().get(&tenant.name).cloned().unwrap_or_default();
        let mut set = PluginSet::default();
        let (mut said, mut refused) = (BTreeMap::new(), Refused::new());
        let mut yielding = Yielding::default();
        for entry in &tenant.plugins {
            (self.progress)(&format!("loading plugin {}", entry.name));
            set.kept.extend(self.kept(entry, tenant, bindings).await);
            let found = self.sources.stable(entry, tenant, bindings).await;
            let Some(component) = left_out::unless_refused(entry, found, &mut refused)? else {
                continue;
            };
            let runs = live.plugins.iter().any(|one| one.name() == entry.name);
            let may_go = component.said.is_none() && !runs;
            let loaded = self.stable(entry, tenant, bindings, &component).await;
            let loaded = loaded.map_err(|reason| left_out::where_it_may(may_go, reason));
            let Some(plugin) = left_out::unless_refused(entry, loaded, &mut refused)? else {
                continue;
            };
            if may_go {
                let since = installed_at(bindings, &plugin);
                yielding.plugins.insert(entry.name.clone(), since);
            }
            set.plugins.push(plugin);
            let tried = live.canary.as_ref();
            let may_go = tried.is_none_or(|tried| tried.plugin.name() != entry.name);
            let canary = self.canary(entry, tenant, bindings).await;
            let canary = canary.map_err(|reason| left_out::where_it_may(may_go, reason));
            if let Some(canary) = left_out::unless_refused(entry, canary, &mut refused)?.flatten() {
                set.canary = Some(canary);
                yielding.canary = may_go;
            }
            if component.said.is_some() {
                said.insert(entry.name.clone(), component);
            }
        }
        let (assembled, set) = together(&self.toolbox, &tenant.name, set, &yielding, &mut refused)?;
        Ok(Ready {
            assembled,
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

    /// What calls of this plugin shall use, ready to run.
    async fn stable(
        &self,
        entry: &PluginEntry,
        tenant: &Tenant,
        bindings: &Bindings,
        component: &Component,
    ) -> Result<Arc<Plugin>, PublishError> {
        let granted = granted(entry, tenant, bindings)?;
        self.load(&granted, tenant, component).await
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
        let plugin = self.version(entry, tenant, version).await;
        Ok(Some(Canary {
            plugin: plugin.map_err(|reason| left_out::on_trial(&version.version, reason))?,
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
}

/// When the version was installed, in Unix seconds.
fn installed_at(bindings: &Bindings, plugin: &Plugin) -> i64 {
    let version = bindings.of_digest(plugin.name(), plugin.digest());
    version.map_or(i64::MAX, |version| version.installed_at)
}

/// What plugins.toml says of a plugin holds for all its versions; where it says nothing, each has what was accepted of it.
pub(super) fn entry_of(
    version: &PluginVersion,
    entry: &PluginEntry,
    tenant: &Tenant,
) -> Result<PluginEntry, PublishError> {
    if entry.origin != PluginOrigin::Registry {
        return Ok(entry.clone());
    }
    let accepted = bindings::accepted(version);
    let own = accepted.entry(&entry.name, &entry.settings, &tenant.credentials);
    own.map_err(|message| PublishError::Granted {
        plugin: component::label(entry),
        message,
    })
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
