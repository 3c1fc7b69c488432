//! A write that takes two requests: each has a key of its own, and a second run asks for the same two again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use dispatch::policy::{Actor, Channel, Nature, Permit, Role};
use dispatch::{
    Answer, CallRequest, Cases, Dispatcher, Gate, InvokeError, Ledger, OutboundHttp, Outcome, Tool,
    ToolError, ToolSpec, Violation,
};
use http::Method;
use serde_json::{Map, Value, json};
use store::{OpenOptions, SqliteStore};

use crate::desk::{REFUND, Rules, Script, dispatcher_of, know, refund, rulebook, scripted, spec};

/// What the backend saw, and what it answers: none where no answer comes.
#[derive(Default)]
struct Wire {
    answers: Mutex<VecDeque<Option<u16>>>,
    seen: Mutex<Vec<(String, String)>>,
}

struct Pair {
    spec: ToolSpec,
    wire: Arc<Wire>,
}

#[async_trait]
impl Tool for Pair {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn check(&self, arguments: &Value) -> Result<Map<String, Value>, Vec<Violation>> {
        Ok(arguments.as_object().cloned().unwrap_or_default())
    }

    async fn invoke(&self, _: Permit, gate: Arc<dyn Gate>) -> Result<Value, InvokeError> {
        for path in ["/book", "/pay"] {
            self.send(path, &gate).await?;
        }
        Ok(refund("ORD-1", "C-1"))
    }
}

impl Pair {
    async fn send(&self, path: &str, gate: &Arc<dyn Gate>) -> Result<(), InvokeError> {
        let request = OutboundHttp {
            method: Method::POST,
            url: format!("http://127.0.0.1:9{path}"),
            body: Bytes::from_static(b"{}"),
        };
        let leave = gate.http(&request).await.map_err(InvokeError::Refused)?;
        let (_, key) = leave.headers.first().unwrap();
        let (_, number) = key.to_str().unwrap().rsplit_once('-').unwrap();
        let told = (path.to_owned(), number.to_owned());
        self.wire.seen.lock().unwrap().push(told);
        let next = self.wire.answers.lock().unwrap().pop_front();
        let answer = next.flatten().map_or(Answer::Nothing, Answer::Status);
        gate.answered(leave.ordinal, answer).await;
        if answer == Answer::Status(201) {
            return Ok(());
        }
        let message = "it did not go through".to_owned();
        Err(ToolError::NotEligible { message }.into())
    }
}

/// A refund with these answers: how it ended, what was seen, and what is reserved afterwards.
async fn run(nature: Nature, answers: &[Option<u16>]) -> (Outcome, Vec<(String, String)>, i64) {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path(), OpenOptions::default()).unwrap());
    let wire = Arc::new(Wire::default());
    wire.answers.lock().unwrap().extend(answers);
    let people = "escalate_to_human";
    let called = scripted(people, &Arc::new(Script::default()), Nature::Deduplicates);
    let pair: Arc<dyn Tool> = Arc::new(Pair {
        spec: spec(REFUND, nature),
        wire: wire.clone(),
    });
    let tools = [(REFUND.to_owned(), pair), (people.to_owned(), called)].into();
    let rules: Rules = Arc::new(Mutex::new(Arc::new(rulebook(15_000))));
    let dispatcher: Dispatcher = dispatcher_of(store.clone(), tools, &rules);
    let case = store.case_of_session("demo", "s").await.unwrap().id;
    know(&store, &case, "C-1", "ORD-1", "C-1").await;
    let outcome = dispatcher.call(request(case)).await.unwrap();
    let now = store.now().await.unwrap();
    let day = now - now.rem_euclid(86_400);
    let of = [("refund_customer_day".to_owned(), "C-1".to_owned(), day)];
    let spent = store.spent("demo", &of).await.unwrap()[0];
    let seen = wire.seen.lock().unwrap().clone();
    (outcome, seen, spent)
}

fn request(case: String) -> CallRequest {
    CallRequest {
        tenant: "demo".into(),
        case,
        actor: Actor {
            role: Role::Agent,
            subject: "agent:test".into(),
        },
        channel: Channel::Chat,
        tool: REFUND.into(),
        arguments: json!({ "order_id": "ORD-1", "amount": { "amount": "49.99", "currency": "USD" }, "reason": "broken" }),
    }
}

fn told(seen: &[(String, String)]) -> Vec<(&str, &str)> {
    let pairs = seen.iter().map(|(path, key)| (path.as_str(), key.as_str()));
    pairs.collect()
}

#[tokio::test]
async fn each_request_has_its_own_key_and_keeps_it() {
    let (outcome, seen, spent) = run(
        Nature::Deduplicates,
        &[Some(201), None, Some(201), Some(201)],
    )
    .await;
    assert_eq!((outcome.word(), spent), ("ok", 4_999), "{outcome:?}");
    let both = [("/book", "1"), ("/pay", "2")];
    assert_eq!(told(&seen), [both, both].concat());
}

#[tokio::test]
async fn half_of_a_write_is_neither_done_nor_failed() {
    // The first request has changed something: a definite no to the second does not undo it.
    let (outcome, seen, spent) = run(Nature::Neither, &[Some(201), Some(422)]).await;
    assert_eq!((outcome.word(), spent), ("unknown", 4_999), "{outcome:?}");
    assert_eq!(told(&seen), [("/book", "1"), ("/pay", "2")]);
}
