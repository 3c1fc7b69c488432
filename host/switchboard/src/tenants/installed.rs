//! A plugin that came through the registry: what its operator accepted of its manifest stands where plugins.toml has no entry of
//! its name.

mod said;

use std::collections::BTreeMap;

use policy::{HttpGrant, PathPattern};
use serde::{Deserialize, Serialize};

use super::entry::grants;
use super::{Credentials, PluginEntry, PluginOrigin};
use crate::{Asks, Classified, Manifest, Reach, ReachError};

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
    /// each other as they are with each side's settings: a default that leads elsewhere is another destination. A tool that is
    /// classified otherwise has a line for each field, also for one that is dropped: without `owner` it is open to more.
    pub(crate) fn beyond(&self, other: &Self) -> Vec<String> {
        let (asks, had) = (&self.asks, &other.asks);
        let had_grants: Vec<_> = other.grants().into_iter().flatten().collect();
        let mut more = Vec::new();
        for grant in self.grants() {
            match grant {
                Ok(grant) if had_grants.contains(&grant) => {}
                Ok(grant) => more.push(said::destination(&grant)),
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
        more.extend(tools.flat_map(|(name, tool)| said::judged(name, tool, other.tools.get(name))));
        more
    }

    /// This without what plugins.toml grants by itself, and without the tools that the operator judges by themselves.
    pub(crate) fn without(mut self, entry: &PluginEntry, is_judged: impl Fn(&str) -> bool) -> Self {
        let settings = self.asks.settings_with(&self.settings);
        let is_granted = |reach: &Reach| {
            let asked = reach.grant(&settings);
            asked.is_ok_and(|asked| entry.grants.iter().any(|own| covers(own, &asked)))
        };
        self.asks.reach.retain(|reach| !is_granted(reach));
        self.asks.model &= !entry.model;
        self.asks.key_value &= !entry.key_value;
        self.tools.retain(|name, _| !is_judged(name));
        self
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
            accept: Vec::new(),
        })
    }
}

/// Whether a grant is what is asked for, or the same with more methods and paths.
fn covers(own: &HttpGrant, asked: &HttpGrant) -> bool {
    let like_it = HttpGrant {
        methods: asked.methods.clone(),
        paths: asked.paths.clone(),
        safe_posts: asked.safe_posts.clone(),
        ..own.clone()
    };
    let has =
        |own: &[PathPattern], asked: &[PathPattern]| asked.iter().all(|one| own.contains(one));
    like_it == *asked
        && asked.methods.iter().all(|one| own.methods.contains(one))
        && has(&own.paths, &asked.paths)
        && has(&own.safe_posts, &asked.safe_posts)
}

#[cfg(test)]
mod tests;
