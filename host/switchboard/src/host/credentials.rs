//! The credentials that the host adds to plugins' requests, and the secrets that it strikes out of every text.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue, header};

use crate::secrets::Secret;

/// Shorter values are no secrets, and striking them out would garble every text.
const SHORTEST_STRUCK: usize = 8;

/// Credentials by tenant and name, and everything that must not leave.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    bearer_tokens: BTreeMap<(String, String), Secret>,
    secrets: Vec<Secret>,
}

impl Credentials {
    /// Knows these secrets, so as to strike them out.
    pub(crate) fn hiding<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Self {
        Self {
            bearer_tokens: BTreeMap::new(),
            secrets: secrets.cloned().collect(),
        }
    }

    /// Adds a token that goes out as `Authorization: Bearer …`.
    pub(crate) fn with_bearer(mut self, tenant: &str, credential: &str, token: Secret) -> Self {
        self.secrets.push(token.clone());
        self.bearer_tokens
            .insert((tenant.to_owned(), credential.to_owned()), token);
        self
    }
}

impl dispatch::Secrets for Credentials {
    fn headers(&self, tenant: &str, credential: &str) -> Option<Vec<(HeaderName, HeaderValue)>> {
        let token = self
            .bearer_tokens
            .get(&(tenant.to_owned(), credential.to_owned()))?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).ok()?;
        value.set_sensitive(true);
        Some(vec![(header::AUTHORIZATION, value)])
    }

    fn scrub(&self, text: &str) -> String {
        let struck = self
            .secrets
            .iter()
            .map(Secret::expose)
            .filter(|secret| secret.len() >= SHORTEST_STRUCK);
        struck.fold(text.to_owned(), |text, secret| {
            text.replace(secret, "[secret]")
        })
    }
}

#[cfg(test)]
mod tests {
    use dispatch::Secrets as _;

    use super::*;

    #[test]
    fn a_token_goes_to_its_tenant_and_is_struck_out_of_texts() {
        let credentials = Credentials::hiding([Secret::new("sk-model-key")].iter()).with_bearer(
            "demo",
            "shop",
            Secret::new("token-of-the-shop"),
        );
        let headers = credentials.headers("demo", "shop").unwrap();
        assert_eq!(headers[0].1.to_str().unwrap(), "Bearer token-of-the-shop");
        assert!(headers[0].1.is_sensitive());
        assert!(credentials.headers("other", "shop").is_none());
        assert_eq!(
            credentials.scrub("sk-model-key, Bearer token-of-the-shop"),
            "[secret], Bearer [secret]"
        );
    }
}
