//! The vocabulary of faults: a bank that knows what took effect, a plugin that goes wrong at a given step, and a branch that is
//! killed and opened again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use dispatch::policy::{Actor, Channel, Nature, Permit, Role, Settings};
use dispatch::{
    Answer, CallRequest, Cases, DispatchError, Dispatcher, Gate, InvokeError, Ledger, OutboundHttp,
    Outcome, Tool, ToolError, ToolSpec, Violation,
};
use http::Method;
use serde_json::{Map, Value, json};
use store::{OpenOptions, SqliteStore};
use tokio::sync::Notify;

use crate::desk::{
    REFUND, Rules, Script, dispatcher_of, know, rfc3339, rulebook_with, scripted, spec,
};

/// How long the bank may take over what it has received, seconds.
pub(crate) const SLOWEST: u32 = 60;
/// How long it takes over what is late.
const LATE: i64 = 30;
pub(crate) const AMOUNT: i64 = 4_999;

/// Where a write is when something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// The plugin has begun, and asked for nothing.
    Reserved,
    /// Leave was given and recorded, and nothing has left.
    Leave,
    /// The bank has the request, and acts on it later.
    Received,
    /// The bank has acted.
    Acted,
    /// Its answer has arrived.
    Answered,
}

/// What goes wrong there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing more happens: the process is as good as killed.
    Kill,
    /// The plugin, or the bank, fails.
    Error,
    /// The plugin runs past its deadline.
    TimeOut,
    /// The process stands still until it is woken.
    Pause,
}

/// A refund that took effect, or is about to.
#[derive(Clone, Debug)]
pub(crate) struct Refund {
    key: String,
    order: String,
    amount: Value,
    at: i64,
}

/// What took effect, whoever believes what.
pub(crate) struct Bank {
    nature: Nature,
    now: Arc<AtomicI64>,
    refunds: Mutex<Vec<Refund>>,
    plan: Mutex<Option<(At, Fault)>>,
    /// Requests that change something and arrived.
    pub(crate) arrived: AtomicI64,
    reached: Notify,
    wake: Notify,
}

impl Bank {
    pub(crate) fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    /// What has taken effect by now.
    pub(crate) fn effects(&self) -> Vec<Refund> {
        let refunds = self.refunds.lock().unwrap();
        let by_now = refunds.iter().filter(|refund| refund.at <= self.now());
        by_now.cloned().collect()
    }

    /// Takes a request; the status of its answer.
    fn receive(&self, key: &str, arguments: &Map<String, Value>, delay: i64) -> u16 {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        let mut refunds = self.refunds.lock().unwrap();
        let known = refunds.iter().find(|refund| refund.key == key);
        if self.nature == Nature::Deduplicates
            && let Some(known) = known
        {
            return if known.at > self.now() { 409 } else { 201 };
        }
        refunds.push(Refund {
            key: key.to_owned(),
            order: arguments["order_id"].as_str().unwrap().to_owned(),
            amount: arguments["amount"].clone(),
            at: self.now() + delay,
        });
        201
    }

    fn list(&self, order: &str) -> Value {
        let entries = self.effects().into_iter().filter(|one| one.order == order);
        let entries: Vec<Value> = entries.map(|one| entry(&one)).collect();
        json!({ "order_id": order, "customer_id": "C-1", "refunds": entries })
    }

    /// Stands still where the plan says so, or fails.
    async fn pass(&self, plan: Option<(At, Fault)>, here: At) -> Result<(), InvokeError> {
        let Some((_, fault)) = plan.filter(|(at, _)| *at == here) else {
            return Ok(());
        };
        match fault {
            Fault::Error => Err(InvokeError::Trapped("unreachable".into())),
            Fault::TimeOut => Err(InvokeError::Deadline(10_000)),
            Fault::Kill => {
                self.reached.notify_one();
                std::future::pending().await
            }
            Fault::Pause => {
                self.reached.notify_one();
                self.wake.notified().await;
                Ok(())
            }
        }
    }
}

fn entry(refund: &Refund) -> Value {
    json!({ "refund_id": format!("R-{}", refund.key), "order_id": refund.order, "customer_id": "C-1",
        "amount": refund.amount, "reason": "broken", "status": "succeeded", "created_at": rfc3339(refund.at) })
}

/// The refunds plugin, as far as faults need it.
struct Teller {
    spec: ToolSpec,
    bank: Arc<Bank>,
}

#[async_trait]
impl Tool for Teller {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn check(&self, arguments: &Value) -> Result<Map<String, Value>, Vec<Violation>> {
        Ok(arguments.as_object().cloned().unwrap_or_default())
    }

    async fn invoke(&self, permit: Permit, gate: Arc<dyn Gate>) -> Result<Value, InvokeError> {
        let (call, _) = permit.into_parts();
        if call.tool == REFUND {
            return self.refund(&call.arguments, gate).await;
        }
        let order = call.arguments["order_id"].as_str().unwrap();
        Ok(self.bank.list(order))
    }
}

