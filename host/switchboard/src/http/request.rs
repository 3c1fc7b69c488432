//! Reading requests: bodies, path segments and queries, each refused as JSON that says what to do.

use artifacts::MAX_ARTIFACT_BYTES;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use serde::de::DeserializeOwned;

use super::ApiError;

/// Bytes of a body, at most.
const LARGEST_BODY: usize = 1024 * 1024;
/// Likewise, of one that brings a component in base64.
const LARGEST_PARCEL: usize = MAX_ARTIFACT_BYTES / 3 * 4 + LARGEST_BODY;
/// Characters of an id that a client chooses, at most.
const LONGEST_ID: usize = 128;
/// This much of a refused body is still read, so that its sender gets to hear the answer.
const LARGEST_DRAIN: usize = 16 * 1024 * 1024;

/// A JSON body.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        json(request, LARGEST_BODY).await.map(Self)
    }
}

/// A JSON body that may bring a component along.
pub(super) struct LargeJsonBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for LargeJsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        json(request, LARGEST_PARCEL).await.map(Self)
    }
}

async fn json<T: DeserializeOwned>(request: Request, largest: usize) -> Result<T, ApiError> {
    let is_json = declares_json(request.headers());
    let body = read(request.into_body(), largest).await?;
    if !is_json {
        return Err(ApiError::new(
            http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "send JSON, with the header Content-Type: application/json",
        ));
    }
    serde_json::from_slice(&body).map_err(|error| {
        ApiError::invalid(format!(
            "the body does not fit: {error}; /docs shows what is expected"
        ))
    })
}

/// A body that is text, whatever kind of text it says that it is.
pub(super) struct TextBody(pub(super) String);

impl<S: Sync> FromRequest<S> for TextBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let body = read(request.into_body(), LARGEST_BODY).await?;
        let text = String::from_utf8(body.into());
        text.map(Self)
            .map_err(|_| ApiError::invalid("the body does not fit: expected text in UTF-8"))
    }
}

fn declares_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    kind.split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

async fn read(body: Body, largest: usize) -> Result<Bytes, ApiError> {
    let (mut kept, mut size) = (BytesMut::new(), 0_usize);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::invalid("the body broke off; send it again"))?;
        size = size.saturating_add(chunk.len());
        if size <= largest {
            kept.extend_from_slice(&chunk);
        } else if size > largest.max(LARGEST_DRAIN) {
            break;
        }
    }
    if size > largest {
        return Err(ApiError::too_large(format!(
            "the body is larger than {largest} bytes; send less at once"
        )));
    }
    Ok(kept.freeze())
}

/// The one variable segment of a path.
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let segment = Path::<String>::from_request_parts(parts, state).await;
        segment.map(|Path(text)| Self(text)).map_err(|error| {
            ApiError::invalid(format!("the path does not fit: {}", error.body_text()))
        })
    }
}

/// What stands after the `?`.
pub(super) struct QueryOf<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryOf<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(values)| Self(values)).map_err(|error| {
            ApiError::invalid(format!(
                "{}; /docs shows what is expected",
                query_misfit(&error.body_text())
            ))
        })
    }
}

/// The reader's words for a query that does not fit, in ours where a parameter is missing.
fn query_misfit(said: &str) -> String {
    let reason = said.split_once(": ").map_or(said, |(_, reason)| reason);
    let missing = reason
        .split_once("missing field `")
        .and_then(|(_, rest)| rest.strip_suffix('`'));
    match missing {
        Some(name) => format!("{name} is missing: add {name}=… after the ?"),
        None => format!("the query does not fit: {reason}"),
    }
}

/// The token of `Authorization: Bearer …`, if the request has one.
pub(super) struct Bearer(pub(super) Option<String>);

impl<S: Sync> FromRequestParts<S> for Bearer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(header::AUTHORIZATION) else {
            return Ok(Self(None));
        };
        let token = value
            .to_str()
            .ok()
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        match token {
            Some((_, token)) => Ok(Self(Some(token.trim().to_owned()))),
            None => Err(ApiError::unauthorized(
                "the Authorization header does not fit: expected `Bearer` and a token",
            )),
        }
    }
}

/// Somebody wants to be known.
pub(super) fn has_authorization(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION)
}

/// Refuses an id that no store and no log should hold.
pub(super) fn check_id(name: &str, id: &str) -> Result<(), ApiError> {
    let fits =
        (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(())
    } else {
        Err(ApiError::invalid(format!(
            "{name} does not fit: expected 1 to {LONGEST_ID} visible ASCII characters"
        )))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Search {
        q: String,
        limit: Option<u32>,
    }

    async fn read(query: &str) -> Result<Search, String> {
        let (mut parts, ()) = http::Request::get(format!("/api/search?{query}"))
            .body(())
            .unwrap()
            .into_parts();
        let query = QueryOf::from_request_parts(&mut parts, &()).await;
        query
            .map(|QueryOf(search)| search)
            .map_err(|error| error.message)
    }

    #[tokio::test]
    async fn a_query_that_does_not_fit_is_refused_in_plain_words() {
        let fits = Search {
            q: "x".to_owned(),
            limit: Some(2),
        };
        assert_eq!(read("q=x&limit=2").await, Ok(fits));
        let missing = read("limit=1").await.unwrap_err();
        assert_eq!(
            missing,
            "q is missing: add q=… after the ?; /docs shows what is expected"
        );
        let number = read("q=x&limit=many").await.unwrap_err();
        assert!(
            number.starts_with("the query does not fit: limit: invalid digit"),
            "{number}"
        );
    }
}
