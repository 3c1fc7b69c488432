//! The port to the registry of plugins: which versions a tenant knows, which of them are bound, and who changed that and why.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::StoreError;

/// One version of a plugin, by its name and by what it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pinned {
    /// Its version (semver), as its author names it.
    pub version: String,
    /// sha256 of the artifact, lower-case hex.
    pub digest: String,
}

/// A version that a tenant shall know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewVersion {
    /// Whose.
    pub tenant: String,
    /// The plugin's name.
    pub plugin: String,
    /// Semver; unique with tenant and plugin, for ever.
    pub version: String,
    /// sha256 of the artifact, lower-case hex.
    pub digest: String,
    /// Where it came from, for people: a file, a watched folder, an OCI reference with its digest.
    pub source: String,
    /// The key that signed it, by the name that the tenant's trust policy has for it and by what it is.
    pub signed_by: Option<String>,
    /// The signatures that came with it, as a signature file has them; none where there are none to verify again.
    #[serde(default)]
    pub signatures: Option<String>,
    /// What the operator granted of what the manifest asks for; null says nothing of it.
    pub accepted: Value,
    /// Who installs it.
    pub installed_by: String,
    /// Why, in words, for the history; empty where nobody said.
    #[serde(default)]
    pub reason: String,
}

/// A version that a tenant knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginVersion {
    /// Whose.
    pub tenant: String,
    /// The plugin's name.
    pub plugin: String,
    /// Semver; unique with tenant and plugin.
    pub version: String,
    /// As [`NewVersion::digest`].
    pub digest: String,
    /// As [`NewVersion::source`].
    pub source: String,
    /// As [`NewVersion::signed_by`].
    pub signed_by: Option<String>,
    /// As [`NewVersion::signatures`].
    #[serde(default)]
    pub signatures: Option<String>,
    /// As [`NewVersion::accepted`].
    pub accepted: Value,
    /// Who installed it.
    pub installed_by: String,
    /// Unix seconds.
    pub installed_at: i64,
}

/// What became of a version that was to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// The tenant did not know it before, or it had been removed.
    New,
    /// It was known, with this digest. What was accepted, who signed it, and with what, is from now on as it was said now, where
    /// anything was said.
    Known,
    /// The version means another digest, this one, even if it has been removed since: versions do not change.
    OtherDigest(String),
}

/// A version on trial for a share of the cases.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Canary {
    /// As [`Pinned::version`].
    pub version: String,
    /// As [`Pinned::digest`].
    pub digest: String,
    /// Cases out of a thousand, 1 to 1000.
    pub per_mille: u16,
    /// How much worse it may do before it ends by itself.
    #[serde(default)]
    pub tolerance: Tolerance,
}

/// How much worse a version on trial may do than the one beside it, before it ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tolerance {
    /// Calls before anything is made of them.
    pub min_calls: u64,
    /// Calls of a thousand, beyond the other version's share, that may trap or pass a limit.
    pub traps_per_mille: u64,
    /// Likewise that may end in a typed error.
    pub errors_per_mille: u64,
    /// Likewise that may be refused something at the capability gate.
    pub denials_per_mille: u64,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self {
            min_calls: 20,
            traps_per_mille: 20,
            errors_per_mille: 200,
            denials_per_mille: 20,
        }
    }
}

/// `from call 20 on beyond 2.0 % traps, 20.0 % errors or 2.0 % denials`.
impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |per_mille: u64| format!("{}.{} %", per_mille / 10, per_mille % 10);
        write!(
            f,
            "from call {} on beyond {} traps, {} errors or {} denials",
            self.min_calls,
            percent(self.traps_per_mille),
            percent(self.errors_per_mille),
            percent(self.denials_per_mille)
        )
    }
}

/// What a tenant's plugin is bound to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Whose.
    pub tenant: String,
    /// The plugin's name.
    pub plugin: String,
    /// Grows by one with every change, from 1; 0 is a binding that is not stored.
    pub revision: i64,
    /// What calls use; none where the plugin is removed.
    pub stable: Option<Pinned>,
    /// What a share of the cases uses instead.
    pub canary: Option<Canary>,
    /// What a rollback goes back to.
    pub previous: Option<Pinned>,
    /// Digests that must not run.
    pub killed: Vec<String>,
    /// What the tenant's folder said when the binding last followed it, in whatever form its reader compares: a folder that says
    /// the same as before does not undo what was changed in between.
    pub from_folder: Option<String>,
}

/// What was done to a tenant's plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BindingAction {
    /// A version was made known.
    Install,
    /// Another version is stable.
    Swap,
    /// A version is on trial.
    Canary,
    /// The version on trial is stable.
    Promote,
    /// Somebody went back.
    Rollback,
    /// The host went back by itself.
    AutoRollback,
    /// A digest must not run any more.
    Kill,
    /// It may again.
    Revive,
    /// The plugin, or a version of it, was removed.
    Remove,
}

