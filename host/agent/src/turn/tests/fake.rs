//! The vocabulary of the turn tests: a host that remembers everything, and a model that follows a script.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use dispatch::policy::{
    Actor, Call, Channel, ConsentFrom, Identity, Priority, Refusal, Role, ToolRule,
};
use dispatch::{
    CallRequest, Case, CaseStatus, ConsentState, DispatchError, EscalationRef, EscalationRequest,
    Event, Outcome, PendingConsent, Secrets, ToolSpec,
};
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::unbounded_channel;

use crate::{
    Agent, AgentParts, Arguments, Model, ModelError, ModelReply, ModelRequest, Prompts, Stop,
    Tenant, ToolCall, ToolHost, TurnLimits, TurnRequest, TurnResult, Usage,
};

/// Everything that happened at the host.
#[derive(Default)]
pub(super) struct World {
    pub(super) called: Vec<(String, Value)>,
    pub(super) escalations: Vec<EscalationRequest>,
    pub(super) events: Vec<Event>,
    pub(super) status: CaseStatus,
    pub(super) identity: Identity,
    pub(super) outcomes: BTreeMap<String, VecDeque<Outcome>>,
    pub(super) pending: Vec<PendingConsent>,
    pub(super) answers: Vec<(String, bool)>,
}

#[derive(Default)]
pub(super) struct FakeHost(pub(super) Mutex<World>);

impl FakeHost {
    fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }
}

#[async_trait]
impl ToolHost for FakeHost {
    fn tools(&self, _: &str, _: &str) -> Vec<ToolSpec> {
        TOOLS.iter().map(|name| spec(name)).collect()
    }

    async fn call(&self, request: CallRequest) -> Result<Outcome, DispatchError> {
        let outcome = self.world(|world| {
            world
                .called
                .push((request.tool.clone(), request.arguments.clone()));
            world
                .outcomes
                .get_mut(&request.tool)
                .and_then(VecDeque::pop_front)
        });
        let outcome = outcome.unwrap_or(Outcome::UnknownTool);
        if let Outcome::Pending { consent, .. } = &outcome {
            self.world(|world| world.pending.push((**consent).clone()));
        }
        Ok(outcome)
    }

    async fn answer_consent(
        &self,
        _: &str,
        consent: &str,
        granted: bool,
        _: &Actor,
    ) -> Result<Option<Outcome>, DispatchError> {
        self.world(|world| {
            world.answers.push((consent.to_owned(), granted));
            let place = world
                .pending
                .iter()
                .position(|pending| pending.id == consent);
            let pending = world
                .pending
                .remove(place.ok_or_else(|| DispatchError::NotPending(consent.to_owned()))?);
            let queue = world.outcomes.get_mut(&pending.call.tool);
            Ok(queue.and_then(VecDeque::pop_front).filter(|_| granted))
        })
    }

    async fn escalate(&self, request: EscalationRequest) -> Result<EscalationRef, DispatchError> {
        let escalation = EscalationRef {
            id: "E-1001".to_owned(),
            priority: request.priority,
            team: request.team.clone(),
        };
        self.world(|world| world.escalations.push(request));
        Ok(escalation)
    }

    async fn case(&self, tenant: &str, id: &str) -> Result<Case, DispatchError> {
        Ok(self.world(|world| Case {
            id: id.to_owned(),
            tenant: tenant.to_owned(),
            identity: world.identity.clone(),
            status: world.status,
            created_at: 0,
        }))
    }

    async fn set_status(&self, _: &str, status: CaseStatus) -> Result<(), DispatchError> {
        self.world(|world| world.status = status);
        Ok(())
    }

    async fn events(&self, _: &str) -> Result<Vec<Event>, DispatchError> {
        Ok(self.world(|world| world.events.clone()))
    }

    async fn append(&self, _: &str, event: Event) -> Result<(), DispatchError> {
        self.world(|world| world.events.push(event));
        Ok(())
    }

    async fn pending(&self, _: &str, _: &str) -> Result<Vec<PendingConsent>, DispatchError> {
        Ok(self.world(|world| world.pending.clone()))
    }
}

/// Replies in order; records what it was asked.
#[derive(Default)]
pub(super) struct Scripted {
    replies: Mutex<VecDeque<Result<ModelReply, ModelError>>>,
    requests: Mutex<Vec<ModelRequest>>,
}

