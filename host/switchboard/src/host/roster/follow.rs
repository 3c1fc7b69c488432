//! Where a tenant's folder overrules what the registry binds: the registry hears of it, so that its history is whole and a
//! rollback finds what ran.

use dispatch::{Binding, BindingAction, BindingChange, Bound, NewVersion, Pinned, StoreError};
use serde_json::{Value, json};

use super::Roster;
use crate::host::bindings::{Bindings, pin};
use crate::host::publishing::{Component, Ready};

/// As whom it is recorded.
const BY: &str = "host:folder";

impl Roster {
    /// The change that binds what the folder names; none where nothing was bound before.
    pub(super) async fn followed(
        &self,
        tenant: &str,
        plugin: &str,
        component: &Component,
        bindings: &Bindings,
    ) -> Result<Option<BindingChange>, StoreError> {
        let Some(before) = bindings.get(plugin) else {
            return Ok(None);
        };
        let pinned = self.adopt(tenant, plugin, component, bindings).await?;
        Ok(Some(BindingChange {
            action: BindingAction::Swap,
            by: BY.to_owned(),
            from: before.stable.clone(),
            to: Some(pinned.clone()),
            reason: "plugins.toml says something else".to_owned(),
            binding: Binding {
                previous: before.stable.clone(),
                stable: Some(pinned),
                canary: None,
                from_folder: component.said.clone(),
                ..before.clone()
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
