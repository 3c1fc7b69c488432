//! Versions that change under calls and intents: what one began, it ends; what was stopped gets nothing any more.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use dispatch::policy::{Nature, Permit};
use dispatch::{
    Audit, CompletionRequest, Dispatcher, Gate, InvokeError, Outcome, Snapshot, Tool, ToolSpec,
    Tools, Violation,
};
use serde_json::{Map, Value, json};

use crate::desk::{Desk, REFUND, Step, dispatcher_over, rulebook, scripted};

/// One version of the refund tool. A newer one says the same thing in other bytes.
struct Version {
    spec: ToolSpec,
    inner: Arc<dyn Tool>,
    says: Option<&'static str>,
    stopped: AtomicBool,
    /// It is stopped while it runs, before it asks for anything.
    stops_itself: bool,
}

#[async_trait]
impl Tool for Version {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn check(&self, arguments: &Value) -> Result<Map<String, Value>, Vec<Violation>> {
        self.inner.check(arguments)
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    async fn invoke(&self, permit: Permit, gate: Arc<dyn Gate>) -> Result<Value, InvokeError> {
        self.stopped.fetch_or(self.stops_itself, Ordering::SeqCst);
        let asked = CompletionRequest {
            prompt: "hello".into(),
            max_tokens: 1,
        };
        if self.stops_itself {
            assert!(gate.complete(asked).await.is_err());
            assert!(gate.value("key").await.is_err());
        }
        let gate: Arc<dyn Gate> = match self.says {
            Some(word) => Arc::new(Otherwise { gate, word }),
            None => gate,
        };
        self.inner.invoke(permit, gate).await
    }
}

/// Sends other bytes than it is told to.
struct Otherwise {
    gate: Arc<dyn Gate>,
    word: &'static str,
}

#[async_trait]
impl Gate for Otherwise {
    async fn http(
        &self,
        request: &dispatch::OutboundHttp,
    ) -> Result<dispatch::HttpApproval, dispatch::policy::Refusal> {
        let mut request = request.clone();
        request.body = format!("{} {:?}", self.word, request.body).into();
        self.gate.http(&request).await
    }

    async fn answered(&self, ordinal: u32, answer: dispatch::Answer) {
        self.gate.answered(ordinal, answer).await;
    }

    async fn complete(
        &self,
        request: CompletionRequest,
    ) -> Result<String, dispatch::CompletionError> {
        self.gate.complete(request).await
    }

    fn scrub(&self, text: &str) -> String {
        self.gate.scrub(text)
    }
}

/// Both versions are at hand, and one of them is live.
#[derive(Default)]
struct Versions {
    all: BTreeMap<String, Arc<Snapshot>>,
    live: Mutex<String>,
}

impl Versions {
    fn make_live(&self, digest: &str) {
        digest.clone_into(&mut self.live.lock().unwrap());
    }

    fn add(&mut self, desk: &Desk, digest: &str, says: Option<&'static str>, stops_itself: bool) {
        let version = |name: &str| {
            let inner = scripted(name, desk.script(), Nature::Deduplicates);
            let mut spec = inner.spec().clone();
            digest.clone_into(&mut spec.digest);
            let stopped = AtomicBool::new(false);
            Arc::new(Version {
                spec,
                inner,
                says,
                stopped,
                stops_itself,
            }) as Arc<dyn Tool>
        };
        let names = [REFUND, "escalate_to_human"];
        let tools = names.map(|name| (name.to_owned(), version(name)));
        let generation = 1;
        let tools = tools.into_iter().collect();
        let snapshot = Arc::new(Snapshot { generation, tools });
        self.all.insert(digest.to_owned(), snapshot);
    }
}

impl Tools for Versions {
    fn snapshot(&self, _: &str) -> Option<Arc<Snapshot>> {
        self.all.get(&*self.live.lock().unwrap()).cloned()
    }

    fn version(&self, _: &str, tool: &str, digest: &str) -> Option<Arc<dyn Tool>> {
        self.all.get(digest)?.tools.get(tool).cloned()
    }
}

async fn refund(dispatcher: &Dispatcher, desk: &Desk) -> Outcome {
    let arguments = json!({ "order_id": "ORD-1", "reason": "broken",
        "amount": { "amount": "49.99", "currency": "USD" } });
    let request = desk.request(REFUND, arguments);
    dispatcher.call(request).await.unwrap()
}

#[tokio::test]
async fn what_a_version_began_is_seen_through_by_it_after_a_swap() {
    let silent = [Step::NoAnswer, Step::NoAnswer, Step::NoAnswer];
    let desk = Desk::open(Nature::Deduplicates, &silent).await;
    let mut versions = Versions::default();
    versions.add(&desk, "old", None, false);
    versions.add(&desk, "new", Some("in other words:"), false);
    versions.make_live("old");
    let versions = Arc::new(versions);
    let rules = Arc::new(Mutex::new(Arc::new(rulebook(15_000))));
    let dispatcher = dispatcher_over(desk.store.clone(), versions.clone(), &rules);
    assert_eq!(refund(&dispatcher, &desk).await.word(), "unknown");
    versions.make_live("new");
    assert_eq!(refund(&dispatcher, &desk).await.word(), "ok");
    let seen = desk.seen();
    assert_eq!(seen.len(), 4, "{seen:?}");
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
}

#[tokio::test]
async fn a_version_that_is_stopped_in_the_middle_of_a_call_gets_nothing_any_more() {
    let desk = Desk::open(Nature::Deduplicates, &[]).await;
    let mut versions = Versions::default();
    versions.add(&desk, "bad", None, true);
    versions.make_live("bad");
    let rules = Arc::new(Mutex::new(Arc::new(rulebook(15_000))));
    let dispatcher = dispatcher_over(desk.store.clone(), Arc::new(versions), &rules);
    let outcome = refund(&dispatcher, &desk).await;
    assert!(
        matches!(&outcome, Outcome::Denied { refusal, .. } if refusal.code == "PLUGIN_STOPPED"),
        "{outcome:?}"
    );
    assert!(desk.seen().is_empty());
    let records = desk.store.records(Some(&desk.case), 100).await.unwrap();
    let stopped = |capability: &str| {
        records.iter().any(|record| {
            let detail = &record.entry.detail;
            detail["capability"] == capability && detail["code"] == "PLUGIN_STOPPED"
        })
    };
    for capability in ["http", "model", "keyvalue"] {
        assert!(stopped(capability), "{capability}: {records:?}");
    }
}
