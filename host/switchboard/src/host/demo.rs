//! The built-in tenant `demo`: its plugins, and exactly where each of them may send requests.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use policy::{HttpGrant, Nature, PathPattern};

/// The tenant's id.
pub(crate) const TENANT: &str = "demo";
/// The credential by which its plugins write to the demo backend.
pub(super) const CREDENTIAL: &str = "demo-backend";

/// What one plugin may reach: methods, and paths under them.
type Reach = &'static [(&'static [&'static str], &'static [&'static str])];

const READ: &[&str] = &["GET"];
const CREATE: &[&str] = &["POST"];
const CHANGE: &[&str] = &["PATCH"];

/// Each plugin by the folder that it is built from.
const PLUGINS: &[(&str, Reach)] = &[
    (
        "crm",
        &[
            (READ, &["/customers", "/customers/*"]),
            (CHANGE, &["/customers/*"]),
        ],
    ),
    (
        "intercom",
        &[
            (READ, &["/conversations/*", "/contacts", "/articles/search"]),
            (
                CREATE,
                &[
                    "/conversations",
                    "/conversations/*/reply",
                    "/conversations/*/assign",
                    "/conversations/*/tags",
                ],
            ),
            (CHANGE, &["/contacts/*"]),
        ],
    ),
    ("knowledge", &[(READ, &["/articles/search"])]),
    (
        "orders",
        &[
            (READ, &["/orders/*", "/customers/*/orders", "/shipments"]),
            (CREATE, &["/orders/*/cancel", "/returns"]),
        ],
    ),
    (
        "refunds",
        &[
            (READ, &["/orders/*", "/refunds"]),
            (CREATE, &["/refunds", "/credits"]),
        ],
    ),
    (
        "tickets",
        &[
            (READ, &["/tickets/*"]),
            (CREATE, &["/tickets", "/escalations"]),
            (CHANGE, &["/tickets/*"]),
        ],
    ),
];

/// Those that may ask the tenant's model: to summarise a ticket, to suggest a reply.
const ASKS_MODEL: &[&str] = &["tickets"];

/// One plugin of the tenant.
pub(super) struct DemoPlugin {
    pub(super) name: &'static str,
    pub(super) grants: Vec<HttpGrant>,
    pub(super) settings: BTreeMap<String, String>,
    /// It may ask the tenant's model.
    pub(super) model: bool,
}

/// The tenant's plugins, bound to the demo backend where it really listens.
pub(super) fn plugins(backend: SocketAddr) -> Vec<DemoPlugin> {
    let origin = format!("http://{}", reachable(backend));
    let bound = |(name, reach): &(&'static str, Reach)| DemoPlugin {
        name,
        grants: reach
            .iter()
            .map(|(methods, paths)| grant(&origin, methods, paths))
            .collect(),
        settings: BTreeMap::from([("base_url".to_owned(), origin.clone())]),
        model: ASKS_MODEL.contains(name),
    };
    PLUGINS.iter().map(bound).collect()
}

/// What listens everywhere is reached on loopback.
fn reachable(mut backend: SocketAddr) -> SocketAddr {
    if backend.ip().is_unspecified() {
        backend.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    backend
}

fn grant(origin: &str, methods: &[&str], paths: &[&str]) -> HttpGrant {
    HttpGrant {
        origin: origin.to_owned(),
        methods: methods.iter().map(ToString::to_string).collect(),
        paths: paths
            .iter()
            .map(|path| PathPattern((*path).to_owned()))
            .collect(),
        safe_posts: Vec::new(),
        credential: Some(CREDENTIAL.to_owned()),
        nature: Nature::Deduplicates,
        private_network: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_plugin_belongs_to_the_tenant() {
        let bound: Vec<_> = PLUGINS.iter().map(|(name, _)| *name).collect();
        let built: Vec<_> = crate::embedded::COMPONENTS
            .iter()
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(bound, built);
    }
}
