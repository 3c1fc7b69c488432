//! What a tenant's folder names, or overrules: the registry hears of it, so that its history is whole, a rollback finds what ran,
//! and the next start knows what that was.

use dispatch::{Binding, BindingAction, BindingChange, Bound, NewVersion, Pinned, StoreError};
use sandbox::Plugin;
use serde_json::{Value, json};

use super::Roster;
use crate::host::bindings::{Bindings, pin};
use crate::host::demo;
use crate::host::publishing::{Component, Ready};
use crate::tenants::Tenant;

/// As whom it is recorded.
const BY: &str = "host:folder";

impl Roster {
    /// The change that binds what the folder names; none where the registry knows it, or need not. What comes with the program
    /// changes with it, and is bound once somebody has swapped it; so is what the program itself is configured with.
    pub(super) async fn followed(
        &self,
        tenant: &Tenant,
        plugin: &Plugin,
        component: &Component,
        bindings: &Bindings,
        accepted: &[String],
    ) -> Result<Option<BindingChange>, StoreError> {
        let (name, plugin) = (&tenant.name, plugin.name());
        let before = match bindings.get(plugin) {
            Some(before) if before.from_folder == component.said => return Ok(None),
            Some(before) => before.clone(),
            None if name == demo::TENANT || component.is_shipped() => return Ok(None),
            None => Binding {
                tenant: name.clone(),
                plugin: plugin.to_owned(),
                ..Binding::default()
            },
        };
        let pinned = self.adopt(name, plugin, component, bindings).await?;
        let live = self.publishing().live_plugin(name, plugin);
        let live = live.map(|live| Pinned {
            version: live.version().to_owned(),
            digest: live.digest().to_owned(),
        });
        let from = before.stable.clone().or(live);
        Ok(Some(BindingChange {
            action: if from.is_some() {
                BindingAction::Swap
            } else {
                BindingAction::Install
            },
            by: BY.to_owned(),
            reason: reason(&before, component, accepted),
            from,
            to: Some(pinned.clone()),
            binding: Binding {
                previous: before.stable.clone(),
                stable: Some(pinned),
                canary: None,
                from_folder: component.said.clone(),
                ..before
            },
        }))
    }

    /// Records what is live already because the folder says so.
    pub(super) async fn follow(&self, change: BindingChange) -> Result<(), StoreError> {
        let plugin = change.binding.plugin.clone();
        match self.parts.registry.bind(change).await? {
            Bound::Done(_) => {}
            other => {
                tracing::warn!(
                    plugin,
                    ?other,
                    "what the folder says was not recorded; the next start tries again"
                );
            }
        }
        Ok(())
    }

    /// Records which installed plugins do not run any more from now on, and why; the others of the tenant go on.
    pub(super) async fn tell_left_out(&self, ready: &Ready, by: &str) -> Result<(), StoreError> {
        let before = self.publishing().refused(ready.tenant());
        for (plugin, reason) in ready.refused() {
            if before.get(plugin) == Some(reason) {
                continue;
            }
            let tenant = ready.tenant();
            tracing::warn!(tenant, plugin, reason, "an installed plugin does not run");
            let detail = json!({ "event": "plugin_refused", "plugin": plugin, "reason": reason });
            self.record(tenant, by, detail).await?;
        }
        Ok(())
    }

    /// Makes the folder's component an installed version, so that it can be gone back to.
    pub(in crate::host) async fn adopt(
        &self,
        tenant: &str,
        plugin: &str,
        component: &Component,
        bindings: &Bindings,
    ) -> Result<Pinned, StoreError> {
        if let Some(known) = bindings.of_digest(plugin, &component.digest) {
            return Ok(pin(known));
        }
        let _being_kept = self.being_kept().await;
        self.keep(component.bytes.as_ref().clone()).await?;
        let pinned = component.pinned();
        let version = NewVersion {
            tenant: tenant.to_owned(),
            plugin: plugin.to_owned(),
            version: pinned.version.clone(),
            digest: pinned.digest.clone(),
            source: component.source.clone(),
            signed_by: component.signed_by.clone(),
            signatures: component.signatures.clone(),
            accepted: Value::Null,
            installed_by: BY.to_owned(),
            reason: String::new(),
        };
        self.parts.registry.add_version(version).await?;
        Ok(pinned)
    }

    /// Writes a component where installed ones are kept.
    pub(in crate::host) async fn keep(&self, bytes: Vec<u8>) -> Result<(), StoreError> {
        let Some(artifacts) = self.parts.publishing.artifacts().cloned() else {
            return Ok(());
        };
        let kept = tokio::task::spawn_blocking(move || artifacts.put(&bytes)).await;
        let failed = |error: String| StoreError::Unavailable(error);
        kept.map_err(|error| failed(error.to_string()))?
            .map_err(|error| failed(error.to_string()))?;
        Ok(())
    }
}

/// Why, as the history tells it.
fn reason(before: &Binding, component: &Component, accepted: &[String]) -> String {
    let is_file =
        |said: &Option<String>| said.as_ref().is_some_and(|said| said.starts_with("file "));
    let why = match &before.stable {
        None => "plugins.toml names it",
        Some(_) if is_file(&before.from_folder) && is_file(&component.said) => {
            "the file that plugins.toml names has changed"
        }
        Some(_) => "plugins.toml says something else",
    };
    if accepted.is_empty() {
        return why.to_owned();
    }
    format!("{why}, and accepts: {}", accepted.join("; "))
}
