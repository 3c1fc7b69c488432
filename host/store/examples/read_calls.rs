//! What governed reads cost the store, in microseconds of CPU per call: `cargo run --release -p store --example read_calls`.
#![allow(clippy::unwrap_used, reason = "a figure that cannot be taken is none")]

use std::time::Duration;

use dispatch::policy::Level;
use dispatch::{Audit, AuditEntry, AuditKind, Case, Cases};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{OpenOptions, SqliteStore};

const TENANT: &str = "demo";
const DIGEST: &str = "0f343b0931126a20f133d67c2b018a3b1e8d3f8c9f2a4f0f343b0931126a20f1";
/// Cases that the calls are spread over.
const CASES: usize = 64;
/// Calls that come at once, and how far apart: about as many a second as one host takes on two cores.
const AT_ONCE: u32 = 6;
const APART: Duration = Duration::from_millis(1);
const CALLS: u32 = 30_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path(), OpenOptions::default()).unwrap();
    let mut cases = Vec::with_capacity(CASES);
    for n in 0..CASES {
        let session = format!("mcp:{n}");
        let case = store.case_of_session(TENANT, &session).await.unwrap();
        store
            .identify(&case.id, "CUST-1001", Level::Verified)
            .await
            .unwrap();
        cases.push(case);
    }
    let input = input(&cases[0]);
    calls(&store, &cases, &input, CALLS / 10).await;
    let commits = store.commits();
    let (process, thread) = (cpu(ClockId::ProcessCPUTime), cpu(ClockId::ThreadCPUTime));
    let caller = calls(&store, &cases, &input, CALLS).await;
    let thread = cpu(ClockId::ThreadCPUTime) - thread;
    let writer = cpu(ClockId::ProcessCPUTime) - process - thread;
    let commits = store.commits() - commits;
    let each = |spent: f64| spent / f64::from(CALLS);
    println!(
        "{CALLS} calls in {commits} commits: {:.2} us of CPU a call (caller {:.2}, writer {:.2})",
        each(caller + writer),
        each(caller),
        each(writer)
    );
    let (records, _) = store.verify().await.unwrap().unwrap();
    println!("{records} audit records verified");
}

/// Paces `count` calls; what their caller's thread spent in the store, in microseconds of CPU.
async fn calls(store: &SqliteStore, cases: &[Case], input: &str, count: u32) -> f64 {
    let mut spent = 0.0;
    let mut next = cases.iter().cycle();
    let mut tick = tokio::time::interval(APART);
    for _ in 0..count / AT_ONCE {
        tick.tick().await;
        let calls: Vec<_> = next
            .by_ref()
            .take(AT_ONCE as usize)
            .map(|case| {
                (
                    case,
                    capability(case),
                    outcome(case, input),
                    input.to_owned(),
                )
            })
            .collect();
        let before = cpu(ClockId::ThreadCPUTime);
        for (case, capability, outcome, input) in calls {
            store.case(TENANT, &case.id).await.unwrap().unwrap();
            store.record(capability).await.unwrap();
            store.record_decision(outcome, input).await.unwrap();
        }
        spent += cpu(ClockId::ThreadCPUTime) - before;
    }
    // Readers of the log wait for what is queued.
    store.records(None, 1).await.unwrap();
    spent
}

/// Microseconds.
fn cpu(clock: ClockId) -> f64 {
    Duration::try_from(clock_gettime(clock))
        .unwrap()
        .as_secs_f64()
        * 1e6
}

fn capability(case: &Case) -> AuditEntry {
    entry(
        AuditKind::Capability,
        case,
        json!({
            "capability": "model",
            "decision": "allow",
            "code": null,
            "rules": ["gate"],
        }),
    )
}

fn outcome(case: &Case, input: &str) -> AuditEntry {
    entry(
        AuditKind::Outcome,
        case,
        json!({
            "arguments_digest": DIGEST,
            "plugin": DIGEST,
            "rulebook": DIGEST,
            "identity": { "customer": "CUST-1001", "level": "verified" },
            "consent": null,
            "decision": "allow",
            "outcome": "completed",
            "input": hex::encode(Sha256::digest(input)),
        }),
    )
}

fn entry(kind: AuditKind, case: &Case, detail: serde_json::Value) -> AuditEntry {
    AuditEntry {
        kind,
        tenant: TENANT.to_owned(),
        case: Some(case.id.clone()),
        actor: "api:operator".to_owned(),
        tool: Some("classify_inquiry".to_owned()),
        detail,
    }
}

/// As large as what a read of a simple tool is decided on.
fn input(case: &Case) -> String {
    json!({
        "call": {
            "tenant": TENANT,
            "case": case.id,
            "actor": { "role": "agent", "subject": "api:operator" },
            "channel": "mcp",
            "tool": "classify_inquiry",
            "plugin_digest": DIGEST,
            "arguments": { "text": "Where is my order ORD-8842? It was to come last week." },
        },
        "facts": {
            "now": case.created_at,
            "identity": { "customer": "CUST-1001", "level": "verified" },
            "entities": [],
            "consent": null,
            "prior": "none",
            "spent": {},
        },
    })
    .to_string()
}
