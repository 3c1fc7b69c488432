//! The life of a tenant's plugins while calls run: installed, swapped, tried, stopped, rolled back and removed.
//!
//! Every turn is taken in the same steps: what shall hold is prepared aside, as a whole; the registry records it, unless somebody
//! else was first; then it is live, all at once.

mod acceptance;
mod arrivals;
mod ending;
mod error;
mod install;
mod tags;
mod terms;
mod turns;
mod upgrade;

use std::collections::BTreeSet;
use std::sync::Arc;

use dispatch::{
    Binding, BindingAction, BindingChange, Bound, HistoryEntry, Pinned, PluginVersion, TagMove,
};
use sandbox::Plugin;
use tokio::sync::OwnedMutexGuard;

use super::bindings::Bindings;
use super::roster::{Proposal, Refusal, Roster};
use crate::tenants::{PluginEntry, PluginOrigin, Tenant};

pub(crate) use acceptance::Acceptance;
pub(crate) use arrivals::{Arrivals, FOLDER as INSTALL_FOLDER};
pub(crate) use ending::Ending;
pub(crate) use error::LifeError;
pub(crate) use install::{Offered, Parcel};
pub(crate) use tags::TagWatch;
pub(crate) use terms::Terms;
pub(super) use upgrade::{asks_for_more, breaks};

/// The life of one tenant's plugins, for whoever asks.
pub(crate) struct Life<'a> {
    roster: &'a Roster,
    tenant: Arc<Tenant>,
    by: &'a str,
}

/// What a plugin is, as people look at it.
pub(crate) struct Portrait {
    pub(crate) name: String,
    /// Where plugins.toml has it from; `installed` where it does not name it.
    pub(crate) origin: String,
    /// What is bound, if anything ever was.
    pub(crate) binding: Option<Binding>,
    /// What runs, bound or not.
    pub(crate) live: Option<Arc<Plugin>>,
    /// Digests of versions that are stopped, recorded or not.
    pub(crate) killed: Vec<String>,
    /// Why what is bound does not run.
    pub(crate) refused: Option<String>,
    /// Oldest first.
    pub(crate) versions: Vec<PluginVersion>,
    /// Tags that it was pinned with, and that led elsewhere at the last look.
    pub(crate) moved_tags: Vec<TagMove>,
}

/// A change that is being thought of.
struct Turn {
    action: BindingAction,
    from: Option<Pinned>,
    to: Option<Pinned>,
    reason: String,
}

/// What a change starts from.
struct Situation {
    bindings: Bindings,
    /// As it is bound; a new one where it is not.
    binding: Binding,
    entry: Option<PluginEntry>,
    live: Option<Arc<Plugin>>,
}

impl<'a> Life<'a> {
    pub(crate) fn of(roster: &'a Roster, tenant: Arc<Tenant>, by: &'a str) -> Self {
        Self { roster, tenant, by }
    }

    /// Every plugin, by name; also those that are only installed.
    pub(crate) async fn portraits(&self) -> Result<Vec<Portrait>, LifeError> {
        let bindings = self.roster.bindings(&self.tenant.name).await?;
        let bound = bindings.all().map(|binding| binding.plugin.clone());
        let in_folder = self.tenant.plugins.iter().map(|entry| entry.name.clone());
        let names: BTreeSet<String> = bound.chain(in_folder).collect();
        let moves = self.roster.registry().tag_moves(&self.tenant.name).await?;
        let portrait = |name: String| self.drawn(name, &bindings, &moves);
        Ok(names.into_iter().map(portrait).collect())
    }

    /// One plugin.
    pub(crate) async fn portrait(&self, plugin: &str) -> Result<Portrait, LifeError> {
        let bindings = self.roster.bindings(&self.tenant.name).await?;
        let moves = self.roster.registry().tag_moves(&self.tenant.name).await?;
        Ok(self.drawn(plugin.to_owned(), &bindings, &moves))
    }

    /// What was done to the tenant's plugins, or to one of them, newest first.
    pub(crate) async fn history(
        &self,
        plugin: Option<&str>,
    ) -> Result<Vec<HistoryEntry>, LifeError> {
        Ok(self
            .roster
            .registry()
            .history(&self.tenant.name, plugin)
            .await?)
    }

    /// One change of the tenant at a time.
    async fn turn(&self) -> OwnedMutexGuard<()> {
        self.roster.turn(&self.tenant.name).await
    }

    fn drawn(&self, name: String, bindings: &Bindings, moves: &[TagMove]) -> Portrait {
        let entry = self.entry(&name);
        let pinned = tags::pinned_tags(entry, bindings.versions(&name));
        let pinned: BTreeSet<String> = pinned.values().map(ToString::to_string).collect();
        // What was pinned anew since, or is not there any more, is not to be told.
        let counts = |one: &&TagMove| one.plugin == name && pinned.contains(&one.reference);
        Portrait {
            origin: entry
                .map_or(PluginOrigin::Registry, |entry| entry.origin.clone())
                .to_string(),
            binding: bindings.get(&name).cloned(),
            killed: self.killed(&name, bindings),
            live: self.live(&name),
            refused: self
                .roster
                .publishing()
                .refused(&self.tenant.name)
                .remove(&name),
            versions: bindings.versions(&name).cloned().collect(),
            moved_tags: moves.iter().filter(counts).cloned().collect(),
            name,
        }
    }

    /// As recorded, and as the switches of what is at hand say: a kill holds before it is recorded.
    fn killed(&self, plugin: &str, bindings: &Bindings) -> Vec<String> {
        let recorded = bindings.get(plugin).map(|binding| binding.killed.clone());
        let mut killed = recorded.unwrap_or_default();
        for one in self.roster.publishing().at_hand(&self.tenant.name, plugin) {
            let digest = one.digest().to_owned();
            if self.is_stopped(&digest) && !killed.contains(&digest) {
                killed.push(digest);
            }
        }
        killed
    }

