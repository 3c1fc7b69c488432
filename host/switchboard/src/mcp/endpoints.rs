//! The endpoints of all tenants: one for everybody who comes with the same key, opened when they first come.
//!
//! Sessions live in their endpoint, so the id of one is worthless at another tenant's, and with another key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::Request;
use axum::response::Response;

use super::McpParts;
use super::http::Endpoint;
use crate::tenants::{Identity, Tenants};

/// Who comes to `/mcp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// Whose tools they want.
    pub(crate) tenant: String,
    /// Whose key they have shown.
    pub(crate) identity: Option<Arc<Identity>>,
}

/// The endpoints that are open.
pub(crate) struct Endpoints {
    /// As for whoever comes to the built-in tenant without a key.
    of_anybody: McpParts,
    tenants: Arc<Tenants>,
    open: Mutex<HashMap<Place, Open>>,
}

/// A tenant, and a key's name in it.
type Place = (String, Option<String>);

struct Open {
    client: Client,
    endpoint: Arc<Endpoint>,
}

impl Endpoints {
    pub(crate) fn new(of_anybody: McpParts, tenants: Arc<Tenants>) -> Self {
        Self {
            of_anybody,
            tenants,
            open: Mutex::default(),
        }
    }

    /// Answers one request of this client.
    pub(crate) async fn serve(&self, client: Client, request: Request) -> Response {
        self.endpoint(client).handle(request).await
    }

    fn endpoint(&self, client: Client) -> Arc<Endpoint> {
        let name = client
            .identity
            .as_ref()
            .map(|identity| identity.name.clone());
        let place = (client.tenant.clone(), name);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = open.get(&place).filter(|found| found.client == client) {
            return Arc::clone(&found.endpoint);
        }
        // Whoever is gone, or may now do something else, keeps no session.
        open.retain(|_, other| self.is_known(&other.client));
        let endpoint = Arc::new(Endpoint::new(self.parts(&client)));
        let opened = Open {
            endpoint: Arc::clone(&endpoint),
            client,
        };
        open.insert(place, opened);
        endpoint
    }

    fn is_known(&self, client: &Client) -> bool {
        let Some(tenant) = self.tenants.get(&client.tenant) else {
            return false;
        };
        let is_held = |identity: &Arc<Identity>| {
            *identity == *self.tenants.operator()
                || tenant
                    .keys
                    .iter()
                    .any(|holder| holder.identity == *identity)
        };
        client.identity.as_ref().is_none_or(is_held)
    }

    fn parts(&self, client: &Client) -> McpParts {
        let parts = McpParts {
            tenant: client.tenant.clone(),
            ..self.of_anybody.clone()
        };
        match &client.identity {
            Some(identity) => parts.of(identity),
            None => parts,
        }
    }
}
