//! Before a version takes another's place: what it would change for its callers, and what it asks for beyond what was accepted.

use std::sync::Arc;

use dispatch::{NewVersion, PluginVersion};
use sandbox::{Comparison, Plugin, Shadow};
use serde_json::Value;

use super::{Life, LifeError, Situation};
use crate::Manifest;
use crate::tenants::{Accepted, PluginEntry, PluginOrigin};

impl Life<'_> {
    /// Refuses a version that asks for more than its operator has accepted, or that breaks what callers rely on, unless that is
    /// accepted now.
    pub(super) async fn weighed(
        &self,
        now: Situation,
        version: &PluginVersion,
        accept: bool,
    ) -> Result<Situation, LifeError> {
        let now = self.granted(now, version, accept).await?;
        let version = now
            .bindings
            .version(&version.plugin, &version.version)
            .cloned();
        let (Some(live), Some(version)) = (now.live.clone(), version) else {
            return Ok(now);
        };
        let comparison = Comparison::of(&live, &*self.candidate(&now, &version).await?);
        if comparison.is_compatible() || accept {
            return Ok(now);
        }
        Err(LifeError::Unaccepted {
            what: breaks(&version.version, live.version()),
            points: comparison.incompatible,
        })
    }

    /// What a version would change, without changing anything.
    pub(crate) async fn compared(
        &self,
        plugin: &str,
        version: &str,
    ) -> Result<Comparison, LifeError> {
        let (live, candidate) = self.both(plugin, version).await?;
        Ok(Comparison::of(&live, &candidate))
    }

    /// What an installed version does with the calls that were recorded, and does otherwise; nothing leaves the host.
    pub(crate) async fn shadow(&self, plugin: &str, version: &str) -> Result<Shadow, LifeError> {
        let (_, candidate) = self.both(plugin, version).await?;
        let toolbox = self.roster.publishing().toolbox();
        Ok(toolbox.shadow(&self.tenant.name, &candidate).await)
    }

    /// The live version and an installed one, ready to run.
    pub(crate) async fn both(
        &self,
        plugin: &str,
        version: &str,
    ) -> Result<(Arc<Plugin>, Arc<Plugin>), LifeError> {
        let now = {
            let _turn = self.turn().await;
            self.situation(plugin).await?
        };
        let known = now.bindings.version(plugin, version).cloned();
        let known = known.ok_or_else(|| {
            LifeError::Unknown(format!(
                "there is no version {version} of {plugin}: install it first"
            ))
        })?;
        let live = now.live.clone();
        let live = live.ok_or_else(|| {
            LifeError::Conflict(format!("{plugin} has no live version to hold it against"))
        })?;
        Ok((live, self.candidate(&now, &known).await?))
    }

    async fn candidate(
        &self,
        now: &Situation,
        version: &PluginVersion,
    ) -> Result<Arc<Plugin>, LifeError> {
        let mut version = version.clone();
        if version.accepted.is_null() {
            // As it would run if that were accepted; nobody calls it meanwhile.
            let asked = self
                .asked(&version, &now.bindings.accepted(&version.plugin))
                .await?;
            version.accepted = json(&asked)?;
        }
        let fresh = PluginEntry::installed(&version.plugin);
        let entry = now.entry.as_ref().unwrap_or(&fresh);
        let publishing = self.roster.publishing();
        Ok(publishing.version(entry, &self.tenant, &version).await?)
    }

    /// Where plugins.toml grants, nothing else does. Elsewhere a version has what was accepted of it: what was accepted of the one
    /// before, where it asks for no more.
    async fn granted(
        &self,
        now: Situation,
        version: &PluginVersion,
        accept: bool,
    ) -> Result<Situation, LifeError> {
        let by_folder = now
            .entry
            .as_ref()
            .is_some_and(|entry| entry.origin != PluginOrigin::Registry);
        if by_folder || !version.accepted.is_null() {
            return Ok(now);
        }
        let before = now.bindings.accepted(&version.plugin);
        let asked = self.asked(version, &before).await?;
        let more = asked.beyond(&before);
        if !more.is_empty() && !accept {
            return Err(LifeError::Unaccepted {
                what: asks_for_more(&version.plugin, &version.version),
                points: more,
            });
        }
        self.accept(now, version, &asked).await
    }

    /// What a version asks for, with the settings that the operator chose for the one before.
    async fn asked(
        &self,
        version: &PluginVersion,
        before: &Accepted,
    ) -> Result<Accepted, LifeError> {
        let entry = PluginEntry::installed(&version.plugin);
        let component = self
            .roster
            .publishing()
            .installed(&entry, &self.tenant, version)
            .await?;
        let manifest = Manifest::of_component(&component.bytes, version.plugin.as_ref())?;
        Ok(manifest
            .map(|manifest| Accepted::of(&manifest, &before.settings))
            .unwrap_or_default())
    }

    async fn accept(
        &self,
        now: Situation,
        version: &PluginVersion,
        asked: &Accepted,
    ) -> Result<Situation, LifeError> {
        let accepted = json(asked)?;
        let known = NewVersion {
            tenant: version.tenant.clone(),
            plugin: version.plugin.clone(),
            version: version.version.clone(),
            digest: version.digest.clone(),
            source: version.source.clone(),
            signed_by: version.signed_by.clone(),
            signatures: version.signatures.clone(),
            accepted: accepted.clone(),
            installed_by: self.by.to_owned(),
            // The turn that it is accepted for says why.
            reason: String::new(),
        };
        self.roster.registry().add_version(known).await?;
        let version = PluginVersion {
            accepted,
            ..version.clone()
        };
        Ok(Situation {
            bindings: now.bindings.knowing(version),
            ..now
        })
    }
}

fn json(accepted: &Accepted) -> Result<Value, LifeError> {
    serde_json::to_value(accepted).map_err(|error| LifeError::Unfit(error.to_string()))
}

/// What is said of a version that wants something new.
pub(in crate::host) fn asks_for_more(plugin: &str, version: &str) -> String {
    format!("version {version} of {plugin} asks for more than was accepted")
}

/// What is said of a version that is no successor.
pub(in crate::host) fn breaks(version: &str, live: &str) -> String {
    format!("version {version} breaks what callers of {live} rely on")
}
