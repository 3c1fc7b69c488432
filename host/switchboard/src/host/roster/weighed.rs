//! What a folder names is weighed before it takes the place of what ran: what it would change for callers, and what it asks for
//! beyond that. An operator accepts it in plugins.toml, line by line, or by a swap.

use std::collections::BTreeMap;
use std::sync::Arc;

use dispatch::{PluginVersion, ToolSpec};
use sandbox::{Comparison, Plugin};

use super::{Refusal, Roster};
use crate::Manifest;
use crate::host::bindings::Bindings;
use crate::host::demo;
use crate::host::life::{asks_for_more, breaks};
use crate::host::publishing::{Component, PublishError, Ready};
use crate::tenants::{Accepted, PluginEntry, PluginOrigin, Tenant};

/// The lines that plugins.toml accepts, and that needed to be accepted, by plugin.
pub(super) type Lines = BTreeMap<String, Vec<String>>;

/// What ran, as far as what comes is held against it.
struct Before {
    version: String,
    tools: Vec<ToolSpec>,
    asked: Accepted,
}

impl Roster {
    /// Refuses what breaks callers of what these bindings, or the live tools, are by now, or asks for more, unless plugins.toml
    /// accepts every line of it. What nothing ran before is the folder's own word, and so is what the program itself brings.
    pub(super) async fn weighed(
        &self,
        tenant: &Tenant,
        ready: &Ready,
        bindings: &Bindings,
    ) -> Result<Lines, Refusal> {
        let mut accepted = Lines::new();
        if tenant.name == demo::TENANT {
            return Ok(accepted);
        }
        for (plugin, component) in ready.said() {
            let entry = tenant.plugins.iter().find(|one| one.name == plugin.name());
            let Some(entry) = entry.filter(|entry| !is_the_programs(entry, bindings)) else {
                continue;
            };
            if let Some(before) = self.before(tenant, entry, component, bindings).await {
                let asks = asks(tenant, entry, component, bindings)?;
                let lines = accepted_lines(plugin, &before, &asks, entry)?;
                accepted.insert(entry.name.clone(), lines);
            }
        }
        Ok(accepted)
    }

    /// What ran before this component; none where nothing did, or the same.
    async fn before(
        &self,
        tenant: &Tenant,
        entry: &PluginEntry,
        component: &Component,
        bindings: &Bindings,
    ) -> Option<Before> {
        let bound = bindings.get(&entry.name);
        let bound = bound.and_then(|binding| binding.stable.as_ref());
        if bound.is_some_and(|bound| bound.digest == component.digest) {
            return None;
        }
        let mut unreadable = None;
        if let Some(version) = bound.and_then(|bound| bindings.pinned(&entry.name, bound)) {
            match self.read_again(entry, version).await {
                Ok(before) => return Some(before),
                Err(reason) => {
                    // Something did run: whatever comes asks for more than is known.
                    unreadable = Some(Before {
                        version: version.version.clone(),
                        tools: Vec::new(),
                        asked: Accepted::default(),
                    });
                    tracing::warn!(tenant = tenant.name, plugin = entry.name, version = version.version, %reason, "what ran before cannot be read any more");
                }
            }
        }
        let Some(live) = self.publishing().live_plugin(&tenant.name, &entry.name) else {
            if unreadable.is_some() {
                return unreadable;
            }
            let shipped = self.shipped(tenant, entry).await?;
            if shipped.digest == component.digest {
                return None;
            }
            return self.read_as_before(shipped, entry).await.ok();
        };
        (live.digest() != component.digest).then(|| Before {
            version: live.version().to_owned(),
            tools: live.tools().cloned().collect(),
            asked: Accepted::default(),
        })
    }

    async fn read_again(
        &self,
        entry: &PluginEntry,
        version: &PluginVersion,
    ) -> Result<Before, String> {
        let found = self.publishing().looked_at(entry, version).await;
        let found = found.map_err(|error| error.to_string())?;
        self.read_as_before(found, entry).await
    }

