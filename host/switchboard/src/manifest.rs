//! The manifest of a plugin, `plugin.toml`: what its author says of it, and what travels with it inside the component.

mod section;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use policy::HttpGrant;
use semver::Version;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::host::rules;
use crate::{Classified, Complaint, Reach, ReachError};

/// The file in an author's folder.
pub const MANIFEST_FILE: &str = "plugin.toml";

/// The longest manifest, in bytes: it is read before anything of the component is trusted.
const MAX_BYTES: usize = 64 << 10;
/// The longest name, in characters.
const MAX_NAME: usize = 63;

/// What an author says of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `[a-z0-9][a-z0-9_-]*`, at most 63 characters.
    pub name: String,
    /// Semantic versioning; what one version is never changes.
    pub version: Version,
    /// One line for whoever installs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How `switchboard plugin build` makes the component; nobody needs it to run one.
    #[serde(default, skip_serializing)]
    pub build: Option<Build>,
    /// What it asks its operator for.
    #[serde(default)]
    pub asks: Asks,
    /// How the author classifies the tools, by name. An operator's `tools.toml` wins, and can alone say who a customer is, what
    /// is so of the contract's things, and which budgets a call draws on.
    #[serde(default, rename = "tool")]
    pub tools: BTreeMap<String, Classified>,
}

/// How a component is built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// A command line for the shell, run in the manifest's folder.
    #[serde(default)]
    pub command: String,
    /// Where the command leaves the component, relative to the folder.
    #[serde(default)]
    pub component: PathBuf,
    /// The description of an HTTP API, relative to the folder; it takes the place of a command and of any code.
    #[serde(default)]
    pub api: Option<PathBuf>,
    /// The folder with the plugin's own WIT, whose comments become the tools' descriptions.
    #[serde(default = "wit_folder")]
    pub wit: PathBuf,
}

fn wit_folder() -> PathBuf {
    "wit".into()
}

/// What a plugin asks its operator for. An operator who accepts them grants exactly this.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asks {
    /// The settings that it reads, with their defaults; an operator may give others.
    pub settings: BTreeMap<String, String>,
    /// It asks the tenant's model.
    pub model: bool,
    /// It keeps keys and values.
    pub key_value: bool,
    /// Where it sends requests.
    pub reach: Vec<Reach>,
}

/// Why a manifest was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// It does not say what a manifest says.
    #[error("{file}, {complaint}")]
    Unfit {
        /// The file, or the component that carries it.
        file: PathBuf,
        /// Where, and what.
        complaint: Complaint,
    },
    /// It is longer than any manifest needs to be.
    #[error("{file}: the manifest has {bytes} bytes, and may have {MAX_BYTES}")]
    TooLong {
        /// The file, or the component that carries it.
        file: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// No component, or one whose sections cannot be read.
    #[error("{file}: {message}")]
    Component {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// It classifies tools that the component does not have.
    #[error(
        "{MANIFEST_FILE} classifies {}, which the component does not offer; it offers {}",
        .unknown.join(", "), .offered.join(", ")
    )]
    UnknownTools {
        /// What is classified.
        unknown: Vec<String>,
        /// What there is.
        offered: Vec<String>,
    },
}

