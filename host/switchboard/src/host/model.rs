//! Which model answers: the configured provider, with its key from the environment.

use std::sync::Arc;
use std::time::Duration;

use agent::{
    Anthropic, AnthropicConfig, HttpLimits, Model, ModelError, Offline, OpenAi, OpenAiConfig,
};
use thiserror::Error;

use crate::config::Provider;
use crate::{Secret, Secrets, config};

const ANTHROPIC_URL: &str = "https://api.anthropic.com";
const ANTHROPIC_MODEL: &str = "claude-sonnet-4-5";
const OPENAI_URL: &str = "https://api.openai.com/v1";
const OPENAI_MODEL: &str = "gpt-4.1";

/// Why there is no model.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ModelSetupError {
    /// A provider without a key.
    #[error(
        "the model provider needs a key: set {0} in the environment, or use MODEL_PROVIDER=offline, which needs none"
    )]
    NoKey(&'static str),
    /// The address is no address.
    #[error("MODEL_BASE_URL (the key model.base_url) is no http or https address: {0:?}")]
    Address(String),
    /// The client for it does not start.
    #[error("the model cannot be reached from here: {0}")]
    Client(#[from] ModelError),
}

/// The configured model. Nothing is asked of it yet.
pub(crate) fn build(
    config: &config::Model,
    secrets: &Secrets,
) -> Result<Arc<dyn Model>, ModelSetupError> {
    let (variable, key) = secrets.model_key(config.provider);
    asked_with(config, key, variable)
}

/// A model that is asked with this key, which its operator sets there.
pub(crate) fn asked_with(
    config: &config::Model,
    key: Option<&Secret>,
    setting: &'static str,
) -> Result<Arc<dyn Model>, ModelSetupError> {
    if config.provider == Provider::Offline {
        return Ok(Arc::new(Offline));
    }
    check_address(&config.base_url)?;
    let key = key.map(|key| Secret::expose(key).to_owned());
    let own_server = !config.base_url.is_empty();
    if config.provider == Provider::Anthropic {
        let api_key = key.ok_or(ModelSetupError::NoKey(setting))?;
        return Ok(Arc::new(Anthropic::new(AnthropicConfig {
            base_url: or(&config.base_url, ANTHROPIC_URL),
            model: or(&config.name, ANTHROPIC_MODEL),
            api_key,
            key_setting: setting.to_owned(),
            limits: limits(config),
        })?));
    }
    if key.is_none() && !own_server {
        return Err(ModelSetupError::NoKey(setting));
    }
    Ok(Arc::new(OpenAi::new(OpenAiConfig {
        base_url: or(&config.base_url, OPENAI_URL),
        model: or(&config.name, OPENAI_MODEL),
        api_key: key,
        key_setting: setting.to_owned(),
        limits: limits(config),
    })?))
}

fn check_address(base_url: &str) -> Result<(), ModelSetupError> {
    let is_address = url::Url::parse(base_url)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if base_url.is_empty() || is_address {
        return Ok(());
    }
    Err(ModelSetupError::Address(base_url.to_owned()))
}

fn or(configured: &str, usual: &str) -> String {
    if configured.is_empty() {
        usual.to_owned()
    } else {
        configured.to_owned()
    }
}

fn limits(config: &config::Model) -> HttpLimits {
    HttpLimits {
        silence: Duration::from_secs(config.timeout_seconds.into()),
        retries: config.retries,
        ..HttpLimits::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(provider: Provider, base_url: &str, secrets: &Secrets) -> Result<String, String> {
        let config = config::Model {
            provider,
            base_url: base_url.to_owned(),
            ..config::Model::default()
        };
        let built = build(&config, secrets);
        built
            .map(|model| model.name().to_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_provider_without_its_key_is_refused_with_the_variable_to_set() {
        let none = Secrets::default();
        assert_eq!(built(Provider::Offline, "", &none).unwrap(), "offline");
        for (provider, variable) in [
            (Provider::Anthropic, "ANTHROPIC_API_KEY"),
            (Provider::Openai, "OPENAI_API_KEY"),
        ] {
            assert!(built(provider, "", &none).unwrap_err().contains(variable));
        }
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        let refused = built(Provider::Openai, "localhost", &Secrets::default()).unwrap_err();
        assert!(refused.contains("MODEL_BASE_URL"), "{refused}");
    }
}
