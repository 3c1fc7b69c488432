//! The turns that a bound plugin can take: swap, canary, promote, roll back, stop, revive, remove.

use dispatch::{Binding, BindingAction, Canary, Pinned, PluginVersion};
use sandbox::CanaryEnded;

use super::{Life, LifeError, Situation, Terms, Turn};
use crate::host::bindings::pin;
use crate::tenants::PluginOrigin;

impl Life<'_> {
    /// Makes an installed version the one that calls use.
    pub(crate) async fn swap(
        &self,
        plugin: &str,
        version: &str,
        accept: bool,
        reason: String,
    ) -> Result<(), LifeError> {
        let _turn = self.turn().await;
        let now = self.situation(plugin).await?;
        let version = runnable(&now, plugin, version)?;
        let to = pin(&version);
        let is_bound = now.binding.stable.as_ref() == Some(&to) && now.binding.canary.is_none();
        if is_bound && now.live.is_some() {
            let message = format!("version {} of {plugin} is live already", to.version);
            return Err(LifeError::Conflict(message));
        }
        let now = self.weighed(now, &version, accept).await?;
        let turn = Turn {
            action: BindingAction::Swap,
            from: now.binding.stable.clone(),
            to: Some(to.clone()),
            reason,
        };
        let binding = succeeded(now.binding, to);
        self.take(now.bindings, binding, turn).await
    }

    /// Tries an installed version on a share of the cases.
    pub(crate) async fn canary(
        &self,
        plugin: &str,
        version: &str,
        terms: Terms,
        accept: bool,
        reason: &str,
    ) -> Result<(), LifeError> {
        terms.check()?;
        let _turn = self.turn().await;
        let now = self.situation(plugin).await?;
        let version = runnable(&now, plugin, version)?;
        if now.live.is_none() {
            let message =
                format!("{plugin} has no live version to try this one beside: swap to it");
            return Err(LifeError::Conflict(message));
        }
        let to = pin(&version);
        if now.binding.stable.as_ref() == Some(&to) {
            let message = format!(
                "version {} of {plugin} is the one that all cases use",
                to.version
            );
            return Err(LifeError::Conflict(message));
        }
        let tried = |other: &&Binding| other.plugin != plugin && other.canary.is_some();
        if let Some(other) = now.bindings.all().find(tried) {
            let message = format!(
                "{} is on trial: promote it or roll it back first, one at a time",
                other.plugin
            );
            return Err(LifeError::Conflict(message));
        }
        let now = self.weighed(now, &version, accept).await?;
        let turn = Turn {
            action: BindingAction::Canary,
            from: now.binding.stable.clone(),
            to: Some(to.clone()),
            reason: terms.told(reason),
        };
        let binding = Binding {
            canary: Some(Canary {
                version: to.version,
                digest: to.digest,
                per_mille: terms.per_mille,
                tolerance: terms.tolerance,
            }),
            ..now.binding
        };
        self.take(now.bindings, binding, turn).await
    }

    /// Makes the version on trial the one that calls use.
    pub(crate) async fn promote(&self, plugin: &str, reason: String) -> Result<(), LifeError> {
        let _turn = self.turn().await;
        let now = self.situation(plugin).await?;
        let Some(to) = tried(&now.binding) else {
            return Err(LifeError::Conflict(format!(
                "no version of {plugin} is on trial"
            )));
        };
        runnable(&now, plugin, &to.version)?;
        let turn = Turn {
            action: BindingAction::Promote,
            from: now.binding.stable.clone(),
            to: Some(to.clone()),
            reason,
        };
        let binding = succeeded(now.binding, to);
        self.take(now.bindings, binding, turn).await
    }

    /// Ends a trial; without one, goes back to the version before. Going back twice is going forward again.
    pub(crate) async fn rollback(&self, plugin: &str, reason: String) -> Result<(), LifeError> {
        let _turn = self.turn().await;
        let now = self.situation(plugin).await?;
        let (from, to) = match (tried(&now.binding), now.binding.previous.clone()) {
            (Some(tried), _) => (Some(tried), now.binding.stable.clone()),
            (None, Some(previous)) => (now.binding.stable.clone(), Some(previous)),
            (None, None) => {
                let message = format!("there is no version of {plugin} to go back to");
                return Err(LifeError::Conflict(message));
            }
        };
        if let Some(to) = &to {
            runnable(&now, plugin, &to.version)?;
        }
        let binding = match (&now.binding.canary, to.clone()) {
            (None, Some(to)) => succeeded(now.binding, to),
            _ => Binding {
                canary: None,
                ..now.binding
            },
        };
        let turn = Turn {
            action: BindingAction::Rollback,
            from,
            to,
            reason,
        };
        self.take(now.bindings, binding, turn).await
    }

    /// Ends exactly this trial, which has ended itself; one of the same version on other terms goes on.
    pub(super) async fn end_trial(&self, ended: &CanaryEnded) -> Result<(), LifeError> {
        let _turn = self.turn().await;
        let now = self.situation(&ended.plugin).await?;
        let is_meant = |canary: &Canary| {
            canary.digest == ended.digest
                && canary.per_mille == ended.per_mille
                && canary.tolerance == ended.tolerance
        };
        if !now.binding.canary.as_ref().is_some_and(is_meant) {
            return Ok(());
        }
        let turn = Turn {
            action: BindingAction::AutoRollback,
            from: tried(&now.binding),
            to: now.binding.stable.clone(),
            reason: ended.reason.clone(),
        };
        let binding = Binding {
            canary: None,
            ..now.binding
        };
        // Recorded whatever else does not fit just now: with the next start it would begin again.
        self.record(binding, turn).await?;
        self.refresh().await
    }

    /// Stops a version at once, also in calls that run: their next capability call is refused.
    pub(crate) async fn kill(
        &self,
        plugin: &str,
        version: Option<&str>,
        reason: String,
    ) -> Result<(), LifeError> {
        // Before anything else, and whatever else is being changed: that is what it is for.
        let live = self.live(plugin);
        let mut stopped = Vec::new();
        for one in self.roster.publishing().at_hand(&self.tenant.name, plugin) {
            let is_live = live
                .as_ref()
                .is_some_and(|live| live.digest() == one.digest());
            if version.map_or(is_live, |version| version == one.version()) {
                self.stop(one.digest(), true);
                stopped.push(one.version().to_owned());
            }
        }
        let recorded = self.record_kill(plugin, version, reason).await;
        let ended_trial = recorded.map_err(|why| {
            if stopped.is_empty() {
                return why;
            }
            let version = stopped.join(", ");
            tracing::error!(tenant = self.tenant.name, plugin, version, error = %why, "a version is stopped, and that could not be recorded");
            LifeError::KillUnrecorded {
                plugin: plugin.to_owned(),
                version,
            }
        })?;
        if ended_trial {
            let _turn = self.turn().await;
            self.refresh().await?;
        }
        Ok(())
    }

    /// Whether that ended a trial, which is still live.
    async fn record_kill(
        &self,
        plugin: &str,
        version: Option<&str>,
        reason: String,
    ) -> Result<bool, LifeError> {
        let _turn = self.turn().await;
        let now = self.situation(plugin).await?;
        let target = stoppable(&now, plugin, version)?;
        self.stop(&target.digest, true);
        let mut binding = now.binding;
        if binding.killed.contains(&target.digest) {
            return Ok(false);
        }
        binding.killed.push(target.digest.clone());
        let ends_trial = tried(&binding).is_some_and(|tried| tried.digest == target.digest);
        if ends_trial {
            binding.canary = None;
        }
        let turn = Turn {
            action: BindingAction::Kill,
            from: None,
            to: Some(target),
            reason,
        };
        self.record(binding, turn).await?;
        Ok(ends_trial)
    }

    /// Lets a stopped version run again.
    pub(crate) async fn revive(
        &self,
        plugin: &str,
        version: Option<&str>,
        reason: String,
    ) -> Result<(), LifeError> {
        let _turn = self.turn().await;
        let now = self.situation(plugin).await?;
        let target = stoppable(&now, plugin, version)?;
        let mut binding = now.binding;
        // A kill that could not be recorded holds by its switch alone.
        if !binding.killed.contains(&target.digest) && !self.is_stopped(&target.digest) {
            return Err(LifeError::Conflict(format!(
                "version {} of {plugin} is not stopped",
                target.version
            )));
        }
        binding.killed.retain(|killed| *killed != target.digest);
        let turn = Turn {
            action: BindingAction::Revive,
            from: None,
            to: Some(target.clone()),
            reason,
        };
        self.record(binding, turn).await?;
        self.stop(&target.digest, false);
        Ok(())
    }

    /// Takes an installed plugin out of service; its versions stay known.
    pub(crate) async fn remove(&self, plugin: &str, reason: String) -> Result<(), LifeError> {
        let _turn = self.turn().await;
        let now = self.situation(plugin).await?;
        if now
            .entry
            .as_ref()
            .is_some_and(|entry| entry.origin != PluginOrigin::Registry)
        {
            let message = format!("plugins.toml names {plugin}: take it out there");
            return Err(LifeError::Conflict(message));
        }
        if now.binding.stable.is_none() {
            return Err(LifeError::Conflict(format!("{plugin} is not live")));
        }
        let turn = Turn {
            action: BindingAction::Remove,
            from: now.binding.stable.clone(),
            to: None,
            reason,
        };
        let binding = Binding {
            stable: None,
            canary: None,
            previous: None,
            ..now.binding
        };
        self.take(now.bindings, binding, turn).await
    }

    /// Forgets a version that is not bound. Its number stays taken.
    pub(crate) async fn forget(
        &self,
        plugin: &str,
        version: &str,
        reason: &str,
    ) -> Result<(), LifeError> {
        let _turn = self.turn().await;
        let now = self.situation(plugin).await?;
        let known = now.bindings.version(plugin, version);
        known.ok_or_else(|| unknown(plugin, version))?;
        let (registry, name) = (self.roster.registry(), &self.tenant.name);
        // Unlike a plugin that is taken out of service, which is told as a removal, too.
        let reason = match reason {
            "" => FORGOTTEN.to_owned(),
            reason => format!("{reason} ({FORGOTTEN})"),
        };
        if registry
            .remove_version(name, plugin, version, self.by, &reason)
            .await?
        {
            return Ok(());
        }
        Err(LifeError::Conflict(format!(
            "version {version} of {plugin} is live, on trial, or what a rollback goes back to: swap first"
        )))
    }

    pub(super) fn is_stopped(&self, digest: &str) -> bool {
        let toolbox = self.roster.publishing().toolbox();
        toolbox.is_stopped(&self.tenant.name, digest)
    }

    fn stop(&self, digest: &str, stopped: bool) {
        let toolbox = self.roster.publishing().toolbox();
        toolbox.stop(&self.tenant.name, digest, stopped);
    }
}

