//! What handlers take from a request: the token, an id, query parameters, a JSON body. Every rejection is a [`Refusal`].

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::refusal::Refusal;

/// Free texts (a description, a note, a reply) may have this many characters.
const LONGEST_TEXT: usize = 20_000;
/// Short ones (a subject, a name, a reason's tag) this many.
const LONGEST_LINE: usize = 500;

/// Proof that the request carries the backend's token.
pub(crate) struct Token;

impl FromRequestParts<Arc<App>> for Token {
    type Rejection = Refusal;

    async fn from_request_parts(head: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        if app.token.is_in(&head.headers) {
            Ok(Self)
        } else {
            Err(Refusal::Unauthorized)
        }
    }
}

/// The `{id}` of the path. One that is not even text names nothing: 404.
pub(crate) struct Id(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::<String>::from_request_parts(head, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(_) => Err(Refusal::NotFound("resource")),
        }
    }
}

/// The query parameters.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Query::<T>::from_request_parts(head, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => Err(Refusal::invalid(rejection.body_text())),
        }
    }
}

/// The JSON body, whatever content type it claims to have.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, app)
            .await
            .map_err(|_| Refusal::Interrupted)?;
        parse_json(&bytes).map(Self)
    }
}

/// Reads a JSON body, or says where and why it is not what was expected.
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes)
        .map_err(|error| Refusal::invalid(format!("the JSON body is not as expected: {error}")))
}

/// Refuses a free text that is blank or endless.
pub(crate) fn check_text(field: &str, text: &str) -> Result<(), Refusal> {
    check_length(field, text, LONGEST_TEXT)
}

/// Refuses a one-line text that is blank, endless, or has control characters.
pub(crate) fn check_line(field: &str, text: &str) -> Result<(), Refusal> {
    if text.chars().any(char::is_control) {
        return Err(Refusal::invalid(format!(
            "{field} must be one line of text"
        )));
    }
    check_length(field, text, LONGEST_LINE)
}

fn check_length(field: &str, text: &str, longest: usize) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::invalid(format!("{field} must not be empty")));
    }
    if text.chars().count() > longest {
        return Err(Refusal::invalid(format!(
            "{field} must not have more than {longest} characters"
        )));
    }
    Ok(())
}
