//! The adapter for Anthropic's Messages API, streamed.

mod wire;

use async_trait::async_trait;
use reqwest::Client;
use serde_json::Value;

use self::wire::Reply;
use super::http::{Endpoint, HttpLimits};
use super::{Model, ModelError, ModelReply, ModelRequest};

/// The API version that the adapter speaks.
const VERSION: &str = "2023-06-01";

/// How to reach the service.
#[derive(Clone)]
pub struct AnthropicConfig {
    /// Without a path: `https://api.anthropic.com`.
    pub base_url: String,
    /// The model's name at the service.
    pub model: String,
    /// The key.
    pub api_key: String,
    /// The setting that holds the key, for messages.
    pub key_setting: String,
    /// Time-outs and retries.
    pub limits: HttpLimits,
}

/// A model behind the Messages API.
pub struct Anthropic {
    name: String,
    config: AnthropicConfig,
    endpoint: Endpoint,
}

impl Anthropic {
    /// Prepares the client; nothing is sent yet.
    pub fn new(config: AnthropicConfig) -> Result<Self, ModelError> {
        Ok(Self {
            name: format!("anthropic:{}", config.model),
            endpoint: Endpoint::new(config.limits, &config.key_setting)?,
            config,
        })
    }

    fn request(&self, client: &Client, body: &Value) -> reqwest::RequestBuilder {
        let base = self.config.base_url.trim_end_matches('/');
        client
            .post(format!("{base}/v1/messages"))
            .header("x-api-key", &self.config.api_key)
            .header("anthropic-version", VERSION)
            .json(body)
    }
}

#[async_trait]
impl Model for Anthropic {
    fn name(&self) -> &str {
        &self.name
    }

    async fn respond(&self, request: ModelRequest) -> Result<ModelReply, ModelError> {
        let body = wire::body(&self.config.model, &request);
        self.endpoint
            .reply::<Reply>(|client| self.request(client, &body))
            .await
    }
}

#[cfg(test)]
mod tests;
