//! The backend of a kill campaign: it pays, counts what it really did, and answers late, twice, by half or never.

mod manner;
mod trap;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use policy::Nature;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::victim;
use crate::wire::{self, Head};
use manner::{Ending, Manner};
use trap::Trap;
pub(crate) use trap::{Caught, Stage};

/// One thing that really happened.
#[derive(Clone, Debug)]
pub(crate) struct Effect {
    /// Under which `Idempotency-Key`.
    pub(crate) key: String,
    /// The order of a refund; an escalation has none.
    pub(crate) order: Option<String>,
    /// Minor units.
    pub(crate) amount: i64,
    /// The id that the backend gave it.
    pub(crate) id: String,
    reason: String,
    /// Unix seconds.
    at: i64,
}

/// What the backend itself knows to have seen and done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    /// The keys of all requests that arrived, in order.
    pub(crate) seen: Vec<String>,
    pub(crate) effects: Vec<Effect>,
    /// Other bytes under a key that was used.
    pub(crate) reused: u64,
}

/// What a key stands for, at a backend that deduplicates.
enum Key {
    InFlight(Vec<u8>),
    /// With the answer that is given again.
    Done(Vec<u8>, String),
}

struct State {
    journal: Journal,
    keys: HashMap<String, Key>,
    chance: fastrand::Rng,
    trap: Option<Trap>,
    is_calm: bool,
    /// As the victims' clocks.
    ahead_seconds: i64,
}

struct Inner {
    nature: Nature,
    state: Mutex<State>,
    /// Requests that are being worked on.
    busy: watch::Sender<usize>,
}

/// A running backend; it outlives every victim.
pub(crate) struct Backend {
    pub(crate) addr: SocketAddr,
    inner: Arc<Inner>,
    serving: JoinHandle<()>,
}

impl Backend {
    pub(crate) async fn start(nature: Nature, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            nature,
            state: Mutex::new(State {
                journal: Journal::default(),
                keys: HashMap::new(),
                chance: fastrand::Rng::with_seed(seed),
                trap: None,
                is_calm: false,
                ahead_seconds: 0,
            }),
            busy: watch::Sender::new(0),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&inner)));
        Self {
            addr,
            inner,
            serving,
        }
    }

    /// Tells when the `nth` refund request from now has come to this stage, and holds it there until it is let go.
    pub(crate) fn trap(&self, stage: Stage, nth: u32) -> Caught {
        let (trap, caught) = trap::pair(stage, nth);
        self.inner.state().trap = Some(trap);
        caught
    }

    /// From now on it answers at once.
    pub(crate) fn calm_down(&self) {
        self.inner.state().is_calm = true;
    }

    /// Time passes, for it as for the victims.
    pub(crate) fn set_clock(&self, ahead_seconds: i64) {
        self.inner.state().ahead_seconds = ahead_seconds;
    }

    /// Waits until nothing is being worked on.
    pub(crate) async fn idle(&self) {
        let mut busy = self.inner.busy.subscribe();
        busy.wait_for(|working| *working == 0).await.unwrap();
    }

    pub(crate) fn journal(&self) -> Journal {
        self.inner.state().journal.clone()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, inner: Arc<Inner>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let inner = Arc::clone(&inner);
        tokio::spawn(async move { inner.converse(stream).await });
    }
}

/// A write, as it arrived.
struct Request {
    path: String,
    key: String,
    body: Vec<u8>,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Busy from the first moment: a request may have arrived whose sender is dead, and that nobody has read yet.
    async fn converse(&self, stream: TcpStream) {
        self.busy.send_modify(|working| *working += 1);
        self.hear(stream).await;
        self.busy.send_modify(|working| *working -= 1);
    }

    async fn hear(&self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let Ok(head) = wire::head(&mut stream).await else {
            return;
        };
        // A client that is killed while it writes has sent nothing that counts.
        let Ok(body) = wire::body(&head, &mut stream).await else {
            return;
        };
        if head.method() == "GET" {
            let listed = self.list(&head).to_string();
            let _ = stream.write_all(&wire::answer(200, &listed)).await;
            return;
        }
        let request = Request {
            path: head.second_word().to_owned(),
            key: head.field("idempotency-key").unwrap().to_owned(),
            body,
        };
        self.work(&request, &mut stream).await;
    }

    fn list(&self, head: &Head) -> Value {
        let order = head.second_word().split('=').nth(1);
        let state = self.state();
        let of_order = |effect: &&Effect| effect.order.as_deref() == order;
        let found = state.journal.effects.iter().filter(of_order);
        let refunds: Vec<Value> = found.map(refund).collect();
        json!({ "order_id": order, "customer_id": customer(order), "refunds": refunds })
    }

