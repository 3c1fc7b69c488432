//! What may leave, and what may not.

use std::collections::BTreeMap;
use std::sync::Arc;

use dispatch::policy::{Effect, ToolRule};
use dispatch::{Event, Secrets};
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{Evidence, Guard, Offence};
use crate::{Tenant, TurnLimits, prompts::tests::minimal};

struct OneSecret;

impl Secrets for OneSecret {
    fn headers(&self, _: &str, _: &str) -> Option<Vec<(HeaderName, HeaderValue)>> {
        None
    }

    fn scrub(&self, _: &str, text: &str) -> String {
        text.replace("hunter2", "[secret]")
    }
}

fn tenant() -> Tenant {
    let claims = [
        ("process_refund", "refund"),
        ("cancel_order", "cancel"),
        ("create_return", "return"),
        ("add_credit", "credit"),
        ("update_customer_info", "update"),
        ("create_ticket", "ticket"),
    ];
    let rule = |claim: Option<&str>| ToolRule {
        effect: if claim.is_some() {
            Effect::Write
        } else {
            Effect::Read
        },
        effect_claim: claim.map(str::to_owned),
        ..serde_json::from_value(json!({"effect": "read"})).unwrap()
    };
    let mut rules: BTreeMap<String, ToolRule> = claims
        .into_iter()
        .map(|(tool, claim)| (tool.to_owned(), rule(Some(claim))))
        .collect();
    rules.insert("search_knowledge_base".to_owned(), rule(None));
    for tool in ["lookup_order", "get_ticket"] {
        let mut read = rule(None);
        read.owner.push("/customer_id".to_owned());
        rules.insert(tool.to_owned(), read);
    }
    Tenant {
        company: "Demo".to_owned(),
        prompts: Arc::new(minimal()),
        rules: Arc::new(rules),
        forbidden: vec!["150.00".to_owned(), "150".to_owned()],
        limits: TurnLimits::default(),
        model: None,
    }
}

fn result(tool: &str, outcome: &str, content: Value) -> Event {
    Event::ToolResult {
        id: "1".to_owned(),
        tool: tool.to_owned(),
        outcome: outcome.to_owned(),
        content,
    }
}

fn offences(reply: &str, events: &[Event]) -> Vec<Offence> {
    let tenant = tenant();
    Guard::new("acme", &tenant, &[], Arc::new(OneSecret))
        .check(reply, &Evidence::of(events, &tenant))
}

#[test]
fn nothing_internal_leaves() {
    let table = [
        (
            "It failed with LIMIT_EXCEEDED.",
            Offence::Code("LIMIT_EXCEEDED".into()),
        ),
        (
            "I will call process_refund.",
            Offence::ToolName("process_refund".into()),
        ),
        (
            "I will use `lookup-order`.",
            Offence::ToolName("lookup_order".into()),
        ),
        (
            "Our limit is $150.00 here.",
            Offence::Figure("150.00".into()),
        ),
        ("Our limit is 150 dollars.", Offence::Figure("150".into())),
        ("The password is hunter2.", Offence::Secret),
        ("Use sk-abcdefghijklmnopqrstuv.", Offence::Secret),
    ];
    for (reply, expected) in table {
        assert!(offences(reply, &[]).contains(&expected), "{reply}");
    }
}

#[test]
fn ordinary_words_leave() {
    let table = [
        "Your order ORD-8842 is on its way with UPS, tracking 1Z999AA10123456784.",
        "It costs $1,150.00.",
        "That is item 1500, an A-B test.",
        "Would you like me to refund it?",
        "I have not refunded anything.",
        "It can no longer be cancelled.",
        "Once the refund has been processed, you will hear from your bank.",
        "If you refuse it, it will be refunded.",
        "I can create a return label for you.",
        "You can ask for it to be cancelled.",
        "Nothing has been cancelled.",
        "Refunds are usually paid to the card you used.",
        "I'm sorry that it arrived broken.",
    ];
    for reply in table {
        assert_eq!(offences(reply, &[]), [], "{reply}");
    }
}

