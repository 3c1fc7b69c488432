//! A host that serves, as its operator reaches it from a shell: where it is, the key, and one way to ask it something.

use anyhow::{Context as _, bail};
use clap::Args;
use reqwest::{Body, Method, RequestBuilder};
use serde_json::Value;

use crate::{Config, Secrets};

/// Which host.
#[derive(Clone, Debug, Args)]
pub(super) struct ServedArgs {
    /// Where the host serves; else at the address of the configuration
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// A host's HTTP interface, with an operator's key.
pub(super) struct Served {
    client: reqwest::Client,
    base: String,
    key: String,
}

impl Served {
    pub(super) fn of(
        config: &Config,
        secrets: &Secrets,
        args: &ServedArgs,
    ) -> anyhow::Result<Self> {
        let Some(key) = &secrets.operator_key else {
            bail!(
                "this needs an operator's key: set SWITCHBOARD_OPERATOR_KEY to your own, which `switchboard operators add` has made, or to the host's"
            );
        };
        // One crypto provider for every TLS client of this process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let served = || config.url_at(config.listen);
        let at = args.url.clone().unwrap_or_else(served);
        Ok(Self {
            client: reqwest::Client::new(),
            base: at.trim_end_matches('/').to_owned(),
            key: key.expose().to_owned(),
        })
    }

    /// Asks with this JSON, or with nothing.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.answered(request, path).await
    }

    /// Puts this text in the place of what is there.
    pub(super) async fn put(&self, path: &str, text: impl Into<Body>) -> anyhow::Result<Value> {
        let request = self.request(Method::PUT, path).body(text);
        self.answered(request, path).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, self.url(path));
        request.bearer_auth(&self.key)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    async fn answered(&self, request: RequestBuilder, path: &str) -> anyhow::Result<Value> {
        let answer = request.send().await;
        let answer = answer.with_context(|| {
            let url = self.url(path);
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
