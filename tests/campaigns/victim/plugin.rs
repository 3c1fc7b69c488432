//! The stand-in for sandboxed plugins: it asks the gate as the sandbox does, sends over a connection of its own, and tells
//! the gate what became of it.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dispatch::{
    Answer, CompletionError, CompletionRequest, Completions, Gate, HttpApproval, InvokeError,
    OutboundHttp, Secrets, Snapshot, Tool, ToolError, ToolSpec, Tools, Violation,
};
use http::{HeaderName, HeaderValue, Method};
use policy::{
    HttpGrant, Nature, PathPattern, Permit, Rulebook, RulebookSource, Settings, ToolRule,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::TENANT;
use crate::wire;

pub(crate) const REFUND: &str = "process_refund";
const LIST: &str = "list_refunds";
const ESCALATION: &str = "escalate_to_human";

/// How long an answer may take; short, because late answers are what the campaigns are about.
const PATIENCE: Duration = Duration::from_millis(40);
/// What one customer may be refunded in a day, minor units: fewer than the orders that each of them has.
pub(crate) const CUSTOMER_DAY: i64 = 25_000;

struct Plugin {
    spec: ToolSpec,
    backend: SocketAddr,
}

#[async_trait]
impl Tool for Plugin {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn check(&self, arguments: &Value) -> Result<Map<String, Value>, Vec<Violation>> {
        arguments.as_object().cloned().ok_or_else(Vec::new)
    }

    async fn invoke(&self, permit: Permit, gate: Arc<dyn Gate>) -> Result<Value, InvokeError> {
        let (call, _) = permit.into_parts();
        let request = self.request(call.arguments);
        let leave = gate.http(&request).await.map_err(InvokeError::Refused)?;
        let (answer, body) = send(self.backend, &request, &leave).await;
        gate.answered(leave.ordinal, answer).await;
        Ok(understand(answer, body)?)
    }
}

impl Plugin {
    fn request(&self, arguments: Map<String, Value>) -> OutboundHttp {
        let url = format!("http://{}{}", self.backend, path_of(&self.spec.name));
        if self.spec.name == LIST {
            let order = arguments.get("order_id").and_then(Value::as_str);
            return OutboundHttp {
                method: Method::GET,
                url: format!("{url}?order_id={}", order.unwrap_or_default()),
                body: Bytes::new(),
            };
        }
        OutboundHttp {
            method: Method::POST,
            url,
            body: Bytes::from(Value::Object(arguments).to_string()),
        }
    }
}

/// Which path a tool asks for.
fn path_of(tool: &str) -> &'static str {
    if tool == ESCALATION {
        "/escalations"
    } else {
        "/refunds"
    }
}

/// The status decides as soon as it is known, whatever happens to the body.
async fn send(
    backend: SocketAddr,
    request: &OutboundHttp,
    leave: &HttpApproval,
) -> (Answer, Option<Value>) {
    let Ok(stream) = TcpStream::connect(backend).await else {
        return (Answer::NotSent, None);
    };
    let mut stream = BufReader::new(stream);
    let Ok(Ok(head)) = timeout(PATIENCE, exchange(&mut stream, request, leave)).await else {
        return (Answer::Nothing, None);
    };
    let Ok(status) = head.second_word().parse() else {
        return (Answer::Nothing, None);
    };
    let whole = timeout(PATIENCE, wire::body(&head, &mut stream)).await;
    let parsed = whole.ok().and_then(Result::ok);
    let parsed = parsed.and_then(|body| serde_json::from_slice(&body).ok());
    (Answer::Status(status), parsed)
}

async fn exchange(
    stream: &mut BufReader<TcpStream>,
    request: &OutboundHttp,
    leave: &HttpApproval,
) -> io::Result<wire::Head> {
    let OutboundHttp { method, url, body } = request;
    // Behind scheme and authority.
    let target = url.splitn(4, '/').last().unwrap_or_default();
    let length = body.len();
    let mut head = format!("{method} /{target} HTTP/1.1\r\ncontent-length: {length}\r\n");
    for (name, value) in &leave.headers {
        let value = value.to_str().map_err(|_| io::ErrorKind::InvalidData)?;
        head += name.as_str();
        head += ": ";
        head += value;
        head += "\r\n";
    }
    let whole = [head.as_bytes(), b"\r\n", body].concat();
    stream.write_all(&whole).await?;
    wire::head(stream).await
}

