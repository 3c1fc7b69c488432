//! The vocabulary: a desk with one scripted plugin, and what its backend saw.

mod rules;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dispatch::policy::{
    Actor, Channel, Entity, Fact, HttpGrant, Level, Nature, PathPattern, Permit, Role, Rulebook,
    Settings,
};
use dispatch::{
    Answer, CallRequest, Cases, CompletionError, CompletionRequest, Completions, Dispatcher,
    DispatcherParts, Gate, InvokeError, OutboundHttp, Outcome, RetryPolicy, Secrets, Snapshot,
    Store, Tool, ToolError, ToolSpec, Tools, Violation,
};
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};
use store::{OpenOptions, SqliteStore};

use rules::rulebook_tools;
pub(crate) use rules::{rulebook, rulebook_with};

/// What the scripted plugin does in one invocation.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Sends its unsafe request, gets this status, and returns what a refund plugin would.
    Status(u16),
    /// Sets a key of the plugin, then does the same.
    Keeps(&'static str, Vec<u8>, u16),
    /// Sends it, and no answer comes.
    NoAnswer,
    /// The connection never comes about.
    NotSent,
    /// Sends nothing and returns this.
    Returns(Value),
    /// Sends nothing and fails.
    Fails(ToolError),
    /// Does not run at all: the host has no place for it.
    NoPlace,
    /// Sends it, gets 201, then traps.
    TrapAfterSend,
    /// Traps before sending anything.
    Trap,
    /// Sends another body than its arguments say, gets this status.
    OtherBody(u16),
    /// Sends it, gets a 500, and sends it again by itself, as careless HTTP libraries do.
    RetriesInside,
    /// Sends it, tells that it did, then waits for ever: the process is as good as killed.
    Hang,
}

/// One unsafe request that reached the backend: its idempotency key and body.
pub(crate) type Seen = (String, Value);

#[derive(Default)]
pub(crate) struct Script {
    steps: Mutex<VecDeque<Step>>,
    seen: Mutex<Vec<Seen>>,
    pub(crate) hanging: tokio::sync::Notify,
}

struct Scripted {
    spec: ToolSpec,
    script: Arc<Script>,
}

pub(crate) const REFUND: &str = "process_refund";

/// A refund as the contract returns it.
pub(crate) fn refund(order: &str, owner: &str) -> Value {
    json!({ "refund_id": "R-1", "order_id": order, "customer_id": owner, "reason": "broken", "status": "succeeded",
        "amount": { "amount": "49.99", "currency": "USD" }, "created_at": "2026-11-20T10:00:00Z" })
}

#[async_trait]
impl Tool for Scripted {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn check(&self, arguments: &Value) -> Result<Map<String, Value>, Vec<Violation>> {
        arguments.as_object().cloned().ok_or_else(|| {
            vec![Violation {
                field: String::new(),
                message: "expected an object".into(),
            }]
        })
    }

    async fn invoke(&self, permit: Permit, gate: Arc<dyn Gate>) -> Result<Value, InvokeError> {
        let (call, _) = permit.into_parts();
        let mut step = self
            .script
            .steps
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(Step::Status(201));
        if call.tool == "escalate_to_human" {
            step = Step::Status(201);
        }
        self.play(step, &call.arguments, gate).await
    }
}

impl Scripted {
    async fn play(
        &self,
        step: Step,
        arguments: &Map<String, Value>,
        gate: Arc<dyn Gate>,
    ) -> Result<Value, InvokeError> {
        match step {
            Step::Returns(output) => return Ok(output),
            Step::Fails(error) => return Err(error.into()),
            Step::NoPlace => return Err(InvokeError::Busy("all places are taken".into())),
            Step::Trap => return Err(InvokeError::Trapped("unreachable".into())),
            _ => {}
        }
        if let Step::Keeps(key, value, _) = &step {
            let kept = gate.set_value(key, Some(value.clone())).await;
            kept.map_err(|error| InvokeError::Trapped(error.to_string()))?;
            assert_eq!(gate.value(key).await.unwrap().as_ref(), Some(value));
        }
        let body = match step {
            Step::OtherBody(_) => json!({ "another": "body" }),
            _ => Value::Object(arguments.clone()),
        };
        if matches!(step, Step::RetriesInside) {
            self.send(&Step::Status(500), body.clone(), &gate).await?;
            self.send(&Step::Status(201), body, &gate).await?;
            return Ok(self.output(arguments));
        }
        let answer = self.send(&step, body, &gate).await?;
        match (step, answer) {
            (Step::TrapAfterSend, _) => Err(InvokeError::Trapped("unreachable".into())),
            (_, Answer::Status(status)) if status < 300 => Ok(self.output(arguments)),
            (_, Answer::Status(429 | 500..) | Answer::Nothing | Answer::NotSent) => {
                Err(ToolError::Unavailable {
                    message: "no".into(),
                    retry_after_seconds: None,
                }
                .into())
            }
            _ => Err(ToolError::NotEligible {
                message: "the backend said no".into(),
            }
            .into()),
        }
    }

