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
        let (header, place, prefix) = match (&entry.bearer, &entry.header, &entry.value) {
            (Some(place), None, None) => (header::AUTHORIZATION, place, "Bearer "),
            (None, Some(header), Some(place)) => {
                let header = HeaderName::try_from(header.as_str());
                let header = header.map_err(|_| "header is no name of a header".to_owned())?;
                (header, place, "")
            }
            _ => return Err(SHAPE.to_owned()),
        };
        let secret = secret(place)?;
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
    pub(super) fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// Every secret in them.
    pub(crate) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }
}

const SHAPE: &str =
    "write bearer = { env = \"NAME\" }, or header = \"x-api-key\" with value = { env = \"NAME\" }";
