//! The built-in tenant `demo`: its plugins, and exactly where each of them may send requests.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use policy::{BodyRule, HttpGrant, Nature, PathPattern};
use serde::Deserialize;

/// The tenant's id.
pub(crate) const TENANT: &str = "demo";
/// The credential by which its plugins write to the demo backend.
pub(super) const CREDENTIAL: &str = "demo-backend";

/// Each plugin by the folder that it is built from.
const PLUGINS: &str = include_str!("demo/plugins.toml");

/// One plugin as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    reach: Vec<Reach>,
    #[serde(default)]
    model: bool,
    #[serde(default)]
    key_value: bool,
}

/// What a plugin may send.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reach {
    methods: Vec<String>,
    paths: Vec<PathPattern>,
    #[serde(default)]
    tools: BTreeMap<String, Vec<BodyRule>>,
}

/// One plugin of the tenant.
pub(super) struct DemoPlugin {
    pub(super) name: String,
    pub(super) grants: Vec<HttpGrant>,
    pub(super) settings: BTreeMap<String, String>,
    /// It may ask the tenant's model.
    pub(super) model: bool,
    /// It may keep keys and values.
    pub(super) key_value: bool,
}

/// The tenant's plugins, bound to the demo backend where it really listens.
pub(super) fn plugins(
    backend: SocketAddr,
    nature: Nature,
) -> Result<Vec<DemoPlugin>, toml::de::Error> {
    let origin = format!("http://{}", reachable(backend));
    let bound = |(name, entry): (String, Entry)| DemoPlugin {
        name,
        grants: entry
            .reach
            .into_iter()
            .map(|reach| grant(&origin, reach, nature))
            .collect(),
        settings: BTreeMap::from([("base_url".to_owned(), origin.clone())]),
        model: entry.model,
        key_value: entry.key_value,
    };
    let entries: BTreeMap<String, Entry> = toml::from_str(PLUGINS)?;
    Ok(entries.into_iter().map(bound).collect())
}

/// What listens everywhere is reached on loopback.
fn reachable(mut backend: SocketAddr) -> SocketAddr {
    if backend.ip().is_unspecified() {
        backend.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    backend
}

fn grant(origin: &str, reach: Reach, nature: Nature) -> HttpGrant {
    HttpGrant {
        origin: origin.to_owned(),
        methods: reach.methods,
        paths: reach.paths,
        safe_posts: Vec::new(),
        credential: Some(CREDENTIAL.to_owned()),
        nature,
        private_network: true,
        tools: reach.tools,
    }
}

#[cfg(test)]
mod tests {
    use policy::{BodyForm, Effect};

    use super::*;
    use crate::host::rules;

    fn bound() -> Vec<DemoPlugin> {
        plugins("127.0.0.1:9100".parse().unwrap(), Nature::Deduplicates).unwrap()
    }

    #[test]
    fn every_built_plugin_belongs_to_the_tenant() {
        let bound: Vec<_> = bound().into_iter().map(|plugin| plugin.name).collect();
        let built: Vec<_> = crate::embedded::COMPONENTS
            .iter()
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(bound, built);
    }

    /// Whatever a plugin may change, it may change by the tool that was permitted, and money only by its permitted amount.
    #[test]
    fn every_unsafe_request_is_bound_to_its_tool() {
        let tools = rules::classification().unwrap();
        let grants = bound().into_iter().flat_map(|plugin| plugin.grants);
        for grant in grants.filter(|grant| grant.methods != ["GET"]) {
            assert_eq!(grant.check(), Ok(()));
            assert_eq!(grant.tools.len(), 1, "{:?}", grant.paths);
            for (tool, body) in &grant.tools {
                let rule = &tools[tool];
                assert_ne!(rule.effect, Effect::Read, "{tool}");
                let said = |at: &String| body.iter().any(|rule| rule.is == *at);
                let entity = rule.entity.as_ref().map(|entity| &entity.id);
                let in_path = |at: &str| grant.paths[0].0.contains(&format!("{{{}}}", &at[1..]));
                assert!(entity.is_none_or(|at| said(at) || in_path(at)), "{tool}");
                let minor = |at: &String| {
                    let form = BodyForm::MinorUnits;
                    body.iter().any(|rule| rule.is == *at && rule.form == form)
                };
                assert!(rule.amount.as_ref().is_none_or(minor), "{tool}");
            }
        }
    }
}
