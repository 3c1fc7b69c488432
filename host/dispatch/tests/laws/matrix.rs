//! The fault matrix: every step of a write × the backend's nature × what goes wrong there. Whatever happens, the customer is
//! refunded at most once, and in the end the ledger, the budget and the bank say the same.

use std::fmt::Write as _;

use dispatch::policy::Nature;
use dispatch::{
    Audit, AuditEntry, AuditKind, ByHand, IntentFilter, IntentState, Ledger, Settlement, ToolError,
};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::bank::{AMOUNT, At, Branch, Fault, SLOWEST};

/// A step of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    BeforeReserve,
    AfterReserve,
    BeforeSend,
    AfterSend,
    BeforeAnswer,
    BeforeSettle,
    AfterSettle,
}

const STEPS: [(Step, &str); 7] = [
    (Step::BeforeReserve, "before the reservation"),
    (Step::AfterReserve, "after the reservation"),
    (Step::BeforeSend, "recorded, before it leaves"),
    (Step::AfterSend, "received, acted on later"),
    (Step::BeforeAnswer, "acted on, before the answer"),
    (Step::BeforeSettle, "answered, before settlement"),
    (Step::AfterSettle, "after settlement"),
];

const NATURES: [(Nature, &str); 3] = [
    (Nature::Deduplicates, "deduplicates"),
    (
        Nature::Queryable {
            after_seconds: SLOWEST,
        },
        "queryable",
    ),
    (Nature::Neither, "neither"),
];

const FAULTS: [(Fault, &str); 3] = [
    (Fault::Kill, "kill"),
    (Fault::Error, "error"),
    (Fault::TimeOut, "time-out"),
];

/// Makes the next change of the ledger of this kind fail, until it is undone.
fn refuse(branch: &Branch, what: &str) -> Connection {
    let db = Connection::open(branch.folder.path().join("switchboard.sqlite")).unwrap();
    let trap =
        format!("CREATE TRIGGER trap BEFORE {what} BEGIN SELECT RAISE(ABORT, 'no room'); END");
    db.execute_batch(&trap).unwrap();
    db
}

/// Runs a call whose caller is gone by the time that something happens, and lets it stand at the planned step.
async fn stands_still(branch: &Branch) {
    let call = branch.refund_beside("ORD-1");
    branch.reached().await;
    call.abort();
}

/// Lets the write go wrong. What the caller is told is not the question here.
async fn go_wrong(branch: &mut Branch, step: Step, fault: Fault) {
    let plugin = match step {
        Step::AfterReserve => Some(At::Reserved),
        Step::BeforeSend => Some(At::Leave),
        Step::AfterSend => Some(At::Received),
        Step::BeforeAnswer => Some(At::Acted),
        Step::BeforeSettle => Some(At::Answered),
        Step::BeforeReserve | Step::AfterSettle => None,
    };
    match (fault, step, plugin) {
        // The store, not the plugin, fails where only it can.
        (Fault::Error, Step::BeforeReserve, _) => fails_at(branch, "INSERT ON intents").await,
        (Fault::Error, Step::BeforeSend, _) => fails_at(branch, "INSERT ON sent_requests").await,
        (Fault::Error, Step::BeforeSettle, _) => {
            fails_at(branch, "UPDATE OF state ON intents WHEN NEW.state = 'done'").await;
        }
        (Fault::Kill, _, Some(at)) => {
            branch.plan(at, Fault::Kill);
            stands_still(branch).await;
        }
        (_, _, Some(at)) => {
            branch.plan(at, fault);
            let _ = branch.refund("ORD-1").await;
        }
        (Fault::Kill, Step::BeforeReserve, None) => {
            branch.store.close().await;
            assert!(branch.refund("ORD-1").await.is_err());
        }
        // The caller is gone before it is answered, or as it asks: what was begun goes on without it.
        (_, Step::BeforeReserve, None) => drop(branch.refund("ORD-1")),
        (_, _, None) => {
            branch.refund("ORD-1").await.unwrap();
        }
    }
    if fault == Fault::Kill {
        branch.restart().await;
    }
}

async fn fails_at(branch: &Branch, change: &str) {
    let db = refuse(branch, change);
    let _ = branch.refund("ORD-1").await;
    db.execute_batch("DROP TRIGGER trap").unwrap();
}

