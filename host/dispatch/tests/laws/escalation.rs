//! When people are called, and their answers: bound to the very call, given once, and nothing runs before.

use dispatch::policy::{Actor, Nature, Role};
use dispatch::{DispatchError, Outcome, ToolError};
use serde_json::json;

use crate::desk::{Desk, Step};

fn supervisor() -> Actor {
    Actor {
        role: Role::Supervisor,
        subject: "user:alice".into(),
    }
}

async fn pending(desk: &Desk) -> String {
    // The looked-up order is 49.99; a limit below it makes the refund a matter for staff.
    let outcome = desk.refund("49.99").await;
    let Outcome::Pending {
        consent,
        escalation: Some(escalation),
    } = outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!(format!("{:?}", escalation.priority), "P2");
    assert!(desk.seen().is_empty());
    consent.id
}

#[tokio::test]
async fn a_refund_above_the_limit_waits_for_staff_and_runs_once_after_their_yes() {
    let desk = Desk::open_with_limit(Nature::Deduplicates, 4_000).await;
    let id = pending(&desk).await;
    let outcome = desk
        .dispatcher
        .answer_consent("demo", &id, true, &supervisor())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(outcome.word(), "ok", "{outcome:?}");
    assert_eq!(desk.seen().len(), 1);
    let second = desk
        .dispatcher
        .answer_consent("demo", &id, true, &supervisor())
        .await;
    assert!(matches!(second, Err(DispatchError::NotPending(_))));
    assert_eq!(desk.seen().len(), 1);
}

#[tokio::test]
async fn a_no_of_staff_runs_nothing() {
    let desk = Desk::open_with_limit(Nature::Deduplicates, 4_000).await;
    let id = pending(&desk).await;
    assert_eq!(
        desk.dispatcher
            .answer_consent("demo", &id, false, &supervisor())
            .await
            .unwrap(),
        None
    );
    assert!(desk.seen().is_empty());
}

#[tokio::test]
async fn the_agent_cannot_say_yes_for_staff() {
    let desk = Desk::open_with_limit(Nature::Deduplicates, 4_000).await;
    let id = pending(&desk).await;
    let agent = Actor {
        role: Role::Agent,
        subject: "agent:test".into(),
    };
    let answer = desk
        .dispatcher
        .answer_consent("demo", &id, true, &agent)
        .await;
    assert!(matches!(answer, Err(DispatchError::NotPending(_))));
    assert!(desk.seen().is_empty());
}

#[tokio::test]
async fn other_rules_void_a_question() {
    let desk = Desk::open_with_limit(Nature::Deduplicates, 4_000).await;
    let id = pending(&desk).await;
    desk.change_limit(4_500);
    let answer = desk
        .dispatcher
        .answer_consent("demo", &id, true, &supervisor())
        .await;
    assert!(matches!(answer, Err(DispatchError::NotPending(_))));
    assert!(desk.seen().is_empty());
}

/// Whether people are called when each try of a read, and each try of a write, ends so.
async fn called_after(step: &Step) -> [bool; 2] {
    let tries = [step.clone(), step.clone(), step.clone()];
    let reading = Desk::open(Nature::Deduplicates, &tries).await;
    let order = json!({ "order_id": "ORD-1" });
    let read = reading.call("get_tracking_info", order).await;
    let writing = Desk::open(Nature::Deduplicates, &tries).await;
    let write = writing.refund("49.99").await;
    assert!(writing.seen().is_empty());
    [read, write].map(|outcome| match outcome {
        Outcome::Failed {
            escalation,
            attempts: 3,
            ..
        } => escalation.is_some(),
        other => panic!("{other:?}"),
    })
}

#[tokio::test]
async fn people_hear_of_a_tool_that_keeps_failing_and_not_of_a_host_that_is_full() {
    let failing = ToolError::Unavailable {
        message: "no".into(),
        retry_after_seconds: None,
    };
    assert_eq!(called_after(&Step::Fails(failing)).await, [true, true]);
    assert_eq!(called_after(&Step::NoPlace).await, [false, false]);
}