impl Scripted {
    /// What the model was asked so far.
    pub(super) fn asked(&self) -> Vec<ModelRequest> {
        self.requests.lock().unwrap().clone()
    }
}

#[async_trait]
impl Model for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    async fn respond(&self, request: ModelRequest) -> Result<ModelReply, ModelError> {
        self.requests.lock().unwrap().push(request);
        self.replies
            .lock()
            .unwrap()
            .pop_front()
            .expect("the script is at its end")
    }
}

struct NoSecrets;

impl Secrets for NoSecrets {
    fn headers(&self, _: &str, _: &str) -> Option<Vec<(HeaderName, HeaderValue)>> {
        None
    }

    fn scrub(&self, _: &str, text: &str) -> String {
        text.to_owned()
    }
}

/// One case of one customer.
pub(super) struct Desk {
    pub(super) host: Arc<FakeHost>,
    agent: Agent,
    pub(super) streamed: Vec<Event>,
}

impl Desk {
    pub(super) fn new(model: Arc<dyn Model>) -> Self {
        Self::within(model, TurnLimits::default())
    }

    pub(super) fn within(model: Arc<dyn Model>, limits: TurnLimits) -> Self {
        let host = Arc::new(FakeHost::default());
        let tenant = Arc::new(Tenant { limits, ..tenant() });
        let agent = Agent::new(AgentParts {
            host: host.clone(),
            model,
            tenants: Arc::new(move |id| (id == "demo").then(|| tenant.clone())),
            secrets: Arc::new(NoSecrets),
        });
        Self {
            host,
            agent,
            streamed: Vec::new(),
        }
    }

    /// A tool's next outcomes.
    pub(super) fn on(&self, tool: &str, outcomes: impl IntoIterator<Item = Outcome>) -> &Self {
        let mut world = self.host.0.lock().unwrap();
        world
            .outcomes
            .entry(tool.to_owned())
            .or_default()
            .extend(outcomes);
        drop(world);
        self
    }

    pub(super) async fn say(&mut self, message: &str) -> TurnResult {
        let (sink, mut events) = unbounded_channel();
        let request = TurnRequest {
            tenant: "demo".to_owned(),
            case: "case-1".to_owned(),
            channel: Channel::Chat,
            actor: Actor {
                role: Role::Agent,
                subject: "agent:test".to_owned(),
            },
            message: message.to_owned(),
        };
        let result = self.agent.turn(request, sink).await.unwrap();
        self.streamed.clear();
        while let Ok(event) = events.try_recv() {
            self.streamed.push(event);
        }
        result
    }

    pub(super) fn called(&self) -> Vec<String> {
        let world = self.host.0.lock().unwrap();
        world.called.iter().map(|(tool, _)| tool.clone()).collect()
    }

    pub(super) fn escalations(&self) -> Vec<(Priority, String)> {
        let world = self.host.0.lock().unwrap();
        world
            .escalations
            .iter()
            .map(|e| (e.priority, e.team.clone()))
            .collect()
    }

    pub(super) fn summary(&self) -> String {
        self.host
            .0
            .lock()
            .unwrap()
            .escalations
            .last()
            .unwrap()
            .summary
            .clone()
    }
}

const TOOLS: [&str; 6] = [
    "get_customer",
    "lookup_order",
    "process_refund",
    "cancel_order",
    "search_knowledge_base",
    "escalate_to_human",
];

/// The shipped prompts.
const PROMPTS: [(&str, &str); 13] = [
    (
        "system.md",
        include_str!("../../../../../prompts/system.md"),
    ),
    (
        "order_inquiry.md",
        include_str!("../../../../../prompts/order_inquiry.md"),
    ),
    (
        "refund.md",
        include_str!("../../../../../prompts/refund.md"),
    ),
    (
        "product_question.md",
        include_str!("../../../../../prompts/product_question.md"),
    ),
    (
        "escalation.md",
        include_str!("../../../../../prompts/escalation.md"),
    ),
    (
        "proactive.md",
        include_str!("../../../../../prompts/proactive.md"),
    ),
    (
        "summarise.md",
        include_str!("../../../../../prompts/summarise.md"),
    ),
    (
        "suggest_reply.md",
        include_str!("../../../../../prompts/suggest_reply.md"),
    ),
    (
        "classify.md",
        include_str!("../../../../../prompts/classify.md"),
    ),
    (
        "evaluate.md",
        include_str!("../../../../../prompts/evaluate.md"),
    ),
    (
        "improve.md",
        include_str!("../../../../../prompts/improve.md"),
    ),
    (
        "ticket_triage.md",
        include_str!("../../../../../prompts/ticket_triage.md"),
    ),
    ("mcp.md", include_str!("../../../../../prompts/mcp.md")),
];