/// A change of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingChange {
    /// What shall hold. Its revision is that of the binding it was made from, which must still be the newest; 0 where there was
    /// none.
    pub binding: Binding,
    /// What is done.
    pub action: BindingAction,
    /// Who does it.
    pub by: String,
    /// What ran before, as the history tells it.
    pub from: Option<Pinned>,
    /// What runs from now on, or is on trial, killed or revived.
    pub to: Option<Pinned>,
    /// Why, in words.
    pub reason: String,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// It holds; the binding with its new revision.
    Done(Binding),
    /// Somebody else was first: what holds now. Nothing has changed.
    Stale(Option<Binding>),
    /// It names a version that has been removed. Nothing has changed.
    Removed(Pinned),
}

/// Who did what to a tenant's plugin, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// Grows with time, across tenants.
    pub seq: i64,
    /// Whose.
    pub tenant: String,
    /// The plugin's name.
    pub plugin: String,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// Who.
    pub by: String,
    /// What was done.
    pub action: BindingAction,
    /// As [`BindingChange::from`].
    pub from: Option<Pinned>,
    /// As [`BindingChange::to`].
    pub to: Option<Pinned>,
    /// Why, in words.
    pub reason: String,
}

/// What the tag was found to lead to that a tenant's plugin was pinned with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFound {
    /// Whose.
    pub tenant: String,
    /// The plugin's name.
    pub plugin: String,
    /// The place with its tag, as it was pinned: `host/repository:tag@sha256:…`.
    pub reference: String,
    /// The manifest that was pinned, `sha256:…`.
    pub pinned: String,
    /// The manifest that the tag leads to now, `sha256:…`; none where it leads to nothing.
    pub now: Option<String>,
    /// Who looked.
    pub by: String,
}

/// A tag that leads elsewhere than where it led when it was pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagMove {
    /// The plugin's name.
    pub plugin: String,
    /// As [`TagFound::reference`].
    pub reference: String,
    /// As [`TagFound::pinned`].
    pub pinned: String,
    /// As [`TagFound::now`].
    pub now: Option<String>,
    /// When it was first found to lead there, Unix milliseconds.
    pub seen_at_ms: i64,
}

/// A component as some tenant knows it, or knew it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAs {
    /// sha256 (hex) of the component.
    pub digest: String,
    /// Whose.
    pub tenant: String,
    /// The plugin's name.
    pub plugin: String,
    /// Its number.
    pub version: String,
    /// It was removed, and nothing is bound to it: it must be installed again before it can run.
    pub is_removed: bool,
}

/// Entries that [`Registry::history`] gives at most.
pub const HISTORY_LIMIT: u32 = 1_000;

/// The registry. Every change of it, its history entry and its audit record are one transaction.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Makes a version known to a tenant. The same version with another digest is refused: versions do not change.
    async fn add_version(&self, version: NewVersion) -> Result<Added, StoreError>;

    /// What a tenant knows, by plugin, oldest first; not what was removed.
    async fn versions(&self, tenant: &str) -> Result<Vec<PluginVersion>, StoreError>;

    /// What every tenant knows or knew, those whose folders are gone included, by tenant, plugin and age.
    async fn known(&self) -> Result<Vec<KnownAs>, StoreError>;

    /// Forgets a version, and tells why in the history. False where it is not known, or bound: stable, on trial, or what a rollback goes back to. Its number
    /// stays taken.
    async fn remove_version(
        &self,
        tenant: &str,
        plugin: &str,
        version: &str,
        by: &str,
        reason: &str,
    ) -> Result<bool, StoreError>;

    /// What a tenant's plugins are bound to, by name; also those without a stable version any more.
    async fn bindings(&self, tenant: &str) -> Result<Vec<Binding>, StoreError>;

    /// Replaces a binding, if it is still the one that the change was made from: of two that race, one is done.
    async fn bind(&self, change: BindingChange) -> Result<Bound, StoreError>;

    /// The newest [`HISTORY_LIMIT`] things that were done to a tenant's plugins, or to one of them, newest first.
    async fn history(
        &self,
        tenant: &str,
        plugin: Option<&str>,
    ) -> Result<Vec<HistoryEntry>, StoreError>;

    /// Notes where a tag was found to lead; true where it was never found to lead there before, which is recorded in the audit
    /// log with it. Nothing that is bound changes by it.
    async fn tag_found(&self, found: TagFound) -> Result<bool, StoreError>;

    /// The tags of a tenant's plugins that led elsewhere when they were last looked at, by plugin and place.
    async fn tag_moves(&self, tenant: &str) -> Result<Vec<TagMove>, StoreError>;
}
