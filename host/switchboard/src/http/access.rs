//! Who calls, and in which case: possession of a case's id is no proof of who one is.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use dispatch::Case;
use policy::Level;

use super::ApiError;
use super::request::Bearer;
use super::session::{self, Claims};
use crate::host::Host;

/// The caller of a customer-facing route.
pub(super) struct Caller {
    signed: Option<Claims>,
}

impl FromRequestParts<Arc<Host>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, host: &Arc<Host>) -> Result<Self, ApiError> {
        let Bearer(Some(token)) = Bearer::from_request_parts(parts, host).await? else {
            return Ok(Self { signed: None });
        };
        let claims = session::verify(
            &token,
            host.session_secret.as_ref(),
            &host.tenant,
            host.now().await?,
        );
        claims
            .map(|claims| Self {
                signed: Some(claims),
            })
            .map_err(|error| ApiError::unauthorized(error.to_string()))
    }
}

impl Caller {
    /// The case to act in: the one that is named, else the caller's own.
    pub(super) async fn case(&self, host: &Host, named: Option<&str>) -> Result<Case, ApiError> {
        let case = match named {
            Some(id) => {
                let found = host.store().case(&host.tenant, id).await?;
                found.ok_or_else(|| {
                    ApiError::not_found(
                        "there is no such case; leave `case` out to start without one",
                    )
                })?
            }
            None => {
                host.store()
                    .case_of_session(&host.tenant, &self.implicit_session(host))
                    .await?
            }
        };
        self.enter(host, case).await
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
        let Some(claims) = &self.signed else {
            return if case.identity.level == Level::Verified {
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

    fn implicit_session(&self, host: &Host) -> String {
        match &self.signed {
            Some(claims) => format!("http:customer:{}", claims.sub),
            None if host.is_local => "http:local".to_owned(),
            // Strangers must not share a case: what one of them establishes would serve the next.
            None => format!("http:{}", uuid::Uuid::new_v4()),
        }
    }
}

/// A chat session's name in the store.
pub(super) fn chat_session(session: &str) -> String {
    format!("chat:{session}")
}

/// A supervisor, by the operator key.
pub(super) struct Supervisor;

impl FromRequestParts<Arc<Host>> for Supervisor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, host: &Arc<Host>) -> Result<Self, ApiError> {
        let Bearer(key) = Bearer::from_request_parts(parts, host).await?;
        if key.is_some_and(|key| host.operator_key.matches(&key)) {
            return Ok(Self);
        }
        Err(ApiError::unauthorized(
            "approvals are a supervisor's: send `Authorization: Bearer` with the operator key (SWITCHBOARD_OPERATOR_KEY, or the one that was printed at the start)",
        ))
    }
}
