//! Measures what one decision of the shipped rulebook costs, building entities and context included:
//! `cargo run --release -p policy --example decisions`.

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use policy::{
    Actor, Call, CapabilityDecision, Channel, Effect, Entity, Fact, Facts, HttpGrant, HttpRequest,
    Identity, Level, PathPattern, Role, Rulebook, RulebookSource, Scope, Settings, ToolRule,
};
use serde_json::{Map, Value, json};

const WARM_UP: usize = 2_000;
const SAMPLES: usize = 20_000;
/// What a decision may take in the median.
const GOAL: Duration = Duration::from_micros(50);
/// 2026-11-20T12:00:00Z.
const NOW: i64 = 1_795_176_000;

#[derive(serde::Deserialize)]
struct Contract {
    tool: BTreeMap<String, ToolRule>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let contract: Contract = toml::from_str(include_str!("../../../wit/contract.toml"))?;
    let source = RulebookSource::shipped(contract.tool, Settings::default());
    let rulebook = Rulebook::load(source)?;
    if cfg!(debug_assertions) {
        println!("This is a debug build: its figures mean nothing. Use --release.");
    }
    println!("one decision, entities and context included, {SAMPLES} times each");
    println!("{:>9} {:>9}  what is decided", "median", "p99");
    let mut all = vec![];
    for (what, tool, arguments, known) in calls() {
        let (call, facts) = asked(tool, arguments, known);
        let (times, decided) = decide(&rulebook, &call, &facts);
        print(&times, &format!("{what}: {decided}"));
        all.extend(times);
    }
    let (call, _) = asked("lookup_order", json!({ "order_id": "ORD-1" }), false);
    let (times, decided) = decide_http(&rulebook, &call);
    print(&times, &format!("a plugin's request: {decided}"));
    all.extend(times);
    all.sort_unstable();
    print(&all, "all of them");
    let met = if at(&all, 50) <= GOAL {
        "met"
    } else {
        "missed"
    };
    println!("Goal: a median of at most {} µs: {met}.", GOAL.as_micros());
    Ok(())
}

/// What a support desk is asked most: (what, tool, arguments, whether order and ticket were looked up).
fn calls() -> Vec<(&'static str, &'static str, Value, bool)> {
    let usd = |amount: &str| json!({ "amount": amount, "currency": "USD" });
    let order = || json!({ "order_id": "ORD-1" });
    let refund = |amount: &str| json!({ "order_id": "ORD-1", "amount": usd(amount), "reason": "it arrived broken" });
    vec![
        (
            "a triage",
            "classify_inquiry",
            json!({ "text": "where is my order?" }),
            false,
        ),
        (
            "who it is",
            "get_customer",
            json!({ "email": "sarah@example.com" }),
            false,
        ),
        ("a lookup", "lookup_order", order(), false),
        ("tracking", "get_tracking_info", order(), true),
        ("a refund", "process_refund", refund("49.99"), true),
        (
            "a refund above the limit",
            "process_refund",
            refund("200.00"),
            true,
        ),
        (
            "a refund before the lookup",
            "process_refund",
            refund("49.99"),
            false,
        ),
        ("a cancellation", "cancel_order", order(), true),
        (
            "a credit",
            "add_credit",
            json!({ "customer_id": "C-1", "amount": usd("5.00"), "reason": "late" }),
            true,
        ),
        (
            "a ticket's note",
            "update_ticket",
            json!({ "ticket_id": "T-1", "note": "called back" }),
            true,
        ),
        (
            "a hand-off",
            "escalate_to_human",
            json!({ "priority": "P2", "team": "billing", "summary": "…" }),
            true,
        ),
    ]
}

