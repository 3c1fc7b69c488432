//! A model service for tests: a local server that answers from a script, byte for byte as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Response};
use futures::{StreamExt, stream};
use serde_json::Value;

use crate::{HttpLimits, Message, ModelRequest, ToolOffer};

/// How an answer's body ends.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// As it should.
    Whole,
    /// The connection breaks.
    Cut,
    /// Nothing more comes, and the connection stays.
    Silence,
}

/// One answer.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
    chunk: usize,
    end: End,
}

impl Answer {
    /// An event stream, in chunks of this many bytes.
    pub(crate) fn stream(body: impl Into<String>, chunk: usize) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", "text/event-stream")],
            body: body.into(),
            chunk,
            end: End::Whole,
        }
    }

    pub(crate) fn error(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: vec![],
            body: body.to_owned(),
            chunk: 64,
            end: End::Whole,
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn end(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    /// Leaves out the last two events, which would end the reply.
    pub(crate) fn without_end(mut self) -> Self {
        let mut events: Vec<&str> = self.body.split_inclusive("\n\n").collect();
        events.truncate(events.len().saturating_sub(2).max(1));
        self.body = events
            .concat()
            .replace("\"finish_reason\":\"tool_calls\"", "\"finish_reason\":null");
        self
    }

    fn into_response(self) -> Response<Body> {
        let bytes = self.body.into_bytes();
        let chunks: Vec<Result<Bytes, std::io::Error>> = bytes
            .chunks(self.chunk)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
            .collect();
        let cut = matches!(self.end, End::Cut).then(|| Err(std::io::Error::other("cut")));
        // Yielding between chunks lets the server send each of them, and keeps it from joining them.
        let chunks = stream::iter(chunks.into_iter().chain(cut)).then(|chunk| async {
            tokio::task::yield_now().await;
            chunk
        });
        let body = match self.end {
            End::Whole | End::Cut => Body::from_stream(chunks),
            End::Silence => Body::from_stream(chunks.chain(stream::pending())),
        };
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response.body(body).unwrap()
    }
}

/// What the server was asked.
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// The server, for as long as the test runs.
pub(crate) struct WireServer {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl WireServer {
    /// Answers one request after the other from the script.
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Arc<Mutex<VecDeque<Answer>>> =
            Arc::new(Mutex::new(answers.into_iter().collect()));
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let seen = asked.clone();
        let handler = move |request: axum::extract::Request| {
            let (seen, answers) = (seen.clone(), answers.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
                seen.lock().unwrap().push(Asked {
                    path: parts.uri.path().to_owned(),
                    headers: parts.headers,
                    body: serde_json::from_slice(&body).unwrap(),
                });
                let answer = answers.lock().unwrap().pop_front();
                let answer =
                    answer.unwrap_or_else(|| Answer::error(500, "the script is at its end"));
                answer.into_response()
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// Short enough for tests; nothing asserts on them.
pub(crate) fn limits() -> HttpLimits {
    HttpLimits {
        silence: Duration::from_millis(300),
        pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(20),
        retries: 2,
        ..HttpLimits::default()
    }
}

/// A question with one tool.
pub(crate) fn question() -> ModelRequest {
    ModelRequest {
        system: "Be kind.".to_owned(),
        messages: vec![Message::Customer("Where is it?".to_owned())],
        tools: vec![ToolOffer {
            name: "lookup_order".to_owned(),
            description: "Reads one order.".to_owned(),
            input_schema: serde_json::json!({ "type": "object" }),
        }],
        max_tokens: 100,
        customer: None,
    }
}
