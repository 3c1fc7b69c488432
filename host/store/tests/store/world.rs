//! The vocabulary of the tests: a store with a clock of its own, and small things to put into it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use dispatch::policy::{Actor, Call, Channel, ConsentFrom, Entity, Fact, Role};
use dispatch::{
    AuditEntry, AuditKind, Charge, ConsentState, Holder, IntentState, Lease, Leave, NewIntent,
    Operators, PendingConsent, Registry, Reserved, SentRequest, Settlement, Store, StoreError,
};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

pub(crate) const TENANT: &str = "demo";
pub(crate) const START: i64 = 1_800_000_000;

/// Unix seconds that a test moves.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START)))
    }

    pub(crate) fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

/// A fresh store, one open case in it, and the clock by which it goes.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) operators: Arc<dyn Operators>,
    pub(crate) clock: TestClock,
    pub(crate) case: String,
}

impl World {
    pub(crate) async fn of(
        store: Arc<impl Store + Registry + Operators + 'static>,
        clock: TestClock,
    ) -> Self {
        let case = store
            .case_of_session(TENANT, "chat:world")
            .await
            .unwrap()
            .id;
        Self {
            registry: Arc::clone(&store) as _,
            operators: Arc::clone(&store) as _,
            store,
            clock,
            case,
        }
    }

    pub(crate) fn intent(&self, id: &str, key: &str) -> NewIntent {
        NewIntent {
            id: id.into(),
            tenant: TENANT.into(),
            key: key.into(),
            terms: "terms".into(),
            case: self.case.clone(),
            tool: "process_refund".into(),
            arguments: object(json!({ "order_id": "ORD-8842", "amount": "49.99" })),
            plugin_digest: "d1".into(),
            rulebook: "r1".into(),
            charges: vec![],
            replaces: false,
        }
    }

    pub(crate) fn charged(&self, id: &str, charges: Vec<Charge>) -> NewIntent {
        NewIntent {
            charges,
            ..self.intent(id, id)
        }
    }

    pub(crate) fn question(&self, id: &str, binding: &str) -> PendingConsent {
        PendingConsent {
            id: id.into(),
            from: ConsentFrom::Customer,
            call: Call {
                tenant: TENANT.into(),
                case: self.case.clone(),
                actor: Actor {
                    role: Role::Agent,
                    subject: "agent:offline".into(),
                },
                channel: Channel::Chat,
                tool: "cancel_order".into(),
                plugin_digest: "d1".into(),
                arguments: object(json!({ "order_id": "ORD-8842" })),
            },
            binding: binding.into(),
            question: "Shall I cancel it?".into(),
            state: ConsentState::Pending,
            created_at: self.clock.now(),
            expires_at: self.clock.now() + 600,
            answered_by: None,
        }
    }

    pub(crate) fn entry(&self, detail: Value) -> AuditEntry {
        AuditEntry {
            kind: AuditKind::Decision,
            tenant: TENANT.into(),
            case: Some(self.case.clone()),
            actor: "agent:offline".into(),
            tool: Some("process_refund".into()),
            detail,
        }
    }

    pub(crate) async fn reserve(&self, intent: NewIntent) -> Result<Reserved, StoreError> {
        reserve(self.store.as_ref(), intent).await
    }

    pub(crate) async fn sent(&self, id: &str, request: SentRequest) -> Result<Leave, StoreError> {
        self.store.sent(&first_lease(id), request).await
    }

    pub(crate) async fn settle(
        &self,
        id: &str,
        settlement: Settlement,
    ) -> Result<bool, StoreError> {
        settle(self.store.as_ref(), &first_lease(id), settlement).await
    }

    pub(crate) async fn spent(&self, budget: &str) -> i64 {
        let of = [(budget.to_owned(), "CUST-1".to_owned(), 0)];
        self.store.spent(TENANT, &of).await.unwrap()[0]
    }

    pub(crate) async fn state(&self, key: &str) -> Option<IntentState> {
        self.store
            .intent(TENANT, key)
            .await
            .unwrap()
            .map(|intent| intent.state)
    }
}

/// A process that runs intents, for a minute at a time.
pub(crate) fn holder(name: &str) -> Holder {
    Holder {
        name: name.into(),
        seconds: 60,
    }
}

/// The lease that its reservation gave.
pub(crate) fn first_lease(intent: &str) -> Lease {
    Lease {
        intent: intent.into(),
        epoch: 1,
    }
}

pub(crate) async fn reserve(store: &dyn Store, intent: NewIntent) -> Result<Reserved, StoreError> {
    let entry = ledger_entry(&intent.id, "reserved");
    store.reserve(intent, &holder("first"), entry).await
}

pub(crate) async fn settle(
    store: &dyn Store,
    lease: &Lease,
    settlement: Settlement,
) -> Result<bool, StoreError> {
    let entry = ledger_entry(&lease.intent, "settled");
    store.settle(lease, settlement, entry).await
}

pub(crate) fn ledger_entry(intent: &str, state: &str) -> AuditEntry {
    AuditEntry {
        kind: AuditKind::Ledger,
        tenant: TENANT.into(),
        case: None,
        actor: "host".into(),
        tool: None,
        detail: json!({ "intent": intent, "state": state }),
    }
}

/// What `amount` draws on a budget of customer CUST-1.
pub(crate) fn charge(budget: &str, amount: i64, limit: i64) -> Charge {
    Charge {
        budget: budget.into(),
        subject: "CUST-1".into(),
        window_start: 0,
        amount,
        limit,
    }
}

pub(crate) fn request(ordinal: u32, body: &str) -> SentRequest {
    SentRequest {
        ordinal,
        method: "POST".into(),
        url: "https://api.example.com/refunds".into(),
        body_digest: format!("sha256 of {body}"),
        body: body.as_bytes().to_vec(),
    }
}

pub(crate) fn order(id: &str, established_at: i64, attributes: Value) -> (Entity, Fact) {
    let entity = Entity {
        kind: "order".into(),
        id: id.into(),
    };
    (
        entity,
        Fact {
            established_at,
            attributes: object(attributes),
        },
    )
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

/// Runs `count` tasks at once and collects what they answer.
pub(crate) async fn race<T, F>(count: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    (0..count)
        .map(task)
        .collect::<JoinSet<T>>()
        .join_all()
        .await
}
