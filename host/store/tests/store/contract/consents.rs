//! The consents: asked once, answered once, and only in time.

use std::sync::Arc;

use dispatch::{Answered, ConsentState, PendingConsent, Verdict};
use serde_json::json;

use crate::world::{TENANT, World, race};

fn answered(granted: bool, by: &str) -> Answered {
    Answered {
        verdict: if granted {
            Verdict::Grant
        } else {
            Verdict::Deny
        },
        by: by.to_owned(),
    }
}

pub(crate) async fn a_yes_is_unfinished_until_its_call_has_ended(world: World) {
    for id in ["c1", "c2", "c3"] {
        world.store.ask(world.question(id, id)).await.unwrap();
    }
    let mut call = world.question("c1", "c1").call;
    call.arguments["order_id"] = json!("ORD-1");
    let amended = Answered {
        verdict: Verdict::Amend {
            call: Box::new(call.clone()),
            binding: "c1, amended".into(),
        },
        by: "user:alice".into(),
    };
    assert!(world.store.answer("c1", amended).await.unwrap());
    assert!(
        world
            .store
            .answer("c2", answered(true, "user:alice"))
            .await
            .unwrap()
    );
    assert!(
        world
            .store
            .answer("c3", answered(false, "user:alice"))
            .await
            .unwrap()
    );
    let unfinished = world.store.unfinished().await.unwrap();
    let seen: Vec<_> = unfinished
        .iter()
        .map(|c| (c.id.as_str(), c.binding.as_str()))
        .collect();
    assert_eq!(seen, [("c1", "c1, amended"), ("c2", "c2")]);
    assert_eq!(unfinished[0].call, call);
    world.store.finish("c1").await.unwrap();
    let unfinished = world.store.unfinished().await.unwrap();
    assert_eq!(unfinished.len(), 1);
    assert_eq!(unfinished[0].id, "c2");
}

pub(crate) async fn of_many_answers_one_counts(world: World) {
    world.store.ask(world.question("c1", "b")).await.unwrap();
    let answers = race(64, |n| {
        let store = Arc::clone(&world.store);
        async move {
            (
                n,
                store
                    .answer("c1", answered(n % 2 == 0, &format!("user:{n}")))
                    .await
                    .unwrap(),
            )
        }
    })
    .await;
    let counted: Vec<_> = answers.iter().filter(|(_, counts)| *counts).collect();
    assert_eq!(counted.len(), 1);
    let winner = counted[0].0;
    let state = if winner % 2 == 0 {
        ConsentState::Granted
    } else {
        ConsentState::Denied
    };
    let expected = PendingConsent {
        state,
        answered_by: Some(format!("user:{winner}")),
        ..world.question("c1", "b")
    };
    assert_eq!(
        world.store.consent(TENANT, "c1").await.unwrap(),
        Some(expected)
    );
    assert_eq!(world.store.pending(TENANT, None).await.unwrap(), []);
}

pub(crate) async fn an_expired_question_takes_no_answer(world: World) {
    let asked = world.store.ask(world.question("c1", "b")).await.unwrap();
    world.clock.advance(599);
    assert_eq!(
        world.store.pending(TENANT, None).await.unwrap(),
        std::slice::from_ref(&asked)
    );
    world.clock.advance(1);
    assert_eq!(world.store.pending(TENANT, None).await.unwrap(), []);
    assert!(
        !world
            .store
            .answer("c1", answered(true, "user:alice"))
            .await
            .unwrap()
    );
    assert_eq!(
        world.store.consent(TENANT, "c1").await.unwrap(),
        Some(asked)
    );
}

pub(crate) async fn the_same_question_is_asked_once_at_a_time(world: World) {
    let ids = race(64, |n| {
        let (store, question) = (
            Arc::clone(&world.store),
            world.question(&format!("c{n}"), "b"),
        );
        async move { store.ask(question).await.unwrap().id }
    })
    .await;
    assert!(ids.iter().all(|id| *id == ids[0]));
    world.clock.advance(600);
    assert_eq!(
        world
            .store
            .ask(world.question("later", "b"))
            .await
            .unwrap()
            .id,
        "later"
    );
    assert!(
        world
            .store
            .answer("later", answered(false, "user:alice"))
            .await
            .unwrap()
    );
    assert_eq!(
        world
            .store
            .ask(world.question("again", "b"))
            .await
            .unwrap()
            .id,
        "again"
    );
    assert_eq!(
        world
            .store
            .ask(world.question("other", "b2"))
            .await
            .unwrap()
            .id,
        "other"
    );
}

pub(crate) async fn pending_questions_are_listed_by_tenant_and_case(world: World) {
    let case = world
        .store
        .case_of_session(TENANT, "chat:second")
        .await
        .unwrap()
        .id;
    let mut second = world.question("c2", "b2");
    second.call.case.clone_from(&case);
    world.store.ask(world.question("c1", "b1")).await.unwrap();
    world.store.ask(second).await.unwrap();
    let ids = async |tenant, case| -> Vec<String> {
        let pending = world.store.pending(tenant, case).await.unwrap();
        pending.into_iter().map(|consent| consent.id).collect()
    };
    assert_eq!(ids(TENANT, None).await, ["c1", "c2"]);
    assert_eq!(ids(TENANT, Some(&case)).await, ["c2"]);
    assert!(ids("other", None).await.is_empty());
    assert_eq!(world.store.consent("other", "c1").await.unwrap(), None);
}

pub(crate) async fn an_answer_to_nothing_counts_for_nothing(world: World) {
    assert!(
        !world
            .store
            .answer("none", answered(true, "user:alice"))
            .await
            .unwrap()
    );
}
