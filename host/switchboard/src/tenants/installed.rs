//! A plugin that came through the registry: what its operator accepted of its manifest stands where plugins.toml has no entry of
//! its name.

use std::collections::BTreeMap;

use policy::{HttpGrant, PathPattern};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::entry::grants;
use super::{Credentials, PluginEntry, PluginOrigin};
use crate::{Asks, Classified, Manifest, ReachError};

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
    /// It was the folder that bound it: taken out of plugins.toml, it is not there any more.
    pub(crate) by_folder: bool,
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

    /// What this has that `other` has not, in an operator's words; none where it asks for no more. Destinations are held against
    /// each other as they are with each side's settings: a default that leads elsewhere is another destination.
    pub(crate) fn beyond(&self, other: &Self) -> Vec<String> {
        let (asks, had) = (&self.asks, &other.asks);
        let had_grants: Vec<_> = other.grants().into_iter().flatten().collect();
        let mut more = Vec::new();
        for grant in self.grants() {
            match grant {
                Ok(grant) if had_grants.contains(&grant) => {}
                Ok(grant) => more.push(described(&grant)),
                Err(error) => more.push(error.to_string()),
            }
        }
        if asks.model && !had.model {
            more.push("the tenant's model".to_owned());
        }
        if asks.key_value && !had.key_value {
            more.push("keys and values of its own".to_owned());
        }
        let tools = self.tools.iter();
        let tools = tools.filter(|(name, tool)| other.tools.get(*name) != Some(tool));
        more.extend(tools.map(|(name, tool)| judged(name, tool)));
        more
    }

    fn grants(&self) -> Vec<Result<HttpGrant, ReachError>> {
        let settings = self.asks.settings_with(&self.settings);
        let reach = self.asks.reach.iter();
        reach.map(|reach| reach.grant(&settings)).collect()
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

/// `GET, POST https://api.example.com /members/*, with the credential crm, on a private network`
fn described(grant: &HttpGrant) -> String {
    let list = |paths: &[PathPattern]| {
        let paths: Vec<&str> = paths.iter().map(|path| path.0.as_str()).collect();
        paths.join(", ")
    };
    let mut said = vec![format!(
        "{} {} {}",
        grant.methods.join(", "),
        grant.origin,
        list(&grant.paths)
    )];
    if let Some(name) = &grant.credential {
        said.push(format!("with the credential {name}"));
    }
    if grant.private_network {
        said.push("on a private network".to_owned());
    }
    if !grant.safe_posts.is_empty() {
        said.push(format!(
            "where POST changes nothing at {}",
            list(&grant.safe_posts)
        ));
    }
    if !grant.tools.is_empty() {
        let tools: Vec<&str> = grant.tools.keys().map(String::as_str).collect();
        said.push(format!("for {}", tools.join(", ")));
    }
    said.join(", ")
}

fn judged(name: &str, tool: &Classified) -> String {
    let word = |value: Result<Value, _>| match value {
        Ok(Value::String(word)) => word,
        _ => "nobody".to_owned(),
    };
    let effect = word(serde_json::to_value(tool.rule.effect));
    let open_to = word(serde_json::to_value(tool.open_to));
    format!("the tool {name}: {effect}, open to {open_to}")
}
