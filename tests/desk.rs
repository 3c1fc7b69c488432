//! The vocabulary: a running Switchboard with its demo shop, customers who talk to it, and what the shop really saw.

use std::net::SocketAddr;
use std::time::Duration;

use dispatch::RetryPolicy;
use serde_json::{Value, json};
use switchboard::{Config, Environment, Options, Running, Secrets};

/// The operator key of every desk.
pub(crate) const OPERATOR_KEY: &str = "operator-key-of-the-tests-0123456789";
/// The members of staff at every desk.
pub(crate) const STAFF_KEYS: &str =
    "dana:supervisor:key-of-dana-0123456789abcdef ravi:admin:key-of-ravi-0123456789abcdef";
/// What signs customers' sessions.
pub(crate) const SESSION_SECRET: &str = "session-secret-of-the-tests-0123456789";

/// A client that heeds no proxy of the machine.
pub(crate) fn http_client() -> reqwest::Client {
    // Whoever comes first in this process installs it; all install the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// A running Switchboard of its own, on free ports, with fresh data.
pub(crate) struct Desk {
    pub(crate) running: Running,
    pub(crate) http: reqwest::Client,
    pub(crate) shop: Shop,
    pub(crate) data: tempfile::TempDir,
    config: Config,
    environment: Environment,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    pub(crate) async fn open_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::open_in(&[], change).await
    }

    /// With more in the environment.
    pub(crate) async fn open_in(more: &[(&str, &str)], change: impl FnOnce(&mut Config)) -> Self {
        let (mut config, environment, data) = Self::prepared(more);
        change(&mut config);
        Self::start(config, environment, data, false).await
    }

    fn prepared(more: &[(&str, &str)]) -> (Config, Environment, tempfile::TempDir) {
        let data = tempfile::tempdir().unwrap();
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            data_dir: data.path().join("data"),
            ..Config::default()
        };
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let environment: Environment = [
            set("SWITCHBOARD_OPERATOR_KEY", OPERATOR_KEY),
            set("SWITCHBOARD_STAFF_KEYS", STAFF_KEYS),
            set("SWITCHBOARD_SESSION_SECRET", SESSION_SECRET),
            set("OPENAI_API_KEY", "model-key-of-the-tests-0123456789"),
        ]
        .into_iter()
        .chain(more.iter().map(|(name, value)| set(name, value)))
        .collect();
        (config, environment, data)
    }

    /// Serving what the protocol's conformance suite calls.
    pub(crate) async fn open_for_conformance() -> Self {
        let (config, environment, data) = Self::prepared(&[]);
        Self::start(config, environment, data, true).await
    }

    /// The same once more, after a stop, with the data as they are.
    pub(crate) async fn started_again(self) -> Self {
        self.started_again_after(|| ()).await
    }

    /// Likewise, once this was done while it was down.
    pub(crate) async fn started_again_after(self, meanwhile: impl FnOnce()) -> Self {
        self.running.shutdown().await;
        meanwhile();
        Self::start(self.config, self.environment, self.data, false).await
    }

    /// The audit log as text.
    pub(crate) async fn audit(&self) -> String {
        let store = self.running.dispatcher().store();
        let records = store.records(None, 1_000_000).await.unwrap();
        serde_json::to_string(&records).unwrap()
    }

    async fn start(
        config: Config,
        environment: Environment,
        data: tempfile::TempDir,
        conformance: bool,
    ) -> Self {
        let pause = Duration::from_millis(5);
        let running = switchboard::start(Options {
            secrets: Secrets::of(&environment).unwrap(),
            // Plugins are compiled once for all desks.
            compiled: Some(crate::tree::root().join("target/tests/compiled")),
            retry: RetryPolicy {
                pause,
                longest: pause,
                ..RetryPolicy::default()
            },
            conformance,
            ..Options::new(config.clone())
        })
        .await
        .unwrap();
        let http = http_client();
        let shop = Shop::at(running.backend_addr, running.backend_token.expose());
        Self {
            running,
            http,
            shop,
            data,
            config,
            environment,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.addr)
    }

    /// A customer in a chat session of that name.
    pub(crate) fn customer<'a>(&'a self, session: &'a str) -> Customer<'a> {
        Customer {
            desk: self,
            session,
        }
    }

    /// One call of the tool interface, in a case under this name.
    pub(crate) async fn tool(&self, case: &str, tool: &str, arguments: Value) -> Answer {
        self.post(
            &format!("/api/tools/{tool}"),
            json!({ "case": case, "arguments": arguments }),
        )
        .await
    }

    /// Sarah, matched, in a case of this name.
    pub(crate) async fn know_sarah(&self, case: &str) {
        self.know(case, "sarah@example.com", "ORD-8842").await;
    }

    /// A customer and one of their orders, looked up in a case of this name.
    pub(crate) async fn know(&self, case: &str, email: &str, order: &str) {
        self.tool(case, "get_customer", json!({ "email": email }))
            .await
            .expect(200);
        self.tool(case, "lookup_order", json!({ "order_id": order }))
            .await
            .expect(200);
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::of(
            self.http
                .post(self.url(path))
                .json(&body)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.http.get(self.url(path)).send().await.unwrap()).await
    }

    /// What waits for a supervisor.
    pub(crate) async fn approvals(&self) -> Vec<Value> {
        let request = self
            .http
            .get(self.url("/api/approvals"))
            .bearer_auth(OPERATOR_KEY);
        let answer = Answer::of(request.send().await.unwrap()).await.expect(200);
        answer["approvals"].as_array().unwrap().clone()
    }

    /// A supervisor's answer to what waits.
    pub(crate) async fn approve(&self, approval: &Value, decision: &str) -> Answer {
        let path = format!("/api/approvals/{}", approval["id"].as_str().unwrap());
        let request = self.http.post(self.url(&path)).bearer_auth(OPERATOR_KEY);
        Answer::of(
            request
                .json(&json!({ "decision": decision }))
                .send()
                .await
                .unwrap(),
        )
        .await
    }
}