/// What a plugin makes of an answer.
fn understand(answer: Answer, body: Option<Value>) -> Result<Value, ToolError> {
    match (answer, body) {
        (Answer::Status(200..=299), Some(body)) => Ok(body),
        (Answer::Status(400..=408 | 410..=428 | 430..=499), _) => Err(ToolError::NotEligible {
            message: "the backend said no".to_owned(),
        }),
        _ => Err(ToolError::Unavailable {
            message: "no answer that helps".to_owned(),
            retry_after_seconds: None,
        }),
    }
}

/// The refund that the backend lists for an order, if any; nothing where the backend does not answer.
pub(super) async fn listed(backend: SocketAddr, order: &str) -> Option<Option<Value>> {
    let mut stream = BufReader::new(TcpStream::connect(backend).await.ok()?);
    let request = format!("GET /refunds?order_id={order} HTTP/1.1\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let head = wire::head(&mut stream).await.ok()?;
    let body = wire::body(&head, &mut stream).await.ok()?;
    let list: Value = serde_json::from_slice(&body).ok()?;
    Some(list["refunds"].get(0).cloned())
}

struct Shelf(Arc<Snapshot>);

impl Tools for Shelf {
    fn snapshot(&self, tenant: &str) -> Option<Arc<Snapshot>> {
        (tenant == TENANT).then(|| Arc::clone(&self.0))
    }
}

/// Refunds at a backend of this nature, and escalations, which may always be repeated under their key.
pub(super) fn tools(backend: SocketAddr, nature: Nature) -> Arc<dyn Tools> {
    let tools = [
        (REFUND, "POST", nature),
        (LIST, "GET", nature),
        (ESCALATION, "POST", Nature::Deduplicates),
    ];
    let tools = tools.map(|(name, method, nature)| {
        let spec = spec(name, grant(backend, method, path_of(name), nature));
        let plugin: Arc<dyn Tool> = Arc::new(Plugin { spec, backend });
        (name.to_owned(), plugin)
    });
    Arc::new(Shelf(Arc::new(Snapshot {
        generation: 1,
        tools: tools.into(),
    })))
}

fn grant(backend: SocketAddr, method: &str, path: &str, nature: Nature) -> HttpGrant {
    HttpGrant {
        origin: format!("http://{backend}"),
        methods: vec![method.to_owned()],
        paths: vec![PathPattern(path.to_owned())],
        safe_posts: vec![],
        bodies: policy::BodyEncoding::Json,
        credential: None,
        nature,
        private_network: true,
        tools: BTreeMap::new(),
    }
}

fn spec(name: &str, grant: HttpGrant) -> ToolSpec {
    ToolSpec {
        name: name.to_owned(),
        title: name.to_owned(),
        description: String::new(),
        input_schema: json!({}).into(),
        output_schema: json!({}).into(),
        bound: BTreeMap::new(),
        interface: String::new(),
        plugin: "stand-in".to_owned(),
        version: "1".to_owned(),
        digest: "d".repeat(64),
        grants: Arc::from([grant]),
    }
}

/// The shipped rules over the shipped classification, with a budget that is worth overshooting.
pub(super) fn rulebook() -> Rulebook {
    #[derive(Deserialize)]
    struct Contract {
        tool: BTreeMap<String, ToolRule>,
    }
    let contract: Contract = toml::from_str(include_str!("../../../wit/contract.toml")).unwrap();
    let mut settings = Settings::default();
    let budget = settings.budgets.get_mut("refund_customer_day").unwrap();
    budget.limit = CUSTOMER_DAY;
    Rulebook::load(RulebookSource::shipped(contract.tool, settings)).unwrap()
}

/// No credentials, and no model.
pub(crate) struct Nothing;

impl Secrets for Nothing {
    fn headers(&self, _: &str, _: &str) -> Option<Vec<(HeaderName, HeaderValue)>> {
        None
    }

    fn scrub(&self, _: &str, text: &str) -> String {
        text.to_owned()
    }
}

#[async_trait]
impl Completions for Nothing {
    async fn complete(&self, _: &str, _: CompletionRequest) -> Result<String, CompletionError> {
        Err(CompletionError::Unavailable("there is none".to_owned()))
    }
}
