//! The adapter for OpenAI-compatible chat completions, streamed: `OpenAI` itself, or any local server.

mod wire;

use async_trait::async_trait;
use reqwest::Client;
use serde_json::Value;

use self::wire::Reply;
use super::http::{Endpoint, HttpLimits};
use super::{Model, ModelError, ModelReply, ModelRequest};

/// How to reach the service.
#[derive(Clone)]
pub struct OpenAiConfig {
    /// With its version path: `https://api.openai.com/v1`, `http://127.0.0.1:11434/v1`.
    pub base_url: String,
    /// The model's name at the service.
    pub model: String,
    /// The key; local servers mostly need none.
    pub api_key: Option<String>,
    /// The setting that holds the key, for messages.
    pub key_setting: String,
    /// Time-outs and retries.
    pub limits: HttpLimits,
}

/// A model behind chat completions.
pub struct OpenAi {
    name: String,
    config: OpenAiConfig,
    endpoint: Endpoint,
}

impl OpenAi {
    /// Prepares the client; nothing is sent yet.
    pub fn new(config: OpenAiConfig) -> Result<Self, ModelError> {
        Ok(Self {
            name: format!("openai:{}", config.model),
            endpoint: Endpoint::new(config.limits, &config.key_setting)?,
            config,
        })
    }

    fn request(&self, client: &Client, body: &Value) -> reqwest::RequestBuilder {
        let base = self.config.base_url.trim_end_matches('/');
        let request = client.post(format!("{base}/chat/completions")).json(body);
        match &self.config.api_key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// `OpenAI`'s own newer models refuse the name that every other server knows.
    fn token_field(&self) -> &'static str {
        if self.config.base_url.contains("//api.openai.com") {
            "max_completion_tokens"
        } else {
            "max_tokens"
        }
    }
}

#[async_trait]
impl Model for OpenAi {
    fn name(&self) -> &str {
        &self.name
    }

    async fn respond(&self, request: ModelRequest) -> Result<ModelReply, ModelError> {
        let mut body = wire::body(&self.config.model, &request);
        body[self.token_field()] = request.max_tokens.into();
        self.endpoint
            .reply::<Reply>(|client| self.request(client, &body))
            .await
    }
}

#[cfg(test)]
mod tests;
