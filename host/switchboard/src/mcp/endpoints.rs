//! The endpoints of all tenants: one for everybody who comes with the same key, or with tokens of the same subject, opened when they
//! first come.
//!
//! Sessions live in their endpoint, so the id of one is worthless at another tenant's, with another key, and to another subject.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::Request;
use axum::response::Response;

use super::McpParts;
use super::http::Endpoint;
use crate::tenants::{Holder, Identity, Tenants};

/// Who comes to `/mcp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// Whose tools they want.
    pub(crate) tenant: String,
    /// Whose key or access token they have shown.
    pub(crate) identity: Option<Arc<Identity>>,
}

/// The endpoints that are open.
pub(crate) struct Endpoints {
    /// As for whoever comes to the built-in tenant without a key.
    of_anybody: McpParts,
    tenants: Arc<Tenants>,
    open: Mutex<Places>,
}

/// A tenant, and a subject in it.
type Place = (String, Option<String>);

/// Everything that is open, and how often somebody has come.
#[derive(Default)]
struct Places {
    open: HashMap<Place, Open>,
    visits: u64,
}

struct Open {
    client: Client,
    endpoint: Arc<Endpoint>,
    /// Their last visit.
    used: u64,
}

/// Endpoints of one tenant that tokens may have opened: an authorization server knows more people than a folder has keys. Beyond
/// that, whoever has not come for longest has to open a session anew.
const MOST_BY_TOKEN: usize = 256;

impl Client {
    fn is_by_token(&self) -> bool {
        let identity = self.identity.as_ref();
        identity.is_some_and(|identity| identity.issuer.is_some())
    }
}

impl Places {
    /// Leaves one place at least for a token's endpoint in this tenant.
    fn make_room(&mut self, tenant: &str) {
        let by_token = |open: &&Open| open.client.tenant == tenant && open.client.is_by_token();
        let those = self.open.values().filter(by_token);
        if those.clone().count() < MOST_BY_TOKEN {
            return;
        }
        let longest = those.map(|open| open.used).min();
        self.open.retain(|_, open| Some(open.used) != longest);
    }
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
        let subject = client.identity.as_ref();
        let subject = subject.map(|identity| identity.actor.subject.clone());
        let place = (client.tenant.clone(), subject);
        let mut places = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        places.visits += 1;
        let used = places.visits;
        let found = places.open.get_mut(&place);
        if let Some(found) = found.filter(|found| found.client == client) {
            found.used = used;
            return Arc::clone(&found.endpoint);
        }
        // Whoever is gone, or may now do something else, keeps no session.
        places.open.remove(&place);
        places.open.retain(|_, other| self.is_known(&other.client));
        if client.is_by_token() {
            places.make_room(&client.tenant);
        }
        let endpoint = Arc::new(Endpoint::new(self.parts(&client)));
        let opened = Open {
            endpoint: Arc::clone(&endpoint),
            client,
            used,
        };
        places.open.insert(place, opened);
        endpoint
    }

    fn is_known(&self, client: &Client) -> bool {
        let Some(tenant) = self.tenants.get(&client.tenant) else {
            return false;
        };
        let is_held = |identity: &Arc<Identity>| {
            let authority = tenant.authority.as_ref();
            let issuer = authority.map(|authority| &authority.settings().issuer);
            let is_its_key = |holder: &Holder| holder.identity == *identity;
            match &identity.issuer {
                Some(own) => issuer == Some(own),
                None => *identity == *self.tenants.operator() || tenant.keys.iter().any(is_its_key),
            }
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
