//! What the registry holds of one tenant's plugins at one moment.

use std::collections::{BTreeMap, BTreeSet};

use dispatch::{Binding, Pinned, PluginVersion, Registry, Store, StoreError};

use crate::tenants::{Accepted, Installed};

/// Bindings and versions of one tenant, and what calls that are still open were begun with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bindings {
    by_name: BTreeMap<String, Binding>,
    versions: Vec<PluginVersion>,
    /// Digests.
    begun: BTreeSet<String>,
    /// What is bound runs, whatever the folder says.
    held: bool,
}

impl Bindings {
    pub(crate) async fn of(
        tenant: &str,
        registry: &dyn Registry,
        store: &dyn Store,
    ) -> Result<Self, StoreError> {
        let bindings = registry.bindings(tenant).await?;
        let open = store.open_intents().await?.into_iter();
        Ok(Self {
            by_name: bindings
                .into_iter()
                .map(|binding| (binding.plugin.clone(), binding))
                .collect(),
            versions: registry.versions(tenant).await?,
            begun: open
                .filter(|intent| intent.tenant == tenant)
                .map(|intent| intent.plugin_digest)
                .collect(),
            held: false,
        })
    }

    /// With this binding in the place of the one of its name.
    pub(crate) fn with(mut self, binding: Binding) -> Self {
        self.by_name.insert(binding.plugin.clone(), binding);
        self
    }

    /// The same for a state that is not the folder's: what is bound runs, whatever the folder, or a file that it names, says by now.
    pub(crate) fn held(self) -> Self {
        Self { held: true, ..self }
    }

    /// Whether what is bound runs, whatever the folder says.
    pub(crate) fn are_held(&self) -> bool {
        self.held
    }

    /// These versions, bound as `other` says.
    pub(crate) fn bound_as(mut self, other: &Self) -> Self {
        self.by_name.clone_from(&other.by_name);
        self.held = other.held;
        for version in &other.versions {
            if self.version(&version.plugin, &version.version).is_none() {
                self.versions.push(version.clone());
            }
        }
        self
    }

    /// With this version known.
    pub(crate) fn knowing(mut self, version: PluginVersion) -> Self {
        let same =
            |one: &PluginVersion| one.plugin == version.plugin && one.version == version.version;
        self.versions.retain(|one| !same(one));
        self.versions.push(version);
        self
    }

    /// What a plugin is bound to; none where nobody ever bound it.
    pub(crate) fn get(&self, plugin: &str) -> Option<&Binding> {
        self.by_name.get(plugin)
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Binding> {
        self.by_name.values()
    }

    /// What is known of a plugin, oldest first.
    pub(crate) fn versions(&self, plugin: &str) -> impl Iterator<Item = &PluginVersion> {
        self.versions.iter().filter(move |one| one.plugin == plugin)
    }

    /// One version of a plugin, by its number.
    pub(crate) fn version(&self, plugin: &str, version: &str) -> Option<&PluginVersion> {
        self.versions(plugin).find(|one| one.version == version)
    }

    /// A version of a plugin that is exactly this, whatever its number.
    pub(crate) fn of_digest(&self, plugin: &str, digest: &str) -> Option<&PluginVersion> {
        self.versions(plugin).find(|one| one.digest == digest)
    }

    /// A bound version, as the registry knows it.
    pub(crate) fn pinned(&self, plugin: &str, pinned: &Pinned) -> Option<&PluginVersion> {
        self.versions(plugin)
            .find(|one| one.version == pinned.version && one.digest == pinned.digest)
    }

    /// What was accepted of the version that calls use.
    pub(crate) fn accepted(&self, plugin: &str) -> Accepted {
        let stable = self.get(plugin).and_then(|binding| binding.stable.as_ref());
        let stable = stable.and_then(|stable| self.pinned(plugin, stable));
        stable.map(accepted).unwrap_or_default()
    }

    /// What calls use, with what was accepted of it, and of what is on trial.
    pub(crate) fn installed(&self) -> Vec<Installed> {
        let bound = self.by_name.values();
        bound
            .filter_map(|binding| self.installed_of(binding))
            .collect()
    }

    fn installed_of(&self, binding: &Binding) -> Option<Installed> {
        let stable = self.pinned(&binding.plugin, binding.stable.as_ref()?)?;
        let mut accepted = accepted(stable);
        if let Some(canary) = &binding.canary
            && let Some(tried) = self.version(&binding.plugin, &canary.version)
        {
            // What both have is judged as the one that most cases see.
            for (tool, classified) in self::accepted(tried).tools {
                accepted.tools.entry(tool).or_insert(classified);
            }
        }
        Some(Installed {
            plugin: binding.plugin.clone(),
            accepted,
            by_folder: binding.from_folder.is_some(),
        })
    }

    /// Versions of a plugin that no new call uses, but that what was begun may need, or a rollback.
    pub(crate) fn kept(&self, plugin: &str) -> Vec<&PluginVersion> {
        let binding = self.get(plugin);
        let is_bound = |digest: &str| {
            let stable = binding.and_then(|binding| binding.stable.as_ref());
            let canary = binding.and_then(|binding| binding.canary.as_ref());
            stable.is_some_and(|stable| stable.digest == digest)
                || canary.is_some_and(|canary| canary.digest == digest)
        };
        let previous = binding.and_then(|binding| binding.previous.as_ref());
        let is_needed = |one: &&PluginVersion| {
            self.begun.contains(&one.digest)
                || previous.is_some_and(|previous| previous.digest == one.digest)
        };
        self.versions(plugin)
            .filter(|one| !is_bound(&one.digest))
            .filter(is_needed)
            .collect()
    }
}

/// What an operator accepted of a version; what does not read grants nothing.
pub(crate) fn accepted(version: &PluginVersion) -> Accepted {
    serde_json::from_value(version.accepted.clone()).unwrap_or_default()
}

/// A version by its number and digest.
pub(crate) fn pin(version: &PluginVersion) -> Pinned {
    Pinned {
        version: version.version.clone(),
        digest: version.digest.clone(),
    }
}