    /// What came with the program, and the registry knows nothing of, in the last good state of a tenant that is not served yet.
    async fn shipped(&self, tenant: &Tenant, entry: &PluginEntry) -> Option<Component> {
        let kept = self.kept.of(&tenant.name).ok()??;
        let origin = self.folder_as_kept(&tenant.name, kept).shipped(&entry.name);
        let origin = origin.filter(|origin| *origin != entry.origin)?;
        let before = PluginEntry {
            origin,
            ..PluginEntry::installed(&entry.name)
        };
        let nothing = Bindings::default();
        let said = self.publishing().said(&before, tenant, &nothing);
        said.await.ok()?
    }

    async fn read_as_before(
        &self,
        component: Component,
        entry: &PluginEntry,
    ) -> Result<Before, String> {
        let asked = asked(&component, entry).map_err(|error| error.to_string())?;
        let toolbox = Arc::clone(self.publishing().toolbox());
        let (name, version) = (entry.name.clone(), component.version.clone());
        let number = version.clone();
        let reading =
            tokio::task::spawn_blocking(move || toolbox.inspect(&name, &number, &component.bytes));
        let read = reading.await.map_err(|error| error.to_string())?;
        Ok(Before {
            version,
            tools: read.map_err(|error| error.to_string())?.tools,
            asked,
        })
    }
}

/// Whether the entry says the same shipped plugin as before: that changes with the program alone.
fn is_the_programs(entry: &PluginEntry, bindings: &Bindings) -> bool {
    let followed = bindings.get(&entry.name);
    let followed = followed.and_then(|binding| binding.from_folder.as_ref());
    let same = format!("{} sha256:", entry.origin);
    matches!(entry.origin, PluginOrigin::Builtin(_))
        && followed.is_some_and(|followed| followed.starts_with(&same))
}

/// What a component asks for that the folder does not grant, and nobody has accepted when it was installed.
fn asks(
    tenant: &Tenant,
    entry: &PluginEntry,
    component: &Component,
    bindings: &Bindings,
) -> Result<Accepted, PublishError> {
    let known = bindings.of_digest(&entry.name, &component.digest);
    if known.is_some_and(|version| !version.accepted.is_null()) {
        return Ok(Accepted::default());
    }
    let is_judged = |tool: &str| tenant.speaks.rules.contains_key(tool);
    Ok(asked(component, entry)?.without(entry, is_judged))
}

fn asked(component: &Component, entry: &PluginEntry) -> Result<Accepted, PublishError> {
    let manifest = Manifest::of_component(&component.bytes, component.source.as_ref());
    let manifest = manifest.map_err(|error| PublishError::Missing {
        plugin: entry.name.clone(),
        message: error.to_string(),
    })?;
    let asked = manifest.map(|manifest| Accepted::of(&manifest, &entry.settings));
    Ok(asked.unwrap_or_default())
}

/// The lines that needed to be accepted, and all are.
fn accepted_lines(
    plugin: &Plugin,
    before: &Before,
    asks: &Accepted,
    entry: &PluginEntry,
) -> Result<Vec<String>, Refusal> {
    let more = asks.beyond(&before.asked);
    let broken = Comparison::of_tools(before.tools.iter(), plugin.tools()).incompatible;
    let mut what = Vec::new();
    if !more.is_empty() {
        what.push(asks_for_more(&entry.name, plugin.version()));
    }
    if !broken.is_empty() {
        what.push(breaks(plugin.version(), &before.version));
    }
    let (accepted, points): (Vec<_>, Vec<_>) = more
        .into_iter()
        .chain(broken)
        .partition(|line| entry.accept.contains(line));
    if points.is_empty() {
        return Ok(accepted);
    }
    Err(Refusal::Unaccepted {
        plugin: entry.name.clone(),
        what: what.join(", and "),
        accept: toml::Value::from([accepted, points.clone()].concat()).to_string(),
        points,
    })
}
