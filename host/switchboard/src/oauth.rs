//! Access tokens of a tenant's authorization server: whom a token names, and what clients are told when they show none that counts.
//!
//! A token is judged at every request, and goes nowhere from here: no plugin, backend or log gets it.

mod fetch;
mod grants;
mod keys;
mod token;

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;
use serde_json::{Value, json};
use thiserror::Error;
use url::Url;

use crate::config::OAuth;
use crate::tenants::Identity;
use keys::{KeySet, NoKey};

/// Where clients look for what protects a resource (RFC 9728).
pub(crate) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// A tenant's authorization server, as far as this host knows it.
pub(crate) struct Authority {
    settings: OAuth,
    keys: Arc<KeySet>,
}

/// Whom a token names, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) identity: Arc<Identity>,
    /// Unix seconds from which on the token is refused.
    pub(crate) until: i64,
}

/// Why a token names nobody here.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Refused {
    /// It does not count; another one might.
    #[error("the access token does not count here: {0}")]
    Invalid(&'static str),
    /// It counts, and gives nothing here.
    #[error("the access token's scopes give nothing here; ask for one of: {0}")]
    NoRole(String),
    /// It cannot be judged now.
    #[error(
        "the keys of the authorization server cannot be had right now; the log says why. Nothing ran; try again"
    )]
    Unavailable,
}

impl Authority {
    /// What these settings say, which fit; nothing is fetched before the first token comes.
    pub(crate) fn new(settings: OAuth) -> Self {
        let keys = Arc::new(KeySet::of(&settings));
        Self { settings, keys }
    }

    /// What it was made of.
    pub(crate) fn settings(&self) -> &OAuth {
        &self.settings
    }

    /// Whom this token names, at this time in Unix seconds; none if it is no access token by its form, and may be something else.
    pub(crate) async fn identify(&self, token: &str, now: i64) -> Option<Result<Bearer, Refused>> {
        let header = token::header(token)?;
        Some(self.judge(token, &header, now).await)
    }

    async fn judge(
        &self,
        token: &str,
        header: &jsonwebtoken::Header,
        now: i64,
    ) -> Result<Bearer, Refused> {
        token::check_header(header).map_err(Refused::Invalid)?;
        let key = self
            .keys
            .key(header)
            .await
            .map_err(|missing| match missing {
                NoKey::Unknown => {
                    Refused::Invalid("no key of the authorization server has signed it")
                }
                NoKey::Unavailable => Refused::Unavailable,
            })?;
        let claims = token::claims(token, header, &key).map_err(Refused::Invalid)?;
        claims
            .check(&self.settings.issuer, || self.settings.audiences(), now)
            .map_err(Refused::Invalid)?;
        let scopes: Vec<&str> = claims.scopes().collect();
        let (role, tools) = grants::of(&self.settings.scopes, &scopes)
            .ok_or_else(|| Refused::NoRole(self.least_scopes()))?;
        Ok(Bearer {
            identity: Arc::new(Identity::by_token(
                &self.settings.issuer,
                &claims.sub,
                role,
                tools,
            )),
            until: claims.refused_from(),
        })
    }

    /// What clients are told of the resource (RFC 9728).
    pub(crate) fn metadata(&self, company: &str) -> Value {
        json!({
            "resource": self.settings.resource,
            "authorization_servers": [self.settings.issuer],
            "scopes_supported": self.settings.scopes.keys().collect::<Vec<_>>(),
            "bearer_methods_supported": ["header"],
            "resource_name": company,
        })
    }

    /// What a client is told that has shown no token that counts (RFC 6750, RFC 9728, and MCP's authorization).
    pub(crate) fn challenge(&self, refused: Option<&Refused>) -> HeaderValue {
        let place = self.metadata_address();
        let scope = self.least_scopes();
        let error = match refused {
            Some(refused @ Refused::Invalid(_)) => described("invalid_token", refused),
            Some(refused @ Refused::NoRole(_)) => described("insufficient_scope", refused),
            Some(Refused::Unavailable) | None => String::new(),
        };
        let told = format!("Bearer resource_metadata=\"{place}\"{error}, scope=\"{scope}\"");
        // Addresses and scopes were checked when they were read; were one to slip through, the plain challenge still holds.
        HeaderValue::try_from(told).unwrap_or(HeaderValue::from_static("Bearer"))
    }

    /// The scopes that give the least role: whoever wants more asks for more.
    fn least_scopes(&self) -> String {
        grants::least(&self.settings.scopes).join(" ")
    }

    /// Where the metadata are, as clients reach them: the well-known path stands before the resource's own.
    fn metadata_address(&self) -> String {
        let Ok(resource) = Url::parse(&self.settings.resource) else {
            return WELL_KNOWN.to_owned();
        };
        let origin = resource.origin().ascii_serialization();
        format!("{origin}{WELL_KNOWN}{}", resource.path())
    }
}

fn described(error: &str, refused: &Refused) -> String {
    format!(", error=\"{error}\", error_description=\"{refused}\"")
}

impl fmt::Debug for Authority {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_tuple("Authority")
            .field(&self.settings.issuer)
            .finish()
    }
}