fn asked(tool: &str, arguments: Value, known: bool) -> (Call, Facts) {
    let object =
        |value: Value| -> Map<String, Value> { value.as_object().cloned().unwrap_or_default() };
    let call = Call {
        tenant: "demo".to_owned(),
        case: "01a1fb32-0eb0-7439-a32f-3dffbb15b4d1".to_owned(),
        actor: Actor {
            role: Role::Agent,
            subject: "agent:offline".to_owned(),
        },
        channel: Channel::Chat,
        tool: tool.to_owned(),
        plugin_digest: "d".repeat(64),
        arguments: object(arguments),
    };
    let fact = |kind: &str, id: &str, attributes: Value| {
        let entity = Entity {
            kind: kind.to_owned(),
            id: id.to_owned(),
        };
        let fact = Fact {
            established_at: NOW - 60,
            attributes: object(attributes),
        };
        (entity, fact)
    };
    let order = json!({ "owner": "C-1", "status": "delivered", "refund_eligible": true, "delivered_at": "2026-11-15T12:00:00Z",
        "total": { "amount": "400.00", "currency": "USD" }, "refunded": { "amount": "0.00", "currency": "USD" } });
    let facts = Facts {
        now: NOW,
        identity: Identity {
            level: Level::Matched,
            customer: Some("C-1".to_owned()),
        },
        entities: if known {
            let ticket = json!({ "owner": "C-1", "status": "open", "suggestion_confidence": 0.9 });
            [fact("order", "ORD-1", order), fact("ticket", "T-1", ticket)].into()
        } else {
            BTreeMap::new()
        },
        ..Facts::default()
    };
    (call, facts)
}

/// The times of single decisions, sorted, and what was decided.
fn decide(rulebook: &Rulebook, call: &Call, facts: &Facts) -> (Vec<Duration>, String) {
    let grants = Arc::from([]);
    let decide = |call| rulebook.decide(call, black_box(facts), &grants);
    let times = measure(|| call.clone(), decide);
    (times, decide(call.clone()).summary().to_string())
}

/// The same of a running plugin's request to its backend.
fn decide_http(rulebook: &Rulebook, call: &Call) -> (Vec<Duration>, String) {
    let grant = HttpGrant {
        origin: "https://shop.example.com".to_owned(),
        methods: vec!["GET".to_owned(), "POST".to_owned()],
        paths: vec![PathPattern("/orders/{order_id}".to_owned())],
        safe_posts: vec![],
        bodies: policy::BodyEncoding::Json,
        credential: None,
        nature: policy::Nature::default(),
        private_network: false,
        tools: BTreeMap::new(),
    };
    let scope = Scope {
        effect: Effect::Read,
        grants: Arc::from([grant]),
        max_http_calls: 16,
    };
    let request = HttpRequest {
        method: "GET",
        url: "https://shop.example.com/orders/ORD-1",
        body: b"",
        calls_before: 1,
    };
    let decide = |request: &HttpRequest<'_>| rulebook.decide_http(call, &scope, request);
    let times = measure(|| black_box(&request), decide);
    let decided = match decide(&request) {
        CapabilityDecision::Allow { .. } => "allow".to_owned(),
        CapabilityDecision::Deny(refusal) => format!("deny {}", refusal.code),
    };
    (times, decided)
}

/// Handing over what is judged is the caller's cost, so it is not measured.
fn measure<I, O>(prepare: impl Fn() -> I, decide: impl Fn(I) -> O) -> Vec<Duration> {
    let mut times = Vec::with_capacity(SAMPLES);
    for round in 0..WARM_UP + SAMPLES {
        let judged = black_box(prepare());
        let started = Instant::now();
        let decision = decide(judged);
        let time = started.elapsed();
        black_box(decision);
        if round >= WARM_UP {
            times.push(time);
        }
    }
    times.sort_unstable();
    times
}

fn print(times: &[Duration], what: &str) {
    let micros = |percent| at(times, percent).as_secs_f64() * 1e6;
    println!("{:>6.1} µs {:>6.1} µs  {what}", micros(50), micros(99));
}

/// A percentile of sorted times.
fn at(times: &[Duration], percent: usize) -> Duration {
    let place = times.len() * percent / 100;
    times.get(place).copied().unwrap_or_default()
}
