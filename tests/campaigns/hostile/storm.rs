//! One storm: an attack is made several times at once, over and over, while the neighbour is called; then the books are read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::attack::{Attack, Ends};
use super::backend::Backend;
use super::books::{self, Booked};
use super::figures::{Figures, Row};
use super::host::{ATTACKER, NEIGHBOUR};
use super::process::{Asker, Ended, Hosting};

/// Attacks at a time.
const AT_ONCE: usize = 4;
/// Calls of the neighbour without an attack, for comparison, and at least as many with it, for each time that it is made: of
/// fifty times, the p99 is then the eighth slowest call, and not the second.
const NEIGHBOURS: usize = 16;
/// Calls of the neighbour before what is not made a number of times.
const QUIET: usize = 200;
/// Fewer say nothing.
const FEWEST: usize = 20;
/// Between two calls of the neighbour.
const PAUSE: Duration = Duration::from_millis(2);
/// Records of capabilities that one call may leave: three tries of 16 requests, 200 uses of keys and 2 completions, of each one
/// refusal past the limit, and how many more there were.
const MOST_RECORDS: usize = 3 * (16 + 200 + 2 + 3 * 2);
/// How long the host has to come to rest before its memory is read.
const REST: Duration = Duration::from_millis(100);

/// Counts calls of all storms: orders and sessions are never used twice.
static CALLS: AtomicU64 = AtomicU64::new(0);

/// Makes one attack so many times, and more where the neighbour was called too seldom meanwhile; says what came of it.
pub(super) async fn make(
    attack: &'static Attack,
    times: usize,
    hosting: &mut Hosting,
    backend: &Backend,
) -> Row {
    let asker = hosting.asker();
    let enough = FEWEST.max(times * NEIGHBOURS);
    let quiet = neighbour(&asker, |calls| calls < enough).await;
    let before = hosting.resident_mib();
    let since = books::last(&books::open(hosting.folder()));
    let beside = Beside::begin(&asker);
    let called = Arc::clone(&beside.called);
    let is_enough = move |made| made >= times && called.load(Ordering::Relaxed) >= enough;
    let made = attack_all(&asker, attack, is_enough).await;
    let stormy = beside.end().await;
    sleep(REST).await;
    let mut row = Row::new(
        attack.label(),
        quiet,
        stormy,
        (before, hosting.resident_mib()),
    );
    if !hosting.is_up() {
        row.breach("the host is gone".to_owned());
    }
    let as_meant = |ended: &Ended| attack.ends.is_met(&ended.word, &ended.why);
    if !made
        .iter()
        .any(|(_, ended)| ended.as_ref().is_some_and(as_meant))
    {
        row.breach("it never ended as it has to".to_owned());
    }
    let is_paid = |(order, _): &(String, _)| backend.payments(order) > 0;
    if matches!(attack.ends, Ends::Unknown) && !made.iter().any(is_paid) {
        row.breach("the backend never saw it".to_owned());
    }
    let booked = Booked::since(&books::open(hosting.folder()), since);
    for (order, ended) in made {
        judge(&mut row, attack, &order, ended, &booked, backend);
    }
    row
}

/// Microseconds of a few calls of the neighbour while nothing else is done.
pub(super) async fn quiet(asker: &Asker) -> Vec<Option<u64>> {
    neighbour(asker, |calls| calls < QUIET).await
}

/// The neighbour, called while something else is done.
pub(super) struct Beside {
    called: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    calling: JoinHandle<Vec<Option<u64>>>,
}

impl Beside {
    pub(super) fn begin(asker: &Asker) -> Self {
        let (called, over) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let calling = tokio::spawn({
            let (asker, called, over) = (asker.clone(), Arc::clone(&called), Arc::clone(&over));
            let wanted = move |calls| {
                called.store(calls, Ordering::Relaxed);
                !over.load(Ordering::Relaxed)
            };
            async move { neighbour(&asker, wanted).await }
        });
        Self {
            called,
            over,
            calling,
        }
    }

    /// Microseconds of each call.
    pub(super) async fn end(self) -> Vec<Option<u64>> {
        self.over.store(true, Ordering::Relaxed);
        self.calling.await.unwrap()
    }
}

