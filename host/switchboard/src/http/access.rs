//! Who calls, and in which case: possession of a case's id is no proof of who one is.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use dispatch::Case;
use policy::{Actor, Level, Role};

use super::ApiError;
use super::request::{Bearer, check_id};
use super::session::{self, Claims};
use crate::host::Host;

/// Who a request comes from.
pub(super) enum Caller {
    /// A website or an agent, for a customer for whom nothing vouches.
    Anybody,
    /// A customer for whom a website vouches.
    Signed(Claims),
    /// A member of staff, by a key of theirs.
    Staff(Actor),
}

impl FromRequestParts<Arc<Host>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, host: &Arc<Host>) -> Result<Self, ApiError> {
        let Bearer(Some(token)) = Bearer::from_request_parts(parts, host).await? else {
            return Ok(Self::Anybody);
        };
        if let Some((_, identity)) = host.tenants.holder(&token) {
            return Ok(Self::Staff(identity.actor.clone()));
        }
        let tenant = host.tenants.get(&host.tenant);
        let secret = tenant
            .as_ref()
            .and_then(|tenant| tenant.session_secret.as_ref());
        let claims = session::verify(&token, secret, &host.tenant, host.now().await?);
        claims
            .map(Self::Signed)
            .map_err(|error| ApiError::unauthorized(error.to_string()))
    }
}

impl Caller {
    /// As whom a tool is called.
    pub(super) fn actor(&self) -> Actor {
        match self {
            Self::Anybody | Self::Signed(_) => Actor {
                role: Role::Agent,
                subject: "http:api".to_owned(),
            },
            Self::Staff(member) => member.clone(),
        }
    }

    /// The caller of the desk's own resources. On a machine of their own, people need no key to look at their desk.
    pub(super) fn at_the_desk(self, host: &Host) -> Self {
        match self {
            Self::Anybody if host.is_local => Self::Staff(Actor {
                role: Role::Supervisor,
                subject: "user:local".to_owned(),
            }),
            other => other,
        }
    }

    /// The case to act in: the one of that id, the caller's own of that name, or without either the caller's own.
    pub(super) async fn case(&self, host: &Host, named: Option<&str>) -> Result<Case, ApiError> {
        let case = match named {
            Some(name) => self.named_case(host, name).await?,
            None => self.own_case(host, None).await?,
        };
        self.enter(host, case).await
    }

    async fn named_case(&self, host: &Host, name: &str) -> Result<Case, ApiError> {
        check_id("case", name)?;
        if let Some(case) = host.store().case(&host.tenant, name).await? {
            return Ok(case);
        }
        // An id is never taken for a name: a mistyped one must not open an empty case.
        if uuid::Uuid::try_parse(name).is_ok() || self.principal(host).is_none() {
            return Err(ApiError::not_found(
                "there is no such case; leave `case` out to start without one",
            ));
        }
        self.own_case(host, Some(name)).await
    }

    async fn own_case(&self, host: &Host, name: Option<&str>) -> Result<Case, ApiError> {
        // Strangers must not share a case: what one of them establishes would serve the next.
        let principal = self.principal(host);
        let mut session = principal.unwrap_or_else(|| format!("http:{}", uuid::Uuid::new_v4()));
        if let Some(name) = name {
            session = format!("{session}:{name}");
        }
        Ok(host.store().case_of_session(&host.tenant, &session).await?)
    }

    /// The current case of a chat session.
    pub(super) async fn chat_case(&self, host: &Host, session: &str) -> Result<Case, ApiError> {
        let case = host
            .store()
            .case_of_session(&host.tenant, &chat_session(session))
            .await?;
        self.enter(host, case).await
    }

    /// A case whose customer is verified is entered with that customer's token only; a token verifies its customer.
    async fn enter(&self, host: &Host, case: Case) -> Result<Case, ApiError> {
        let Self::Signed(claims) = self else {
            return if matches!(self, Self::Anybody) && case.identity.level == Level::Verified {
                Err(ApiError::unauthorized(
                    "this conversation belongs to a signed-in customer; send the session token with it",
                ))
            } else {
                Ok(case)
            };
        };
        if host
            .store()
            .identify(&case.id, &claims.sub, Level::Verified)
            .await?
        {
            let entered = host.store().case(&host.tenant, &case.id).await?;
            return entered.ok_or_else(ApiError::internal);
        }
        Err(ApiError::forbidden(
            "this conversation belongs to another customer; start a new one",
        ))
    }

    /// Under which name the caller's own cases are kept; none for strangers.
    fn principal(&self, host: &Host) -> Option<String> {
        match self {
            Self::Signed(claims) => Some(format!("http:customer:{}", claims.sub)),
            Self::Staff(member) => Some(format!("http:{}", member.subject)),
            Self::Anybody => host.is_local.then(|| "http:local".to_owned()),
        }
    }
}

/// A chat session's name in the store.
pub(super) fn chat_session(session: &str) -> String {
    format!("chat:{session}")
}

/// A supervisor, by a key of theirs or the operator key.
pub(super) struct Supervisor(pub(super) Actor);

impl FromRequestParts<Arc<Host>> for Supervisor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, host: &Arc<Host>) -> Result<Self, ApiError> {
        let Bearer(key) = Bearer::from_request_parts(parts, host).await?;
        let holder = key.and_then(|key| host.tenants.holder(&key));
        let supervisor = holder.map(|(_, identity)| Self(identity.actor.clone()));
        supervisor.ok_or_else(|| {
            ApiError::unauthorized(
                "this is a supervisor's: send `Authorization: Bearer` with a key of SWITCHBOARD_STAFF_KEYS, or the operator key (SWITCHBOARD_OPERATOR_KEY, or the one that was printed at the start)",
            )
        })
    }
}
