//! A plugin that came through the registry: what its operator accepted of its manifest stands where plugins.toml has no entry of
//! its name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::entry::grants;
use super::{Credentials, PluginEntry, PluginOrigin};
use crate::{Asks, Classified, Manifest};

/// What an operator grants who accepts what a manifest asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Accepted {
    /// What the plugin may do.
    pub(crate) asks: Asks,
    /// The operator's own settings, over the manifest's.
    pub(crate) settings: BTreeMap<String, String>,
    /// How its tools are judged, and who may use them.
    pub(crate) tools: BTreeMap<String, Classified>,
}

/// A version that a tenant's plugin is bound to, by the registry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Installed {
    /// The plugin's name.
    pub(crate) plugin: String,
    /// What was accepted of the version that calls use; the default grants nothing.
    pub(crate) accepted: Accepted,
}

impl Accepted {
    /// All that this manifest asks for.
    pub(crate) fn of(manifest: &Manifest, settings: &BTreeMap<String, String>) -> Self {
        Self {
            asks: manifest.asks.clone(),
            settings: settings.clone(),
            tools: manifest.tools.clone(),
        }
    }

    /// What this has that `other` has not, in an operator's words; none where it asks for no more.
    pub(crate) fn beyond(&self, other: &Self) -> Vec<String> {
        let (asks, had) = (&self.asks, &other.asks);
        let mut more = Vec::new();
        let reach = asks.reach.iter().filter(|reach| !had.reach.contains(reach));
        more.extend(reach.map(|reach| {
            let (methods, origin) = (reach.methods.join(", "), &reach.origin);
            let paths: Vec<&str> = reach.paths.iter().map(|path| path.0.as_str()).collect();
            let with = match &reach.credential {
                Some(name) => format!(" with the credential {name}"),
                None => String::new(),
            };
            format!("{methods} {origin} {}{with}", paths.join(", "))
        }));
        more.extend((asks.model && !had.model).then(|| "the tenant's model".to_owned()));
        more.extend(
            (asks.key_value && !had.key_value).then(|| "keys and values of its own".to_owned()),
        );
        let tools = self.tools.iter();
        let tools = tools.filter(|(name, tool)| other.tools.get(*name) != Some(tool));
        more.extend(tools.map(|(name, tool)| {
            let open_to = serde_json::to_value(tool.open_to).unwrap_or_default();
            let effect = serde_json::to_value(tool.rule.effect).unwrap_or_default();
            format!(
                "the tool {name}: effect {effect}, open to {}",
                open_to.as_str().unwrap_or("nobody")
            )
        }));
        more
    }

    /// The entry that plugins.toml would have; every credential it names must be among `credentials`.
    pub(crate) fn entry(
        &self,
        plugin: &str,
        common: &BTreeMap<String, String>,
        credentials: &Credentials,
    ) -> Result<PluginEntry, String> {
        let mut settings = common.clone();
        settings.extend(self.asks.settings_with(&self.settings));
        Ok(PluginEntry {
            name: plugin.to_owned(),
            origin: PluginOrigin::Registry,
            digest: None,
            grants: grants(&self.asks.reach, &settings, credentials)?,
            settings,
            model: self.asks.model,
            key_value: self.asks.key_value,
        })
    }
}