/// What must hold at every moment: one effect at most, and a ledger and a budget that do not deny it.
async fn check(branch: &Branch, when: &str) -> Result<(), String> {
    let effects = branch.bank.effects().len();
    let all = IntentFilter {
        tool: Some("process_refund".into()),
        limit: 100,
        ..IntentFilter::default()
    };
    let intents = branch.store.intents("demo", &all).await.unwrap();
    let live: Vec<_> = intents
        .iter()
        .filter(|one| one.state != IntentState::Failed)
        .collect();
    let spent = branch.spent().await;
    let state = live.first().map(|one| one.state);
    let agrees = match state {
        Some(IntentState::Done) => effects == 1 && spent == AMOUNT,
        None => effects == 0 && spent == 0,
        Some(_) => effects <= 1 && spent == AMOUNT,
    };
    if agrees && live.len() <= 1 {
        return Ok(());
    }
    Err(format!(
        "{when}: {effects} effects, ledger {state:?}, budget {spent}"
    ))
}

/// The operator looks at the bank, and settles what waits for a person.
async fn operator_settles(branch: &Branch) -> Result<u32, String> {
    let mut settled = 0;
    for intent in branch.store.open_intents().await.unwrap() {
        let settlement = if branch.bank.effects().is_empty() {
            let message = "the bank has nothing of it".to_owned();
            Settlement::Failed(ToolError::NotFound { message })
        } else {
            Settlement::Done(Value::Null)
        };
        let entry = AuditEntry {
            kind: AuditKind::Ledger,
            tenant: "demo".into(),
            case: Some(intent.case.clone()),
            actor: "user:operator".into(),
            tool: Some(intent.tool.clone()),
            detail: json!({ "intent": intent.id, "note": "looked it up at the bank" }),
        };
        match branch
            .store
            .settle_by_hand("demo", &intent.id, settlement, entry)
            .await
        {
            Ok(ByHand::Settled) => settled += 1,
            other => return Err(format!("by hand: {other:?}")),
        }
    }
    Ok(settled)
}

/// One cell: how it ended, or what did not hold.
async fn cell(step: Step, nature: Nature, fault: Fault) -> Result<&'static str, String> {
    let mut branch = Branch::open(nature).await;
    go_wrong(&mut branch, step, fault).await;
    check(&branch, "after the fault").await?;
    // The customer asks again at once, the host recovers, time passes: in between, nothing may be paid twice.
    for round in 1..=3 {
        let _ = branch.refund("ORD-1").await;
        check(&branch, &format!("asked again, round {round}")).await?;
        branch
            .dispatcher
            .recover()
            .await
            .map_err(|error| error.to_string())?;
        check(&branch, &format!("recovered, round {round}")).await?;
        branch.advance(i64::from(SLOWEST) / 2 + 1);
        check(&branch, &format!("later, round {round}")).await?;
    }
    let by_hand = operator_settles(&branch).await?;
    check(&branch, "after the operator").await?;
    let last = branch
        .refund("ORD-1")
        .await
        .map_err(|error| error.to_string())?;
    check(&branch, "at last").await?;
    let all_told = branch.store.verify().await.unwrap().is_ok();
    match (last.word(), branch.bank.effects().len(), by_hand) {
        ("ok" | "replayed", 1, 0) if all_told => Ok("by itself"),
        ("ok" | "replayed", 1, _) if all_told && nature == Nature::Neither => Ok("by a person"),
        found => Err(format!("at last: {found:?}, audit log whole: {all_told}")),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_at_every_step_of_a_write_leaves_one_effect_at_most() {
    let mut cells = vec![];
    for (step, at) in STEPS {
        for (nature, backend) in NATURES {
            for (fault, happens) in FAULTS {
                let name = format!("{at:28} {backend:13} {happens:9}");
                cells.push((name, tokio::spawn(cell(step, nature, fault))));
            }
        }
    }
    let (count, mut table, mut failed) = (cells.len(), String::new(), 0);
    for (name, ended) in cells {
        let ended = ended.await.unwrap();
        failed += u32::from(ended.is_err());
        let told = ended.map_or_else(|why| format!("FAILED {why}"), |how| format!("ok, {how}"));
        let _ = writeln!(table, "  {name} {told}");
    }
    println!("fault matrix: {count} cells, {failed} failed\n{table}");
    assert_eq!((count, failed), (63, 0), "\n{table}");
}
