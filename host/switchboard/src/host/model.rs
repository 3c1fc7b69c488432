//! Which model answers: the configured provider, with its key from the environment.

use std::sync::Arc;

use agent::{Model, Offline};
use thiserror::Error;

use crate::config::Provider;
use crate::{Secrets, config};

/// Why there is no model.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ModelSetupError {
    /// A provider without a key.
    #[error(
        "the model provider needs a key: set {0} in the environment, or use MODEL_PROVIDER=offline, which needs none"
    )]
    NoKey(&'static str),
}

/// The configured model. Nothing is asked of it yet.
pub(crate) fn build(
    config: &config::Model,
    secrets: &Secrets,
) -> Result<Arc<dyn Model>, ModelSetupError> {
    let (variable, key) = secrets.model_key(config.provider);
    match config.provider {
        Provider::Offline => Ok(Arc::new(Offline)),
        Provider::Anthropic | Provider::Openai => Err(ModelSetupError::NoKey(variable)),
    }
}
