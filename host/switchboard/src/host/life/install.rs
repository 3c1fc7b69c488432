//! Installing: a component becomes a version that a tenant knows. The first version of a plugin is live at once.

use std::collections::BTreeMap;

use artifacts::{Fetched, Source};
use dispatch::{Added, Binding, BindingAction, NewVersion, Pinned};

use super::{Life, LifeError, Turn};
use crate::Manifest;
use crate::host::bindings::Bindings;
use crate::host::publishing::Component;
use crate::host::vouched;
use crate::tenants::{Accepted, PluginOrigin};

/// A component, as it is brought.
pub(crate) enum Parcel {
    /// To be fetched by the host.
    From(Source),
    /// Brought along, with what was signed.
    Brought(Box<Fetched>),
}

/// What is to be installed, and on which terms.
pub(crate) struct Offered {
    pub(crate) parcel: Parcel,
    /// The operator grants what the manifest asks for.
    pub(crate) accept: bool,
    /// The operator's own settings, over the manifest's.
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) reason: String,
}

/// What became of it.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    pub(crate) plugin: String,
    pub(crate) pinned: Pinned,
    /// It was known before.
    pub(crate) known: bool,
    /// It is what calls use.
    pub(crate) live: bool,
}

impl Life<'_> {
    /// Installs what is offered. Refused, nothing is known that was not known before.
    pub(crate) async fn install(&self, offered: Offered) -> Result<Installation, LifeError> {
        let fetched = match offered.parcel {
            Parcel::From(ref source) => source.fetch(self.roster.publishing().registries()).await?,
            Parcel::Brought(ref fetched) => Fetched::clone(fetched),
        };
        let manifest = Manifest::of_component(&fetched.bytes, fetched.source.as_ref())?;
        let manifest = manifest.ok_or_else(|| LifeError::Unfit(NO_MANIFEST.to_owned()))?;
        let vouched = vouched::vouched(&fetched, &self.tenant.trust, &manifest.name)?;
        let _turn = self.roster.turn().await;
        let bindings = self.roster.bindings(&self.tenant.name).await?;
        let version = self.described(&manifest, &fetched, vouched.signer, &bindings, &offered)?;
        self.tried(&manifest, &fetched, &version).await?;
        self.roster.keep(fetched.bytes).await?;
        let known = match self.roster.registry().add_version(version.clone()).await? {
            Added::New => false,
            Added::Known => true,
            Added::OtherDigest(digest) => {
                return Err(LifeError::Conflict(format!(
                    "version {} of {} is sha256:{digest} already, and versions do not change: give this one a new number",
                    version.version, version.plugin
                )));
            }
        };
        let pinned = Pinned {
            version: version.version,
            digest: version.digest,
        };
        let live = self.begun(&manifest.name, &pinned, offered.reason).await?;
        Ok(Installation {
            plugin: manifest.name,
            pinned,
            known,
            live,
        })
    }

    /// The version as it will be known. What the first version of a plugin asks for must be accepted with it.
    fn described(
        &self,
        manifest: &Manifest,
        fetched: &Fetched,
        signed_by: Option<String>,
        bindings: &Bindings,
        offered: &Offered,
    ) -> Result<NewVersion, LifeError> {
        // Settings that were chosen for the version before hold for this one, too.
        let mut settings = bindings.accepted(&manifest.name).settings;
        settings.extend(offered.settings.clone());
        let asked = Accepted::of(manifest, &settings);
        let is_bound = bindings
            .get(&manifest.name)
            .is_some_and(|binding| binding.stable.is_some());
        let more = asked.beyond(&Accepted::default());
        let grants = offered.accept || more.is_empty();
        if !grants && !is_bound && !self.is_in_folder(&manifest.name) {
            return Err(LifeError::Unaccepted {
                what: format!("{} {} asks for", manifest.name, manifest.version),
                points: more,
            });
        }
        let accepted = grants.then(|| serde_json::to_value(&asked)).transpose();
        Ok(NewVersion {
            tenant: self.tenant.name.clone(),
            plugin: manifest.name.clone(),
            version: manifest.version.to_string(),
            digest: fetched.digest.hex(),
            source: fetched.source.clone(),
            signed_by,
            accepted: accepted
                .map_err(|error| LifeError::Unfit(error.to_string()))?
                .unwrap_or_default(),
            installed_by: self.by.to_owned(),
        })
    }

    /// Loads it as it would run, with all that it asks for; what does not load is never known.
    async fn tried(
        &self,
        manifest: &Manifest,
        fetched: &Fetched,
        version: &NewVersion,
    ) -> Result<(), LifeError> {
        let name = &manifest.name;
        let settings = BTreeMap::new();
        let in_folder = self
            .entry(name)
            .filter(|entry| entry.origin != PluginOrigin::Registry);
        let accepted = Accepted::of(manifest, &settings);
        let own = || accepted.entry(name, &settings, &self.tenant.credentials);
        let entry = in_folder.cloned().map_or_else(own, Ok);
        let entry = entry.map_err(LifeError::Unfit)?;
        let component = Component {
            version: version.version.clone(),
            bytes: fetched.bytes.clone().into(),
            digest: version.digest.clone(),
            source: version.source.clone(),
            signed_by: None,
            said: None,
        };
        let plugin = self
            .roster
            .publishing()
            .load(&entry, &self.tenant, &component)
            .await?;
        manifest.check_tools(plugin.tools().map(|tool| tool.name.as_str()))?;
        Ok(self
            .roster
            .publishing()
            .check_beside(&self.tenant.name, plugin)?)
    }

    /// Binds the first version of a plugin that the folder does not name. True if this version is what calls use.
    async fn begun(
        &self,
        plugin: &str,
        pinned: &Pinned,
        reason: String,
    ) -> Result<bool, LifeError> {
        let bindings = self.roster.bindings(&self.tenant.name).await?;
        let binding = bindings.get(plugin).cloned();
        let stable = binding.as_ref().and_then(|binding| binding.stable.clone());
        if stable.is_some() || self.is_in_folder(plugin) {
            return Ok(stable.as_ref() == Some(pinned));
        }
        let binding = Binding {
            tenant: self.tenant.name.clone(),
            plugin: plugin.to_owned(),
            stable: Some(pinned.clone()),
            ..binding.unwrap_or_default()
        };
        let turn = Turn {
            action: BindingAction::Install,
            from: None,
            to: Some(pinned.clone()),
            reason: if reason.is_empty() {
                "live at once".to_owned()
            } else {
                reason
            },
        };
        self.take(bindings, binding, turn).await?;
        Ok(true)
    }

    fn is_in_folder(&self, plugin: &str) -> bool {
        let entry = self.entry(plugin);
        entry.is_some_and(|entry| entry.origin != PluginOrigin::Registry)
    }
}

const NO_MANIFEST: &str = "the component carries no manifest, so nobody knows its name and version: build it with `switchboard plugin build`";
