//! Where a plugin's component comes from: what the registry binds, unless the tenant's folder has said something else since.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use artifacts::{Artifacts, Digest, Fetched, Registries, Source};
use dispatch::{Pinned, PluginVersion};

use super::PublishError;
use crate::embedded;
use crate::host::bindings::Bindings;
use crate::host::vouched::{self, NotVouched};
use crate::tenants::{PluginEntry, PluginOrigin, Tenant};

/// Pulled components that are kept at hand.
const MAX_PULLED: usize = 32;

/// A component that may be loaded, and what is known of it.
#[derive(Clone)]
pub(crate) struct Component {
    /// As its tools show it.
    pub(crate) version: String,
    pub(crate) bytes: Arc<Vec<u8>>,
    /// sha256 (hex).
    pub(crate) digest: String,
    /// Where it came from, for people.
    pub(crate) source: String,
    /// Whose signature counted.
    pub(crate) signed_by: Option<String>,
    /// What of its signatures can be verified again, as a signature file has them.
    pub(crate) signatures: Option<String>,
    /// What the folder says, digest included; none where the component is not the folder's.
    pub(crate) said: Option<String>,
}

impl Component {
    /// Its number in the registry. What a folder names may change under one version, so that the digest is part of it.
    pub(crate) fn pinned(&self) -> Pinned {
        let version = match self.version.parse::<semver::Version>() {
            Ok(version) => format!("{}.{}.{}", version.major, version.minor, version.patch),
            Err(_) => "0.0.0".to_owned(),
        };
        Pinned {
            version: format!("{version}+{}", self.digest.get(..12).unwrap_or_default()),
            digest: self.digest.clone(),
        }
    }

    /// It comes with this program, which needs nobody's word.
    pub(crate) fn is_shipped(&self) -> bool {
        is_shipped(&self.digest)
    }
}

/// Everywhere that components come from.
pub(super) struct Sources {
    pub(super) registries: Registries,
    /// None for a look that must leave nothing behind.
    pub(super) artifacts: Option<Artifacts>,
    /// What pinned references lead to: that does not change.
    pulled: Mutex<HashMap<String, Arc<Fetched>>>,
}

impl Sources {
    pub(super) fn new(registries: Registries, artifacts: Option<Artifacts>) -> Self {
        Self {
            registries,
            artifacts,
            pulled: Mutex::default(),
        }
    }

    /// What calls of this plugin shall use.
    pub(super) async fn stable(
        &self,
        entry: &PluginEntry,
        tenant: &Tenant,
        bindings: &Bindings,
    ) -> Result<Component, PublishError> {
        let binding = bindings.get(&entry.name);
        let followed = binding.and_then(|binding| binding.from_folder.as_ref());
        let bound = binding.and_then(|binding| binding.stable.as_ref());
        let gone = || missing(entry, "no version of it is bound".to_owned());
        let version = bound.map(|bound| bindings.pinned(&entry.name, bound).ok_or_else(gone));
        let version = version.transpose()?;
        // What is pinned says the same wherever it is fetched from, and nothing needs to be fetched for that.
        let is_followed = match &entry.origin {
            _ if bindings.are_held() => true,
            PluginOrigin::Registry => true,
            PluginOrigin::Version(_) | PluginOrigin::Oci(_) => {
                followed == Some(&entry.origin.to_string())
            }
            PluginOrigin::Builtin(_) | PluginOrigin::File(_) => false,
        };
        if is_followed && let Some(version) = version {
            return self.installed(entry, tenant, version).await;
        }
        let said = self.said(entry, tenant, bindings).await?.ok_or_else(gone)?;
        match version {
            Some(version) if followed == said.said.as_ref() && version.digest != said.digest => {
                self.installed(entry, tenant, version).await
            }
            _ => Ok(said),
        }
    }

    /// What the folder says; none for a plugin that it does not name.
    pub(super) async fn said(
        &self,
        entry: &PluginEntry,
        tenant: &Tenant,
        bindings: &Bindings,
    ) -> Result<Option<Component>, PublishError> {
        let found = match &entry.origin {
            PluginOrigin::Registry => return Ok(None),
            PluginOrigin::Builtin(name) => builtin(entry, name)?,
            PluginOrigin::File(file) => {
                self.fetched(Source::File(file.clone()), entry, tenant)
                    .await?
            }
            PluginOrigin::Oci(place) => {
                self.fetched(Source::Oci(place.clone()), entry, tenant)
                    .await?
            }
            PluginOrigin::Version(number) => {
                let number = number.to_string();
                let version = bindings.version(&entry.name, &number);
                let version = version.ok_or_else(|| missing(entry, format!(
                    "version {number} is not installed: `switchboard plugin install FILE --tenant {}` makes it known", tenant.name
                )))?;
                self.installed(entry, tenant, version).await?
            }
        };
        let digest = &found.digest;
        let said = match &entry.origin {
            PluginOrigin::Builtin(_) => format!("{} sha256:{digest}", entry.origin),
            // Wherever the file is, and however its path is written.
            PluginOrigin::File(_) => format!("file sha256:{digest}"),
            other => other.to_string(),
        };
        Ok(Some(Component {
            said: Some(said),
            ..found
        }))
    }

