//! The host's own question: asked in its words, answered by rules.

use dispatch::policy::ConsentFrom;
use dispatch::{CaseStatus, Event};
use serde_json::json;

use super::fake::{Desk, asks, calls, done, script, text};
use crate::{Message, ModelError, ModelReply};

const QUESTION: &str = "Shall I cancel order ORD-1? Please answer yes or no.";

/// A case in which the question has just been asked.
async fn asked(
    then: Vec<Result<ModelReply, ModelError>>,
) -> (Desk, std::sync::Arc<super::fake::Scripted>) {
    let mut replies = vec![calls("cancel_order", json!({ "order_id": "ORD-1" }))];
    replies.extend(then);
    let model = script(replies);
    let mut desk = Desk::new(model.clone());
    desk.on(
        "cancel_order",
        [asks("cancel_order", ConsentFrom::Customer)],
    );
    let result = desk.say("cancel ORD-1").await;
    assert_eq!(result.status, CaseStatus::AwaitingConsent);
    assert_eq!(result.response, QUESTION);
    (desk, model)
}

#[tokio::test]
async fn yes_resumes_the_call_and_the_model_reports_it() {
    let (mut desk, model) = asked(vec![text("Your order ORD-1 has been cancelled.")]).await;
    desk.on(
        "cancel_order",
        [done(json!({ "order_id": "ORD-1", "status": "cancelled" }))],
    );
    let result = desk.say("Yes please").await;
    assert_eq!(result.status, CaseStatus::Resolved);
    assert_eq!(result.response, "Your order ORD-1 has been cancelled.");
    assert_eq!(
        desk.host.0.lock().unwrap().answers,
        [("consent-7".to_owned(), true)]
    );
    let requests = model.asked();
    let Some(Message::Results(results)) = requests.last().unwrap().messages.last() else {
        panic!()
    };
    assert_eq!(results[0].outcome, "ok");
}

#[tokio::test]
async fn no_leaves_everything_as_it_is() {
    let (mut desk, _) = asked(vec![]).await;
    let result = desk.say("no, keep it").await;
    assert_eq!(result.status, CaseStatus::Open);
    assert_eq!(
        desk.host.0.lock().unwrap().answers,
        [("consent-7".to_owned(), false)]
    );
    assert_eq!(desk.called(), ["cancel_order"]);
}

#[tokio::test]
async fn an_unclear_answer_is_asked_again_without_the_model() {
    let (mut desk, _) = asked(vec![]).await;
    let result = desk.say("hmm, maybe").await;
    assert_eq!(result.status, CaseStatus::AwaitingConsent);
    assert!(result.response.ends_with(QUESTION), "{}", result.response);
    assert!(desk.host.0.lock().unwrap().answers.is_empty());
}

#[tokio::test]
async fn another_request_leaves_the_question_open() {
    let (mut desk, _) = asked(vec![text("We are open all week.")]).await;
    let result = desk.say("what are your opening hours?").await;
    assert_eq!(result.status, CaseStatus::AwaitingConsent);
    assert!(result.response.starts_with("We are open all week."));
    assert!(result.response.ends_with(QUESTION), "{}", result.response);
    assert_eq!(desk.host.0.lock().unwrap().pending.len(), 1);
}

#[tokio::test]
async fn a_question_that_has_gone_runs_nothing() {
    let (mut desk, _) = asked(vec![]).await;
    // It is still listed, and has no outcome: somebody else's answer won the race.
    let result = desk.say("yes").await;
    assert_eq!(result.status, CaseStatus::Open);
    assert!(
        result.response.contains("no longer open"),
        "{}",
        result.response
    );
    assert_eq!(desk.called(), ["cancel_order"]);
}

/// Another question of the same case, which the customer has not seen.
fn unseen(desk: &Desk) {
    let mut world = desk.host.0.lock().unwrap();
    let mut other = world.pending[0].clone();
    other.id = "consent-8".to_owned();
    other.question = "Shall I cancel order ORD-2?".to_owned();
    other.created_at = 1;
    world.pending.push(other);
}

#[tokio::test]
async fn a_yes_is_no_answer_to_a_question_that_was_not_shown_last() {
    let (mut desk, _) = asked(vec![text("What do you mean?")]).await;
    unseen(&desk);
    let said = Event::Text {
        text: "Your parcel has been delivered.".to_owned(),
    };
    desk.host.0.lock().unwrap().events.push(said);
    let result = desk.say("yes").await;
    assert_eq!(result.response, "What do you mean?");
    assert!(desk.host.0.lock().unwrap().answers.is_empty());
}

#[tokio::test]
async fn after_an_answer_the_next_open_question_is_put() {
    let cancelled = text("Your order ORD-1 has been cancelled.");
    for (answer, granted, then) in [("yes", true, vec![cancelled]), ("no", false, vec![])] {
        let (mut desk, _) = asked(then).await;
        unseen(&desk);
        desk.on("cancel_order", [done(json!({ "order_id": "ORD-1" }))]);
        let result = desk.say(answer).await;
        assert_eq!(result.status, CaseStatus::AwaitingConsent, "{answer}");
        let response = result.response;
        assert!(
            response.ends_with("Shall I cancel order ORD-2?"),
            "{response}"
        );
        desk.say("no").await;
        let answers = desk.host.0.lock().unwrap().answers.clone();
        assert_eq!(
            answers,
            [
                ("consent-7".to_owned(), granted),
                ("consent-8".to_owned(), false)
            ]
        );
    }
}

#[tokio::test]
async fn the_question_is_in_the_stream() {
    let (desk, _) = asked(vec![]).await;
    let asked = desk
        .streamed
        .iter()
        .any(|event| matches!(event, Event::ConsentAsked { .. }));
    assert!(asked, "{:?}", desk.streamed);
}
