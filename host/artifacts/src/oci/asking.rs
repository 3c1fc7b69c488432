//! Asking a registry for what is there: every answer is read up to a bound, whatever the registry says of its length.
//!
//! `oci-client` reads whole answers into memory. It publishes for authors, to a registry of their own; what operators fetch from,
//! and look at from time to time, may be anybody's.

use std::fmt;

use http::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use oci_client::errors::{OciDistributionError, OciEnvelope};
use reqwest::{Client, Method, Response, StatusCode};

use super::connect::{self, CONNECT, SILENCE, USER_AGENT, explain};
use super::pass;
use crate::source::{FetchError, Registries};
use crate::{Digest, Reference};

/// Bytes of a refusal that are read: more than anybody needs to know why.
const MAX_REFUSAL: usize = 64 << 10;

/// A registry that was signed in to.
pub(super) struct Asking {
    client: Client,
    /// `https://host:port/v2/repository`.
    repository: String,
    /// What is shown with each question.
    pass: Option<HeaderValue>,
}

/// Which manifest.
pub(super) enum Place {
    Tag(String),
    Digest(Digest),
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => to.write_str(tag),
            Self::Digest(digest) => digest.fmt(to),
        }
    }
}

/// Why there is no answer.
pub(super) enum Unanswered {
    /// It is longer than it may be.
    TooLong,
    /// The registry does not answer, or says no.
    Failed(OciDistributionError),
}

impl Unanswered {
    /// The same for whoever asked, with words for an answer that is too long.
    pub(super) fn explained(self, reference: &Reference, too_long: String) -> FetchError {
        match self {
            Self::TooLong => super::manifest::unfit(reference, too_long),
            Self::Failed(error) => explain(error, reference),
        }
    }
}

impl From<reqwest::Error> for Unanswered {
    fn from(error: reqwest::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Asking {
    /// Signs in to the registry of `reference`, where it asks for that.
    pub(super) async fn sign_in(
        registries: &Registries,
        reference: &Reference,
    ) -> Result<Self, FetchError> {
        connect::use_ring();
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .user_agent(USER_AGENT)
            .build()
            .map_err(|error| explain(error.into(), reference))?;
        let is_plain = connect::is_plain(registries, reference);
        let scheme = if is_plain { "http" } else { "https" };
        let base = format!("{scheme}://{}/v2/", reference.host());
        let credentials = registries.credentials.of(reference.registry());
        let pass = pass::for_pulling(&client, &base, reference, &credentials, is_plain).await?;
        Ok(Self {
            client,
            repository: format!("{base}{}", reference.repository()),
            pass,
        })
    }

    /// The bytes at a path of the repository, as many as there may be.
    pub(super) async fn get(
        &self,
        path: &str,
        accept: &str,
        most: usize,
    ) -> Result<Vec<u8>, Unanswered> {
        let response = self.ask(Method::GET, path, accept).await?;
        read(response, most).await
    }

    /// What is said of it alone.
    pub(super) async fn head(&self, path: &str, accept: &str) -> Result<HeaderMap, Unanswered> {
        let response = self.ask(Method::HEAD, path, accept).await?;
        Ok(response.headers().clone())
    }

    async fn ask(&self, method: Method, path: &str, accept: &str) -> Result<Response, Unanswered> {
        let url = format!("{}/{path}", self.repository);
        let mut request = self.client.request(method, &url).header(ACCEPT, accept);
        if let Some(pass) = &self.pass {
            request = request.header(AUTHORIZATION, pass.clone());
        }
        let response = request.send().await?;
        if response.status() == StatusCode::OK {
            return Ok(response);
        }
        Err(Unanswered::Failed(refusal(response, url).await))
    }
}

/// The body, as much as there may be.
pub(super) async fn read(mut response: Response, most: usize) -> Result<Vec<u8>, Unanswered> {
    let mut body = vec![];
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > most {
            return Err(Unanswered::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What a registry means by anything else than 200.
async fn refusal(response: Response, url: String) -> OciDistributionError {
    use OciDistributionError as Oci;
    let status = response.status();
    // Of one that never ends its status says enough.
    let body = read(response, MAX_REFUSAL).await.unwrap_or_default();
    if status == StatusCode::UNAUTHORIZED {
        return Oci::UnauthorizedError { url };
    }
    if status.is_success() {
        return Oci::SpecViolationError(format!("expected 200, got {status}"));
    }
    match serde_json::from_slice::<OciEnvelope>(&body) {
        Ok(envelope) if status.is_client_error() => Oci::RegistryError { envelope, url },
        _ => Oci::ServerError {
            code: status.as_u16(),
            url,
            message: String::from_utf8_lossy(&body).into_owned(),
        },
    }
}
