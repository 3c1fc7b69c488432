//! A tenant's next state: made ready beside the one that serves, and put in its place.

use dispatch::{BindingChange, StoreError};
use serde_json::json;

use super::weighed::Lines;
use super::{Refusal, Roster, check};
use crate::host::bindings::Bindings;
use crate::host::demo;
use crate::host::life::LifeError;
use crate::host::publishing::Ready;
use crate::tenants::Tenant;

/// A tenant as it would be, with its plugins ready.
pub(in crate::host) struct Proposal {
    pub(in crate::host) tenant: Tenant,
    pub(in crate::host) ready: Ready,
    /// What the registry is to hear of what the folder names.
    pub(in crate::host) follows: Vec<BindingChange>,
    /// It is the last good state of a folder that is refused, and stays so.
    pub(super) as_kept: bool,
}

impl Roster {
    /// The tenant's state with these bindings, and its plugins, ready to be live.
    pub(in crate::host) async fn proposed(
        &self,
        name: &str,
        bindings: Bindings,
    ) -> Result<Result<Proposal, Refusal>, StoreError> {
        let load = |bindings: &Bindings| {
            if name == demo::TENANT {
                return Ok((self.parts.built_in)(&bindings.installed())?);
            }
            check(name)?;
            Ok(self.load(&self.read(name)?, bindings)?)
        };
        self.prepared(load, bindings).await
    }

    /// Where the folder binds something, or overrules what is bound, all is prepared once more, as it will be bound then.
    pub(super) async fn prepared(
        &self,
        load: impl Fn(&Bindings) -> Result<Tenant, Refusal>,
        bindings: Bindings,
    ) -> Result<Result<Proposal, Refusal>, StoreError> {
        let first = Box::pin(self.ready(&load, &bindings, &bindings)).await;
        let (tenant, ready, accepted) = match first {
            Ok(prepared) => prepared,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut follows = Vec::new();
        for (plugin, component) in ready.said() {
            let lines = accepted.get(plugin.name()).map_or(&[][..], Vec::as_slice);
            let change = self.followed(&tenant, plugin, component, &bindings, lines);
            follows.extend(change.await?);
        }
        if follows.is_empty() {
            return Ok(Ok(Proposal {
                tenant,
                ready,
                follows,
                as_kept: false,
            }));
        }
        let mut bound = self.bindings(&tenant.name).await?.bound_as(&bindings);
        for change in &follows {
            bound = bound.with(change.binding.clone());
        }
        let prepared = Box::pin(self.ready(&load, &bound, &bindings)).await;
        Ok(prepared.map(|(tenant, ready, _)| Proposal {
            tenant,
            ready,
            follows,
            as_kept: false,
        }))
    }

    /// Held against what `before` binds: also a file that has changed since it was last read.
    async fn ready(
        &self,
        load: &impl Fn(&Bindings) -> Result<Tenant, Refusal>,
        bindings: &Bindings,
        before: &Bindings,
    ) -> Result<(Tenant, Ready, Lines), Refusal> {
        let tenant = load(bindings)?;
        self.parts.tenants.check_keys(&tenant)?;
        let ready = self.parts.publishing.prepare(&tenant, bindings).await?;
        let accepted = self.weighed(&tenant, &ready, before).await?;
        Ok((tenant, ready, accepted))
    }

    /// Makes a prepared state the tenant's.
    pub(in crate::host) async fn make_live(
        &self,
        proposal: Proposal,
        by: &str,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let _going = self.going_live.lock().await;
        self.put_live(proposal, by).await
    }

    /// Likewise, once `first` is done: it is not begun where another tenant has come by one of the keys meanwhile.
    pub(in crate::host) async fn make_live_after(
        &self,
        first: impl Future<Output = Result<(), LifeError>>,
        proposal: Proposal,
        by: &str,
    ) -> Result<(), LifeError> {
        let _going = self.going_live.lock().await;
        let keys = self.parts.tenants.check_keys(&proposal.tenant);
        keys.map_err(Refusal::from)?;
        first.await?;
        Ok(self.put_live(proposal, by).await??)
    }

    /// Likewise, for whoever sees to it that nobody else does it meanwhile.
    pub(super) async fn put_live(
        &self,
        proposal: Proposal,
        by: &str,
    ) -> Result<Result<(), Refusal>, StoreError> {
        // Another tenant may have come by one of its keys while this one was made ready.
        if let Err(shared) = self.parts.tenants.check_keys(&proposal.tenant) {
            return Ok(Err(shared.into()));
        }
        self.tell_left_out(&proposal.ready, by).await?;
        self.parts.publishing.go_live(proposal.ready);
        let stays_refused = proposal.as_kept;
        if let Err(refusal) = self.put(proposal.tenant, stays_refused, by).await? {
            return Ok(Err(refusal));
        }
        for change in proposal.follows {
            self.follow(change).await?;
        }
        Ok(Ok(()))
    }

    async fn put(
        &self,
        tenant: Tenant,
        stays_refused: bool,
        by: &str,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let name = tenant.name.clone();
        let before = self.parts.tenants.get(&name);
        let before = before.map(|tenant| tenant.rulebook.version().to_owned());
        let now = match self.parts.tenants.put(tenant) {
            Ok(tenant) => tenant,
            Err(shared) => return Ok(Err(shared.into())),
        };
        if !stays_refused && let Some(known) = self.known().get_mut(&name) {
            known.refused = None;
        }
        self.parts.publishing.announce();
        let detail = json!({
            "event": if before.is_some() { "tenant_reloaded" } else { "tenant_added" },
            "rulebook_before": before,
            "rulebook": now.rulebook.version(),
        });
        self.record(&name, by, detail).await?;
        Ok(Ok(()))
    }
}