impl Teller {
    async fn refund(
        &self,
        arguments: &Map<String, Value>,
        gate: Arc<dyn Gate>,
    ) -> Result<Value, InvokeError> {
        let bank = &self.bank;
        let plan = bank.plan.lock().unwrap().take();
        bank.pass(plan, At::Reserved).await?;
        let request = OutboundHttp {
            method: Method::POST,
            url: "http://127.0.0.1:9/refunds".into(),
            body: Bytes::from(Value::Object(arguments.clone()).to_string()),
        };
        let leave = gate.http(&request).await.map_err(InvokeError::Refused)?;
        let (_, key) = leave.headers.first().unwrap();
        bank.pass(plan, At::Leave).await?;
        let late = matches!(plan, Some((At::Received, _)));
        let status = bank.receive(
            key.to_str().unwrap(),
            arguments,
            if late { LATE } else { 0 },
        );
        let status = match plan {
            Some((At::Received | At::Acted, Fault::Error)) => 504,
            Some((at @ (At::Received | At::Acted), _)) => {
                bank.pass(plan, at).await?;
                status
            }
            _ => status,
        };
        gate.answered(leave.ordinal, Answer::Status(status)).await;
        if status != 201 {
            let message = "the bank did not answer as it should".to_owned();
            let retry_after_seconds = None;
            return Err(ToolError::Unavailable {
                message,
                retry_after_seconds,
            }
            .into());
        }
        bank.pass(plan, At::Answered).await?;
        let refunds = bank.refunds.lock().unwrap();
        let ours = refunds.iter().find(|one| one.key == key.to_str().unwrap());
        Ok(entry(ours.unwrap()))
    }
}

/// One branch of the bank's customer: a dispatcher over a real store, with C-1's orders looked up.
pub(crate) struct Branch {
    pub(crate) dispatcher: Dispatcher,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) bank: Arc<Bank>,
    pub(crate) case: String,
    pub(crate) folder: tempfile::TempDir,
    rules: Rules,
}

impl Branch {
    pub(crate) async fn open(nature: Nature) -> Self {
        Self::open_with(nature, Settings::default(), &["ORD-1"]).await
    }

    pub(crate) async fn open_with(nature: Nature, settings: Settings, orders: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bank = Arc::new(Bank {
            nature,
            now: Arc::new(AtomicI64::new(1_795_168_800)),
            refunds: Mutex::default(),
            plan: Mutex::default(),
            arrived: AtomicI64::new(0),
            reached: Notify::new(),
            wake: Notify::new(),
        });
        let store = open_store(&folder, &bank);
        let rules: Rules = Arc::new(Mutex::new(Arc::new(rulebook_with(settings))));
        let dispatcher = dispatcher_of(store.clone(), tools(&bank), &rules);
        let case = store.case_of_session("demo", "s").await.unwrap().id;
        for order in orders {
            know(&store, &case, "C-1", order, "C-1").await;
        }
        Self {
            dispatcher,
            store,
            bank,
            case,
            folder,
            rules,
        }
    }

    /// Another process beside this one, over the same store.
    pub(crate) fn second(&self) -> Dispatcher {
        dispatcher_of(self.store.clone(), tools(&self.bank), &self.rules)
    }

    /// The process dies where it stands, and another one takes the folder.
    pub(crate) async fn restart(&mut self) {
        self.store.close().await;
        self.store = open_store(&self.folder, &self.bank);
        self.dispatcher = dispatcher_of(self.store.clone(), tools(&self.bank), &self.rules);
    }

    pub(crate) fn plan(&self, at: At, fault: Fault) {
        *self.bank.plan.lock().unwrap() = Some((at, fault));
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.bank.now.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) async fn reached(&self) {
        self.bank.reached.notified().await;
    }

    pub(crate) fn wake(&self) {
        self.bank.wake.notify_one();
    }

    pub(crate) async fn refund(&self, order: &str) -> Result<Outcome, DispatchError> {
        self.dispatcher.call(self.asking(order)).await
    }

    /// A refund that runs beside the test.
    pub(crate) fn refund_beside(
        &self,
        order: &str,
    ) -> tokio::task::JoinHandle<Result<Outcome, DispatchError>> {
        let (dispatcher, request) = (self.dispatcher.clone(), self.asking(order));
        tokio::spawn(async move { dispatcher.call(request).await })
    }

    pub(crate) fn asking(&self, order: &str) -> CallRequest {
        CallRequest {
            tenant: "demo".into(),
            case: self.case.clone(),
            actor: Actor {
                role: Role::Agent,
                subject: "agent:test".into(),
            },
            channel: Channel::Chat,
            tool: REFUND.into(),
            arguments: json!({ "order_id": order, "amount": { "amount": "49.99", "currency": "USD" },
                "reason": "broken" }),
        }
    }

    /// What the ledger has drawn for C-1 today.
    pub(crate) async fn spent(&self) -> i64 {
        let now = self.bank.now();
        let day = now - now.rem_euclid(86_400);
        let of = [("refund_customer_day".to_owned(), "C-1".to_owned(), day)];
        self.store.spent("demo", &of).await.unwrap()[0]
    }
}

fn open_store(folder: &tempfile::TempDir, bank: &Bank) -> Arc<SqliteStore> {
    let now = bank.now.clone();
    let clock: store::Clock = Arc::new(move || now.load(Ordering::SeqCst));
    let options = OpenOptions { clock: Some(clock) };
    Arc::new(SqliteStore::open(folder.path(), options).unwrap())
}

fn tools(bank: &Arc<Bank>) -> BTreeMap<String, Arc<dyn Tool>> {
    let teller = |name: &str| -> (String, Arc<dyn Tool>) {
        let spec = spec(name, bank.nature);
        let bank = bank.clone();
        (name.to_owned(), Arc::new(Teller { spec, bank }))
    };
    let people = "escalate_to_human";
    let called = scripted(people, &Arc::new(Script::default()), Nature::Deduplicates);
    [
        teller(REFUND),
        teller("list_refunds"),
        (people.to_owned(), called),
    ]
    .into()
}