/// Somebody in a chat session.
#[derive(Clone, Copy)]
pub(crate) struct Customer<'a> {
    desk: &'a Desk,
    session: &'a str,
}

impl Customer<'_> {
    /// Says something, and gets the whole turn's answer.
    pub(crate) async fn says(&self, message: &str) -> Reply {
        let body = json!({ "session_id": self.session, "message": message });
        Reply(self.desk.post("/api/chat", body).await.expect(200))
    }
}

/// The answer to one turn.
#[derive(Debug)]
pub(crate) struct Reply(pub(crate) Value);

impl Reply {
    pub(crate) fn text(&self) -> &str {
        self.0["response"].as_str().unwrap()
    }

    pub(crate) fn status(&self) -> &str {
        self.0["status"].as_str().unwrap()
    }

    /// The priority with which people were called.
    pub(crate) fn priority(&self) -> Option<&str> {
        self.0["escalation"]["priority"].as_str()
    }

    /// What a tool call of the turn came to.
    pub(crate) fn outcome_of(&self, tool: &str) -> Option<&str> {
        let actions = self.0["actions"].as_array().unwrap();
        actions.iter().rev().find(|action| action["tool"] == tool)?["outcome"].as_str()
    }

    /// That the reply says all of these, whatever the case of letters.
    pub(crate) fn mentions(&self, words: &[&str]) {
        let text = self.text().to_lowercase();
        for word in words {
            assert!(
                text.contains(&word.to_lowercase()),
                "the reply lacks {word:?}: {self:?}"
            );
        }
    }

    /// That the reply says none of these.
    pub(crate) fn hides(&self, words: &[&str]) {
        let text = self.text().to_lowercase();
        for word in words {
            assert!(
                !text.contains(&word.to_lowercase()),
                "the reply gives {word:?} away: {self:?}"
            );
        }
    }
}

/// An HTTP answer with a JSON body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, body }
    }

    /// The body, of an answer with this status.
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }
}

/// The demo shop, as it really is: asked directly, not through Switchboard.
pub(crate) struct Shop {
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) http: reqwest::Client,
}

impl Shop {
    /// The shop at this address.
    pub(crate) fn at(address: SocketAddr, token: &str) -> Self {
        Self {
            url: format!("http://{address}"),
            token: token.to_owned(),
            http: http_client(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = self
            .http
            .get(format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        Answer::of(request.send().await.unwrap()).await.body
    }

    /// The refunds that an order really has: minor units each.
    pub(crate) async fn refunds(&self, order: &str) -> Vec<i64> {
        let body = self.get(&format!("/refunds?order_id={order}")).await;
        let refunds = body["refunds"].as_array().unwrap();
        refunds
            .iter()
            .map(|refund| refund["amount"]["minor"].as_i64().unwrap())
            .collect()
    }

    /// The requests that could have changed something, as "METHOD /path"; those that call people are left out, because
    /// people may always be called.
    pub(crate) async fn writes(&self) -> Vec<String> {
        let requests = self.requests().await;
        let writes = requests
            .iter()
            .filter(|r| r["method"] != "GET" && r["path"] != "/escalations");
        writes
            .map(|r| {
                format!(
                    "{} {}",
                    r["method"].as_str().unwrap(),
                    r["path"].as_str().unwrap()
                )
            })
            .collect()
    }

    /// That nothing could have changed.
    pub(crate) async fn saw_no_write(&self) {
        assert_eq!(self.writes().await, Vec::<String>::new());
    }

    /// Every request that the shop saw.
    pub(crate) async fn requests(&self) -> Vec<Value> {
        self.get("/_control/requests").await["requests"]
            .as_array()
            .unwrap()
            .clone()
    }

    pub(crate) async fn forget_requests(&self) {
        let request = self
            .http
            .delete(format!("{}/_control/requests", self.url))
            .bearer_auth(&self.token);
        assert!(request.send().await.unwrap().status().is_success());
    }

    /// Escalations that really reached people, newest last.
    pub(crate) async fn escalations(&self) -> Vec<Value> {
        self.get("/escalations").await["escalations"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// The next `times` requests under a path misbehave.
    pub(crate) async fn misbehaves(&self, method: &str, path: &str, times: u32, fault: Value) {
        let body = json!({ "method": method, "path_prefix": path, "times": times, "fault": fault });
        let request = self
            .http
            .post(format!("{}/_control/faults", self.url))
            .bearer_auth(&self.token);
        assert!(
            request
                .json(&body)
                .send()
                .await
                .unwrap()
                .status()
                .is_success()
        );
    }
}