    async fn send(
        &self,
        step: &Step,
        body: Value,
        gate: &Arc<dyn Gate>,
    ) -> Result<Answer, InvokeError> {
        let request = OutboundHttp {
            method: Method::POST,
            url: "http://127.0.0.1:9/refunds".into(),
            body: Bytes::from(body.to_string()),
        };
        let leave = gate.http(&request).await.map_err(InvokeError::Refused)?;
        let key = leave
            .headers
            .iter()
            .find(|(name, _)| name == "idempotency-key")
            .unwrap();
        let answer = match step {
            Step::Status(status) | Step::OtherBody(status) | Step::Keeps(_, _, status) => {
                Answer::Status(*status)
            }
            Step::TrapAfterSend => Answer::Status(201),
            Step::NotSent => Answer::NotSent,
            _ => Answer::Nothing,
        };
        if answer != Answer::NotSent && self.spec.name == REFUND {
            self.script
                .seen
                .lock()
                .unwrap()
                .push((key.1.to_str().unwrap().to_owned(), body));
        }
        if matches!(step, Step::Hang) {
            self.script.hanging.notify_one();
            std::future::pending::<()>().await;
        }
        gate.answered(leave.ordinal, answer).await;
        Ok(answer)
    }

    fn output(&self, arguments: &Map<String, Value>) -> Value {
        match self.spec.name.as_str() {
            "escalate_to_human" => {
                json!({ "escalation_id": "E-1", "priority": arguments["priority"],
                "team": arguments["team"], "status": "open" })
            }
            _ => refund(arguments["order_id"].as_str().unwrap(), "C-1"),
        }
    }
}

struct Shelf(Arc<Snapshot>);

impl Tools for Shelf {
    fn snapshot(&self, tenant: &str) -> Option<Arc<Snapshot>> {
        (tenant == "demo").then(|| self.0.clone())
    }
}

struct NoSecrets;

impl Secrets for NoSecrets {
    fn headers(&self, _: &str, _: &str) -> Option<Vec<(HeaderName, HeaderValue)>> {
        Some(vec![])
    }

    fn scrub(&self, _: &str, text: &str) -> String {
        text.to_owned()
    }
}

struct NoModel;

#[async_trait]
impl Completions for NoModel {
    async fn complete(&self, _: &str, _: CompletionRequest) -> Result<String, CompletionError> {
        Err(CompletionError::Unavailable("none".into()))
    }
}

/// A desk with one tenant, `demo`, and a case whose customer is C-1, matched, with order ORD-1 looked up.
pub(crate) struct Desk {
    pub(crate) dispatcher: Dispatcher,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) case: String,
    script: Arc<Script>,
    pub(crate) folder: tempfile::TempDir,
    nature: Nature,
    rulebook: Rules,
}

pub(crate) type Rules = Arc<Mutex<Arc<Rulebook>>>;

impl Desk {
    pub(crate) async fn open(nature: Nature, steps: &[Step]) -> Self {
        Self::open_with(nature, steps, Settings::default().refund_limit).await
    }

    pub(crate) async fn open_with_limit(nature: Nature, refund_limit: i64) -> Self {
        Self::open_with(nature, &[], refund_limit).await
    }

    /// Other rules come into force.
    pub(crate) fn change_limit(&self, refund_limit: i64) {
        *self.rulebook.lock().unwrap() = Arc::new(rulebook(refund_limit));
    }

    async fn open_with(nature: Nature, steps: &[Step], refund_limit: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path(), OpenOptions::default()).unwrap());
        let script = Arc::new(Script {
            steps: Mutex::new(steps.iter().cloned().collect()),
            ..Script::default()
        });
        let rulebook = Arc::new(Mutex::new(Arc::new(rulebook(refund_limit))));
        let dispatcher = dispatcher(store.clone(), &script, nature, &rulebook);
        let case = store.case_of_session("demo", "s").await.unwrap().id;
        let desk = Self {
            dispatcher,
            store,
            case,
            script,
            folder,
            nature,
            rulebook,
        };
        desk.know("C-1", "ORD-1", "C-1").await;
        desk
    }

    /// The case's customer, matched, and an order that it has looked up.
    pub(crate) async fn know(&self, customer: &str, order: &str, owner: &str) {
        know(&self.store, &self.case, customer, order, owner).await;
    }

    pub(crate) fn then(&self, step: Step) {
        self.script.steps.lock().unwrap().push_back(step);
    }

    /// The process dies and another one takes the same data folder: nothing in memory survives.
    pub(crate) async fn restart(self) -> Self {
        let Self {
            dispatcher,
            store,
            case,
            script,
            folder,
            nature,
            rulebook,
        } = self;
        drop(dispatcher);
        store.close().await;
        drop(store);
        let store = Arc::new(SqliteStore::open(folder.path(), OpenOptions::default()).unwrap());
        let dispatcher = self::dispatcher(store.clone(), &script, nature, &rulebook);
        Self {
            dispatcher,
            store,
            case,
            script,
            folder,
            nature,
            rulebook,
        }
    }

    pub(crate) async fn refund(&self, amount: &str) -> Outcome {
        self.call(
            REFUND,
            json!({ "order_id": "ORD-1", "amount": { "amount": amount, "currency": "USD" },
            "reason": "broken" }),
        )
        .await
    }

    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Outcome {
        self.dispatcher
            .call(self.request(tool, arguments))
            .await
            .unwrap()
    }

    pub(crate) fn request(&self, tool: &str, arguments: Value) -> CallRequest {
        CallRequest {
            tenant: "demo".into(),
            case: self.case.clone(),
            actor: Actor {
                role: Role::Agent,
                subject: "agent:test".into(),
            },
            channel: Channel::Chat,
            tool: tool.into(),
            arguments,
        }
    }

    /// The unsafe refund requests that reached the backend.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.script.seen.lock().unwrap().clone()
    }

    pub(crate) fn script(&self) -> &Arc<Script> {
        &self.script
    }

    pub(crate) async fn hanging(&self) {
        self.script.hanging.notified().await;
    }
}

