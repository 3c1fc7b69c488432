//! The vocabulary: a desk whose plugins do as a test says, whose backend, model, audit log and traces are searched afterwards.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dispatch::policy::{
    Actor, BodyRule, Call, Channel, HttpGrant, Nature, PathPattern, Permit, Role, Rulebook,
    RulebookSource, Settings, ToolRule,
};
use dispatch::{
    Answer, Audit, AuditRecord, CallRequest, Cases, CompletionError, CompletionRequest,
    Completions, Dispatcher, DispatcherParts, Gate, InvokeError, OutboundHttp, Outcome,
    RetryPolicy, Secrets, Snapshot, Store, Tool, ToolError, ToolSpec, Tools, Violation,
};
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};
use store::{OpenOptions, SqliteStore};

/// What the host's credential says; nobody but the backend may see it.
pub(crate) const SECRET: &str = "planted-credential-7f3a";
/// Where the plugins may send requests to.
pub(crate) const BACKEND: &str = "http://127.0.0.1:9";

pub(crate) type Ends = Pin<Box<dyn Future<Output = Result<Value, InvokeError>> + Send>>;
/// What a plugin does with a permitted call.
pub(crate) type Plugin = Arc<dyn Fn(Call, Arc<dyn Gate>) -> Ends + Send + Sync>;

/// A desk with one tenant, `demo`.
pub(crate) struct World {
    pub(crate) dispatcher: Dispatcher,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) model: Arc<Model>,
    folder: tempfile::TempDir,
    make: Make,
}

/// What a world is made of, so that it can be made again over the same data.
#[derive(Clone)]
struct Make {
    plugin: Plugin,
    grants: Vec<HttpGrant>,
    rules: RulebookSource,
    now: Arc<Mutex<i64>>,
}

impl World {
    pub(crate) fn new(plugin: Plugin) -> Self {
        Self::with_grants(plugin, vec![grant(&[])])
    }

    pub(crate) fn with_grants(plugin: Plugin, grants: Vec<HttpGrant>) -> Self {
        Self::with_tools(plugin, grants, contract())
    }

    pub(crate) fn with_tools(
        plugin: Plugin,
        grants: Vec<HttpGrant>,
        tools: BTreeMap<String, ToolRule>,
    ) -> Self {
        let rules = RulebookSource::shipped(tools, Settings::default());
        Self::under(rules, plugin, grants)
    }

    /// With rules of its own.
    pub(crate) fn under(rules: RulebookSource, plugin: Plugin, grants: Vec<HttpGrant>) -> Self {
        let now = Arc::new(Mutex::new(1_795_176_000));
        let make = Make {
            plugin,
            grants,
            rules,
            now,
        };
        Self::open(tempfile::tempdir().unwrap(), make)
    }

    fn open(folder: tempfile::TempDir, make: Make) -> Self {
        let now = make.now.clone();
        let options = OpenOptions {
            clock: Some(Arc::new(move || *now.lock().unwrap())),
        };
        let store = Arc::new(SqliteStore::open(folder.path(), options).unwrap());
        let model = Arc::<Model>::default();
        let rulebook = Arc::new(Rulebook::load(make.rules.clone()).unwrap());
        let dispatcher = Dispatcher::new(DispatcherParts {
            tools: shelf(&make),
            store: store.clone() as Arc<dyn Store>,
            secrets: Arc::new(Keys),
            completions: model.clone(),
            rulebooks: Arc::new(move |_| Some(rulebook.clone())),
            retry: RetryPolicy {
                retries: 1,
                pause: Duration::ZERO,
                longest: Duration::ZERO,
            },
        });
        Self {
            dispatcher,
            store,
            model,
            folder,
            make,
        }
    }

    /// Another process over the same data: nothing in memory survives.
    pub(crate) async fn restart(self) -> Self {
        self.store.close().await;
        let Self { folder, make, .. } = self;
        Self::open(folder, make)
    }

