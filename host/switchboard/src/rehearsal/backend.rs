//! A scripted backend on loopback: which requests it must get, in which order, what it answers, and what goes wrong.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use described::FORM_TYPE;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// One request that is expected, and what it is answered.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// Upper-case method.
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// The JSON that must be sent, or the tree of texts that a form must stand for; anything where it is none.
    pub(crate) body: Option<Value>,
    /// The answer's status.
    pub(crate) status: StatusCode,
    /// The answer's JSON.
    pub(crate) answer: Value,
}

/// What goes wrong, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    /// The connection breaks before the backend has done anything.
    CutBeforeSend,
    /// The backend acts, and the connection breaks before its answer.
    CutAfterSend,
    /// The backend answers that it is busy, and does nothing.
    #[serde(rename = "429")]
    TooMany,
    /// The backend acts, and its answer does not come in time.
    Slow,
    /// The same call is made twice; nothing goes wrong here.
    Duplicate,
}

/// What the backend saw of one case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Every request, as `GET /members/C-1001`.
    pub(crate) requests: Vec<String>,
    /// How many changes it has made.
    pub(crate) effects: usize,
    /// Requests that were not as the script has them.
    pub(crate) complaints: Vec<String>,
    /// What the script still waits for.
    pub(crate) missing: Vec<String>,
}

/// A backend that listens until it is dropped.
pub(crate) struct Backend {
    pub(crate) addr: SocketAddr,
    desk: Arc<Mutex<Desk>>,
    listening: AbortHandle,
}

impl Backend {
    /// Listens on a free port, with an empty script.
    pub(crate) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let addr = listener.local_addr()?;
        let desk = Arc::default();
        let listening = tokio::spawn(listen(listener, Arc::clone(&desk))).abort_handle();
        Ok(Self {
            addr,
            desk,
            listening,
        })
    }

    /// Begins a case. The fault happens to the request that changes something, or where none does, to the last.
    pub(crate) fn begin(&self, script: Vec<Exchange>, fault: Option<Fault>) {
        let changing = script.iter().position(Exchange::is_unsafe);
        let at = changing.unwrap_or(script.len().saturating_sub(1));
        *lock(&self.desk) = Desk {
            fault: fault.map(|fault| (at, fault)),
            script,
            ..Desk::default()
        };
    }

    /// What it saw since.
    pub(crate) fn seen(&self) -> Seen {
        let desk = lock(&self.desk);
        let missing = desk.script.iter().skip(desk.answered);
        Seen {
            effects: desk.effects.len(),
            missing: missing.map(Exchange::line).collect(),
            ..desk.seen.clone()
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Exchange {
    fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn is_unsafe(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }
}

/// What the backend does about one request.
enum Reply {
    Answer(StatusCode, Value),
    Cut,
    Silence,
}

/// A request, as far as the script is concerned.
struct Asked {
    line: String,
    body: Option<Value>,
    /// The idempotency key, or something that is nobody else's.
    key: String,
}

#[derive(Default)]
struct Desk {
    script: Vec<Exchange>,
    /// How many exchanges of the script have had their effect.
    answered: usize,
    /// Which exchange goes wrong, and how; none once it has.
    fault: Option<(usize, Fault)>,
    /// The keys of the changes that were made.
    effects: BTreeSet<String>,
    seen: Seen,
}

impl Desk {
    fn reply(&mut self, asked: &Asked) -> Reply {
        self.seen.requests.push(asked.line.clone());
        if let Some(known) = self.answered_before(asked) {
            return Reply::Answer(known.status, known.answer.clone());
        }
        let at = self.answered;
        let Some(exchange) = self.script.get(at).cloned() else {
            return self.complain(format!("{} was not expected", asked.line));
        };
        if exchange.line() != asked.line {
            return self.complain(format!(
                "expected {}, found {}",
                exchange.line(),
                asked.line
            ));
        }
        if let Some(expected) = &exchange.body
            && asked.body.as_ref() != Some(expected)
        {
            let found = asked.body.clone().unwrap_or_default();
            return self.complain(format!(
                "{}: expected the body {expected}, found {found}",
                asked.line
            ));
        }
        let fault = self.fault.take_if(|(index, _)| *index == at);
        match fault.map(|(_, fault)| fault) {
            Some(Fault::CutBeforeSend) => Reply::Cut,
            Some(Fault::TooMany) => Reply::Answer(StatusCode::TOO_MANY_REQUESTS, Value::Null),
            Some(Fault::CutAfterSend) => {
                self.act(&exchange, asked);
                Reply::Cut
            }
            Some(Fault::Slow) => {
                self.act(&exchange, asked);
                Reply::Silence
            }
            Some(Fault::Duplicate) | None => {
                self.act(&exchange, asked);
                Reply::Answer(exchange.status, exchange.answer)
            }
        }
    }

    /// The same read again, or the same change under the same key: answered as before.
    fn answered_before(&self, asked: &Asked) -> Option<&Exchange> {
        let earlier = self.script.iter().take(self.answered);
        earlier
            .rev()
            .find(|exchange| exchange.line() == asked.line)
            .filter(|exchange| !exchange.is_unsafe() || self.effects.contains(&asked.key))
    }

    fn act(&mut self, exchange: &Exchange, asked: &Asked) {
        self.answered += 1;
        if exchange.is_unsafe() && exchange.status.is_success() {
            self.effects.insert(asked.key.clone());
        }
    }

    fn complain(&mut self, what: String) -> Reply {
        self.seen.complaints.push(what);
        Reply::Answer(StatusCode::NOT_IMPLEMENTED, Value::Null)
    }
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(listener: TcpListener, desk: Arc<Mutex<Desk>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&desk)));
    }
}

/// The connection ends without an answer.
#[derive(Debug, Error)]
#[error("cut, as the script has it")]
struct Cut;

async fn serve(stream: TcpStream, desk: Arc<Mutex<Desk>>) {
    let answer = service_fn(|request| answer(request, Arc::clone(&desk)));
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection to the scripted backend ended");
    }
}

async fn answer(
    request: Request<Incoming>,
    desk: Arc<Mutex<Desk>>,
) -> Result<Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    let bytes = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let key = head.headers.get("idempotency-key");
    let content_type = head.headers.get(header::CONTENT_TYPE);
    let is_form = content_type.is_some_and(|value| value.as_bytes() == FORM_TYPE.as_bytes());
    let asked = Asked {
        line: format!("{} {}", head.method, head.uri),
        body: if is_form {
            policy::read_form(&bytes).ok()
        } else {
            serde_json::from_slice(&bytes).ok()
        },
        key: key.map_or_else(
            || uuid::Uuid::new_v4().to_string(),
            |key| String::from_utf8_lossy(key.as_bytes()).into_owned(),
        ),
    };
    let reply = lock(&desk).reply(&asked);
    let (status, json) = match reply {
        Reply::Answer(status, json) => (status, json),
        Reply::Cut => return Err(Cut),
        Reply::Silence => match pending::<Infallible>().await {},
    };
    let mut response = Response::new(Full::from(json.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    if status == StatusCode::TOO_MANY_REQUESTS {
        headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("0"));
    }
    Ok(response)
}
