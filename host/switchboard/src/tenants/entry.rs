//! A tenant's plugins.toml: which plugins it has, where each comes from, and exactly what each may do.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use artifacts::{Reference, ReferenceError};
use policy::HttpGrant;
use serde::Deserialize;
use toml::Spanned;

use super::credentials::Credentials;
use super::refusal::{TenantError, Text};
use crate::{Reach, is_plugin_name};

/// The file's name in a tenant's folder.
pub(crate) const FILE: &str = "plugins.toml";

/// Where a plugin's component comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PluginOrigin {
    /// Shipped with the program, under this name.
    Builtin(String),
    /// A file, relative to the tenant's folder.
    File(PathBuf),
    /// This version, as the registry has it.
    Version(semver::Version),
    /// `host/repository:tag@sha256:…` of an OCI registry.
    Oci(Reference),
    /// Installed by hand, and not in the file: the version that is bound.
    Registry,
}

impl fmt::Display for PluginOrigin {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(name) => write!(to, "builtin {name}"),
            Self::File(file) => write!(to, "file {}", file.display()),
            Self::Version(version) => write!(to, "version {version}"),
            Self::Oci(reference) => write!(to, "oci {reference}"),
            Self::Registry => to.write_str("installed"),
        }
    }
}

/// One plugin of a tenant, as its operator binds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PluginEntry {
    /// Its name in the tenant.
    pub(crate) name: String,
    /// Where its component comes from.
    pub(crate) origin: PluginOrigin,
    /// `sha256:…` that the component must have.
    pub(crate) digest: Option<String>,
    /// What it reads through `wasi:config/store`.
    pub(crate) settings: BTreeMap<String, String>,
    /// Where it may send requests to.
    pub(crate) grants: Vec<HttpGrant>,
    /// It may ask the tenant's model.
    pub(crate) model: bool,
    /// It may keep keys and values.
    pub(crate) key_value: bool,
    /// What its operator has looked at, and wants, of a component that takes the place of another: the lines of the refusal. They
    /// grant nothing.
    pub(crate) accept: Vec<String>,
}

impl PluginEntry {
    /// Of a plugin that only the registry knows, granting nothing.
    pub(crate) fn installed(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            origin: PluginOrigin::Registry,
            digest: None,
            settings: BTreeMap::new(),
            grants: Vec::new(),
            model: false,
            key_value: false,
            accept: Vec::new(),
        }
    }
}

/// One plugin as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: Option<String>,
    file: Option<PathBuf>,
    builtin: Option<String>,
    oci: Option<String>,
    digest: Option<String>,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    #[serde(default)]
    reach: Vec<Spanned<Reach>>,
    #[serde(default)]
    model: bool,
    #[serde(default)]
    key_value: bool,
    #[serde(default)]
    accept: Vec<String>,
}

/// Reads plugins.toml; `settings` are those of every plugin that sets none itself. Every credential that it names must be among
/// `credentials`.
pub(super) fn parse(
    text: Text<'_>,
    settings: &BTreeMap<String, String>,
    credentials: &Credentials,
) -> Result<Vec<PluginEntry>, TenantError> {
    let written: BTreeMap<String, Spanned<Written>> = text.parse()?;
    let read = |(name, entry): (String, Spanned<Written>)| {
        let refused = |message: String| text.refuse(&entry, &name, message);
        if !is_plugin_name(&name) {
            return Err(refused(NAME.to_owned()));
        }
        let written = entry.get_ref();
        let origin = origin(written).map_err(refused)?;
        let settings = with_own(settings, &written.settings);
        let grants = written.reach.iter().map(|reach| {
            grant(reach.get_ref(), &settings, credentials)
                .map_err(|message| text.refuse(reach, format!("{name}.reach"), message))
        });
        Ok(PluginEntry {
            grants: grants.collect::<Result<_, _>>()?,
            digest: written.digest.clone(),
            model: written.model,
            key_value: written.key_value,
            accept: written.accept.clone(),
            name,
            origin,
            settings,
        })
    };
    written.into_iter().map(read).collect()
}

const NAME: &str =
    "a plugin's name is 1 to 63 of a-z, 0-9, - and _, and begins with a letter or digit";

fn with_own(
    common: &BTreeMap<String, String>,
    own: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut settings = common.clone();
    settings.extend(own.clone());
    settings
}

fn origin(entry: &Written) -> Result<PluginOrigin, String> {
    match (&entry.version, &entry.file, &entry.builtin, &entry.oci) {
        (Some(version), None, None, None) => match version.parse() {
            Ok(version) => Ok(PluginOrigin::Version(version)),
            Err(_) => Err(format!("`{version}` is no version: write one such as 1.2.0")),
        },
        (None, Some(file), None, None) => Ok(PluginOrigin::File(file.clone())),
        (None, None, Some(builtin), None) => Ok(PluginOrigin::Builtin(builtin.clone())),
        (None, None, None, Some(oci)) => pinned(oci).map(PluginOrigin::Oci),
        _ => Err("say once where it comes from: version = \"1.2.0\", file = \"x.wasm\", builtin = \"crm\" or oci = \"host/repository:tag@sha256:…\"".to_owned()),
    }
}

/// A tag alone may mean something else at the next start.
fn pinned(oci: &str) -> Result<Reference, String> {
    let reference: Reference = oci
        .parse()
        .map_err(|error: ReferenceError| error.to_string())?;
    match reference.digest() {
        Some(_) => Ok(reference),
        None => Err(format!(
            "`{oci}` is not pinned: write host/repository:tag@sha256:… with the digest that `switchboard plugin publish` or `plugin verify` shows"
        )),
    }
}

/// The grants that these are with these settings.
pub(super) fn grants(
    reach: &[Reach],
    settings: &BTreeMap<String, String>,
    credentials: &Credentials,
) -> Result<Vec<HttpGrant>, String> {
    let grants = reach
        .iter()
        .map(|reach| grant(reach, settings, credentials));
    grants.collect()
}

fn grant(
    reach: &Reach,
    settings: &BTreeMap<String, String>,
    credentials: &Credentials,
) -> Result<HttpGrant, String> {
    let unknown = reach
        .credential
        .as_ref()
        .filter(|name| !credentials.has(name));
    if let Some(name) = unknown {
        return Err(format!(
            "there is no credential {name}: add [credentials.{name}] to tenant.toml, or take it out here"
        ));
    }
    let grant = reach.grant(settings);
    grant.map_err(|error| error.to_string())
}