    /// Time passes.
    pub(crate) fn later(&self, seconds: i64) {
        *self.make.now.lock().unwrap() += seconds;
    }

    /// A case of its own.
    pub(crate) async fn case(&self, session: &str) -> String {
        let case = self.store.case_of_session("demo", session).await.unwrap();
        case.id
    }

    pub(crate) async fn call(&self, case: &str, tool: &str, arguments: Value) -> Outcome {
        self.call_as(Role::Agent, case, tool, arguments).await
    }

    pub(crate) async fn call_as(
        &self,
        role: Role,
        case: &str,
        tool: &str,
        arguments: Value,
    ) -> Outcome {
        let request = CallRequest {
            tenant: "demo".into(),
            case: case.into(),
            actor: Actor {
                role,
                subject: "agent:test".into(),
            },
            channel: Channel::Chat,
            tool: tool.into(),
            arguments,
        };
        self.dispatcher.call(request).await.unwrap()
    }

    /// What the audit log holds of a case.
    pub(crate) async fn audit(&self, case: &str) -> Vec<AuditRecord> {
        self.store.records(Some(case), 10_000).await.unwrap()
    }

    /// The capability decisions of a case, as the audit log has them.
    pub(crate) async fn capabilities(&self, case: &str) -> Vec<Value> {
        let records = self.audit(case).await.into_iter();
        records
            .filter(|record| record.entry.kind == dispatch::AuditKind::Capability)
            .map(|record| record.entry.detail)
            .collect()
    }
}

/// The code with which a call was refused; empty where it was not.
pub(crate) fn code(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Denied { refusal, .. } | Outcome::Withheld { refusal, .. } => &refusal.code,
        _ => "",
    }
}

/// A plugin out of a plain function of the call.
pub(crate) fn answers(
    answer: impl Fn(&Call) -> Result<Value, InvokeError> + Send + Sync + 'static,
) -> Plugin {
    Arc::new(move |call, _| {
        let answer = answer(&call);
        Box::pin(async move { answer })
    })
}

/// A request of a plugin, and what it hears.
pub(crate) async fn send(
    gate: &Arc<dyn Gate>,
    method: Method,
    path: &str,
    body: &Value,
) -> Result<Vec<(HeaderName, HeaderValue)>, InvokeError> {
    let text = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    send_bytes(gate, method, path, text).await
}

/// The same with a body that need not be JSON.
pub(crate) async fn send_bytes(
    gate: &Arc<dyn Gate>,
    method: Method,
    path: &str,
    body: impl Into<Bytes>,
) -> Result<Vec<(HeaderName, HeaderValue)>, InvokeError> {
    let request = OutboundHttp {
        method,
        url: format!("{BACKEND}{path}"),
        body: body.into(),
    };
    let leave = gate.http(&request).await.map_err(InvokeError::Refused)?;
    gate.answered(leave.ordinal, Answer::Status(201)).await;
    Ok(leave.headers)
}

/// Everything at the backend, with body rules for one tool where there are any.
pub(crate) fn grant(rules: &[(&str, &[BodyRule])]) -> HttpGrant {
    HttpGrant {
        origin: BACKEND.into(),
        methods: vec!["GET".into(), "POST".into()],
        paths: vec![PathPattern("/**".into())],
        safe_posts: vec![PathPattern("/search".into())],
        bodies: dispatch::policy::BodyEncoding::Json,
        credential: Some("backend".into()),
        nature: Nature::Deduplicates,
        private_network: true,
        tools: rules
            .iter()
            .map(|(tool, rules)| ((*tool).to_owned(), rules.to_vec()))
            .collect(),
    }
}

pub(crate) fn contract() -> BTreeMap<String, ToolRule> {
    #[derive(serde::Deserialize)]
    struct Contract {
        tool: BTreeMap<String, ToolRule>,
    }
    let text = include_str!("../../../../wit/contract.toml");
    toml::from_str::<Contract>(text).unwrap().tool
}