#[test]
fn claims_need_an_effect_of_their_kind() {
    let table = [
        ("I've refunded 49.99 USD to your card.", "refund"),
        ("I\u{2019}ve just refunded your order.", "refund"),
        ("We have issued a full refund.", "refund"),
        ("Your refund has been processed.", "refund"),
        ("Your refund of $49.99 is on its way.", "refund"),
        ("Your money is on its way!", "refund"),
        ("The order was refunded.", "refund"),
        ("I went ahead and processed your refund.", "refund"),
        ("Your order has been cancelled.", "cancel"),
        ("I have canceled ORD-1.", "cancel"),
        ("Your order is now cancelled.", "cancel"),
        ("I have created a return label.", "return"),
        ("A prepaid label has been emailed to you.", "return"),
        ("I've credited 10.00 to your account.", "credit"),
        ("A credit of 10.00 has been added.", "credit"),
        ("I've updated your address.", "update"),
        ("Your shipping address has been changed.", "update"),
        ("I've opened a ticket for you.", "ticket"),
        ("I have escalated this to a colleague.", "escalation"),
        ("A manager has been notified.", "escalation"),
        ("I've sent you a confirmation email.", "message"),
        ("I looked it up; your order has been cancelled.", "cancel"),
        ("It was late, but I have refunded you.", "refund"),
    ];
    for (reply, kind) in table {
        let found = offences(reply, &[]);
        let is_claim = |offence: &Offence| matches!(offence, Offence::Claim(c) if c.kind == kind);
        assert!(found.iter().any(is_claim), "{reply}: {found:?}");
    }
}

#[test]
fn what_settled_may_be_said() {
    let done = result(
        "process_refund",
        "ok",
        json!({"order_id": "ORD-8842", "amount": {"amount": "49.99", "currency": "USD"}}),
    );
    let events = [done];
    assert_eq!(
        offences("I've refunded 49.99 USD for ORD-8842.", &events),
        []
    );
    assert_ne!(
        offences("I've refunded 99.99 USD for ORD-8842.", &events),
        []
    );
    assert_ne!(
        offences("I've refunded 49.99 USD for ORD-1111.", &events),
        []
    );
    assert_ne!(offences("Your order has been cancelled.", &events), []);
}

#[test]
fn a_denied_or_failed_call_proves_nothing() {
    for outcome in ["denied", "failed", "awaiting_consent", "unknown", "invalid"] {
        let events = [result("process_refund", outcome, json!({}))];
        assert_ne!(
            offences("Your refund has been issued.", &events),
            [],
            "{outcome}"
        );
    }
}

#[test]
fn a_record_proves_the_state_but_not_the_deed() {
    let events = [result(
        "lookup_order",
        "ok",
        json!({"status": "cancelled", "refunded": {"amount": "20.00", "currency": "USD"}}),
    )];
    assert_eq!(offences("This order was cancelled.", &events), []);
    assert_eq!(offences("It has already been refunded.", &events), []);
    assert_ne!(offences("I have cancelled it.", &events), []);
    let none = [result(
        "lookup_order",
        "ok",
        json!({"status": "shipped", "refunded": {"amount": "0.00", "currency": "USD"}}),
    )];
    assert_ne!(offences("It has already been refunded.", &none), []);
}

#[test]
fn an_article_may_be_quoted_word_for_word() {
    let reply = "Here is what our article says: Your refund is issued to the card you paid with.";
    let excerpt = json!({ "articles": [{ "excerpt": "Your refund is issued to the card you paid with. Ask us." }] });
    assert_eq!(
        offences(
            reply,
            &[result("search_knowledge_base", "ok", excerpt.clone())]
        ),
        []
    );
    assert_ne!(offences(reply, &[]), []);
    assert_ne!(offences(reply, &[result("get_ticket", "ok", excerpt)]), []);
}

#[test]
fn a_figure_that_a_tool_released_may_be_quoted() {
    let events = [result(
        "lookup_order",
        "ok",
        json!({"total": {"amount": "150.00"}}),
    )];
    assert_eq!(offences("The total is 150.00 USD.", &events), []);
}
