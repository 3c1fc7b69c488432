//! Two processes over one ledger: a worker that stood still and wakes up late changes nothing.

use dispatch::policy::Nature;
use dispatch::{Audit, IntentFilter, IntentState, Ledger};

use crate::bank::{AMOUNT, At, Branch, Fault, SLOWEST};

/// Longer than any lease.
const LONG: i64 = 60;

async fn state(branch: &Branch) -> Option<IntentState> {
    let newest = IntentFilter {
        tool: Some("process_refund".into()),
        limit: 1,
        ..IntentFilter::default()
    };
    let intents = branch.store.intents("demo", &newest).await.unwrap();
    intents.first().map(|intent| intent.state)
}

async fn overtaken(branch: &Branch) -> usize {
    let records = branch.store.records(None, 1_000).await.unwrap();
    let told = records
        .iter()
        .filter(|r| r.entry.detail["state"] == "overtaken");
    told.count()
}

#[tokio::test]
async fn whoever_runs_an_intent_is_left_alone_while_it_lives() {
    let branch = Branch::open(Nature::Deduplicates).await;
    branch.plan(At::Leave, Fault::Pause);
    let call = branch.refund_beside("ORD-1");
    branch.reached().await;
    let recovery = branch.second().recover().await.unwrap();
    assert_eq!(
        (recovery.settled, recovery.parked, recovery.waiting),
        (0, 0, 1)
    );
    let other = branch.second().call(branch.asking("ORD-1")).await.unwrap();
    assert_eq!(other.word(), "in_flight");
    branch.wake();
    assert_eq!(call.await.unwrap().unwrap().word(), "ok");
    assert_eq!(branch.bank.effects().len(), 1);
}

#[tokio::test]
async fn a_request_of_a_worker_that_was_overtaken_never_leaves() {
    let branch = Branch::open(Nature::Neither).await;
    branch.plan(At::Reserved, Fault::Pause);
    let call = branch.refund_beside("ORD-1");
    branch.reached().await;
    branch.advance(LONG);
    let recovery = branch.second().recover().await.unwrap();
    assert_eq!((recovery.settled, recovery.parked), (1, 0));
    branch.wake();
    assert_eq!(call.await.unwrap().unwrap().word(), "in_flight");
    assert_eq!(
        branch
            .bank
            .arrived
            .load(std::sync::atomic::Ordering::SeqCst),
        1
    );
    assert_eq!(
        (state(&branch).await, branch.spent().await),
        (Some(IntentState::Done), AMOUNT)
    );
    assert_eq!(overtaken(&branch).await, 1, "what it saw is on record");
}

#[tokio::test]
async fn a_late_answer_settles_nothing_that_another_process_has_taken_over() {
    for (nature, expected) in [
        (Nature::Deduplicates, IntentState::Done),
        (
            Nature::Queryable {
                after_seconds: SLOWEST,
            },
            IntentState::Unknown,
        ),
        (Nature::Neither, IntentState::Unknown),
    ] {
        let branch = Branch::open(nature).await;
        branch.plan(At::Answered, Fault::Pause);
        let call = branch.refund_beside("ORD-1");
        branch.reached().await;
        branch.advance(LONG);
        branch.second().recover().await.unwrap();
        assert_eq!(state(&branch).await, Some(expected), "{nature:?}");
        branch.wake();
        assert_eq!(
            call.await.unwrap().unwrap().word(),
            "in_flight",
            "{nature:?}"
        );
        assert_eq!(state(&branch).await, Some(expected), "{nature:?}");
        assert_eq!(
            (branch.bank.effects().len(), branch.spent().await),
            (1, AMOUNT),
            "{nature:?}"
        );
        assert_eq!(overtaken(&branch).await, 1, "{nature:?}");
    }
}

#[tokio::test]
async fn a_backend_that_can_be_asked_is_asked_when_it_has_had_its_time_and_sent_nothing_again() {
    for (at, expected) in [(At::Received, "replayed"), (At::Leave, "ok")] {
        let branch = Branch::open(Nature::Queryable {
            after_seconds: SLOWEST,
        })
        .await;
        branch.plan(at, Fault::TimeOut);
        assert_eq!(branch.refund("ORD-1").await.unwrap().word(), "unknown");
        // Times are whole seconds: at this one, the last part of a second may still be missing.
        branch.advance(i64::from(SLOWEST));
        assert_eq!(branch.dispatcher.recover().await.unwrap().waiting, 1);
        assert_eq!(
            state(&branch).await,
            Some(IntentState::Unknown),
            "too early to say"
        );
        branch.advance(1);
        assert_eq!(branch.dispatcher.recover().await.unwrap().settled, 1);
        let arrived = branch
            .bank
            .arrived
            .load(std::sync::atomic::Ordering::SeqCst);
        assert_eq!(
            arrived,
            i64::from(at == At::Received),
            "nothing was sent again"
        );
        let again = branch.refund("ORD-1").await.unwrap();
        assert_eq!(again.word(), expected, "{again:?}");
        assert_eq!(
            (branch.bank.effects().len(), branch.spent().await),
            (1, AMOUNT)
        );
    }
}
