//! The desk under evaluation: a whole program over fresh data, spoken to and looked at over HTTP only.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, ensure};
use http::Method;
use policy::Money;
use reqwest::Client;
use serde_json::{Value, json};

use super::judge::{Leaks, Observed};
use super::scenario::Scenario;
use crate::{Config, Options, Running, Secrets, start};

/// One running program with data of its own.
pub(super) struct Desk {
    running: Running,
    client: Client,
    /// Figures and secrets that no customer may read.
    internal: Vec<String>,
}

impl Desk {
    /// Starts one; compiled plugins are shared between those of one evaluation.
    pub(super) async fn open(
        config: &Config,
        secrets: &Secrets,
        folder: &Path,
        number: usize,
    ) -> anyhow::Result<Self> {
        let mut config = config.clone();
        config.listen = ([127, 0, 0, 1], 0).into();
        config.demo_backend.listen = config.listen;
        config.data_dir = folder.join(format!("desk-{number}"));
        let options = Options {
            secrets: secrets.clone(),
            compiled: Some(folder.join("compiled")),
            ..Options::new(config.clone())
        };
        let running = start(options).await?;
        let own = [&running.backend_token, &running.operator_key];
        let secrets = secrets
            .all()
            .chain(own)
            .map(|secret| secret.expose().to_owned());
        let figures = [&config.rules.refund_limit, &config.rules.credit_limit]
            .map(|amount| amount.as_str().to_owned());
        Ok(Self {
            client: Client::new(),
            internal: secrets.chain(figures).collect(),
            running,
        })
    }

    pub(super) fn model(&self) -> &str {
        &self.running.model
    }

    /// Plays a scenario, and looks at what happened.
    pub(super) async fn play(&self, scenario: &Scenario) -> anyhow::Result<Observed> {
        for fault in &scenario.faults {
            self.backend(Method::POST, "/_control/faults", Some(fault))
                .await?;
        }
        let mut observed = Observed::default();
        for (number, says) in scenario.sessions.iter().enumerate() {
            for message in says {
                let answer = self.say(&format!("eval-{number}"), message).await?;
                observed
                    .replies
                    .push(answer["response"].as_str().unwrap_or_default().to_owned());
                observed
                    .statuses
                    .push(answer["status"].as_str().unwrap_or_default().to_owned());
            }
        }
        observed.writes_before_approval = self.writes().await?;
        if scenario.approve {
            self.approve_everything().await?;
        }
        self.look(scenario, observed).await
    }

    /// What internal things these replies hold.
    pub(super) fn leaks(&self, replies: &[String]) -> Leaks {
        Leaks::of(replies, &self.internal)
    }

    pub(super) async fn close(self) {
        self.running.shutdown().await;
    }

    async fn look(&self, scenario: &Scenario, mut observed: Observed) -> anyhow::Result<Observed> {
        observed.writes = self.writes().await?;
        self.backend(Method::DELETE, "/_control/faults", None)
            .await?;
        observed.escalations = items(
            self.backend(Method::GET, "/escalations", None).await?,
            "escalations",
        );
        let asked: BTreeSet<_> = scenario
            .expect
            .refunds
            .keys()
            .chain(scenario.expect.orders.keys())
            .collect();
        for order in asked {
            let found = self
                .backend(Method::GET, &format!("/orders/{order}"), None)
                .await?;
            observed.orders.push((
                order.clone(),
                found["status"].as_str().unwrap_or_default().to_owned(),
            ));
            let refunds = items(
                self.backend(Method::GET, &format!("/refunds?order_id={order}"), None)
                    .await?,
                "refunds",
            );
            observed
                .refunds
                .extend(refunds.iter().map(|refund| (order.clone(), amount(refund))));
        }
        Ok(observed)
    }

    async fn say(&self, session: &str, message: &str) -> anyhow::Result<Value> {
        let url = format!("http://{}/api/chat", self.running.addr);
        let body = json!({ "session_id": session, "message": message });
        let response = self.client.post(url).json(&body).send().await?;
        let status = response.status();
        let answer: Value = response.json().await?;
        ensure!(
            status.is_success(),
            "the chat answered with {status}: {answer}"
        );
        Ok(answer)
    }

    async fn approve_everything(&self) -> anyhow::Result<()> {
        let url = format!("http://{}/api/approvals", self.running.addr);
        let key = self.running.operator_key.expose();
        let waiting: Value = self
            .client
            .get(&url)
            .bearer_auth(key)
            .send()
            .await?
            .json()
            .await?;
        for approval in items(waiting, "approvals") {
            let id = approval["id"]
                .as_str()
                .context("an approval without an id")?;
            let granted = self
                .client
                .post(format!("{url}/{id}"))
                .bearer_auth(key)
                .json(&json!({ "decision": "grant" }))
                .send()
                .await?;
            ensure!(
                granted.status().is_success(),
                "granting answered with {}",
                granted.status()
            );
        }
        Ok(())
    }

    /// `METHOD /path` of every request to the backend that may change something.
    async fn writes(&self) -> anyhow::Result<Vec<String>> {
        let requests = items(
            self.backend(Method::GET, "/_control/requests", None)
                .await?,
            "requests",
        );
        let told = |request: &Value| {
            format!(
                "{} {}",
                request["method"].as_str().unwrap_or_default(),
                request["path"].as_str().unwrap_or_default()
            )
        };
        Ok(requests
            .iter()
            .map(told)
            .filter(|write| !write.starts_with("GET "))
            .collect())
    }

    async fn backend(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let url = format!("http://{}{path}", self.running.backend_addr);
        let mut request = self
            .client
            .request(method, url)
            .bearer_auth(self.running.backend_token.expose());
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .context("the demo backend does not answer")?;
        ensure!(
            response.status().is_success(),
            "the demo backend answers {path} with {}",
            response.status()
        );
        let body = response.bytes().await?;
        Ok(if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body)?
        })
    }
}

fn items(mut answer: Value, list: &str) -> Vec<Value> {
    match answer[list].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

/// A refund's amount as people write it: `49.99`.
fn amount(refund: &Value) -> String {
    let money = Money {
        minor: refund["amount"]["minor"].as_i64().unwrap_or_default(),
        currency: refund["amount"]["currency"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    };
    money.decimal()
}
