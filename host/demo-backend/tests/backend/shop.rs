//! The test vocabulary: a running shop of one's own, and what one says to it.

use std::net::SocketAddr;
use std::path::Path;

use demo_backend::{Backend, Options, Running, StartError};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const TOKEN: &str = "the token of this test";

/// A backend on a free port, in a folder that goes away with it.
pub(crate) struct Shop {
    running: Running,
    folder: TempDir,
    client: Client,
}

/// An answer as tests look at it.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
    pub(crate) replayed: bool,
    pub(crate) retry_after: Option<String>,
}

pub(crate) fn options(folder: &Path) -> Options {
    Options {
        listen: loopback(),
        data: folder.to_owned(),
        token: TOKEN.to_owned(),
        require_idempotency_key: false,
    }
}

pub(crate) fn loopback() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

pub(crate) fn usd(minor: i64) -> Value {
    json!({ "minor": minor, "currency": "USD" })
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| ()).await
    }

    pub(crate) async fn open_with(adjust: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(folder.path());
        adjust(&mut options);
        let running = Backend::start(options).await.unwrap();
        Self {
            running,
            folder,
            client: client(),
        }
    }

    /// Shuts down and starts again on the same data.
    pub(crate) async fn reopen(self) -> Self {
        let Self {
            running,
            folder,
            client,
        } = self;
        running.shutdown().await;
        let running = Backend::start(options(folder.path())).await.unwrap();
        Self {
            running,
            folder,
            client,
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.running.addr
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) async fn shut_down(self) -> TempDir {
        self.running.shutdown().await;
        self.folder
    }

    pub(crate) async fn start_another(&self, options: Options) -> Result<Running, StartError> {
        Backend::start(options).await
    }

    /// A request with nothing added: no token, no key.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("http://{}{path}", self.addr()))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.bare(Method::GET, path).send().await.unwrap()).await
    }

    /// A write with the token, and a key where one is given; `Err` where the connection was closed without an answer.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: &Value,
    ) -> reqwest::Result<Answer> {
        let mut request = self.bare(method, path).bearer_auth(TOKEN).json(body);
        if !key.is_empty() {
            request = request.header("Idempotency-Key", key);
        }
        Ok(answer(request.send().await?).await)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, "", body).await.unwrap()
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, "", body).await.unwrap()
    }

    /// Asks for Sarah's 49.99 back.
    pub(crate) async fn refund(&self, key: &str) -> reqwest::Result<Answer> {
        self.send(Method::POST, "/refunds", key, &refund_of("ORD-8842", 4999))
            .await
    }

    /// How many refunds this order has.
    pub(crate) async fn refunds_of(&self, order_id: &str) -> usize {
        self.get(&format!("/refunds?order_id={order_id}"))
            .await
            .body["refunds"]
            .as_array()
            .unwrap()
            .len()
    }

    pub(crate) async fn arm(&self, fault: Value) {
        let answer = self.post("/_control/faults", &fault).await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
    }

    /// The journal.
    pub(crate) async fn seen(&self) -> Vec<Value> {
        let journal = self
            .bare(Method::GET, "/_control/requests")
            .bearer_auth(TOKEN)
            .send()
            .await
            .unwrap();
        answer(journal).await.body["requests"]
            .as_array()
            .unwrap()
            .clone()
    }
}

pub(crate) fn refund_of(order_id: &str, minor: i64) -> Value {
    json!({ "order_id": order_id, "amount": usd(minor), "reason": "arrived broken" })
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or("")
    }

    /// Status and error code at once, for tables.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status.as_u16(), self.code())
    }
}

pub(crate) async fn answer(response: Response) -> Answer {
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let (status, replayed, retry_after) = (
        response.status(),
        header("idempotent-replayed").is_some(),
        header("retry-after"),
    );
    let text = response.text().await.unwrap();
    Answer {
        status,
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        replayed,
        retry_after,
    }
}

fn client() -> Client {
    // Every test may be the first; the provider is the same for all of them.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    Client::builder().no_proxy().build().unwrap()
}
