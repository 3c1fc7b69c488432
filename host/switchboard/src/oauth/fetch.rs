//! What is fetched of an authorization server: its metadata, and its keys. Bounded in time and size; no redirect is followed.

use std::sync::OnceLock;
use std::time::Duration;

use futures::StreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;
use url::Url;

use crate::config::oauth::{is_loopback, secure};

/// For one document, from the name to its last byte.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of one document, at most.
const LARGEST: usize = 256 * 1024;

/// Why a document could not be had. All of them: try again later, and look at the authorization server.
#[derive(Debug, Error)]
pub(super) enum FetchError {
    #[error("no client for HTTP could be made: {0}")]
    Client(reqwest::Error),
    #[error("{url} does not answer: {reason}")]
    Silent { url: String, reason: reqwest::Error },
    #[error("{url} answers {status}")]
    Status { url: String, status: u16 },
    #[error("{url} is larger than {LARGEST} bytes")]
    TooLarge { url: String },
    #[error("{url} is not what it should be: {reason}")]
    Misfit { url: String, reason: String },
}

/// A set of keys, each as it stands there.
#[derive(Debug, Deserialize)]
pub(super) struct JwkSet {
    pub(super) keys: Vec<Value>,
}

/// What is read of an authorization server's metadata.
#[derive(Debug, Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// The keys at this address, or without one where the issuer's metadata say.
pub(super) async fn keys(issuer: &str, jwks: &str) -> Result<JwkSet, FetchError> {
    if jwks.is_empty() {
        let place = discovered(issuer).await?;
        return document(&place).await;
    }
    document(&address(jwks)?).await
}

/// Where the issuer says that its keys are: at the first place where it has metadata at all.
async fn discovered(issuer: &str) -> Result<Url, FetchError> {
    let issuer_url = address(issuer)?;
    let mut failed = None;
    for place in places(&issuer_url) {
        match document::<Metadata>(&place).await {
            Ok(metadata) => return keys_of(&metadata, issuer, &place),
            Err(error @ FetchError::Status { .. }) => failed = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(failed.unwrap_or_else(|| misfit(&issuer_url, "there are no metadata")))
}

fn keys_of(metadata: &Metadata, issuer: &str, place: &Url) -> Result<Url, FetchError> {
    // What names another issuer is another's: RFC 8414, section 3.3.
    if metadata.issuer != issuer {
        let reason = format!("its issuer is {:?}", metadata.issuer);
        return Err(misfit(place, &reason));
    }
    let keys = secure(&metadata.jwks_uri)
        .map_err(|reason| misfit(place, &format!("jwks_uri {reason}")))?;
    // Somebody elsewhere does not send this host to what listens on its own machine.
    if is_loopback(&keys) && !is_loopback(place) {
        return Err(misfit(place, "jwks_uri is on this machine"));
    }
    Ok(keys)
}

/// Where an issuer's metadata may be: as RFC 8414 says it, and as `OpenID` Connect does.
fn places(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let oauth = format!("/.well-known/oauth-authorization-server{path}");
    let openid_before = format!("/.well-known/openid-configuration{path}");
    let openid_after = format!("{path}/.well-known/openid-configuration");
    let mut paths = vec![oauth, openid_before, openid_after];
    paths.dedup();
    let at = |path: String| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url.set_query(None);
        url
    };
    paths.into_iter().map(at).collect()
}

async fn document<T: DeserializeOwned>(url: &Url) -> Result<T, FetchError> {
    let silent = |reason: reqwest::Error| FetchError::Silent {
        url: url.to_string(),
        reason: reason.without_url(),
    };
    let answer = client(url)?.get(url.clone()).send().await.map_err(silent)?;
    let status = answer.status();
    if !status.is_success() {
        return Err(FetchError::Status {
            url: url.to_string(),
            status: status.as_u16(),
        });
    }
    let mut body = Vec::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk.map_err(silent)?);
        if body.len() > LARGEST {
            return Err(FetchError::TooLarge {
                url: url.to_string(),
            });
        }
    }
    serde_json::from_slice(&body).map_err(|error| misfit(url, &error.to_string()))
}

fn address(text: &str) -> Result<Url, FetchError> {
    secure(text).map_err(|reason| FetchError::Misfit {
        url: text.to_owned(),
        reason,
    })
}

fn misfit(url: &Url, reason: &str) -> FetchError {
    FetchError::Misfit {
        url: url.to_string(),
        reason: reason.to_owned(),
    }
}

/// One client for the world, and one for this machine, which heeds no proxy.
fn client(url: &Url) -> Result<&'static reqwest::Client, FetchError> {
    static WORLD: OnceLock<reqwest::Client> = OnceLock::new();
    static HERE: OnceLock<reqwest::Client> = OnceLock::new();
    let is_here = is_loopback(url);
    let kept = if is_here { &HERE } else { &WORLD };
    if let Some(client) = kept.get() {
        return Ok(client);
    }
    let mut builder = reqwest::Client::builder()
        .timeout(PATIENCE)
        // Fetches are far between: a connection kept from one to the next would be dead by then.
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none());
    if is_here {
        builder = builder.no_proxy();
    }
    let made = builder.build().map_err(FetchError::Client)?;
    Ok(kept.get_or_init(|| made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuers_metadata_are_looked_for_where_the_standards_say() {
        let all = |issuer: &str| -> Vec<String> {
            let places = places(&Url::parse(issuer).unwrap());
            places.iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            all("https://id.example"),
            [
                "https://id.example/.well-known/oauth-authorization-server",
                "https://id.example/.well-known/openid-configuration",
            ]
        );
        assert_eq!(
            all("https://id.example/realms/acme"),
            [
                "https://id.example/.well-known/oauth-authorization-server/realms/acme",
                "https://id.example/.well-known/openid-configuration/realms/acme",
                "https://id.example/realms/acme/.well-known/openid-configuration",
            ]
        );
    }

    #[test]
    fn anothers_metadata_and_open_addresses_are_refused() {
        let place = Url::parse("https://id.example").unwrap();
        let told = |issuer: &str, jwks_uri: &str| {
            let metadata = Metadata {
                issuer: issuer.to_owned(),
                jwks_uri: jwks_uri.to_owned(),
            };
            keys_of(&metadata, "https://id.example", &place).map(|url| url.to_string())
        };
        assert!(told("https://id.example", "https://id.example/jwks").is_ok());
        assert!(told("https://other.example", "https://id.example/jwks").is_err());
        assert!(told("https://id.example", "http://id.example/jwks").is_err());
    }

    #[test]
    fn an_issuer_elsewhere_leads_nobody_to_this_machine() {
        let leads = |issuer: &str, jwks_uri: &str| {
            let metadata = Metadata {
                issuer: issuer.to_owned(),
                jwks_uri: jwks_uri.to_owned(),
            };
            keys_of(&metadata, issuer, &Url::parse(issuer).unwrap()).is_ok()
        };
        for here in [
            "http://127.0.0.1:9/jwks",
            "https://127.8.8.8/jwks",
            "https://localhost/jwks",
            "http://localhost:9/jwks",
            "https://[::1]/jwks",
        ] {
            assert!(!leads("https://id.example", here), "{here}");
            assert!(leads("http://127.0.0.1:8", here), "{here}");
        }
        assert!(leads("http://127.0.0.1:8", "https://id.example/jwks"));
    }
}