/// The neighbour keeps something of its own.
pub(super) async fn keep(hosting: &Hosting) {
    let arguments = json!({ "order": "kept", "moment": "keeps" });
    let ended = neighbours_call(&hosting.asker(), "strike", arguments).await;
    assert_eq!(ended.unwrap().word, "ok");
}

/// What it keeps is as it was, and all that it has.
pub(super) async fn look_at_kept(hosting: &Hosting, figures: &mut Figures) {
    let arguments = json!({ "kind": "kept", "size": 0 });
    let ended = neighbours_call(&hosting.asker(), "raid", arguments).await;
    if ended.as_ref().is_none_or(|ended| ended.word != "ok") {
        let broken = format!("what the neighbour keeps is not what it was: {ended:?}");
        figures.broken.push(broken);
    }
}

async fn neighbours_call(asker: &Asker, tool: &str, arguments: Value) -> Option<Ended> {
    asker
        .call(NEIGHBOUR, "mcp:neighbour", tool, arguments)
        .await
}

/// Calls the neighbour's plugin one time after the other, as long as wanted; microseconds of each, none where one failed.
async fn neighbour(asker: &Asker, mut wanted: impl FnMut(usize) -> bool) -> Vec<Option<u64>> {
    let mut calls = vec![];
    while wanted(calls.len()) {
        let arguments = json!({ "kind": "none", "size": 0 });
        let ended = neighbours_call(asker, "raid", arguments).await;
        let took = ended
            .filter(|ended| ended.word == "ok")
            .map(|ended| ended.micros);
        calls.push(took);
        sleep(PAUSE).await;
    }
    calls
}

/// Attacks, several times at once, until so many attacks are enough.
async fn attack_all(
    asker: &Asker,
    attack: &'static Attack,
    is_enough: impl Fn(usize) -> bool + Clone + Send + 'static,
) -> Vec<(String, Option<Ended>)> {
    let begun = Arc::new(AtomicUsize::new(0));
    let attackers = (0..AT_ONCE).map(|_| {
        let (asker, begun, is_enough) = (asker.clone(), Arc::clone(&begun), is_enough.clone());
        tokio::spawn(async move {
            let mut made = vec![];
            while !is_enough(begun.fetch_add(1, Ordering::Relaxed)) {
                let nth = CALLS.fetch_add(1, Ordering::Relaxed);
                let session = format!("mcp:attack-{nth}");
                let arguments = attack.arguments(nth);
                let ended = asker.call(ATTACKER, &session, attack.tool, arguments).await;
                made.push((format!("O-{nth}"), ended));
                sleep(attack.pause()).await;
            }
            made
        })
    });
    let attackers: Vec<_> = attackers.collect();
    let mut made = vec![];
    for attacker in attackers {
        made.extend(attacker.await.unwrap());
    }
    made
}

/// Holds one attack against what had to come of it: its end, the audit log, the ledger and the backend.
fn judge(
    row: &mut Row,
    attack: &Attack,
    order: &str,
    ended: Option<Ended>,
    booked: &Booked,
    backend: &Backend,
) {
    let Some(ended) = ended else {
        return row.breach("no answer".to_owned());
    };
    if !attack.ends.allows(&ended.word, &ended.why) {
        row.breach(format!("it ended as {}: {}", ended.word, ended.why));
    }
    row.ended(&ended.word, &ended.why);
    // What does not even reach the rules is no call, and its caller alone hears of it.
    let (word, failure) = booked.outcome(&ended.case);
    if ended.word != "invalid" && word != ended.word {
        row.breach(format!("on record is {word:?} instead of {}", ended.word));
    }
    let needs_reason = matches!(ended.word.as_str(), "failed" | "unknown");
    if needs_reason && failure.is_none() {
        row.breach("no reason is on record".to_owned());
    }
    let records = booked.capabilities(&ended.case);
    if records > MOST_RECORDS {
        row.breach(format!("{records} uses of capabilities are on record"));
    }
    if attack.tool != "strike" {
        return;
    }
    let paid = backend.payments(order);
    // Nobody knows: on a slow machine, it may not have got as far as the backend.
    if paid > usize::from(ended.word == "unknown") {
        row.breach(format!("{paid} payments of {order}"));
    }
    let state = booked.intent(&ended.case);
    let expected = match ended.word.as_str() {
        "ok" => "done",
        word => word,
    };
    if state != Some(expected) {
        row.breach(format!("the ledger holds {state:?} for {}", ended.word));
    }
}
