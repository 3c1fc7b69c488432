//! The built-in tenant `demo`: its plugins, and exactly where each of them may send requests.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::tenants::{
    self, Common, Given, Installed, PluginEntry, PluginOrigin, SecretRef, Tenant, TenantError,
    TenantFolder,
};
use crate::{Config, Environment, Secret};

/// The tenant's id.
pub(crate) const TENANT: &str = "demo";
/// Where the token is found by which its plugins write to the demo backend.
const TOKEN: &str = "DEMO_BACKEND_TOKEN";

/// Its folder, as if it were one.
const TEXTS: [(&str, &str); 2] = [
    ("tenant.toml", include_str!("demo/tenant.toml")),
    ("plugins.toml", include_str!("demo/plugins.toml")),
];

/// The tenant as every other is loaded, bound to the demo backend where it really listens; with the further plugins of the
/// configuration, which are granted nothing.
pub(crate) fn tenant(
    (config, common): (&Config, &Common),
    (backend, token): (SocketAddr, &Secret),
    installed: &[Installed],
) -> Result<Tenant, TenantError> {
    let origin = format!("http://{}", reachable(backend));
    let settings = BTreeMap::from([("base_url".to_owned(), origin)]);
    let environment: Environment = [(TOKEN.to_owned(), token.expose().to_owned())]
        .into_iter()
        .collect();
    let given = Given {
        config,
        common,
        secret: &|place: &SecretRef| place.read(&environment),
        settings: &settings,
        installed,
    };
    let mut tenant = tenants::load(&folder(), &given)?;
    let shipped = tenant.plugins.iter_mut();
    let grants = shipped
        .filter(|plugin| plugin.origin != PluginOrigin::Registry)
        .flat_map(|plugin| &mut plugin.grants);
    for grant in grants {
        grant.nature = config.demo_backend.nature.0;
        // Wherever it was told to listen, it is the one that this program has started.
        grant.private_network = true;
    }
    // First those that are likelier to be refused: nobody should wait for the others to hear of it.
    tenant
        .plugins
        .splice(0..0, config.plugins.extra.iter().map(|file| extra(file)));
    Ok(tenant)
}

fn folder() -> TenantFolder {
    let own = |(path, text): (&str, &str)| (path.to_owned(), text.to_owned());
    TenantFolder {
        name: TENANT.to_owned(),
        path: PathBuf::new(),
        texts: TEXTS.into_iter().map(own).collect(),
    }
}

fn extra(file: &Path) -> PluginEntry {
    let name = file.file_stem().unwrap_or(file.as_os_str());
    PluginEntry {
        name: name.to_string_lossy().into_owned(),
        origin: PluginOrigin::File(file.to_path_buf()),
        digest: None,
        settings: BTreeMap::new(),
        grants: Vec::new(),
        model: false,
        key_value: false,
        accept: Vec::new(),
    }
}

/// What listens everywhere is reached on loopback.
fn reachable(mut backend: SocketAddr) -> SocketAddr {
    if backend.ip().is_unspecified() {
        backend.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    backend
}

#[cfg(test)]
mod tests {
    use policy::{BodyForm, Effect};

    use super::*;
    use crate::host::rules;

    fn bound() -> Vec<PluginEntry> {
        let config = Config::default();
        let backend = "127.0.0.1:9100".parse().unwrap();
        let token = Secret::new("token-of-the-demo-backend");
        let common = rules::common(&config).unwrap();
        tenant((&config, &common), (backend, &token), &[])
            .unwrap()
            .plugins
    }

    #[test]
    fn every_built_plugin_belongs_to_the_tenant() {
        let bound: Vec<_> = bound().into_iter().map(|plugin| plugin.name).collect();
        let built: Vec<_> = crate::embedded::COMPONENTS
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| *name != crate::embedded::DECLARATIVE)
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
