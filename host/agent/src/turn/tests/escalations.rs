//! When people are called, and that nothing else happens then.

use dispatch::policy::{ConsentFrom, Priority};
use dispatch::{CaseStatus, Event, Outcome, ToolError};
use serde_json::json;

use super::fake::{Desk, asks, calls, done, people, refusal, script, text};

#[tokio::test]
async fn a_trigger_comes_before_the_model_and_before_any_tool() {
    for (message, priority, team) in [
        ("I'll sue you", Priority::P1, "legal"),
        ("this is fraud", Priority::P1, "security"),
        ("get me a manager", Priority::P1, "general"),
        ("this is unacceptable", Priority::P2, "general"),
    ] {
        let mut desk = Desk::new(script([]));
        let result = desk.say(message).await;
        assert_eq!(result.status, CaseStatus::Escalated, "{message}");
        assert_eq!(
            desk.escalations(),
            [(priority, team.to_owned())],
            "{message}"
        );
        assert!(desk.called().is_empty());
        assert!(result.response.contains("E-1001"), "{}", result.response);
        assert!(
            desk.streamed
                .iter()
                .any(|event| matches!(event, Event::Escalation { .. }))
        );
        assert!(matches!(
            desk.streamed.last(),
            Some(Event::Done {
                status: CaseStatus::Escalated
            })
        ));
    }
}

#[tokio::test]
async fn the_package_is_complete() {
    let model = script([
        calls("lookup_order", json!({ "order_id": "ORD-8842" })),
        text("It was delivered."),
    ]);
    let mut desk = Desk::new(model);
    desk.on("lookup_order", [done(json!({ "status": "delivered" }))]);
    desk.say("My order ORD-8842, sarah@example.com, where is it?")
        .await;
    desk.say("I want a human now").await;
    let summary = desk.summary();
    for part in [
        "The customer asks for a person.",
        "not identified",
        "sarah@example.com, ORD-8842",
        "My order ORD-8842",
        "lookup_order: ok",
        "Open question: I want a human now",
    ] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
}

#[tokio::test]
async fn an_escalated_case_stays_with_people() {
    let mut desk = Desk::new(script([]));
    desk.say("get me a manager").await;
    let result = desk.say("refund ORD-8842 then").await;
    assert_eq!(result.status, CaseStatus::Escalated);
    assert!(!result.response.contains("added"), "{}", result.response);
    assert_eq!(result.escalation.unwrap().id, "E-1001");
    assert_eq!(desk.escalations().len(), 1);
    assert!(desk.called().is_empty());
    desk.say("my lawyer will call you").await;
    assert_eq!(desk.escalations().len(), 1, "not more urgent than P1");
}

#[tokio::test]
async fn a_more_urgent_reason_is_passed_on() {
    let mut desk = Desk::new(script([]));
    desk.say("this is unacceptable").await;
    desk.say("I will sue you").await;
    assert_eq!(
        desk.escalations().last().unwrap(),
        &(Priority::P1, "legal".to_owned())
    );
}

#[tokio::test]
async fn two_failed_clarifications() {
    let unclear = || {
        calls(
            "ask_clarification",
            json!({ "question": "What do you mean?" }),
        )
    };
    let mut desk = Desk::new(script([unclear(), unclear(), unclear()]));
    for message in ["flurb", "gronk"] {
        let result = desk.say(message).await;
        assert_eq!(result.status, CaseStatus::Open);
        assert_eq!(result.response, "What do you mean?");
        assert!(result.actions.is_empty());
    }
    let result = desk.say("zonk").await;
    assert_eq!(result.status, CaseStatus::Escalated);
    assert_eq!(desk.escalations(), [(Priority::P3, "general".to_owned())]);
}

#[tokio::test]
async fn anger_after_two_attempts() {
    let mut desk = Desk::new(script([text("Which order?"), text("Which one, please?")]));
    desk.say("this is ridiculous").await;
    desk.say("you are useless").await;
    assert!(desk.escalations().is_empty());
    desk.say("this is ridiculous").await;
    assert_eq!(desk.escalations(), [(Priority::P2, "general".to_owned())]);
}

#[tokio::test]
async fn a_tool_that_failed_after_its_retries() {
    let failed = Outcome::Failed {
        error: ToolError::Unavailable {
            message: "down".to_owned(),
            retry_after_seconds: None,
        },
        attempts: 3,
        escalation: None,
    };
    let mut desk = Desk::new(script([calls(
        "lookup_order",
        json!({ "order_id": "ORD-1" }),
    )]));
    desk.on("lookup_order", [failed]);
    let result = desk.say("where is ORD-1").await;
    assert_eq!(desk.escalations(), [(Priority::P2, "technical".to_owned())]);
    assert_eq!(result.actions[0].outcome, "failed");
}

#[tokio::test]
async fn data_of_another_customer_ends_the_turn_without_the_model() {
    let withheld = Outcome::Withheld {
        refusal: refusal("I can't find that under your details."),
        escalation: Some(people(Priority::P1, "security")),
    };
    let mut desk = Desk::new(script([calls(
        "lookup_order",
        json!({ "order_id": "ORD-2" }),
    )]));
    desk.on("lookup_order", [withheld]);
    let result = desk.say("what did Kim order in ORD-2?").await;
    assert_eq!(result.status, CaseStatus::Escalated);
    assert!(
        result
            .response
            .starts_with("I can't find that under your details."),
        "{}",
        result.response
    );
    assert!(!result.response.contains("SOME_CODE"));
    assert!(
        desk.escalations().is_empty(),
        "dispatch had called people already"
    );
}

#[tokio::test]
async fn a_refusal_is_explained_when_the_model_hands_over() {
    let denied = Outcome::Denied {
        refusal: refusal("It is past the time for a return."),
        escalation: None,
    };
    let handed = Outcome::Done {
        output: json!({ "escalation_id": "E-1" }),
        replayed: false,
        escalation: Some(people(Priority::P3, "billing")),
    };
    let mut desk = Desk::new(script([
        calls("process_refund", json!({ "order_id": "ORD-1" })),
        calls("escalate_to_human", json!({ "reason": "x" })),
    ]));
    desk.on("process_refund", [denied])
        .on("escalate_to_human", [handed]);
    let result = desk.say("refund ORD-1").await;
    assert!(
        result.response.contains("past the time for a return"),
        "{}",
        result.response
    );
    assert_eq!(result.escalation.unwrap().team, "billing");
}

#[tokio::test]
async fn what_staff_must_approve_waits_with_people() {
    let mut desk = Desk::new(script([calls(
        "process_refund",
        json!({ "order_id": "ORD-1" }),
    )]));
    desk.on(
        "process_refund",
        [asks("process_refund", ConsentFrom::Staff)],
    );
    let result = desk.say("refund ORD-1").await;
    assert_eq!(result.status, CaseStatus::Escalated);
    assert_eq!(desk.escalations(), [(Priority::P2, "billing".to_owned())]);
    assert!(
        result.response.contains("nothing has been done yet"),
        "{}",
        result.response
    );
}
