//! The desk that a request comes to: the host as one tenant has it, and whose key or access token was shown.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use dispatch::Snapshot;
use tokio::time::Instant;

use super::ApiError;
use super::prefix::NamedTenant;
use super::request::{Bearer, has_authorization};
use crate::host::{Host, demo};
use crate::oauth::{Authority, Refused};
use crate::tenants::{Identity, KeyOf, Tenant};

/// The host as one tenant has it, for one request.
#[derive(Clone)]
pub(crate) struct Desk {
    host: Arc<Host>,
    /// The tenant as it was when the request came.
    pub(crate) tenant: Arc<Tenant>,
    /// Whose key or access token was shown; none where none was, or where it is neither.
    pub(super) identity: Option<Arc<Identity>>,
    /// Until when they are who they are; none where it is a key.
    pub(super) until: Option<Instant>,
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

    /// The name of the model that answers for it.
    pub(super) fn model(&self) -> &str {
        let own = self.tenant.speaks.model.as_ref();
        own.map_or(&self.host.model_label, |own| own.name())
    }

    /// The tenant's tools now.
    pub(super) fn tools(&self) -> Arc<Snapshot> {
        self.host.tools(self.name())
    }

    /// The tools that calls of this case run now.
    pub(super) fn tools_for(&self, case: &str) -> Arc<Snapshot> {
        self.host.tools_for(self.name(), case)
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
            Some(KeyOf::Revoked(name)) => {
                return Err(ApiError::unauthorized(format!(
                    "the key of the operator {name} was revoked: ask another operator for one under a name of your own (switchboard operators add NAME)"
                )));
            }
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
            until: None,
            is_operators,
        })
    }

    /// The same for the bearer of this access token, if that is what it is by its form, and if the tenant has tokens at all.
    async fn with_token(mut self, shown: Option<&str>) -> Result<Self, Response> {
        let tenant = Arc::clone(&self.tenant);
        let (Some(authority), Some(token), None) = (&tenant.authority, shown, &self.identity)
        else {
            return Ok(self);
        };
        let now = self
            .now()
            .await
            .map_err(|error| ApiError::from(error).into_response())?;
        match authority.identify(token, now).await {
            Some(Ok(bearer)) => {
                let left = u64::try_from(bearer.until.saturating_sub(now)).unwrap_or_default();
                self.until = Instant::now().checked_add(Duration::from_secs(left));
                self.identity = Some(bearer.identity);
                Ok(self)
            }
            Some(Err(refused)) => Err(refuse(&refused, authority)),
            None => Ok(self),
        }
    }

    /// What a request without a key or a token that counts hears.
    pub(super) fn needed(&self) -> String {
        let token = self
            .tenant
            .authority
            .as_ref()
            .map_or_else(String::new, |authority| {
                format!(", or an access token of {}", authority.settings().issuer)
            });
        format!(
            "this tenant's tools are for holders of a key: send `Authorization: Bearer` with one of its keys{token}"
        )
    }
}

/// The one place where a token that does not count becomes HTTP.
fn refuse(refused: &Refused, authority: &Authority) -> Response {
    let (status, code) = match refused {
        Refused::Invalid(_) => (StatusCode::UNAUTHORIZED, "invalid_token"),
        Refused::NoRole(_) => (StatusCode::FORBIDDEN, "insufficient_scope"),
        Refused::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "keys_unavailable"),
    };
    let mut response = ApiError::new(status, code, refused.to_string()).into_response();
    if *refused != Refused::Unavailable {
        let told = authority.challenge(Some(refused));
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, told);
    }
    response
}

/// Tells whoever was refused for want of a key where tokens are to be had.
fn challenged(mut response: Response, desk: &Desk, has_shown: bool) -> Response {
    if let (StatusCode::UNAUTHORIZED, Some(authority)) = (response.status(), &desk.tenant.authority)
    {
        let refused =
            has_shown.then_some(Refused::Invalid("it is neither a key nor a token of here"));
        let told = authority.challenge(refused.as_ref());
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, told);
    }
    response
}

fn built_in() -> String {
    demo::TENANT.to_owned()
}

/// Finds the desk once, before any route; what is neither key nor access token may still be a customer's session.
pub(super) async fn find(State(host): State<Arc<Host>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let has_shown = has_authorization(&parts.headers);
    let shown = Bearer::from_request_parts(&mut parts, &()).await;
    let shown = shown.ok().and_then(|Bearer(shown)| shown);
    let found = match Desk::find(host, parts.extensions.get(), shown.as_deref()) {
        Ok(desk) => desk.with_token(shown.as_deref()).await,
        Err(refused) => Err(refused.into_response()),
    };
    let desk = match found {
        Ok(desk) => desk,
        Err(refused) => return refused,
    };
    parts.extensions.insert(desk.clone());
    let response = next.run(Request::from_parts(parts, body)).await;
    challenged(response, &desk, has_shown)
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
