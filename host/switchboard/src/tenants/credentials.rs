//! The credentials of one tenant: which headers the host adds to its plugins' requests.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue, header};
use serde::Deserialize;

use super::secret_ref::SecretRef;
use crate::Secret;

/// One of `[credentials.NAME]`: a bearer token, or a header of another name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CredentialEntry {
    bearer: Option<SecretRef>,
    header: Option<String>,
    value: Option<SecretRef>,
}

/// Credentials by name, and the secrets in them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credentials {
    headers: BTreeMap<String, (HeaderName, HeaderValue)>,
    secrets: Vec<Secret>,
}

impl Credentials {
    /// Adds one, or says why it cannot be sent.
    pub(super) fn add(
        &mut self,
        name: &str,
        entry: &CredentialEntry,
        secret: impl Fn(&SecretRef) -> Result<Secret, String>,
    ) -> Result<(), String> {
        match (&entry.bearer, &entry.header, &entry.value) {
            (Some(place), None, None) => self.put(name, None, secret(place)?),
            (None, Some(header), Some(place)) => self.put(name, Some(header), secret(place)?),
            _ => Err(SHAPE.to_owned()),
        }
    }

    /// Adds one that goes into this header; without it, one that is a bearer token. Says why it cannot be sent.
    pub(crate) fn put(
        &mut self,
        name: &str,
        header: Option<&str>,
        secret: Secret,
    ) -> Result<(), String> {
        let (header, prefix) = match header {
            None => (header::AUTHORIZATION, "Bearer "),
            Some(header) => {
                let header = HeaderName::try_from(header);
                (header.map_err(|_| "header is no name of a header")?, "")
            }
        };
        let value = HeaderValue::from_str(&format!("{prefix}{}", secret.expose()));
        let mut value = value
            .map_err(|_| "the secret cannot be sent: it holds control characters".to_owned())?;
        value.set_sensitive(true);
        self.headers.insert(name.to_owned(), (header, value));
        self.secrets.push(secret);
        Ok(())
    }

    /// The headers that a credential stands for; none if there is no such credential.
    pub(crate) fn headers(&self, name: &str) -> Option<Vec<(HeaderName, HeaderValue)>> {
        Some(vec![self.headers.get(name)?.clone()])
    }

    /// Whether there is one of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// Every secret in them.
    pub(crate) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }
}

const SHAPE: &str =
    "write bearer = { env = \"NAME\" }, or header = \"x-api-key\" with value = { env = \"NAME\" }";
