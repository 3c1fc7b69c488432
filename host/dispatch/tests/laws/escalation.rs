//! Questions to people: bound to the very call, answered once, and nothing runs before.

use dispatch::policy::{Actor, Nature, Role};
use dispatch::{DispatchError, Outcome};

use crate::desk::Desk;

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
