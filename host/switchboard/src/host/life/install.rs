//! Installing: a component becomes a version that a tenant knows. The first version of a plugin is live at once.

use std::collections::BTreeMap;

use artifacts::{Fetched, Source, TagMoved};
use dispatch::{Added, Binding, BindingAction, NewVersion, Pinned, PluginVersion};
use serde_json::json;

use super::acceptance::Acceptance;
use super::{Life, LifeError, Turn};
use crate::Manifest;
use crate::host::bindings::{self, Bindings};
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
    pub(crate) accept: Acceptance,
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
    /// The tag that it was pinned with leads elsewhere by now.
    pub(crate) tag_moved: Option<TagMoved>,
}

impl Life<'_> {
    /// Installs what is offered. Refused, nothing is known that was not known before; the audit log has the reason.
    pub(crate) async fn install(&self, offered: Offered) -> Result<Installation, LifeError> {
        let done = self.taken_in(offered).await;
        if let Err(refused) = &done {
            let detail = json!({ "event": "plugin_refused", "reason": refused.to_string() });
            self.roster
                .record(&self.tenant.name, self.by, detail)
                .await?;
        }
        done
    }

    async fn taken_in(&self, offered: Offered) -> Result<Installation, LifeError> {
        let fetched = match offered.parcel {
            Parcel::From(ref source) => source.fetch(self.roster.publishing().registries()).await?,
            Parcel::Brought(ref fetched) => Fetched::clone(fetched),
        };
        let manifest = Manifest::of_component(&fetched.bytes, fetched.source.as_ref())?;
        let manifest = manifest.ok_or_else(|| LifeError::Unfit(NO_MANIFEST.to_owned()))?;
        let vouched = vouched::vouched(&fetched, &self.tenant.trust, &manifest.name)?;
        let _turn = self.turn().await;
        let bindings = self.roster.bindings(&self.tenant.name).await?;
        let mut version =
            self.described(&manifest, &fetched, vouched.signer, &bindings, &offered)?;
        self.tried(&manifest, &fetched, &version).await?;
        let pinned = Pinned {
            version: version.version.clone(),
            digest: version.digest.clone(),
        };
        let next = self.next(&bindings, &version, &pinned, &offered.reason);
        if !matches!(next, Next::Live(_)) {
            // Where it goes live, its turn says why.
            version.reason = offered.reason;
        }
        let _being_kept = self.roster.being_kept().await;
        self.roster.keep(fetched.bytes).await?;
        let known = bindings
            .version(&version.plugin, &version.version)
            .is_some();
        let live = !matches!(next, Next::Known);
        self.add_and(next, bindings, version).await?;
        Ok(Installation {
            plugin: manifest.name,
            pinned,
            known,
            live,
            tag_moved: fetched.tag_moved,
        })
    }

    /// What follows from knowing this version.
    fn next(
        &self,
        bindings: &Bindings,
        version: &NewVersion,
        pinned: &Pinned,
        reason: &str,
    ) -> Next {
        let binding = bindings.get(&version.plugin).cloned();
        let bound = binding.as_ref().and_then(|binding| binding.stable.as_ref());
        let is_live = self.live(&version.plugin).is_some();
        if bound == Some(pinned) && is_live {
            return Next::Changed;
        }
        if is_live || self.is_in_folder(&version.plugin) {
            return Next::Known;
        }
        let binding = Binding {
            tenant: self.tenant.name.clone(),
            plugin: version.plugin.clone(),
            stable: Some(pinned.clone()),
            from_folder: None,
            ..binding.unwrap_or_default()
        };
        let turn = Turn {
            action: BindingAction::Install,
            from: None,
            to: Some(pinned.clone()),
            reason: match reason {
                "" => "live at once".to_owned(),
                reason => reason.to_owned(),
            },
        };
        Next::Live(Box::new((binding, turn)))
    }

    /// Makes the version known, once all that follows from it is prepared.
    async fn add_and(
        &self,
        next: Next,
        bindings: Bindings,
        version: NewVersion,
    ) -> Result<(), LifeError> {
        let bindings = bindings.knowing(as_known(&version));
        let (bindings, bound) = match next {
            Next::Known => return self.add(version).await,
            Next::Changed => (bindings, None),
            Next::Live(bound) => (bindings.with(bound.0.clone()), Some(*bound)),
        };
        let proposal = self.proposed(bindings).await?;
        let publishing = self.roster.publishing();
        publishing.check_kept(&proposal.ready, Some(&version.plugin))?;
        let first = async {
            self.add(version).await?;
            match bound {
                Some((binding, turn)) => self.record(binding, turn).await,
                None => Ok(()),
            }
        };
        self.roster.make_live_after(first, proposal, self.by).await
    }

    async fn add(&self, version: NewVersion) -> Result<(), LifeError> {
        let (number, plugin) = (version.version.clone(), version.plugin.clone());
        match self.roster.registry().add_version(version).await? {
            Added::New | Added::Known => Ok(()),
            Added::OtherDigest(digest) => Err(LifeError::Conflict(format!(
                "version {number} of {plugin} is sha256:{digest} already, and versions do not change: give this one a new number"
            ))),
        }
    }

    /// The version as it will be known.
    fn described(
        &self,
        manifest: &Manifest,
        fetched: &Fetched,
        signed_by: Option<String>,
        bindings: &Bindings,
        offered: &Offered,
    ) -> Result<NewVersion, LifeError> {
        let accepted = self.accepted_of(manifest, bindings, offered)?;
        let accepted = accepted.map(serde_json::to_value).transpose();
        Ok(NewVersion {
            tenant: self.tenant.name.clone(),
            plugin: manifest.name.clone(),
            version: manifest.version.to_string(),
            digest: fetched.digest.hex(),
            source: fetched.source.clone(),
            signed_by,
            signatures: vouched::kept(&fetched.signatures),
            accepted: accepted
                .map_err(|error| LifeError::Unfit(error.to_string()))?
                .unwrap_or_default(),
            installed_by: self.by.to_owned(),
            reason: String::new(),
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
        let accepted = if version.accepted.is_null() {
            Accepted::of(manifest, &BTreeMap::new())
        } else {
            bindings::accepted(&as_known(version))
        };
        let in_folder = self
            .entry(name)
            .filter(|entry| entry.origin != PluginOrigin::Registry);
        let common = BTreeMap::new();
        let own = || accepted.entry(name, &common, &self.tenant.credentials);
        let entry = in_folder.cloned().map_or_else(own, Ok);
        let entry = entry.map_err(LifeError::Unfit)?;
        let component = Component {
            version: version.version.clone(),
            bytes: fetched.bytes.clone().into(),
            digest: version.digest.clone(),
            source: version.source.clone(),
            signed_by: None,
            signatures: None,
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

    /// Whether plugins.toml grants it what it has.
    pub(super) fn is_in_folder(&self, plugin: &str) -> bool {
        let entry = self.entry(plugin);
        entry.is_some_and(|entry| entry.origin != PluginOrigin::Registry)
    }
}

/// What follows from an installation.
enum Next {
    /// The version is the first, and bound.
    Live(Box<(Binding, Turn)>),
    /// The version is live already, and may be granted something else from now on.
    Changed,
    /// It waits until somebody swaps to it.
    Known,
}

fn as_known(version: &NewVersion) -> PluginVersion {
    PluginVersion {
        tenant: version.tenant.clone(),
        plugin: version.plugin.clone(),
        version: version.version.clone(),
        digest: version.digest.clone(),
        source: version.source.clone(),
        signed_by: version.signed_by.clone(),
        signatures: version.signatures.clone(),
        accepted: version.accepted.clone(),
        installed_by: version.installed_by.clone(),
        installed_at: 0,
    }
}

const NO_MANIFEST: &str = "the component carries no manifest, so nobody knows its name and version: build it with `switchboard plugin build`";
