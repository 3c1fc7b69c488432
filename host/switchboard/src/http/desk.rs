//! The desk that a request comes to: the host as one tenant has it, and whose key was shown.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use dispatch::Snapshot;

use super::ApiError;
use super::prefix::NamedTenant;
use super::request::Bearer;
use crate::host::{Host, demo};
use crate::tenants::{Identity, KeyOf, Tenant};

/// The host as one tenant has it, for one request.
#[derive(Clone)]
pub(crate) struct Desk {
    host: Arc<Host>,
    /// The tenant as it was when the request came.
    pub(crate) tenant: Arc<Tenant>,
    /// Whose key was shown; none where none was, or where it is no key.
    pub(super) identity: Option<Arc<Identity>>,
    /// It was the operator's.
    is_operators: bool,
}

impl Deref for Desk {
    type Target = Host;

    fn deref(&self) -> &Host {
        &self.host
    }
}

impl Desk {
    /// The whole program, for work that outlives the request.
    pub(super) fn host(&self) -> Arc<Host> {
        Arc::clone(&self.host)
    }

    /// The tenant's name.
    pub(super) fn name(&self) -> &str {
        &self.tenant.name
    }

    /// The tenant's tools now.
    pub(super) fn tools(&self) -> Arc<Snapshot> {
        self.host.tools(self.name())
    }

    /// Tools are for holders of keys.
    pub(crate) fn asks_for_keys(&self) -> bool {
        self.host.asks_for_keys(&self.tenant)
    }

    /// Whoever asks may change tenants.
    pub(super) fn is_operators(&self) -> bool {
        self.is_operators
    }

    /// The desk that the path names, else the one of the key, else the built-in tenant's.
    fn find(
        host: Arc<Host>,
        named: Option<&NamedTenant>,
        key: Option<&str>,
    ) -> Result<Self, ApiError> {
        let held = key.and_then(|key| host.tenants.holder(key));
        let named = named.map(|NamedTenant(name)| name.clone());
        let (name, identity, is_operators) = match held {
            Some(KeyOf::Tenant(own, _)) if named.as_ref().is_some_and(|named| *named != own) => {
                return Err(ApiError::forbidden(
                    "this key is another tenant's; leave /t/… out, or use a key of this tenant",
                ));
            }
            Some(KeyOf::Tenant(own, identity)) => (own, Some(identity), false),
            Some(KeyOf::Operator(identity)) => {
                (named.unwrap_or_else(built_in), Some(identity), true)
            }
            None => (named.unwrap_or_else(built_in), None, false),
        };
        let tenant = host.tenants.get(&name);
        let tenant =
            tenant.ok_or_else(|| ApiError::not_found(format!("there is no tenant {name}")))?;
        Ok(Self {
            host,
            tenant,
            identity,
            is_operators,
        })
    }
}

fn built_in() -> String {
    demo::TENANT.to_owned()
}

/// Finds the desk once, before any route; what no key is may still be a customer's session.
pub(super) async fn find(State(host): State<Arc<Host>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let shown = Bearer::from_request_parts(&mut parts, &()).await;
    let key = shown.ok().and_then(|Bearer(key)| key);
    match Desk::find(host, parts.extensions.get(), key.as_deref()) {
        Ok(desk) => {
            parts.extensions.insert(desk);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(refused) => refused.into_response(),
    }
}

impl<S: Sync> FromRequestParts<S> for Desk {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get()
            .cloned()
            .ok_or_else(ApiError::internal)
    }
}
