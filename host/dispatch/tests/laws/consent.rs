//! Answers to questions: another amount, what the rules refuse nonetheless, and a yes that a crash cut off from its call.

use dispatch::policy::{Actor, Nature, Role};
use dispatch::{Answered, Audit, Consents, DispatchError, Outcome, Verdict};

use crate::desk::Desk;

fn actor(role: Role) -> Actor {
    Actor {
        role,
        subject: "user:alice".into(),
    }
}

/// A refund of 49.99 waits for staff, because the limit is below it.
async fn waiting() -> (Desk, String) {
    let desk = Desk::open_with_limit(Nature::Deduplicates, 4_000).await;
    let Outcome::Pending { consent, .. } = desk.refund("49.99").await else {
        panic!("the refund did not wait")
    };
    (desk, consent.id)
}

async fn amend(desk: &Desk, id: &str, amount: &str, by: Role) -> Result<Outcome, DispatchError> {
    let by = actor(by);
    desk.dispatcher.amend_consent("demo", id, amount, &by).await
}

fn granted() -> Answered {
    Answered {
        verdict: Verdict::Grant,
        by: "user:alice".into(),
    }
}

#[tokio::test]
async fn staff_grant_another_amount_and_that_one_is_paid_once() {
    let (desk, id) = waiting().await;
    let paid = amend(&desk, &id, "45.00", Role::Supervisor).await.unwrap();
    assert_eq!(paid.word(), "ok", "{paid:?}");
    let seen = desk.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].1["amount"]["amount"], "45.00");
    let records = desk.store.records(Some(&desk.case), 100).await.unwrap();
    let answers = records
        .iter()
        .filter(|record| record.entry.detail["answer"]["amended"].is_object());
    let by: Vec<_> = answers.map(|record| record.entry.actor.as_str()).collect();
    assert_eq!(by, ["user:alice"]);
    let again = amend(&desk, &id, "45.00", Role::Supervisor).await;
    assert!(matches!(again, Err(DispatchError::NotPending(_))));
    // What was asked at first is other terms of the same intent now.
    assert_eq!(desk.refund("49.99").await.word(), "conflict");
    assert_eq!(desk.seen().len(), 1);
}

#[tokio::test]
async fn a_yes_to_what_the_rules_refuse_even_so_uses_nothing_up() {
    let (desk, id) = waiting().await;
    for (amount, code) in [
        ("49.999", "AMOUNT_INVALID"),
        ("60.00", "ABOVE_ORDER"),
        ("0.00", "AMOUNT_INVALID"),
    ] {
        let refused = amend(&desk, &id, amount, Role::Supervisor).await.unwrap();
        let Outcome::Denied { refusal, .. } = refused else {
            panic!("{amount}: {refused:?}")
        };
        assert_eq!(refusal.code, code, "{amount}");
    }
    assert!(desk.seen().is_empty());
    let paid = desk
        .dispatcher
        .answer_consent("demo", &id, true, &actor(Role::Supervisor))
        .await
        .unwrap();
    assert_eq!(paid.unwrap().word(), "ok");
    assert_eq!(desk.seen().len(), 1);
}

#[tokio::test]
async fn only_staff_change_an_amount_and_only_under_the_rules_of_the_question() {
    let (desk, id) = waiting().await;
    let by_agent = amend(&desk, &id, "45.00", Role::Agent).await;
    assert!(matches!(by_agent, Err(DispatchError::NotPending(_))));
    desk.change_limit(4_500);
    let stale = amend(&desk, &id, "45.00", Role::Supervisor).await;
    assert!(matches!(stale, Err(DispatchError::NotPending(_))));
    assert!(desk.seen().is_empty());
}

#[tokio::test]
async fn a_crash_between_the_yes_and_the_ledger_loses_nothing_and_repeats_nothing() {
    let (desk, id) = waiting().await;
    assert!(desk.store.answer(&id, granted()).await.unwrap());
    let desk = desk.restart().await;
    assert!(desk.seen().is_empty());
    for _ in 0..2 {
        desk.dispatcher.recover().await.unwrap();
        assert_eq!(desk.seen().len(), 1);
        assert_eq!(desk.store.unfinished().await.unwrap(), []);
    }
}

#[tokio::test]
async fn other_rules_void_a_yes_that_a_crash_cut_off() {
    let (desk, id) = waiting().await;
    assert!(desk.store.answer(&id, granted()).await.unwrap());
    let desk = desk.restart().await;
    desk.change_limit(4_500);
    desk.dispatcher.recover().await.unwrap();
    desk.change_limit(4_000);
    desk.dispatcher.recover().await.unwrap();
    assert!(desk.seen().is_empty());
}