const FORGOTTEN: &str = "the version is no longer installed";

fn unknown(plugin: &str, version: &str) -> LifeError {
    LifeError::Unknown(format!(
        "there is no version {version} of {plugin}: install it first"
    ))
}

/// A version by its number, which nobody has stopped.
fn runnable(now: &Situation, plugin: &str, version: &str) -> Result<PluginVersion, LifeError> {
    let known = now.bindings.version(plugin, version);
    let known = known.ok_or_else(|| unknown(plugin, version))?;
    if now.binding.killed.contains(&known.digest) {
        let message = format!("version {version} of {plugin} is stopped: revive it first");
        return Err(LifeError::Conflict(message));
    }
    Ok(known.clone())
}

/// The version that is meant: the live one where none is named.
fn stoppable(now: &Situation, plugin: &str, version: Option<&str>) -> Result<Pinned, LifeError> {
    let Some(version) = version else {
        let live = now.binding.stable.clone();
        return live
            .ok_or_else(|| LifeError::Conflict(format!("{plugin} is not live: name a version")));
    };
    let known = now.bindings.version(plugin, version).map(pin);
    // What the folder names is shown by the author's number, and known by one with its digest.
    let live = now.live.as_ref().filter(|live| live.version() == version);
    let live = live.and_then(|live| now.bindings.of_digest(plugin, live.digest()));
    live.map(pin)
        .or(known)
        .ok_or_else(|| unknown(plugin, version))
}

fn tried(binding: &Binding) -> Option<Pinned> {
    binding.canary.as_ref().map(|canary| Pinned {
        version: canary.version.clone(),
        digest: canary.digest.clone(),
    })
}

/// The binding once this version has taken the place of the one before.
fn succeeded(binding: Binding, to: Pinned) -> Binding {
    let is_new = binding.stable.as_ref() != Some(&to);
    Binding {
        previous: if is_new {
            binding.stable
        } else {
            binding.previous
        },
        stable: Some(to),
        canary: None,
        ..binding
    }
}