    /// A client that is gone does not stop the work that it asked for.
    async fn work(&self, request: &Request, stream: &mut BufReader<TcpStream>) {
        self.state().journal.seen.push(request.key.clone());
        let mut manner = self.manner();
        if self.reached(Stage::Received, request).await {
            // Nobody listens any more, and the work goes on for a while: the case that looking up gets wrong.
            manner = Manner::slow(self.state().chance.u64(0..400));
        }
        let (status, body) = match self.claim(request) {
            Some(held) => held,
            None => self.act(request, &manner).await,
        };
        pause(manner.after_ms).await;
        self.answer(request, stream, manner.ending, &wire::answer(status, &body))
            .await;
    }

    fn manner(&self) -> Manner {
        let state = &mut *self.state();
        if state.is_calm {
            Manner::prompt()
        } else {
            Manner::by_chance(&mut state.chance)
        }
    }

    /// What the key answers by itself; none where the work is to be done.
    fn claim(&self, request: &Request) -> Option<(u16, String)> {
        if !self.deduplicates(request) {
            return None;
        }
        let state = &mut *self.state();
        let held = match state.keys.get(&request.key) {
            None => {
                let in_flight = Key::InFlight(request.body.clone());
                state.keys.insert(request.key.clone(), in_flight);
                return None;
            }
            Some(Key::InFlight(body) | Key::Done(body, _)) if *body != request.body => {
                state.journal.reused += 1;
                return Some((422, "{}".to_owned()));
            }
            Some(Key::InFlight(_)) => (409, "{}".to_owned()),
            Some(Key::Done(_, answer)) => (201, answer.clone()),
        };
        Some(held)
    }

    /// Where people are called, keys always count.
    fn deduplicates(&self, request: &Request) -> bool {
        self.nature == Nature::Deduplicates || request.path != REFUNDS
    }

    async fn act(&self, request: &Request, manner: &Manner) -> (u16, String) {
        pause(manner.before_ms).await;
        if !manner.acts {
            self.state().keys.remove(&request.key);
            return (manner.status, "{}".to_owned());
        }
        let answer = self.carry_out(request);
        self.reached(Stage::Acted, request).await;
        (manner.status, answer)
    }

    /// The effect, and the answer that its key has from now on.
    fn carry_out(&self, request: &Request) -> String {
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        let state = &mut *self.state();
        let effect = Effect {
            key: request.key.clone(),
            order: asked["order_id"]
                .as_str()
                .filter(|_| request.path == REFUNDS)
                .map(str::to_owned),
            amount: minor(&asked["amount"]["amount"]),
            reason: asked["reason"].as_str().unwrap_or_default().to_owned(),
            at: victim::now() + state.ahead_seconds,
            id: format!("E-{}", state.journal.effects.len() + 1),
        };
        let answer = if request.path == REFUNDS {
            refund(&effect)
        } else {
            json!({ "escalation_id": effect.id, "priority": asked["priority"], "team": asked["team"], "status": "open" })
        };
        state.journal.effects.push(effect);
        let done = Key::Done(request.body.clone(), answer.to_string());
        state.keys.insert(request.key.clone(), done);
        answer.to_string()
    }

    async fn answer(
        &self,
        request: &Request,
        stream: &mut BufReader<TcpStream>,
        ending: Ending,
        answer: &[u8],
    ) {
        let (first, rest) = answer.split_at(answer.len() / 2);
        // What cannot be written has nobody who would read it.
        let _ = match ending {
            Ending::Drop => return,
            // It hangs until the other side has had enough.
            Ending::Never => stream.read_u8().await.map(drop),
            Ending::Half => stream.write_all(first).await,
            Ending::Twice => stream.write_all(&[answer, answer].concat()).await,
            Ending::Once => {
                let _ = stream.write_all(first).await;
                self.reached(Stage::HalfAnswered, request).await;
                stream.write_all(rest).await
            }
        };
        self.reached(Stage::Answered, request).await;
    }

    /// Springs the trap if it is set for this stage of a refund; true once it has been let go again.
    async fn reached(&self, stage: Stage, request: &Request) -> bool {
        if request.path != REFUNDS {
            return false;
        }
        let sprung = trap::spring(&mut self.state().trap, stage);
        match sprung {
            Some(trap) => {
                trap.hold().await;
                true
            }
            None => false,
        }
    }
}

const REFUNDS: &str = "/refunds";

async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// A refund as the contract writes it.
fn refund(effect: &Effect) -> Value {
    let at = OffsetDateTime::from_unix_timestamp(effect.at).unwrap();
    json!({ "refund_id": effect.id, "order_id": effect.order, "customer_id": customer(effect.order.as_deref()),
        "amount": victim::dollars(effect.amount), "reason": effect.reason, "status": "succeeded",
        "created_at": at.format(&Rfc3339).unwrap() })
}

/// Whose order: `ORD-3-2` is the second one of `C-3`.
fn customer(order: Option<&str>) -> Option<String> {
    Some(format!("C-{}", order?.split('-').nth(1)?))
}

/// `12.34` in minor units; nothing for what is no amount.
fn minor(amount: &Value) -> i64 {
    let digits = amount.as_str().unwrap_or_default().replace('.', "");
    digits.parse().unwrap_or_default()
}
