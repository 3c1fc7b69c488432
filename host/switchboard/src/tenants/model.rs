//! A tenant's own model: `[model]` of its tenant.toml, in the place of the host's.

use std::sync::Arc;

use agent::Model;
use serde::Deserialize;

use super::secret_ref::SecretRef;
use crate::config::{self, Provider};
use crate::host::model::{self, ModelSetupError};
use crate::{Config, Secret};

/// The section as it is written. What it does not say is the provider's usual, never the host's: a key goes nowhere that it was not
/// meant for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelEntry {
    provider: Provider,
    #[serde(default)]
    name: String,
    #[serde(default)]
    base_url: String,
    key: Option<SecretRef>,
}

/// A model, and the key that it is asked with.
pub(super) struct OwnModel {
    pub(super) model: Arc<dyn Model>,
    pub(super) key: Option<Secret>,
}

impl ModelEntry {
    /// Makes the model, with the host's patience, or says what does not fit. Nothing is asked of it.
    pub(super) fn build(
        &self,
        config: &Config,
        secret: impl Fn(&SecretRef) -> Result<Secret, String>,
    ) -> Result<OwnModel, String> {
        let key = self.key.as_ref().map(secret).transpose()?;
        let own = config::Model {
            provider: self.provider,
            name: self.name.clone(),
            base_url: self.base_url.clone(),
            ..config.model.clone()
        };
        // One crypto provider for every TLS client of this process; doctor comes here first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let model = model::asked_with(
            &own,
            key.as_ref(),
            "key of [model] in the tenant's tenant.toml",
        );
        let model = model.map_err(told)?;
        Ok(OwnModel { model, key })
    }
}

fn told(error: ModelSetupError) -> String {
    match error {
        ModelSetupError::NoKey(_) => {
            "this provider needs a key: key = { env = \"NAME\" }; a server of your own at base_url may do without".to_owned()
        }
        ModelSetupError::Address(address) => {
            format!("base_url is no http or https address: {address:?}")
        }
        ModelSetupError::Client(error) => error.to_string(),
    }
}
