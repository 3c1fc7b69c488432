//! The API of a host that serves, as its operator reaches it.

use anyhow::{Context as _, bail};
use reqwest::Method;
use serde_json::Value;

use super::HostArgs;
use crate::{Config, Secrets};

/// A host's API of one tenant's plugins.
pub(super) struct Api {
    client: reqwest::Client,
    base: String,
    key: String,
    reason: String,
}

impl Api {
    pub(super) fn of(config: &Config, secrets: &Secrets, host: &HostArgs) -> anyhow::Result<Self> {
        let Some(key) = &secrets.operator_key else {
            bail!(
                "this needs the operator's key: set SWITCHBOARD_OPERATOR_KEY, for the host and here"
            );
        };
        // One crypto provider for every TLS client of this process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let served = || config.url_at(config.listen);
        let at = host.url.clone().unwrap_or_else(served);
        Ok(Self {
            client: reqwest::Client::new(),
            base: format!("{}/t/{}/api/plugins", at.trim_end_matches('/'), host.tenant),
            key: key.expose().to_owned(),
            reason: host.reason.clone(),
        })
    }

    pub(super) async fn read(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::GET, path, None).await
    }

    pub(super) async fn turn(
        &self,
        plugin: &str,
        turn: &str,
        body: Value,
    ) -> anyhow::Result<Value> {
        self.write(&format!("/{plugin}/{turn}"), body).await
    }

    pub(super) async fn write(&self, path: &str, mut body: Value) -> anyhow::Result<Value> {
        if !self.reason.is_empty() {
            body["reason"] = self.reason.as_str().into();
        }
        self.ask(Method::POST, path, Some(body)).await
    }

    pub(super) async fn remove(&self, path: &str) -> anyhow::Result<()> {
        self.ask(Method::DELETE, path, None).await.map(drop)
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.base);
        let mut request = self.client.request(method, &url).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await;
        let answer = answer.with_context(|| {
            format!("no host answers at {url}: start one, or name it with --url")
        })?;
        let is_fine = answer.status().is_success();
        let text = answer.text().await?;
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        if is_fine {
            return Ok(body);
        }
        bail!(
            "{}",
            body["error"]["message"]
                .as_str()
                .unwrap_or(&text)
                .to_owned()
        )
    }
}
