//! The endpoints of all tenants: one for everybody who comes with the same key, or with tokens of the same subject and grant, opened
//! when they first come, and closed when they may come no more.
//!
//! Sessions live in their endpoint, so the id of one is worthless at another tenant's, with another key or grant, and to another
//! subject.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::Request;
use axum::response::Response;
use policy::{Channel, Role};
use tokio::sync::watch;

use super::McpParts;
use super::http::Endpoint;
use crate::oauth::Authority;
use crate::tenants::{Holder, Identity, Tenant, Tenants, ToolSet};

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
    places: Arc<Mutex<Places>>,
}

/// A tenant, and in it a subject with what was granted to it: two grants of one subject are two clients.
type Place = (String, Option<(String, Role, ToolSet)>);

/// Everything that is open, and how often somebody has come.
struct Places {
    tenants: Arc<Tenants>,
    open: HashMap<Place, Open>,
    visits: u64,
}

struct Open {
    client: Client,
    /// Whose scopes gave them what they may do, where a token did.
    authority: Option<Arc<Authority>>,
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

    fn place(&self) -> Place {
        let grant = |identity: &Arc<Identity>| {
            let actor = &identity.actor;
            (actor.subject.clone(), actor.role, identity.tools.clone())
        };
        (self.tenant.clone(), self.identity.as_ref().map(grant))
    }
}

impl Places {
    /// Whoever is gone, or may now do something else, keeps no session.
    fn sweep(&mut self) {
        let tenants = &self.tenants;
        self.open.retain(|_, open| open.is_known(tenants));
    }

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

impl Open {
    fn is_known(&self, tenants: &Tenants) -> bool {
        let Some(tenant) = tenants.get(&self.client.tenant) else {
            return false;
        };
        let is_held = |identity: &Arc<Identity>| {
            let is_its_key = |holder: &Holder| holder.identity == *identity;
            match &identity.issuer {
                Some(issuer) => self.is_granted_by(&tenant, issuer),
                None => tenants.has_operator(identity) || tenant.keys.iter().any(is_its_key),
            }
        };
        let is_open = tenant.channels.admit(Channel::Mcp);
        is_open && self.client.identity.as_ref().is_none_or(is_held)
    }

    /// An authority whose scopes have changed is another one.
    fn is_granted_by(&self, tenant: &Tenant, issuer: &str) -> bool {
        let (Some(own), Some(now)) = (&self.authority, &tenant.authority) else {
            return false;
        };
        Arc::ptr_eq(own, now) && now.settings().issuer == issuer
    }
}

impl Endpoints {
    /// None is open; those that will be are closed as soon as the tenants change that way, until the server stops.
    pub(crate) fn new(of_anybody: McpParts, tenants: Arc<Tenants>) -> Self {
        let places = Arc::new(Mutex::new(Places {
            tenants,
            open: HashMap::new(),
            visits: 0,
        }));
        let sweeping = sweep_at(of_anybody.news.clone(), Arc::clone(&places));
        let stop = of_anybody.stop.clone();
        tokio::spawn(async move { stop.run_until_cancelled(sweeping).await });
        Self { of_anybody, places }
    }

    /// Answers one request of this client.
    pub(crate) async fn serve(&self, client: Client, request: Request) -> Response {
        self.endpoint(client).handle(request).await
    }

    fn endpoint(&self, client: Client) -> Arc<Endpoint> {
        let place = client.place();
        let mut places = lock(&self.places);
        places.visits += 1;
        let used = places.visits;
        let found = places.open.get_mut(&place);
        if let Some(found) = found.filter(|found| found.client == client) {
            found.used = used;
            return Arc::clone(&found.endpoint);
        }
        places.open.remove(&place);
        places.sweep();
        if client.is_by_token() {
            places.make_room(&client.tenant);
        }
        let endpoint = Arc::new(Endpoint::new(self.parts(&client)));
        let tenant = places.tenants.get(&client.tenant);
        let opened = Open {
            endpoint: Arc::clone(&endpoint),
            authority: tenant.and_then(|tenant| tenant.authority.clone()),
            client,
            used,
        };
        // Whoever was turned out on the way here is answered, and nothing of it stays.
        if opened.is_known(&places.tenants) {
            places.open.insert(place, opened);
        }
        endpoint
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

fn lock(places: &Mutex<Places>) -> MutexGuard<'_, Places> {
    places.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Closes what nobody may come to any more, whenever something of a tenant has changed.
async fn sweep_at(mut news: watch::Receiver<()>, places: Arc<Mutex<Places>>) {
    while news.changed().await.is_ok() {
        lock(&places).sweep();
    }
}
