//! The vocabulary: clients of both revisions that read every message of an answer, and answer what the server asks in between.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::desk::Desk;

pub(super) const LEGACY: &str = "2025-11-25";
pub(super) const NEWEST: &str = "2026-07-28";

/// A client that speaks 2025-11-25: it initializes, and keeps the session that it is given.
pub(crate) struct Session<'a> {
    desk: &'a Desk,
    key: Option<String>,
    pub(super) id: Option<String>,
    pub(super) opened: Value,
}

impl<'a> Session<'a> {
    pub(crate) async fn open(desk: &'a Desk) -> Self {
        Self::open_as(desk, None, json!({})).await
    }

    /// With what the client can do, and perhaps a key.
    pub(crate) async fn open_as(desk: &'a Desk, key: Option<&str>, capabilities: Value) -> Self {
        let mut session = Self {
            desk,
            key: key.map(str::to_owned),
            id: None,
            opened: Value::Null,
        };
        let client = json!({ "protocolVersion": LEGACY, "capabilities": capabilities,
            "clientInfo": { "name": "stories", "version": "1" } });
        let response = session.send(rpc("initialize", client)).await;
        let id = response.headers().get("mcp-session-id");
        session.id = id.map(|id| id.to_str().unwrap().to_owned());
        session.opened = Messages::of(response).last().await;
        let revision = &session.opened["result"]["protocolVersion"];
        assert_eq!(revision, LEGACY, "{}", session.opened);
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert!(session.send(ready).await.status().is_success());
        session
    }

    pub(super) async fn send(&self, message: Value) -> reqwest::Response {
        self.addressed(post(self.desk, LEGACY))
            .json(&message)
            .send()
            .await
            .unwrap()
    }

    /// The stream of what the server says by itself.
    pub(super) async fn listen(&self) -> Messages {
        self.get(None).await
    }

    /// The rest of a stream, of which this event was the last that arrived.
    pub(super) async fn come_back(&self, last_event: &str) -> Messages {
        self.get(Some(last_event)).await
    }

    async fn get(&self, last_event: Option<&str>) -> Messages {
        let mut request = self
            .desk
            .http
            .get(self.desk.url("/mcp"))
            .header("accept", "text/event-stream")
            .header("mcp-protocol-version", LEGACY);
        if let Some(event) = last_event {
            request = request.header("last-event-id", event);
        }
        let response = self.addressed(request).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        Messages::of(response)
    }

    pub(super) async fn messages(&self, method: &str, params: Value) -> Messages {
        Messages::of(self.send(rpc(method, params)).await)
    }

    pub(crate) async fn ask(&self, method: &str, params: Value) -> Value {
        Messages::of(self.send(rpc(method, params)).await)
            .last()
            .await
    }

    pub(crate) async fn tool(&self, name: &str, arguments: Value) -> Value {
        let call = json!({ "name": name, "arguments": arguments });
        self.ask("tools/call", call).await["result"].clone()
    }

    /// Calls a tool; what the server asks in between is answered by `says`. Gives the questions, and the result.
    pub(super) async fn tool_answering(
        &self,
        name: &str,
        arguments: Value,
        says: &Value,
    ) -> (Vec<Value>, Value) {
        let call = rpc(
            "tools/call",
            json!({ "name": name, "arguments": arguments }),
        );
        let mut messages = Messages::of(self.send(call).await);
        let mut asked = Vec::new();
        loop {
            let message = messages.next().await.unwrap();
            if message.get("method").is_none() {
                return (asked, message["result"].clone());
            }
            let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": says });
            assert!(self.send(answer).await.status().is_success());
            asked.push(message);
        }
    }

    fn addressed(&self, mut request: RequestBuilder) -> RequestBuilder {
        if let Some(id) = &self.id {
            request = request.header("mcp-session-id", id);
        }
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }
}

/// A client that speaks 2026-07-28, which has no sessions.
pub(crate) struct Stateless<'a> {
    pub(crate) desk: &'a Desk,
    pub(crate) key: Option<&'a str>,
    pub(crate) capabilities: Value,
}

impl<'a> Stateless<'a> {
    pub(crate) fn new(desk: &'a Desk) -> Self {
        Self {
            desk,
            key: None,
            capabilities: json!({}),
        }
    }

    /// Sends a request; the answer may still be coming in.
    pub(super) async fn begin(&self, method: &str, mut params: Value) -> Messages {
        let name = params["name"]
            .as_str()
            .or(params["uri"].as_str())
            .or(params["taskId"].as_str())
            .map(str::to_owned);
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = NEWEST.into();
        params["_meta"]["io.modelcontextprotocol/clientInfo"] =
            json!({ "name": "stories", "version": "1" });
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
        let mut request = post(self.desk, NEWEST)
            .header("mcp-method", method)
            .json(&rpc(method, params));
        if let Some(name) = name {
            request = request.header("mcp-name", name);
        }
        if let Some(key) = self.key {
            request = request.bearer_auth(key);
        }
        Messages::of(request.send().await.unwrap())
    }

    pub(crate) async fn ask(&self, method: &str, params: Value) -> Value {
        self.begin(method, params).await.last().await
    }

    pub(crate) async fn tool(&self, name: &str, arguments: Value) -> Value {
        let call = json!({ "name": name, "arguments": arguments });
        self.ask("tools/call", call).await["result"].clone()
    }
}

/// One request of 2026-07-28 by whoever comes.
pub(super) async fn stateless(desk: &Desk, method: &str, params: Value) -> Value {
    Stateless::new(desk).ask(method, params).await
}

pub(super) fn post(desk: &Desk, revision: &str) -> RequestBuilder {
    desk.http
        .post(desk.url("/mcp"))
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", revision)
}

pub(super) fn rpc(method: &str, params: impl Into<Value>) -> Value {
    let params = params.into();
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// The messages of an answer, one body or a stream of them.
pub(super) struct Messages {
    response: reqwest::Response,
    is_stream: bool,
    rest: Vec<u8>,
}

impl Messages {
    fn of(response: reqwest::Response) -> Self {
        let kind = response.headers().get("content-type");
        let is_stream = kind.is_some_and(|kind| kind == "text/event-stream");
        Self {
            response,
            is_stream,
            rest: Vec::new(),
        }
    }

    /// The next message; none at the end.
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            if self.is_stream
                && let Some(message) = self.event()
            {
                return Some(message);
            }
            match self.response.chunk().await.unwrap() {
                Some(chunk) => self.rest.extend_from_slice(&chunk),
                None if self.is_stream => return None,
                None => return serde_json::from_slice(&std::mem::take(&mut self.rest)).ok(),
            }
        }
    }

    /// The last message: the answer.
    pub(super) async fn last(mut self) -> Value {
        let mut last = None;
        while let Some(message) = self.next().await {
            last = Some(message);
        }
        last.unwrap()
    }

    /// A whole event that has arrived, if it carries a message.
    fn event(&mut self) -> Option<Value> {
        loop {
            let end = self.rest.windows(2).position(|two| two == b"\n\n")?;
            let event: Vec<u8> = self.rest.drain(..end + 2).collect();
            let text = String::from_utf8(event).unwrap();
            let data = text.lines().find_map(|line| line.strip_prefix("data:"));
            if let Some(message) = data.and_then(|data| serde_json::from_str(data.trim()).ok()) {
                return Some(message);
            }
        }
    }
}