fn tenant() -> Tenant {
    let rules = [
        ("get_customer", "read", None),
        ("lookup_order", "read", None),
        ("search_knowledge_base", "read", None),
        ("process_refund", "write", Some("refund")),
        ("cancel_order", "write", Some("cancel")),
        ("escalate_to_human", "escalation", Some("escalation")),
    ];
    let rule = |(name, effect, claim): (&str, &str, Option<&str>)| {
        let rule: ToolRule =
            serde_json::from_value(json!({ "effect": effect, "effect_claim": claim })).unwrap();
        (name.to_owned(), rule)
    };
    Tenant {
        company: "Demo".to_owned(),
        prompts: Arc::new(Prompts::load(PROMPTS).unwrap()),
        rules: Arc::new(rules.into_iter().map(rule).collect()),
        forbidden: vec!["150.00".to_owned()],
        limits: TurnLimits::default(),
        model: None,
    }
}

fn spec(name: &str) -> ToolSpec {
    ToolSpec {
        name: name.to_owned(),
        title: name.to_owned(),
        description: String::new(),
        input_schema: json!({ "type": "object" }).into(),
        output_schema: json!({ "type": "object" }).into(),
        bound: BTreeMap::new(),
        interface: String::new(),
        plugin: String::new(),
        version: String::new(),
        digest: String::new(),
        grants: Arc::new([]),
    }
}

pub(super) fn script(
    replies: impl IntoIterator<Item = Result<ModelReply, ModelError>>,
) -> Arc<Scripted> {
    Arc::new(Scripted {
        replies: Mutex::new(replies.into_iter().collect()),
        requests: Mutex::default(),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "a script holds failures too")]
pub(super) fn text(text: &str) -> Result<ModelReply, ModelError> {
    Ok(ModelReply {
        text: text.to_owned(),
        usage: Usage {
            input_tokens: 10,
            output_tokens: 10,
        },
        ..ModelReply::default()
    })
}

pub(super) fn calls(tool: &str, arguments: Value) -> Result<ModelReply, ModelError> {
    reply_with(tool, Arguments::Json(arguments))
}

pub(super) fn broken(tool: &str) -> Result<ModelReply, ModelError> {
    reply_with(tool, Arguments::Broken("{\"order_id\": ".to_owned()))
}

#[expect(clippy::unnecessary_wraps, reason = "a script holds failures too")]
fn reply_with(tool: &str, arguments: Arguments) -> Result<ModelReply, ModelError> {
    let call = ToolCall {
        id: "call_0".to_owned(),
        tool: tool.to_owned(),
        arguments,
    };
    Ok(ModelReply {
        calls: vec![call],
        stop: Stop::ToolUse,
        ..ModelReply::default()
    })
}

pub(super) fn done(output: Value) -> Outcome {
    Outcome::Done {
        output,
        replayed: false,
        escalation: None,
    }
}

pub(super) fn people(priority: Priority, team: &str) -> EscalationRef {
    EscalationRef {
        id: "E-1".to_owned(),
        priority,
        team: team.to_owned(),
    }
}

pub(super) fn refusal(say: &str) -> Refusal {
    Refusal {
        code: "SOME_CODE".to_owned(),
        say: say.to_owned(),
        hint: None,
        rules: vec![],
    }
}

pub(super) fn asks(tool: &str, from: ConsentFrom) -> Outcome {
    let call = Call {
        tenant: "demo".to_owned(),
        case: "case-1".to_owned(),
        actor: Actor {
            role: Role::Agent,
            subject: "agent:test".to_owned(),
        },
        channel: Channel::Chat,
        tool: tool.to_owned(),
        plugin_digest: String::new(),
        arguments: Map::new(),
    };
    Outcome::Pending {
        consent: Box::new(PendingConsent {
            id: "consent-7".to_owned(),
            from,
            call,
            binding: String::new(),
            question: "Shall I cancel order ORD-1? Please answer yes or no.".to_owned(),
            state: ConsentState::Pending,
            created_at: 0,
            expires_at: 1,
            answered_by: None,
        }),
        escalation: None,
    }
}
