//! What a registry wants to be shown before it lets anybody read: nothing, name and password, or a token that is had for them
//! elsewhere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use http_auth::parser::ChallengeParser;
use oci_client::secrets::RegistryAuth;
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;

use super::Reference;
use super::asking::read;
use super::connect::{explain, unauthorized};
use super::manifest::unfit;
use crate::source::FetchError;

/// The longest answer with a token, in bytes.
const MAX_TOKEN: usize = 64 << 10;

/// Where a token is to be had.
struct Challenge {
    realm: String,
    service: Option<String>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// What is shown with every question; none where the registry asks for nothing, or we are nobody to it.
pub(super) async fn for_pulling(
    client: &Client,
    base: &str,
    reference: &Reference,
    credentials: &RegistryAuth,
    is_plain: bool,
) -> Result<Option<HeaderValue>, FetchError> {
    let asked = client.get(base).send().await;
    let asked = asked.map_err(|error| explain(error.into(), reference))?;
    if !asked.headers().contains_key(WWW_AUTHENTICATE) {
        return Ok(None);
    }
    let Some(challenge) = challenge(asked.headers()) else {
        return basic(credentials)
            .map(|text| sensitive(reference, text))
            .transpose();
    };
    let realm = challenge.asking_for(reference, is_plain)?;
    let token = token(client, realm, reference, credentials).await?;
    sensitive(reference, format!("Bearer {token}")).map(Some)
}

fn challenge(headers: &HeaderMap) -> Option<Challenge> {
    let texts = headers.get_all(WWW_AUTHENTICATE).iter();
    let mut challenges = texts
        .filter_map(|text| text.to_str().ok())
        .flat_map(|text| ChallengeParser::new(text).map_while(Result::ok));
    let bearer = challenges.find(|one| one.scheme.eq_ignore_ascii_case("Bearer"))?;
    let parameter = |wanted: &str| {
        let mut parameters = bearer.params.iter();
        let found = parameters.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.to_unescaped())
    };
    Some(Challenge {
        realm: parameter("realm")?,
        service: parameter("service"),
    })
}

impl Challenge {
    /// The address at which a token for reading this repository is to be had.
    /// Where the registry is reached with TLS, nobody on the way learns a password or a token.
    fn asking_for(&self, reference: &Reference, is_plain: bool) -> Result<Url, FetchError> {
        let realm = Url::parse(&self.realm);
        let mut realm = realm.map_err(|error| {
            unfit(
                reference,
                format!("the place of its tokens is odd: {error}"),
            )
        })?;
        let is_fit = realm.scheme() == "https" || is_plain && realm.scheme() == "http";
        if !is_fit {
            let message =
                "it wants us to sign in without TLS, and is not among insecure_registries";
            return Err(unfit(reference, message.to_owned()));
        }
        let scope = format!("repository:{}:pull", reference.repository());
        let mut query = realm.query_pairs_mut();
        query.append_pair("scope", &scope);
        if let Some(service) = &self.service {
            query.append_pair("service", service);
        }
        drop(query);
        Ok(realm)
    }
}

async fn token(
    client: &Client,
    realm: Url,
    reference: &Reference,
    credentials: &RegistryAuth,
) -> Result<String, FetchError> {
    let mut request = client.get(realm);
    if let RegistryAuth::Basic(name, password) = credentials {
        request = request.basic_auth(name, Some(password));
    }
    let answer = request.send().await;
    let answer = answer.map_err(|error| explain(error.into(), reference))?;
    if answer.status() != StatusCode::OK {
        return Err(unauthorized(reference));
    }
    let body = read(answer, MAX_TOKEN).await.map_err(|error| {
        error.explained(
            reference,
            format!("the answer with its token has more than {MAX_TOKEN} bytes"),
        )
    })?;
    let token = serde_json::from_slice::<Token>(&body).ok();
    token
        .and_then(|found| found.token.or(found.access_token))
        .ok_or_else(|| unfit(reference, "it gives something else than a token".to_owned()))
}

fn basic(credentials: &RegistryAuth) -> Option<String> {
    match credentials {
        RegistryAuth::Basic(name, password) => {
            let both = BASE64.encode(format!("{name}:{password}"));
            Some(format!("Basic {both}"))
        }
        _ => None,
    }
}

fn sensitive(reference: &Reference, text: String) -> Result<HeaderValue, FetchError> {
    let mut value = HeaderValue::try_from(text)
        .map_err(|_| unfit(reference, "its token has odd characters".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A registry with TLS that names such a place for its tokens.
    fn asked(realm: &str, is_plain: bool) -> Result<Url, FetchError> {
        let challenge = Challenge {
            realm: realm.to_owned(),
            service: None,
        };
        let reference = "registry.example/acme/loyalty:1".parse().unwrap();
        challenge.asking_for(&reference, is_plain)
    }

    #[test]
    fn what_is_asked_for_with_tls_is_not_shown_without_it() {
        for (realm, is_plain, is_fine) in [
            ("https://tokens.example/t", false, true),
            ("http://tokens.example/t", false, false),
            ("http://tokens.example/t", true, true),
            ("https://tokens.example/t", true, true),
            ("/t", false, false),
            ("file:///t", true, false),
        ] {
            let asked = asked(realm, is_plain);
            assert_eq!(asked.is_ok(), is_fine, "{realm}: {asked:?}");
        }
    }
}
