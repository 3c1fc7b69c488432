//! One request and its answer, as JSON or as a stream of events, each message held against JSON-RPC.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::asks::{Ask, NO_PLACE};
use super::books::Books;

/// How long a client waits that hangs up.
const PATIENCE: Duration = Duration::from_millis(2);

/// Of so many requests, one is not waited for.
const IMPATIENT: u8 = 30;

/// The way to the host, for all clients.
#[derive(Clone)]
pub(super) struct Wire {
    http: reqwest::Client,
    url: String,
    pub(super) books: Arc<Books>,
}

impl Wire {
    pub(super) fn new(host: &str, books: Arc<Books>) -> Self {
        Self {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: format!("{host}/mcp"),
            books,
        }
    }

    pub(super) fn post(&self, revision: &str, message: &Value) -> RequestBuilder {
        let request = self.http.post(&self.url).json(message);
        request
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", revision)
    }

    pub(super) fn get(&self, session: &str) -> RequestBuilder {
        let request = self.http.get(&self.url).header("mcp-session-id", session);
        request.header("accept", "text/event-stream")
    }

    pub(super) fn delete(&self, session: &str) -> RequestBuilder {
        self.http
            .delete(&self.url)
            .header("mcp-session-id", session)
    }

    /// Sends, and counts it. An answer that does not come is wrong.
    pub(super) async fn send(&self, request: RequestBuilder) -> Option<Response> {
        self.books.requests.fetch_add(1, Ordering::Relaxed);
        match request.send().await {
            Ok(response) => Some(response),
            Err(error) => {
                self.books.wrong_is(&format!("no answer: {error:?}"));
                None
            }
        }
    }

    /// Sends, and hangs up before the answer.
    async fn hang_up(&self, request: RequestBuilder) {
        if timeout(PATIENCE, self.send(request)).await.is_err() {
            self.books.was("hung up");
        }
    }

    /// Sends and judges one request; whether what was asked is done. Now and then it hangs up instead, where nothing depends on it.
    pub(super) async fn ask(
        &self,
        ask: &Ask,
        id: u64,
        request: RequestBuilder,
        dice: &mut fastrand::Rng,
    ) -> bool {
        if !ask.opens && dice.u8(..IMPATIENT) == 0 {
            self.hang_up(request).await;
            return true;
        }
        let Some(response) = self.send(request).await else {
            return false;
        };
        let judged = match answer(response, id, &self.books).await {
            Ok(answer) => ask.judge(&answer),
            Err(wrong) => Err(format!("{} {}: {wrong}", ask.method, ask.params)),
        };
        match judged {
            Ok(kind) => {
                self.books.was(&kind);
                kind != NO_PLACE
            }
            Err(wrong) => {
                self.books.wrong_is(&wrong);
                false
            }
        }
    }
}

/// A request of JSON-RPC; a call wants to hear how it gets on.
pub(super) fn message(method: &str, params: &Value, id: u64) -> Value {
    let mut params = params.clone();
    if method == "tools/call" {
        params["_meta"]["progressToken"] = id.into();
    }
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// The one answer to the request of that id.
pub(super) async fn answer(response: Response, id: u64, books: &Books) -> Result<Value, String> {
    let status = response.status();
    let kind = response.headers().get("content-type").cloned();
    let kind = kind
        .as_ref()
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let streamed = kind.starts_with("text/event-stream");
    let text = response
        .text()
        .await
        .map_err(|error| format!("cut short: {error:?}"))?;
    let told = || format!("HTTP {status} {kind}: {text}");
    let parse = |text: &str| serde_json::from_str::<Value>(text).map_err(|_| told());
    if !streamed {
        return is_answer(&parse(&text)?, id).ok_or_else(told);
    }
    let mut found = None;
    for data in text.lines().filter_map(data) {
        let message = parse(data)?;
        if is_notification(&message) && is_about(&message, id) {
            books.notifications.fetch_add(1, Ordering::Relaxed);
        } else if found.is_some() {
            return Err(told());
        } else {
            found = Some(is_answer(&message, id).ok_or_else(told)?);
        }
    }
    found.ok_or_else(told)
}

/// What a line of an event stream carries.
pub(super) fn data(line: &str) -> Option<&str> {
    let data = line.strip_prefix("data:")?.trim();
    (!data.is_empty()).then_some(data)
}

pub(super) fn is_notification(message: &Value) -> bool {
    message["jsonrpc"] == "2.0" && message["method"].is_string() && message.get("id").is_none()
}

/// Of progress, only this call's is told here.
fn is_about(message: &Value, id: u64) -> bool {
    let progress = message["method"] == "notifications/progress";
    !progress || message["params"]["progressToken"] == id
}

fn is_answer(message: &Value, id: u64) -> Option<Value> {
    let one_of_both = message.get("result").is_some() != message.get("error").is_some();
    let fits = message["jsonrpc"] == "2.0" && message["id"] == id && one_of_both;
    fits.then(|| message.clone())
}