/// The case's customer, matched, and an order that it has looked up.
pub(crate) async fn know(
    store: &SqliteStore,
    case: &str,
    customer: &str,
    order: &str,
    owner: &str,
) {
    store
        .identify(case, customer, Level::Matched)
        .await
        .unwrap();
    let now = dispatch::Ledger::now(store).await.unwrap();
    let money = |amount: &str| json!({ "amount": amount, "currency": "USD" });
    let attributes = json!({ "owner": owner, "status": "delivered", "total": money("49.99"),
        "refund_eligible": true, "refunded": money("0.00"), "delivered_at": rfc3339(now - 86_400) });
    let fact = Fact {
        established_at: now,
        attributes: attributes.as_object().unwrap().clone(),
    };
    let entity = Entity {
        kind: "order".into(),
        id: order.into(),
    };
    store.establish(case, vec![(entity, fact)]).await.unwrap();
}

pub(crate) fn rfc3339(seconds: i64) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap();
    at.format(&time::format_description::well_known::Rfc3339)
        .unwrap()
}

fn dispatcher(
    store: Arc<SqliteStore>,
    script: &Arc<Script>,
    nature: Nature,
    rulebook: &Rules,
) -> Dispatcher {
    let names = rulebook_tools();
    let tools = names
        .keys()
        .map(|name| (name.clone(), scripted(name, script, nature)))
        .collect();
    dispatcher_of(store, tools, rulebook)
}

/// A dispatcher of these tools, over this store, for the tenant `demo`.
pub(crate) fn dispatcher_of(
    store: Arc<SqliteStore>,
    tools: BTreeMap<String, Arc<dyn Tool>>,
    rulebook: &Rules,
) -> Dispatcher {
    let generation = 1;
    let shelf = Shelf(Arc::new(Snapshot { generation, tools }));
    dispatcher_over(store, Arc::new(shelf), rulebook)
}

/// A dispatcher of whatever tools there are, over this store, for the tenant `demo`.
pub(crate) fn dispatcher_over(
    store: Arc<SqliteStore>,
    tools: Arc<dyn Tools>,
    rulebook: &Rules,
) -> Dispatcher {
    let rulebook = rulebook.clone();
    let store: Arc<dyn Store> = store;
    Dispatcher::new(DispatcherParts {
        tools,
        store,
        secrets: Arc::new(NoSecrets),
        completions: Arc::new(NoModel),
        rulebooks: Arc::new(move |_| Some(rulebook.lock().unwrap().clone())),
        retry: RetryPolicy {
            retries: 2,
            pause: Duration::ZERO,
            longest: Duration::ZERO,
        },
    })
}

pub(crate) fn scripted(name: &str, script: &Arc<Script>, nature: Nature) -> Arc<dyn Tool> {
    Arc::new(Scripted {
        spec: spec(name, nature),
        script: script.clone(),
    })
}

/// A tool that may send anything to a backend of this nature.
pub(crate) fn spec(name: &str, nature: Nature) -> ToolSpec {
    let grant = HttpGrant {
        origin: "http://127.0.0.1:9".into(),
        methods: vec!["POST".into()],
        paths: vec![PathPattern("/**".into())],
        safe_posts: vec![],
        bodies: dispatch::policy::BodyEncoding::Json,
        credential: None,
        nature,
        private_network: true,
        tools: BTreeMap::new(),
    };
    ToolSpec {
        name: name.to_owned(),
        title: name.to_owned(),
        description: String::new(),
        input_schema: json!({}).into(),
        output_schema: json!({}).into(),
        bound: BTreeMap::new(),
        interface: String::new(),
        plugin: "scripted".into(),
        version: "1".into(),
        digest: "d".repeat(64),
        grants: Arc::from([grant]),
    }
}