impl Manifest {
    /// Reads a manifest's text; `file` is for messages.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ManifestError> {
        if text.len() > MAX_BYTES {
            return Err(ManifestError::TooLong {
                file: file.into(),
                bytes: text.len(),
            });
        }
        let read = toml::from_str::<Self>(text);
        let read = read.map_err(|error| Complaint::of(text, &error));
        read.and_then(|manifest| manifest.checked(text))
            .map_err(|complaint| ManifestError::Unfit {
                file: file.into(),
                complaint,
            })
    }

    /// The manifest that a component carries; `file` is for messages. None if it carries none.
    pub fn of_component(component: &[u8], file: &Path) -> Result<Option<Self>, ManifestError> {
        let text = section::read(component, section::MANIFEST)
            .map_err(|message| unreadable(file, message))?;
        text.map(|text| Self::parse(text, file)).transpose()
    }

    /// The component with this manifest's text inside, in the place of any other. `file` is for messages.
    pub fn embed(text: &str, component: &[u8], file: &Path) -> Result<Vec<u8>, ManifestError> {
        Self::parse(text, file)?;
        let written = section::write(component, section::MANIFEST, text);
        written.map_err(|message| unreadable(file, message))
    }

    /// Whether the component, or a module in it, carries documentation of its own packages.
    pub fn is_documented(component: &[u8]) -> bool {
        let name = section::WIT.as_bytes();
        component.windows(name.len()).any(|here| here == name)
    }

    /// The component with the documentation of its own packages (WIT text) inside, in the place of any other.
    pub fn document(wit: &str, component: &[u8], file: &Path) -> Result<Vec<u8>, ManifestError> {
        let written = section::write(component, section::WIT, wit);
        written.map_err(|message| unreadable(file, message))
    }

    /// The component with this description of an API inside, in the place of any other.
    pub fn describe(api: &str, component: &[u8], file: &Path) -> Result<Vec<u8>, ManifestError> {
        let written = section::write(component, described::SECTION, api);
        written.map_err(|message| unreadable(file, message))
    }

    /// Refuses a manifest that classifies tools which `offered` (the component's) does not hold.
    pub fn check_tools<'a>(
        &self,
        offered: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), ManifestError> {
        let offered: BTreeSet<&str> = offered.into_iter().collect();
        let mut classified = self.tools.keys().chain(self.bound_tools());
        let unknown: BTreeSet<&String> = classified
            .by_ref()
            .filter(|tool| !offered.contains(tool.as_str()))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(ManifestError::UnknownTools {
            unknown: unknown.into_iter().cloned().collect(),
            offered: offered.into_iter().map(str::to_owned).collect(),
        })
    }

    /// The tools that a destination is kept for.
    fn bound_tools(&self) -> impl Iterator<Item = &String> {
        self.asks.reach.iter().flat_map(|reach| reach.tools.keys())
    }

    fn checked(self, text: &str) -> Result<Self, Complaint> {
        if !is_plugin_name(&self.name) {
            return Err(Complaint::about(
                text,
                "name",
                format_args!(
                    "expected a-z, 0-9, - and _, starting with a letter or a digit, at most {MAX_NAME} characters; found {:?}",
                    self.name
                ),
            ));
        }
        self.asks
            .grants(&self.asks.settings)
            .map_err(|error| Complaint::about(text, "asks.reach.origin", error))?;
        self.check_reserved(text)?;
        Ok(self)
    }

    /// Refuses what only an operator can say of a tool.
    fn check_reserved(&self, text: &str) -> Result<(), Complaint> {
        if self.tools.is_empty() {
            return Ok(());
        }
        let contract = rules::classification();
        let contract = contract.map_err(|error| Complaint::about(text, "tool", error))?;
        let mut tools = self.tools.iter();
        let reserved = tools.find_map(|(name, tool)| Some((name, tool.reserved(&contract)?)));
        match reserved {
            Some((name, (key, why))) => {
                let key = format!("tool.{name}.{key}");
                Err(Complaint::about(text, &key, why))
            }
            None => Ok(()),
        }
    }
}

impl Asks {
    /// The settings as they are with the operator's `chosen` ones over the defaults.
    pub fn settings_with(&self, chosen: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut settings = self.settings.clone();
        settings.extend(chosen.clone());
        settings
    }

    /// The grants that an operator gives who accepts, with these settings.
    pub fn grants(
        &self,
        settings: &BTreeMap<String, String>,
    ) -> Result<Vec<HttpGrant>, ReachError> {
        self.reach
            .iter()
            .map(|reach| reach.grant(settings))
            .collect()
    }
}

/// Whether a plugin can have this name.
pub fn is_plugin_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= MAX_NAME
        && name.bytes().next().is_some_and(plain)
        && name
            .bytes()
            .all(|byte| plain(byte) || byte == b'-' || byte == b'_')
}

fn unreadable(file: &Path, message: String) -> ManifestError {
    ManifestError::Component {
        file: file.into(),
        message,
    }
}

#[cfg(test)]
mod tests;
