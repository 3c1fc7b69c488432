//! Who calls, and in which case: possession of a case's id is no proof of who one is.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use dispatch::Case;
use policy::{Actor, Level, Role};

use super::ApiError;
use super::desk::Desk;
use super::request::{Bearer, check_id};
use super::session::{self, Claims};
use crate::tenants::Identity;

/// Who a request comes from.
pub(super) enum Caller {
    /// A website or an agent, for a customer for whom nothing vouches.
    Anybody,
    /// A customer for whom a website vouches.
    Signed(Claims),
    /// Whoever holds this key, or bears this access token.
    Holder(Arc<Identity>),
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let desk = Desk::from_request_parts(parts, state).await?;
        let Bearer(token) = Bearer::from_request_parts(parts, state).await?;
        match (&desk.identity, token) {
            (Some(identity), _) => Ok(Self::Holder(Arc::clone(identity))),
            (None, None) => Ok(Self::Anybody),
            (None, Some(token)) => {
                let secret = desk.tenant.session_secret.as_ref();
                let claims = session::verify(&token, secret, desk.name(), desk.now().await?);
                claims
                    .map(Self::Signed)
                    .map_err(|error| ApiError::unauthorized(error.to_string()))
            }
        }
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
            Self::Holder(identity) => identity.actor.clone(),
        }
    }

    /// The caller of the desk's own resources. On a machine of their own, people need no key to look at their desk.
    pub(super) fn at_the_desk(self, desk: &Desk) -> Self {
        match self {
            Self::Anybody if desk.is_local && !desk.asks_for_keys() => {
                Self::Holder(Arc::new(Identity::local()))
            }
            other => other,
        }
    }

    /// Refuses whoever must show a key before there are tools for them.
    pub(super) fn check_key(&self, desk: &Desk) -> Result<(), ApiError> {
        if matches!(self, Self::Anybody) && desk.asks_for_keys() {
            return Err(ApiError::unauthorized(desk.needed()));
        }
        Ok(())
    }

    /// Whether a tool is among those that this caller sees.
    pub(super) fn sees(&self, tool: &str) -> bool {
        match self {
            Self::Anybody | Self::Signed(_) => true,
            Self::Holder(identity) => identity.tools.admits(tool),
        }
    }

    /// Refuses a call of a tool that is not for this caller, before anything is done for it.
    pub(super) fn check_tool(&self, desk: &Desk, tool: &str) -> Result<(), ApiError> {
        self.check_key(desk)?;
        match self {
            Self::Holder(identity) if !self.sees(tool) => Err(ApiError::new(
                http::StatusCode::FORBIDDEN,
                "tool_not_granted",
                identity.not_granted(tool),
            )),
            _ => Ok(()),
        }
    }

    /// The case to act in: the one of that id, the caller's own of that name, or without either the caller's own.
    pub(super) async fn case(&self, desk: &Desk, named: Option<&str>) -> Result<Case, ApiError> {
        let case = match named {
            Some(name) => self.named_case(desk, name).await?,
            None => self.own_case(desk, None).await?,
        };
        self.enter(desk, case).await
    }

    async fn named_case(&self, desk: &Desk, name: &str) -> Result<Case, ApiError> {
        check_id("case", name)?;
        if let Some(case) = desk.store().case(desk.name(), name).await? {
            return Ok(case);
        }
        // An id is never taken for a name: a mistyped one must not open an empty case.
        if uuid::Uuid::try_parse(name).is_ok() || self.principal(desk).is_none() {
            return Err(ApiError::not_found(
                "there is no such case; leave `case` out to start without one",
            ));
        }
        self.own_case(desk, Some(name)).await
    }

    async fn own_case(&self, desk: &Desk, name: Option<&str>) -> Result<Case, ApiError> {
        // Strangers must not share a case: what one of them establishes would serve the next.
        let principal = self.principal(desk);
        let mut session = principal.unwrap_or_else(|| format!("http:{}", uuid::Uuid::new_v4()));
        if let Some(name) = name {
            session = format!("{session}:{name}");
        }
        Ok(desk.store().case_of_session(desk.name(), &session).await?)
    }

    /// The current case of a chat session.
    pub(super) async fn chat_case(&self, desk: &Desk, session: &str) -> Result<Case, ApiError> {
        let case = desk
            .store()
            .case_of_session(desk.name(), &chat_session(session))
            .await?;
        self.enter(desk, case).await
    }

    /// A case whose customer is verified is entered with that customer's token only; a token verifies its customer.
    async fn enter(&self, desk: &Desk, case: Case) -> Result<Case, ApiError> {
        let Self::Signed(claims) = self else {
            let is_staff = matches!(self, Self::Holder(identity) if identity.is_staff());
            return if !is_staff && case.identity.level == Level::Verified {
                Err(ApiError::unauthorized(
                    "this conversation belongs to a signed-in customer; send the session token with it",
                ))
            } else {
                Ok(case)
            };
        };
        if desk
            .store()
            .identify(&case.id, &claims.sub, Level::Verified)
            .await?
        {
            let entered = desk.store().case(desk.name(), &case.id).await?;
            return entered.ok_or_else(ApiError::internal);
        }
        Err(ApiError::forbidden(
            "this conversation belongs to another customer; start a new one",
        ))
    }

    /// Under which name the caller's own cases are kept; none for strangers.
    fn principal(&self, desk: &Desk) -> Option<String> {
        match self {
            Self::Signed(claims) => Some(format!("http:customer:{}", claims.sub)),
            Self::Holder(identity) => Some(format!("http:{}", identity.actor.subject)),
            Self::Anybody => desk.is_local.then(|| "http:local".to_owned()),
        }
    }
}

/// A chat session's name in the store.
pub(super) fn chat_session(session: &str) -> String {
    format!("chat:{session}")
}

/// A supervisor, by a key of theirs or an operator's.
pub(super) struct Supervisor(pub(super) Actor);

impl<S: Sync> FromRequestParts<S> for Supervisor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let desk = Desk::from_request_parts(parts, state).await?;
        match &desk.identity {
            Some(identity) if identity.is_staff() => Ok(Self(identity.actor.clone())),
            Some(_) => Err(ApiError::forbidden(
                "this is a supervisor's, and the key is an agent's: use a key with the role supervisor or admin",
            )),
            None => Err(ApiError::unauthorized(
                "this is a supervisor's: send `Authorization: Bearer` with a key of the tenant's supervisors (SWITCHBOARD_STAFF_KEYS for the built-in one), or an operator's (`switchboard operators add` makes one, SWITCHBOARD_OPERATOR_KEY is one, or the one that was printed at the start)",
            )),
        }
    }
}

/// Somebody who runs the program, by their key.
pub(super) struct Operator(pub(super) Actor);

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let desk = Desk::from_request_parts(parts, state).await?;
        match &desk.identity {
            Some(identity) if desk.is_operators() => Ok(Self(identity.actor.clone())),
            _ => Err(ApiError::unauthorized(
                "this is the operator's: send `Authorization: Bearer` with an operator's key (`switchboard operators add` makes one, SWITCHBOARD_OPERATOR_KEY is one, or the one that was printed at the start)",
            )),
        }
    }
}