    /// An installed version, if it still is what was installed. Somebody whom the tenant trusts by now must have signed it, where
    /// the tenant wants that.
    pub(super) async fn installed(
        &self,
        entry: &PluginEntry,
        tenant: &Tenant,
        version: &PluginVersion,
    ) -> Result<Component, PublishError> {
        let component = self.kept(entry, version).await;
        let vouched = component.and_then(|component| {
            if tenant.trust.is_required() && !is_shipped(&version.digest) {
                vouched::still_vouched(version, &component.bytes, &tenant.trust)
                    .map_err(|reason| untrusted(entry, reason))?;
            }
            Ok(component)
        });
        vouched.map_err(|reason| PublishError::Installed(Box::new(reason)))
    }

    /// Its bytes, which are read against the digest, whoever vouches for them: to be looked at, not to be run.
    pub(super) async fn kept(
        &self,
        entry: &PluginEntry,
        version: &PluginVersion,
    ) -> Result<Component, PublishError> {
        let unusable = |error: String| missing(entry, error);
        let digest: Digest = version
            .digest
            .parse()
            .map_err(|error: artifacts::DigestError| unusable(error.to_string()))?;
        let Some(artifacts) = self.artifacts.clone() else {
            return Err(unusable(
                "installed plugins are not at hand here".to_owned(),
            ));
        };
        let read = tokio::task::spawn_blocking(move || artifacts.get(&digest)).await;
        let read = read.map_err(|error| unusable(error.to_string()))?;
        Ok(Component {
            version: version.version.clone(),
            bytes: Arc::new(read.map_err(|error| unusable(error.to_string()))?),
            digest: version.digest.clone(),
            source: version.source.clone(),
            signed_by: version.signed_by.clone(),
            signatures: version.signatures.clone(),
            said: None,
        })
    }

    async fn fetched(
        &self,
        source: Source,
        entry: &PluginEntry,
        tenant: &Tenant,
    ) -> Result<Component, PublishError> {
        let fetched = match &source {
            Source::File(_) => Arc::new(self.fetch(&source, entry).await?),
            Source::Oci(place) => self.pulled(&place.to_string(), &source, entry).await?,
        };
        let vouched = vouched::vouched(&fetched, &tenant.trust, &entry.name);
        let vouched = vouched.map_err(|reason| match reason {
            // That is no question of trust.
            NotVouched::Manifest(error) => missing(entry, error.to_string()),
            reason => untrusted(entry, reason),
        })?;
        Ok(Component {
            version: vouched.version,
            signed_by: vouched.signer,
            signatures: vouched::kept(&fetched.signatures),
            bytes: Arc::new(fetched.bytes.clone()),
            digest: fetched.digest.hex(),
            source: fetched.source.clone(),
            said: None,
        })
    }

    async fn pulled(
        &self,
        place: &str,
        source: &Source,
        entry: &PluginEntry,
    ) -> Result<Arc<Fetched>, PublishError> {
        let known = self
            .pulled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(place)
            .cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let fetched = Arc::new(self.fetch(source, entry).await?);
        let mut pulled = self.pulled.lock().unwrap_or_else(PoisonError::into_inner);
        if pulled.len() >= MAX_PULLED {
            pulled.clear();
        }
        pulled.insert(place.to_owned(), Arc::clone(&fetched));
        Ok(fetched)
    }

    async fn fetch(&self, source: &Source, entry: &PluginEntry) -> Result<Fetched, PublishError> {
        let fetched = source.fetch(&self.registries).await;
        let fetched = fetched.map_err(|error| missing(entry, error.to_string()))?;
        if let Some(moved) = &fetched.tag_moved {
            tracing::warn!(plugin = entry.name, reference = %moved.reference, now = ?moved.now, "the tag of a pinned plugin leads elsewhere by now; the pinned one is used");
        }
        Ok(fetched)
    }
}

/// A component that comes with this program.
fn builtin(entry: &PluginEntry, name: &str) -> Result<Component, PublishError> {
    match embedded::component(name) {
        [] => Err(missing(
            entry,
            format!("there is no shipped plugin {name}; there are {}", shipped()),
        )),
        bytes => Ok(Component {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            bytes: Arc::new(bytes.to_vec()),
            digest: Digest::of(bytes).hex(),
            source: entry.origin.to_string(),
            signed_by: None,
            signatures: None,
            said: None,
        }),
    }
}

/// What comes with this program needs nobody's word.
fn is_shipped(digest: &str) -> bool {
    let mut shipped = embedded::COMPONENTS.iter();
    shipped.any(|(_, bytes)| Digest::of(bytes).hex() == digest)
}

fn shipped() -> String {
    let names: Vec<&str> = embedded::COMPONENTS.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

pub(super) fn missing(entry: &PluginEntry, message: String) -> PublishError {
    PublishError::Missing {
        plugin: label(entry),
        message,
    }
}

fn untrusted(entry: &PluginEntry, reason: NotVouched) -> PublishError {
    PublishError::Untrusted {
        plugin: label(entry),
        reason,
    }
}

/// A file is easier to find by its path than by the name that it was given.
pub(super) fn label(entry: &PluginEntry) -> String {
    match &entry.origin {
        PluginOrigin::File(file) => format!("{} ({})", entry.name, file.display()),
        _ => entry.name.clone(),
    }
}
