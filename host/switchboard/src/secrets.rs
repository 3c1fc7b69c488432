//! The secrets of this program: from the environment, never from a file, never printed.

use artifacts::{Credentials, CredentialsError};
use thiserror::Error;

use crate::Environment;
use crate::config::Provider;
use crate::staff::{Staff, StaffError};

/// Characters that a session secret needs at least: HS256 is as strong as its key.
const SHORTEST_SESSION_SECRET: usize = 32;

/// A secret text that does not show in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A new random one.
    pub fn random() -> Self {
        Self(format!(
            "{}{}",
            uuid::Uuid::new_v4().simple(),
            uuid::Uuid::new_v4().simple()
        ))
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("Secret(…)")
    }
}

/// What the environment may hold.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The key of the provider Anthropic.
    pub anthropic_api_key: Option<Secret>,
    /// The key of the provider `OpenAI`, or of a server that speaks its protocol.
    pub openai_api_key: Option<Secret>,
    /// What signs the sessions of customers; without it no session is signed.
    pub session_secret: Option<Secret>,
    /// What a supervisor shows; without it one is made at the start.
    pub operator_key: Option<Secret>,
    /// Members of staff with keys of their own.
    pub staff: Staff,
    /// Who this host is to which OCI registry.
    pub registries: Credentials,
    /// Where tenants' secrets are found, by the names that their folders give.
    pub environment: Environment,
}

/// Why secrets were refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SecretError {
    /// A secret that could be guessed.
    #[error(
        "SWITCHBOARD_SESSION_SECRET is too short: use at least {SHORTEST_SESSION_SECRET} random characters, such as `openssl rand -hex 32` prints"
    )]
    ShortSessionSecret,
    /// The list of staff does not read.
    #[error("SWITCHBOARD_STAFF_KEYS: {0}")]
    Staff(#[from] StaffError),
    /// The registries' credentials do not read.
    #[error("DOCKER_AUTH_CONFIG: {0}")]
    Registries(#[from] CredentialsError),
}

impl Secrets {
    /// Takes them from the environment.
    pub fn of(environment: &Environment) -> Result<Self, SecretError> {
        let secret = |name| environment.get(name).map(|text| Secret::new(text.trim()));
        let secrets = Self {
            anthropic_api_key: secret("ANTHROPIC_API_KEY"),
            openai_api_key: secret("OPENAI_API_KEY"),
            session_secret: secret("SWITCHBOARD_SESSION_SECRET"),
            operator_key: secret("SWITCHBOARD_OPERATOR_KEY"),
            staff: Staff::parse(
                environment
                    .get("SWITCHBOARD_STAFF_KEYS")
                    .unwrap_or_default(),
            )?,
            registries: match environment.get("DOCKER_AUTH_CONFIG") {
                Some(text) => Credentials::parse(text)?,
                None => Credentials::default(),
            },
            environment: environment.clone(),
        };
        if secrets
            .session_secret
            .as_ref()
            .is_some_and(is_too_short_to_sign)
        {
            return Err(SecretError::ShortSessionSecret);
        }
        Ok(secrets)
    }

    /// The variable that holds a provider's key, and the key.
    pub fn model_key(&self, provider: Provider) -> (&'static str, Option<&Secret>) {
        match provider {
            Provider::Offline => ("", None),
            Provider::Anthropic => ("ANTHROPIC_API_KEY", self.anthropic_api_key.as_ref()),
            Provider::Openai => ("OPENAI_API_KEY", self.openai_api_key.as_ref()),
        }
    }

    /// Each of them that is set.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Secret> {
        [
            &self.anthropic_api_key,
            &self.openai_api_key,
            &self.session_secret,
            &self.operator_key,
        ]
        .into_iter()
        .flatten()
        .chain(self.staff.keys())
    }
}

/// Whoever guesses it vouches for every customer.
pub(crate) fn is_too_short_to_sign(secret: &Secret) -> bool {
    secret.expose().len() < SHORTEST_SESSION_SECRET
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guessable_session_secret_is_refused() {
        let with = |value: &str| {
            let set = [("SWITCHBOARD_SESSION_SECRET".to_owned(), value.to_owned())];
            Secrets::of(&set.into_iter().collect())
        };
        assert_eq!(
            with("changeme").unwrap_err(),
            SecretError::ShortSessionSecret
        );
        assert!(with(&"x1".repeat(16)).is_ok());
    }

    #[test]
    fn a_secret_shows_in_no_debug_output() {
        let secrets = Secrets {
            openai_api_key: Some(Secret::new("sk-hidden")),
            ..Secrets::default()
        };
        assert!(!format!("{secrets:?}").contains("sk-hidden"));
    }
}