fn shelf(make: &Make) -> Arc<dyn Tools> {
    let names = contract().into_keys();
    let tools = names.map(|name| (name.clone(), tool(name, make))).collect();
    let snapshot = Snapshot {
        generation: 1,
        tools,
    };
    Arc::new(Shelf(Arc::new(snapshot)))
}

/// The parameters that the contract has the host fill in.
const BOUND: &[(&str, bool)] = &[
    ("get_customer_orders", true),
    ("update_customer_info", true),
    ("add_credit", true),
    ("create_ticket", false),
    ("escalate_to_human", false),
];

fn tool(name: String, make: &Make) -> Arc<dyn Tool> {
    let bound = BOUND.iter().filter(|(tool, _)| *tool == name);
    let spec = ToolSpec {
        title: name.clone(),
        description: String::new(),
        input_schema: json!({}).into(),
        output_schema: json!({}).into(),
        bound: bound
            .map(|(_, required)| ("customer_id".to_owned(), *required))
            .collect(),
        interface: String::new(),
        plugin: "scripted".into(),
        version: "1".into(),
        digest: "d".repeat(64),
        grants: Arc::from(make.grants.clone()),
        name,
    };
    Arc::new(Scripted {
        spec,
        plugin: make.plugin.clone(),
    })
}

struct Scripted {
    spec: ToolSpec,
    plugin: Plugin,
}

#[async_trait]
impl Tool for Scripted {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn check(&self, arguments: &Value) -> Result<Map<String, Value>, Vec<Violation>> {
        Ok(arguments.as_object().cloned().unwrap_or_default())
    }

    async fn invoke(&self, permit: Permit, gate: Arc<dyn Gate>) -> Result<Value, InvokeError> {
        let (call, _) = permit.into_parts();
        if call.tool == "escalate_to_human" {
            return Ok(
                json!({ "escalation_id": "E-1", "priority": call.arguments["priority"],
                "team": call.arguments["team"], "status": "open" }),
            );
        }
        (self.plugin)(call, gate).await
    }
}

struct Shelf(Arc<Snapshot>);

impl Tools for Shelf {
    fn snapshot(&self, tenant: &str) -> Option<Arc<Snapshot>> {
        (tenant == "demo").then(|| self.0.clone())
    }
}

struct Keys;

impl Secrets for Keys {
    fn headers(&self, _: &str, _: &str) -> Option<Vec<(HeaderName, HeaderValue)>> {
        let mut value = HeaderValue::from_static(SECRET);
        value.set_sensitive(true);
        Some(vec![(HeaderName::from_static("x-api-key"), value)])
    }

    fn scrub(&self, _: &str, text: &str) -> String {
        text.replace(SECRET, "[secret]")
    }
}

/// A model that says yes, and remembers what it was asked.
#[derive(Default)]
pub(crate) struct Model {
    asked: Mutex<Vec<String>>,
}

impl Model {
    /// Every prompt since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl Completions for Model {
    async fn complete(&self, _: &str, asked: CompletionRequest) -> Result<String, CompletionError> {
        self.asked.lock().unwrap().push(asked.prompt);
        Ok("yes".to_owned())
    }
}

/// Everything that is logged or traced, at every level.
#[derive(Clone, Default)]
pub(crate) struct Traces(Arc<Mutex<Vec<u8>>>);

impl Traces {
    /// Captures what this thread logs while the guard lives.
    pub(crate) fn capture() -> (Self, tracing::subscriber::DefaultGuard) {
        let traces = Self::default();
        let to = traces.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || to.clone())
            .finish();
        (traces, tracing::subscriber::set_default(subscriber))
    }

    /// Everything since the last time.
    pub(crate) fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        String::from_utf8(bytes).unwrap()
    }
}

impl io::Write for Traces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A typed error of a plugin.
pub(crate) fn not_found(message: &str) -> InvokeError {
    let message = message.to_owned();
    ToolError::NotFound { message }.into()
}
