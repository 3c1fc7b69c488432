//! Taking up a tenant's folder: what it says is served, or what is served says why not. A start that cannot serve a folder serves
//! its last good state.

use dispatch::StoreError;
use serde_json::json;

use super::kept::Kept;
use super::{Proposal, Refusal, Refused, Roster, RosterError, check, writing};
use crate::host::bindings::Bindings;
use crate::tenants::TenantFolder;

impl Roster {
    /// Makes the folder's state the tenant's; refused, the last good state keeps serving, and how it stands says why.
    pub(super) async fn take_up(
        &self,
        name: &str,
        by: &str,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let folder = self.folder().map(|folder| folder.join(name));
        let undone = folder.map_or(Ok(()), |folder| writing::undo_half_done(&folder));
        // Before its files are looked at: what changes meanwhile is a change to be taken up.
        let seen = self.look(name);
        let bindings = self.bindings(name).await?;
        let load = |bindings: &Bindings| {
            check(name)?;
            undone.clone()?;
            let folder = seen.folder.as_ref().map_err(Clone::clone)?;
            Ok(self.load(folder, bindings)?)
        };
        let taken = match self.prepared(load, bindings).await? {
            Ok(proposal) => self.make_live(proposal, by).await?,
            Err(refusal) => Err(refusal),
        };
        let Err(refusal) = taken else {
            seen.folder.iter().for_each(|folder| self.keep_good(folder));
            self.know(name, seen, None);
            return Ok(Ok(()));
        };
        let detail = json!({ "event": "tenant_refused", "reason": refusal.to_string() });
        self.record(name, by, detail).await?;
        let refused = self.last_good(name, &refusal, by).await?;
        self.know(name, seen, Some(refused));
        Ok(Err(refusal))
    }

    /// Keeps what is live by now for a start that cannot serve the folder.
    pub(super) fn keep_good(&self, folder: &TenantFolder) {
        if let Err(error) = self.kept.keep(folder) {
            tracing::error!(tenant = folder.name, %error, "the tenant's good state cannot be kept in the data folder; should its folder break, a start does not serve it");
            // An earlier one is not what was live last: a key that was taken away would open again.
            if let Err(error) = self.kept.forget(&folder.name) {
                tracing::error!(tenant = folder.name, %error, "what is kept of the tenant is an earlier state, and cannot be removed");
            }
        }
    }

    /// Takes a tenant out of service whose folder is gone; nothing is kept of it.
    pub(super) async fn forget(&self, name: &str, by: &str) -> Result<(), RosterError> {
        if self.parts.tenants.remove(name) {
            self.parts.publishing.withdraw(name);
            self.record(name, by, json!({ "event": "tenant_removed" }))
                .await?;
        }
        // What cannot be forgotten is still known, and looked at again.
        self.kept.forget(name)?;
        self.known().remove(name);
        Ok(())
    }

    /// Of tenants whose folders went away while this program did not run, nothing is kept either.
    pub(super) fn forget_the_gone(&self, there: &[String]) {
        let forgotten = self.kept.tenants().and_then(|kept| {
            let mut gone = kept.iter().filter(|name| !there.contains(name));
            gone.try_for_each(|name| self.kept.forget(name))
        });
        if let Err(error) = forgotten {
            tracing::error!(%error, "what is kept of tenants without a folder cannot be removed from the data folder");
        }
    }

    /// What is served of a tenant whose folder is refused: what is live, or else what is kept of it.
    async fn last_good(
        &self,
        name: &str,
        refusal: &Refusal,
        by: &str,
    ) -> Result<Refused, StoreError> {
        let kept = self.kept.of(name);
        let since = kept.as_ref().ok().and_then(Option::as_ref);
        let since = since.map(|kept| kept.since.clone());
        if self.tenant(name).is_some() {
            tracing::warn!(tenant = name, reason = %refusal, "a tenant's folder was refused; what was live before keeps serving");
            return Ok(Refused {
                reason: refusal.to_string(),
                good_since: since,
            });
        }
        let served = match kept {
            Ok(None) => None,
            Ok(Some(kept)) => Some(self.served_as_kept(name, kept, by).await?),
            Err(error) => Some(Err(error.to_string())),
        };
        let mut refused = Refused {
            reason: refusal.to_string(),
            good_since: None,
        };
        match served {
            None => {
                tracing::error!(tenant = name, reason = %refusal, "a tenant's folder was refused, and it has no earlier state; it is not served");
            }
            Some(Ok(())) => {
                tracing::error!(tenant = name, reason = %refusal, since, "a tenant's folder was refused; it is served as it was last good");
                refused.good_since = since;
            }
            Some(Err(error)) => {
                tracing::error!(tenant = name, reason = %refusal, error, "a tenant's folder was refused, and so is its last good state; it is not served");
                refused.reason =
                    format!("{refusal}; its last good state does not load either: {error}");
            }
        }
        Ok(refused)
    }

    /// Serves what is kept of a tenant, with its plugins as they are bound, or says why not.
    async fn served_as_kept(
        &self,
        name: &str,
        kept: Kept,
        by: &str,
    ) -> Result<Result<(), String>, StoreError> {
        let since = kept.since.clone();
        let folder = self.folder_as_kept(name, kept);
        let load = |bindings: &Bindings| {
            check(name)?;
            Ok(self.load(&folder, bindings)?)
        };
        let bindings = self.bindings(name).await?.held();
        let served = match self.prepared(load, bindings).await? {
            Ok(proposal) => self.make_live(proposal, by).await?,
            Err(refusal) => Err(refusal),
        };
        if served.is_ok() {
            let detail = json!({ "event": "tenant_as_last_good", "since": since });
            self.record(name, by, detail).await?;
        }
        Ok(served.map_err(|refusal| refusal.to_string()))
    }

    /// The last good state of a folder that is refused, with these bindings; the refusal where none is kept.
    pub(in crate::host) async fn proposed_as_kept(
        &self,
        name: &str,
        bindings: Bindings,
        refused: Refusal,
    ) -> Result<Result<Proposal, Refusal>, StoreError> {
        let Ok(Some(kept)) = self.kept.of(name) else {
            return Ok(Err(refused));
        };
        let folder = self.folder_as_kept(name, kept);
        let load = |bindings: &Bindings| Ok(self.load(&folder, bindings)?);
        let proposed = self.prepared(load, bindings.held()).await?;
        Ok(proposed.map(|proposal| Proposal {
            as_kept: true,
            ..proposal
        }))
    }

    /// The folder as it was last good.
    pub(super) fn folder_as_kept(&self, name: &str, kept: Kept) -> TenantFolder {
        TenantFolder {
            name: name.to_owned(),
            path: self.parts.config.tenants.join(name),
            texts: kept.texts,
        }
    }
}
