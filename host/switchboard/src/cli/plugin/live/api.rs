//! The API of a tenant's plugins, at a host that serves.

use reqwest::Method;
use serde_json::Value;

use super::HostArgs;
use crate::cli::operator::Served;
use crate::{Config, Secrets};

/// A host's API of one tenant's plugins.
pub(super) struct Api {
    served: Served,
    base: String,
    reason: String,
}

impl Api {
    pub(super) fn of(config: &Config, secrets: &Secrets, host: &HostArgs) -> anyhow::Result<Self> {
        Ok(Self {
            served: Served::of(config, secrets, &host.served)?,
            base: format!("/t/{}/api/plugins", host.tenant),
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
        self.ask(Method::POST, path, Some(&body)).await
    }

    pub(super) async fn remove(&self, path: &str) -> anyhow::Result<()> {
        self.ask(Method::DELETE, path, None).await.map(drop)
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let path = format!("{}{path}", self.base);
        self.served.ask(method, &path, body).await
    }
}
