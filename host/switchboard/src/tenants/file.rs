//! A tenant's tenant.toml: who it is, its figures over those of switchboard.toml, its keys and credentials.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use artifacts::TrustSettings;
use sandbox::Share;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::{Spanned, Table, Value};

use super::credentials::CredentialEntry;
use super::identity::KeyEntry;
use super::model::ModelEntry;
use super::refusal::{TenantError, Text};
use super::secret_ref::SecretRef;
use crate::Config;
use crate::config::OAuth;

/// The file's name in a tenant's folder.
pub(crate) const FILE: &str = "tenant.toml";

/// Keys of one section, in place of those of switchboard.toml.
type Changes = BTreeMap<String, Spanned<Value>>;

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TenantFile {
    /// The company's name, as customers know it.
    pub(super) company: String,
    /// Which channels are open; all of them, where it is not said.
    pub(super) channels: Option<Vec<Spanned<String>>>,
    /// What signs the sessions of its website's customers; without it no session is signed.
    pub(super) session_secret: Option<Spanned<SecretRef>>,
    #[serde(default)]
    rules: Changes,
    #[serde(default)]
    budgets: Changes,
    #[serde(default)]
    turn: Changes,
    #[serde(default)]
    plugins: Changes,
    #[serde(default)]
    pub(super) shares: Shares,
    #[serde(default)]
    pub(super) keys: Vec<Spanned<KeyEntry>>,
    #[serde(default)]
    pub(super) credentials: BTreeMap<String, Spanned<CredentialEntry>>,
    /// Who answers in the place of the host's model.
    pub(super) model: Option<Spanned<ModelEntry>>,
    /// Which signatures its plugins need.
    pub(super) trust: Option<Spanned<TrustSettings>>,
    /// Whose access tokens count.
    pub(super) oauth: Option<Spanned<OAuth>>,
}

/// What a tenant's calls may use together; the sandbox's usual share where it is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Shares {
    /// Instances at a time.
    pub(crate) calls: Option<NonZeroU32>,
    /// Milliseconds of computing per second; 1,000 is one core.
    pub(crate) cpu_ms_per_second: Option<NonZeroU32>,
    /// KiB of requests and their answers per second.
    pub(crate) egress_kib_per_second: Option<NonZeroU32>,
    /// MiB that the memories of calls have together.
    pub(crate) memory_mib: Option<NonZeroU32>,
}

impl Shares {
    /// As the sandbox takes it.
    pub(crate) fn share(&self) -> Share {
        let usual = Share::default();
        let egress = self.egress_kib_per_second;
        Share {
            calls: self.calls.map_or(usual.calls, NonZeroU32::get),
            cpu_ms_per_second: self
                .cpu_ms_per_second
                .map_or(usual.cpu_ms_per_second, NonZeroU32::get),
            egress_bytes_per_second: egress.map_or(usual.egress_bytes_per_second, |kib| {
                u64::from(kib.get()) << 10
            }),
            memory_bytes: self.memory_mib.map_or(usual.memory_bytes, |mib| {
                usize::try_from(u64::from(mib.get()) << 20).unwrap_or(usize::MAX)
            }),
        }
    }
}

/// The one key of `[rules]` that switchboard.toml does not have.
const SHIPPED: &str = "shipped";

impl TenantFile {
    /// Whether the tenant's rules are added to the shipped ones, rather than taking their place.
    pub(super) fn keeps_shipped_rules(&self, text: Text<'_>) -> Result<bool, TenantError> {
        let Some(value) = self.rules.get(SHIPPED) else {
            return Ok(true);
        };
        let refused = || text.refuse(value, "rules.shipped", "expected true or false");
        value.get_ref().as_bool().ok_or_else(refused)
    }

    /// The configuration with this tenant's figures in it.
    pub(super) fn over(&self, config: &Config, text: Text<'_>) -> Result<Config, TenantError> {
        Ok(Config {
            rules: overlaid(&config.rules, "rules", &self.rules, text)?,
            budgets: overlaid(&config.budgets, "budgets", &self.budgets, text)?,
            turn: overlaid(&config.turn, "turn", &self.turn, text)?,
            plugins: overlaid(&config.plugins, "plugins", &self.plugins, text)?,
            ..config.clone()
        })
    }

    /// An error about a figure, at the place where the file sets it.
    pub(super) fn blame(&self, key: &str, message: &str, text: Text<'_>) -> TenantError {
        let sections = [
            ("rules", &self.rules),
            ("budgets", &self.budgets),
            ("turn", &self.turn),
            ("plugins", &self.plugins),
        ];
        let (section, name) = key.split_once('.').unwrap_or_default();
        let changes = sections.iter().find(|(known, _)| *known == section);
        match changes.and_then(|(_, changes)| changes.get(name)) {
            Some(value) => text.refuse(value, key, message),
            None => TenantError::of_file(FILE, format!("{key}: {message}")),
        }
    }
}

/// One section with the tenant's values in place of its own.
fn overlaid<T: Serialize + DeserializeOwned>(
    base: &T,
    section: &str,
    changes: &Changes,
    text: Text<'_>,
) -> Result<T, TenantError> {
    let mut table = Table::try_from(base).map_err(|error| TenantError::of_file(FILE, error))?;
    let is_read_elsewhere = |key: &str| section == "rules" && key == SHIPPED;
    let changes = changes.iter().filter(|(key, _)| !is_read_elsewhere(key));
    for (key, value) in changes {
        let refused = |message: String| text.refuse(value, format!("{section}.{key}"), message);
        if !table.contains_key(key) || is_of_the_host(section, key) {
            let known: Vec<&str> = table.keys().map(String::as_str).collect();
            let known = known.iter().filter(|key| !is_of_the_host(section, key));
            let known: Vec<&str> = known.copied().collect();
            return Err(refused(format!(
                "there is no such key for a tenant; there are {}",
                known.join(", ")
            )));
        }
        table.insert(key.clone(), value.get_ref().clone());
        let fits: Result<T, _> = table.clone().try_into();
        fits.map_err(|error: toml::de::Error| refused(error.message().trim().replace('\n', ", ")))?;
    }
    table
        .try_into()
        .map_err(|error: toml::de::Error| TenantError::of_file(FILE, error.message()))
}

/// Keys that name places on the host's own disk.
fn is_of_the_host(section: &str, key: &str) -> bool {
    matches!((section, key), ("rules", "folder") | ("plugins", "extra"))
}
