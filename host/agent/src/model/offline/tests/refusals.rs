//! What the planner leaves undone: what was declined, what was only asked about, and what must be asked back.

use super::flows::Talk;
use crate::model::offline::reply::done;

const BROKEN: &str = "My blender from order 8842 arrived broken, I'm sarah@example.com";

fn paid(talk: &Talk) -> bool {
    talk.calls
        .iter()
        .any(|call| call.starts_with("process_refund"))
}

#[tokio::test]
async fn what_is_declined_or_only_asked_about_is_not_done() {
    let messages = [
        "I don't want a refund for ORD-8842, I want a replacement. sarah@example.com",
        "please do not refund ORD-8842 ... just tell me when it was delivered. sarah@example.com",
        "how do I get a refund for ORD-8842? just asking, don't do anything yet. sarah@example.com",
        "I don't want a refund, I want to know when order 8842 ships. sarah@example.com",
        "Don't refund order 8842. sarah@example.com",
    ];
    for message in messages {
        let mut talk = Talk::new();
        talk.say(message).await;
        assert!(!paid(&talk), "{message}: {:?}", talk.calls);
        talk.say("sarah@example.com, ORD-8842").await;
        assert!(!paid(&talk), "{message}: {:?}", talk.calls);
    }
}

#[tokio::test]
async fn a_no_closes_the_offer() {
    for no in [
        "no thanks i dont want a refund",
        "No. I have a question about my order.",
        "no, hello?",
        "no way",
    ] {
        let mut talk = Talk::new();
        talk.say(BROKEN).await;
        talk.say(no).await;
        assert!(!paid(&talk), "{no}: {:?}", talk.calls);
        talk.say("yes").await;
        assert!(!paid(&talk), "{no}, yes: {:?}", talk.calls);
    }
}

#[tokio::test]
async fn a_yes_after_small_talk_pays_nothing() {
    let mut talk = Talk::new();
    talk.say(BROKEN).await;
    talk.say("are you a bot?").await;
    talk.say("yes").await;
    assert!(!paid(&talk), "{:?}", talk.calls);
}

#[tokio::test]
async fn amounts_are_sent_as_stated_or_asked_back() {
    let mut talk = Talk::new();
    talk.say("refund me 20 euros of order 8842, sarah@example.com")
        .await;
    assert_eq!(
        talk.calls.last().unwrap(),
        "process_refund ORD-8842 20.00EUR"
    );
    for unclear in [
        "refund me -$20 of order 8842, sarah@example.com",
        "give me half back for order 8842, sarah@example.com",
    ] {
        let mut talk = Talk::new();
        let said = talk.say(unclear).await;
        assert!(
            talk.calls.is_empty() && said.contains("which amount"),
            "{said}"
        );
        talk.say("15 dollars").await;
        assert_eq!(talk.calls.last().unwrap(), "process_refund ORD-8842 15.00");
    }
}

#[tokio::test]
async fn what_is_left_is_refunded() {
    let mut talk = Talk::new();
    talk.say("refund order 8843, sarah@example.com").await;
    assert_eq!(talk.calls.last().unwrap(), "process_refund ORD-8843 29.99");
}

#[tokio::test]
async fn credit_needs_a_cause() {
    let mut talk = Talk::new();
    talk.say("give me store credit for order 8842, sarah@example.com")
        .await;
    assert_eq!(talk.calls.last().unwrap(), "escalate_to_human ORD-8842 p3");
    let mut talk = Talk::new();
    talk.say("order 8842 came with a cracked lid, I want 15 EUR credit. sarah@example.com")
        .await;
    assert_eq!(talk.calls.last().unwrap(), "add_credit 15.00EUR");
}

#[tokio::test]
async fn a_conflict_is_explained() {
    let mut talk = Talk::new();
    talk.conflict = true;
    let said = talk.say("refund ORD-8842 please, sarah@example.com").await;
    assert!(said.contains("with other details"), "{said}");
    assert!(paid(&talk), "{:?}", talk.calls);
}

#[tokio::test]
async fn an_article_that_does_not_fit_is_no_answer() {
    let said = Talk::new().say("what is the capital of France?").await;
    assert!(said.contains("found nothing"), "{said}");
}

#[tokio::test]
async fn a_parcel_in_trouble_gets_an_apology() {
    let said = Talk::new()
        .say("where is order 8861? sarah@example.com")
        .await;
    assert!(
        said.contains("sorry") && said.contains("colleague"),
        "{said}"
    );
}

#[test]
fn an_earlier_effect_is_not_claimed_as_new() {
    let output = serde_json::json!({
        "order_id": "ORD-1", "ticket_id": "T-1", "label_url": "https://labels.example/1",
        "amount": { "amount": "10.00", "currency": "USD" },
    });
    for tool in ["add_credit", "create_return", "create_ticket"] {
        let (new, again) = (done(tool, &output, false), done(tool, &output, true));
        assert!(new.starts_with("I have "), "{new}");
        assert!(!again.contains("I have "), "{again}");
    }
}