    fn entry(&self, plugin: &str) -> Option<&PluginEntry> {
        self.tenant
            .plugins
            .iter()
            .find(|entry| entry.name == plugin)
    }

    fn live(&self, plugin: &str) -> Option<Arc<Plugin>> {
        self.roster
            .publishing()
            .live_plugin(&self.tenant.name, plugin)
    }

    /// How a plugin stands now; what only the folder names is bound first, so that it can be gone back to.
    async fn situation(&self, plugin: &str) -> Result<Situation, LifeError> {
        let tenant = &self.tenant;
        let mut bindings = self.roster.bindings(&tenant.name).await?;
        let entry = self.entry(plugin).cloned();
        let known = bindings.get(plugin).cloned();
        if known.is_none() && entry.is_none() && bindings.versions(plugin).next().is_none() {
            return Err(LifeError::Unknown(format!(
                "{} has no plugin {plugin}",
                tenant.name
            )));
        }
        let mut binding = known.unwrap_or_else(|| Binding {
            tenant: tenant.name.clone(),
            plugin: plugin.to_owned(),
            ..Binding::default()
        });
        if binding.stable.is_none()
            && let Some(entry) = &entry
            && let Some(said) = self
                .roster
                .publishing()
                .said(entry, tenant, &bindings)
                .await?
        {
            let adopted = self.roster.adopt(&tenant.name, plugin, &said, &bindings);
            binding.stable = Some(adopted.await?);
            binding.from_folder = said.said;
            bindings = self.roster.bindings(&tenant.name).await?;
        }
        let by_folder = |entry: &PluginEntry| entry.origin != PluginOrigin::Registry;
        if !entry.as_ref().is_some_and(by_folder) {
            // What plugins.toml has dropped, it does not bind any more.
            binding.from_folder = None;
        }
        Ok(Situation {
            live: self.live(plugin),
            bindings,
            binding,
            entry,
        })
    }

    /// Prepares what the changed binding makes of the tenant, records it, and makes it live.
    async fn take(
        &self,
        bindings: Bindings,
        binding: Binding,
        turn: Turn,
    ) -> Result<(), LifeError> {
        let bindings = bindings.with(binding.clone());
        let mut proposal = self.proposed(bindings).await?;
        let binding = followed(&mut proposal, binding)?;
        let publishing = self.roster.publishing();
        publishing.check_kept(&proposal.ready, Some(&binding.plugin))?;
        let record = self.record(binding, turn);
        self.roster.make_live_after(record, proposal, self.by).await
    }

    /// Makes live what the registry says by now.
    async fn refresh(&self) -> Result<(), LifeError> {
        let name = &self.tenant.name;
        let bindings = self.roster.bindings(name).await?;
        let proposal = self.proposed(bindings).await?;
        Ok(self.roster.make_live(proposal, self.by).await??)
    }

    /// The folder's state with these bindings; where the folder is refused, its last good state with them, rules and all.
    async fn proposed(&self, bindings: Bindings) -> Result<Proposal, LifeError> {
        let name = &self.tenant.name;
        let refused = match self.roster.proposed(name, bindings.clone()).await? {
            Ok(proposal) => return Ok(proposal),
            Err(refused) => refused,
        };
        if !self.is_the_folders(&refused).await? {
            return Err(refused.into());
        }
        tracing::warn!(tenant = name, %refused, "the folder is refused; the plugins of the last good state change");
        let kept = self.roster.proposed_as_kept(name, bindings, refused);
        Ok(kept.await??)
    }

    /// Whether it is not the change that is refused, but the folder, whatever is changed: a plugin's file is gone, say.
    async fn is_the_folders(&self, refused: &Refusal) -> Result<bool, LifeError> {
        Ok(match refused {
            Refusal::Folder(_) | Refusal::Unaccepted { .. } | Refusal::Keys(_) => true,
            Refusal::Plugins(_) => {
                let name = &self.tenant.name;
                let unchanged = self.roster.bindings(name).await?;
                self.roster.proposed(name, unchanged).await?.is_err()
            }
            Refusal::Name(_) => false,
        })
    }

    async fn record(&self, binding: Binding, turn: Turn) -> Result<(), LifeError> {
        let change = BindingChange {
            binding,
            action: turn.action,
            by: self.by.to_owned(),
            from: turn.from,
            to: turn.to,
            reason: turn.reason,
        };
        match self.roster.registry().bind(change).await? {
            Bound::Done(_) => Ok(()),
            Bound::Stale(_) => Err(LifeError::Conflict(
                "somebody else has just changed this plugin: look at it again".to_owned(),
            )),
            Bound::Removed(pinned) => Err(LifeError::Conflict(format!(
                "version {} has been removed: install it again first",
                pinned.version
            ))),
        }
    }
}

/// The binding, where the folder names by now what is bound by that; refused where it names something else.
fn followed(proposal: &mut Proposal, binding: Binding) -> Result<Binding, LifeError> {
    let own = |change: &BindingChange| change.binding.plugin == binding.plugin;
    let Some(at) = proposal.follows.iter().position(own) else {
        return Ok(binding);
    };
    let named = proposal.follows.remove(at).binding;
    let digest = |pinned: &Option<Pinned>| pinned.as_ref().map(|pinned| pinned.digest.clone());
    if digest(&named.stable) != digest(&binding.stable) {
        return Err(LifeError::Conflict(OVERRULED.to_owned()));
    }
    Ok(Binding {
        from_folder: named.from_folder,
        ..binding
    })
}

const OVERRULED: &str = "plugins.toml, or the file that it names, says something else about this plugin by now: reload the tenant, and look at it again";
