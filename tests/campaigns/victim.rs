//! The victim: a host that is small enough to be killed ten thousand times. Dispatcher, rules and store are the real ones;
//! in the place of a sandboxed plugin stands one that asks the same gate and sends the same requests.

mod doom;
mod mutants;
mod plugin;
mod rigged;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use dispatch::{CallRequest, Dispatcher, DispatcherParts, Ledger, Outcome, RetryPolicy, Store};
use policy::{Actor, Channel, Nature, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Clock, OpenOptions, SqliteStore};
use time::OffsetDateTime;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::task::JoinSet;

pub(crate) use doom::{Point, Side, Step};
pub(crate) use plugin::{CUSTOMER_DAY, Nothing, REFUND};
use rigged::Rigged;

/// The environment variable that makes this program a victim; it holds a [`Setup`].
pub(crate) const VARIABLE: &str = "SWITCHBOARD_CAMPAIGN_VICTIM";
/// Whose tools.
pub(crate) const TENANT: &str = "demo";

/// What one life of the victim is to be like.
#[derive(Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) folder: PathBuf,
    pub(crate) backend: SocketAddr,
    /// What the operator declared of that backend.
    pub(crate) nature: Nature,
    pub(crate) ledger: Bookkeeping,
    /// How far its clock is ahead, seconds: time that is said to have passed.
    pub(crate) ahead_seconds: i64,
    /// Where in its own code it waits to be killed.
    pub(crate) doom: Option<Point>,
}

/// Which ledger the dispatcher is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Bookkeeping {
    /// The real one.
    Real,
    /// A mutant: nothing is remembered.
    Off,
    /// A mutant: what is not known is looked up, and sent again under another key where it is not found.
    LookUpThenResend,
}

/// A refund that a client wants, as one line on the standard input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ask {
    /// The client's own number: another one each time it asks.
    pub(crate) request: u64,
    pub(crate) case: String,
    pub(crate) order: String,
    /// `12.34`, in USD.
    pub(crate) amount: String,
    pub(crate) reason: String,
}

/// What the victim says, one line on the standard output each.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Line {
    /// It has recovered, and takes requests.
    Ready,
    /// One request has ended.
    Answered {
        request: u64,
        /// As [`Outcome::word`] puts it.
        word: String,
        /// The refund's id at the backend, where there is one.
        refund: Option<String>,
    },
    /// It is where it was to be killed, and goes no further.
    Doomed,
}

/// Lives until it is killed, or until nobody asks any more.
pub(crate) fn run(setup: &str) -> ExitCode {
    let setup: Setup = serde_json::from_str(setup).unwrap();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(live(setup));
    ExitCode::SUCCESS
}

async fn live(setup: Setup) {
    let clock: Clock = Arc::new(move || now() + setup.ahead_seconds);
    let options = OpenOptions { clock: Some(clock) };
    let store = Arc::new(SqliteStore::open(&setup.folder, options).unwrap());
    let dispatcher = dispatcher(&setup, &store);
    let mut settling = dispatcher.settling();
    settling.round().await.unwrap();
    let settling = tokio::spawn(settling.keep_on(std::future::pending()));
    say(&Line::Ready);
    let mut asked = BufReader::new(tokio::io::stdin()).lines();
    let mut under_way = JoinSet::new();
    while let Some(line) = asked.next_line().await.unwrap() {
        let ask = serde_json::from_str(&line).unwrap();
        under_way.spawn(answer(dispatcher.clone(), ask));
    }
    under_way.join_all().await;
    settling.abort();
    store.close().await;
}

/// Unix seconds.
pub(crate) fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

fn dispatcher(setup: &Setup, store: &Arc<SqliteStore>) -> Dispatcher {
    let ledger: Arc<dyn Ledger> = match setup.ledger {
        Bookkeeping::Real => Arc::clone(store) as Arc<dyn Ledger>,
        Bookkeeping::Off => Arc::new(mutants::Off),
        Bookkeeping::LookUpThenResend => {
            Arc::new(mutants::LookUpThenResend::new(store, setup.backend))
        }
    };
    let rulebook = Arc::new(plugin::rulebook());
    Dispatcher::new(DispatcherParts {
        tools: plugin::tools(setup.backend, setup.nature),
        store: Arc::new(Rigged::new(ledger, Arc::clone(store), setup.doom)) as Arc<dyn Store>,
        secrets: Arc::new(plugin::Nothing),
        completions: Arc::new(plugin::Nothing),
        rulebooks: Arc::new(move |_| Some(Arc::clone(&rulebook))),
        retry: RetryPolicy {
            retries: 2,
            pause: Duration::from_millis(2),
            longest: Duration::from_millis(8),
        },
    })
}

async fn answer(dispatcher: Dispatcher, ask: Ask) {
    let request = CallRequest {
        tenant: TENANT.to_owned(),
        case: ask.case,
        actor: Actor {
            role: Role::Agent,
            subject: "agent:campaign".to_owned(),
        },
        channel: Channel::Http,
        tool: plugin::REFUND.to_owned(),
        arguments: json!({ "order_id": ask.order, "reason": ask.reason,
            "amount": { "amount": ask.amount, "currency": "USD" } }),
    };
    let (word, refund) = match dispatcher.call(request).await {
        Ok(outcome) => (outcome.word().to_owned(), refund_of(&outcome)),
        Err(error) => (format!("error: {error}"), None),
    };
    say(&Line::Answered {
        request: ask.request,
        word,
        refund,
    });
}

fn refund_of(outcome: &Outcome) -> Option<String> {
    let Outcome::Done { output, .. } = outcome else {
        return None;
    };
    output["refund_id"].as_str().map(str::to_owned)
}

/// One line, whole: several tasks speak.
pub(crate) fn say(line: &impl Serialize) {
    let line = json!(line).to_string() + "\n";
    // Whoever listened may have gone, and will then kill this process anyway.
    let _: Result<(), std::io::Error> = std::io::stdout().lock().write_all(line.as_bytes());
}

/// An amount of USD as the contract writes it.
pub(crate) fn dollars(minor: i64) -> Value {
    json!({ "amount": format!("{}.{:02}", minor / 100, minor % 100), "currency": "USD" })
}
