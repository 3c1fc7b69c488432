//! The loop: its bounds, its events, and what it does with what a model gets wrong.

use dispatch::policy::Priority;
use dispatch::{CaseStatus, Event};
use serde_json::json;

use super::fake::{Desk, broken, calls, done, script, text};
use crate::{Message, ModelError, ModelReply, Stop, TurnLimits};

fn lookup(order: &str) -> Result<ModelReply, ModelError> {
    calls("lookup_order", json!({ "order_id": order }))
}

#[tokio::test]
async fn events_are_streamed_and_stored_in_order() {
    let mut desk = Desk::new(script([
        lookup("ORD-1"),
        text("It is on its way, and it arrives soon enough for you."),
    ]));
    desk.on("lookup_order", [done(json!({ "status": "shipped" }))]);
    let result = desk.say("where is ORD-1?").await;
    assert_eq!(result.status, CaseStatus::Resolved);
    assert_eq!(result.actions.len(), 1);
    let stored = desk.host.0.lock().unwrap().events.clone();
    let kinds: Vec<String> = stored
        .iter()
        .map(|e| {
            serde_json::to_value(e).unwrap()["type"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        kinds,
        ["customer", "tool_call", "tool_result", "text", "done"]
    );
    let streamed: String = desk
        .streamed
        .iter()
        .filter_map(|event| match event {
            Event::Text { text } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(streamed, result.response);
}

#[tokio::test]
async fn the_model_reads_the_system_prompt_and_the_whole_case() {
    let model = script([text("Which order?"), text("Thank you.")]);
    let mut desk = Desk::new(model.clone());
    desk.say("hello there").await;
    desk.say("it is ORD-1").await;
    let requests = model.asked();
    assert!(requests[1].system.contains("support agent of Demo"));
    assert!(requests[1].system.contains("# Refunds"));
    assert_eq!(requests[1].messages.len(), 3);
    assert!(
        requests[1]
            .tools
            .iter()
            .any(|tool| tool.name == "ask_clarification")
    );
}

#[tokio::test]
async fn broken_arguments_run_nothing_and_are_told_once() {
    let model = script([broken("process_refund"), text("Which order is it?")]);
    let mut desk = Desk::new(model.clone());
    let result = desk.say("refund").await;
    assert!(desk.called().is_empty());
    assert_eq!(result.response, "Which order is it?");
    let requests = model.asked();
    let Some(Message::Results(results)) = requests[1].messages.last() else {
        panic!()
    };
    assert_eq!(results[0].outcome, "invalid");
    let mut desk = Desk::new(script([broken("process_refund"), broken("process_refund")]));
    let result = desk.say("refund").await;
    assert!(desk.called().is_empty());
    assert_eq!(result.status, CaseStatus::Escalated);
}

#[tokio::test]
async fn the_same_call_again_and_again_ends_the_turn() {
    let mut desk = Desk::new(script((0..4).map(|_| lookup("ORD-1"))));
    desk.on("lookup_order", (0..4).map(|_| done(json!({}))));
    let result = desk.say("where is ORD-1?").await;
    assert_eq!(desk.called().len(), 2);
    assert_eq!(result.status, CaseStatus::Escalated);
}

#[tokio::test]
async fn steps_and_tokens_are_bounded() {
    let steps = TurnLimits {
        steps: 3,
        ..TurnLimits::default()
    };
    let mut desk = Desk::within(script((0..9).map(|n| lookup(&format!("ORD-{n}")))), steps);
    desk.on("lookup_order", (0..9).map(|_| done(json!({}))));
    let result = desk.say("look at all of them").await;
    assert_eq!(desk.called().len(), 3);
    assert_eq!(desk.escalations(), [(Priority::P2, "technical".to_owned())]);
    assert_eq!(result.status, CaseStatus::Escalated);
    let tokens = TurnLimits {
        tokens: 0,
        ..TurnLimits::default()
    };
    let mut desk = Desk::within(script([]), tokens);
    assert_eq!(desk.say("hello there").await.status, CaseStatus::Escalated);
}

#[tokio::test]
async fn a_claim_without_an_effect_is_sent_back_and_then_replaced() {
    let model = script([
        text("I've refunded you."),
        text("Which order should I refund?"),
    ]);
    let mut desk = Desk::new(model.clone());
    let result = desk.say("refund me").await;
    assert_eq!(result.response, "Which order should I refund?");
    let requests = model.asked();
    assert!(matches!(
        requests[1].messages.last(),
        Some(Message::Note(_))
    ));
    let mut desk = Desk::new(script([
        text("I've refunded you."),
        text("Your refund has been issued!"),
    ]));
    let result = desk.say("refund me").await;
    assert!(!result.response.contains("refund"), "{}", result.response);
    assert_eq!(result.status, CaseStatus::Open);
    let streamed = serde_json::to_string(&desk.streamed).unwrap();
    assert!(
        !streamed.contains("has been issued"),
        "held back from the stream as well"
    );
}

#[tokio::test]
async fn refusals_and_cut_replies_end_in_words_of_the_host() {
    let stopped = |text: &str, stop| {
        Ok(ModelReply {
            text: text.to_owned(),
            stop,
            ..ModelReply::default()
        })
    };
    let table = [
        (stopped("", Stop::Refusal), "can't help with"),
        (stopped("", Stop::Length), "too long"),
        (stopped("It is here. And then", Stop::Length), "It is here."),
        (stopped("  ", Stop::EndTurn), "into words"),
    ];
    for (reply, expected) in table {
        let mut desk = Desk::new(script([reply]));
        let result = desk.say("tell me").await;
        assert!(result.response.contains(expected), "{}", result.response);
        assert_eq!(result.status, CaseStatus::Open);
    }
}

#[tokio::test]
async fn a_model_that_fails_leaves_the_case_open_and_says_why_to_the_operator() {
    let error = ModelError::Credentials {
        setting: "ANTHROPIC_API_KEY".to_owned(),
    };
    let mut desk = Desk::new(script([Err(error.clone())]));
    let result = desk.say("hello there").await;
    assert_eq!(result.failure, Some(error));
    assert_eq!(result.status, CaseStatus::Open);
    assert!(!result.response.contains("ANTHROPIC"));
    assert!(
        desk.streamed
            .iter()
            .any(|event| matches!(event, Event::Error { .. }))
    );
}
