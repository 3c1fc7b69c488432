//! The table of what calls people, and of what only looks like it.

use super::{TriggerKind, screen};
use dispatch::policy::Priority;

#[test]
fn calls_people() {
    use TriggerKind::{Distress, Legal, Person, Security};
    let table = [
        ("I will talk to my lawyer", Legal),
        ("You'll hear from my ATTORNEY.", Legal),
        ("I'm going to sue you", Legal),
        ("I'll sue!", Legal),
        ("i will SUE", Legal),
        ("We can sue over this", Legal),
        ("My name is Sue and I will sue you", Legal),
        ("Sue you, that is what I'll do", Legal),
        ("I am suing your company", Legal),
        ("expect legal action", Legal),
        ("Is this even legal?", Legal),
        ("see you in court", Legal),
        ("This is fraud", Security),
        ("a fraudulent charge on my card", Security),
        ("you are scammers", Security),
        ("I'll file a chargeback", Security),
        ("my account was hacked", Security),
        ("there is an unauthorised payment", Security),
        ("This is unacceptable!", Distress),
        ("Totally UNACCEPTABLE service", Distress),
        ("this is outrageous", Distress),
        ("I want to speak to a human", Person),
        ("human please", Person),
        ("Get me your manager", Person),
        ("get me a manager now", Person),
        ("Can I talk to a real person?", Person),
        ("please transfer me to a supervisor", Person),
        ("is there a person I can talk to", Person),
        ("let me speak with someone", Person),
        ("I'd like to talk to an agent", Person),
        ("connect me with customer support agent", Person),
        ("agent!", Person),
        ("Could a human look at this?", Person),
        ("I demand to see the manager", Person),
        ("put me through to your supervisor please", Person),
        ("talk to human", Person),
        ("I need a human, not a bot", Person),
        ("get me ur supervisor now", Person),
        ("let me talk to a superviser", Person),
        ("gimme a manger", Person),
        ("I want to speek to a human", Person),
        ("speek to a human", Person),
        ("sombody human", Person),
        ("I demand to escalate this", Person),
        ("someone call me back", Person),
        ("I'll call my lawyr", Legal),
        ("expect a letter from consumer protection", Legal),
        ("this is fruad", Security),
        ("this is unacceptble", Distress),
    ];
    for (message, kind) in table {
        assert_eq!(
            screen(message, 0).map(|trigger| trigger.kind),
            Some(kind),
            "{message}"
        );
    }
}

#[test]
fn leaves_the_rest_to_the_model() {
    let table = [
        "I have an issue with my order",
        "the issue is the tissue box",
        "my name is Sue",
        "Hi, I'm Sue, my blender broke",
        "Sue here. Where is my parcel?",
        "This is Sue Miller, sue@example.com",
        "sue@example.com",
        "Where is ORD-1234? Thanks, Sue",
        "please call me sue",
        "A gift for Sue and me",
        "pursue the refund please",
        "My legal name is Ann Lee",
        "we bought it for the tennis court",
        "Are you human?",
        "are you a real person?",
        "I don't need a human, just tell me where it is",
        "My manager bought this blender for the office",
        "the agenda says Monday",
        "is it acceptable to wash it?",
        "write to defraud@example.com",
        "This is ridiculous",
        "I want a refund",
        "a person of my age likes it",
        "what cleaning agent is safe for the blender",
        "is fraud protection included when I pay by card?",
        "fraud protection included when I pay by card?",
        "the top layer of the blender is loose",
        "I need it managed better",
        "please don't escalate this",
        "the courier said someone would call",
    ];
    for message in table {
        assert_eq!(screen(message, 0), None, "{message}");
    }
}

#[test]
fn anger_counts_only_after_two_attempts() {
    for message in [
        "this is ridiculous",
        "I am so angry",
        "WHY IS THIS NOT DONE YET",
    ] {
        assert_eq!(screen(message, 1), None, "{message}");
        let trigger = screen(message, 2);
        assert_eq!(
            trigger.map(|t| t.kind),
            Some(TriggerKind::Anger),
            "{message}"
        );
    }
    assert_eq!(screen("where is my order", 5), None);
}

#[test]
fn urgency_and_team_follow_the_kind() {
    let of = |message| screen(message, 0).map(|trigger| (trigger.priority, trigger.team));
    assert_eq!(of("my lawyer"), Some((Priority::P1, "legal")));
    assert_eq!(of("fraud"), Some((Priority::P1, "security")));
    assert_eq!(of("a manager please"), Some((Priority::P1, "general")));
    assert_eq!(of("unacceptable"), Some((Priority::P2, "general")));
    assert_eq!(
        of("unacceptable, I will sue"),
        Some((Priority::P1, "legal"))
    );
}
