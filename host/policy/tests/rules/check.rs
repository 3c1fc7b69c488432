//! What a rulebook's check finds: rules that no call can meet, and rules that others make needless.

use std::borrow::Cow;

use expect_test::{Expect, expect};
use policy::{DecisionInput, RulebookSource, Side, check};
use serde_json::{Value, json};

use crate::scenario::{SHIPPED, Scenario, call, refund, source};

const FORBID: &str = "@id(\"x\") @code(\"NO\") @say(\"I'm sorry, no.\")\nforbid (principal, action == Action::\"process_refund\", resource)\n";

fn with(text: &str) -> RulebookSource {
    let mut source = source();
    source
        .policies
        .push(("own.cedar".to_owned(), text.to_owned()));
    source
}

fn found(source: RulebookSource) -> Vec<String> {
    match check(source) {
        Ok(_) => vec![],
        Err(findings) => findings.iter().map(ToString::to_string).collect(),
    }
}

/// One forbid of refunds under these conditions.
fn finds(conditions: &str, expect: &Expect) {
    expect.assert_eq(&found(with(&format!("{FORBID}{conditions};"))).join("\n"));
}

#[test]
fn the_shipped_rules_are_sound() {
    assert_eq!(found(source()), Vec::<String>::new());
}

#[test]
fn conditions_that_cannot_hold_are_found() {
    let never = expect![
        "own.cedar: 1:1: x: never matches: its conditions contradict each other, or what the host tells rules"
    ];
    for conditions in [
        "when { context has amount && context.amount > 100 && context.amount < 50 }",
        "when { context has amount && context.amount > 100 } unless { context.amount >= 50 }",
        "when { context.identity.level > 3 }",
        "when { 4 <= context.identity.level }",
        "when { context.channel == \"fax\" }",
        "when { context.channel == \"chat\" && context.channel == \"mcp\" }",
        "when { [\"chat\", \"mcp\"].contains(context.channel) && context.channel != \"chat\" && context.channel != \"mcp\" }",
        "when { context.staff } unless { context.staff || context.replay }",
        "when { (context.now < 5 || context.role == \"king\") && context.now > 9 }",
    ] {
        finds(conditions, &never);
    }
}

#[test]
fn conditions_that_can_hold_are_not() {
    for conditions in [
        "when { context has amount && context.amount > 50 && context.amount < 100 }",
        "when { context.identity.level >= 3 }",
        "when { context.channel != \"chat\" && context.channel != \"mcp\" }",
        "when { (context.now < 5 || context.role == \"admin\") && context.now > 9 }",
        "when { context has order.owner && context.order.owner != \"x\" && context.order.owner != \"y\" }",
        "when { context.now + 1 < 5 && context.now > 9 }",
    ] {
        finds(conditions, &expect![""]);
    }
}

#[test]
fn rules_that_others_make_needless_are_found() {
    let limit = "when { context has amount && context.amount > context.settings.refund_limit && context.staff }\nunless { context.consent.staff || context.replay }";
    let noted = |prio: &str| {
        let annotations =
            "@code(\"X\") @say(\"A colleague decides.\") @escalate(\"P2\") @consent(\"staff\")";
        format!(
            "@id(\"own.limit\") {annotations} @prio(\"{prio}\")\nforbid (principal, action == Action::\"process_refund\", resource)\n{limit};"
        )
    };
    let needless = expect![
        "own.cedar: 1:1: own.limit: is unreachable: wherever it matches, refund.limit (refunds.cedar at 123:1) does, and decides the same"
    ];
    needless.assert_eq(&found(with(&noted("300"))).join("\n"));
    assert_eq!(
        found(with(&noted("301"))),
        Vec::<String>::new(),
        "it has other words, and is heard"
    );
    expect![[
        "own.cedar: 1:1: own.again: is unreachable: wherever it matches, order.writes (orders.cedar at 15:1) does, and decides the same"
    ]]
    .assert_eq(&found(with("@id(\"own.again\")\npermit (principal, action == Action::\"cancel_order\", resource)\nwhen { context.staff };")).join("\n"));
}

#[test]
fn permits_that_are_refused_anyway_are_found() {
    let barred = format!(
        "{FORBID};\n@id(\"y\") permit (principal, action == Action::\"process_refund\", resource) when {{ context.staff }};"
    );
    let lines = found(with(&barred));
    let refuses: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("never allows anything: x (own.cedar at 1:1)"))
        .collect();
    assert!(!refuses.is_empty(), "{lines:#?}");
}

#[test]
fn rules_about_tools_that_nobody_classifies_are_found() {
    let mut source = source();
    source.tools.remove("cancel_order");
    let lines = found(source);
    assert!(
        lines.iter().any(|line| line.starts_with("orders.cedar: ")
            && line.contains(": cancel.too_late: never matches: nothing classifies the tools")),
        "{lines:#?}"
    );
}

#[test]
fn what_keeps_it_from_loading_is_a_finding_too() {
    let lines = found(with(&format!(
        "{FORBID}when {{ context.amuont > 5 || context.nwo > 3 }};"
    )));
    assert!(
        lines
            .iter()
            .all(|line| line.starts_with("own.cedar: 3:") && line.contains("`x`"))
            && !lines.is_empty(),
        "{lines:#?}"
    );
}

fn explained(scenario: &Scenario) -> policy::Explanation {
    SHIPPED.explain(&DecisionInput {
        call: Cow::Borrowed(&scenario.call),
        facts: Cow::Borrowed(&scenario.facts),
    })
}

#[test]
fn an_explanation_names_the_rules_and_what_they_saw() {
    let scenario = refund("200.00").looked_up(json!({}));
    let explanation = explained(&scenario);
    assert_eq!(
        explanation.decision.summary().to_string(),
        "needs_consent staff P2 LIMIT_EXCEEDED"
    );
    let told: Vec<(&str, Side)> = explanation
        .rules
        .iter()
        .map(|rule| (rule.id.as_str(), rule.side))
        .collect();
    assert_eq!(
        told,
        [("refund.limit", Side::Against), ("money.writes", Side::For)]
    );
    let saw = |path: &str| -> Option<Value> {
        let (_, value) = explanation.rules[0]
            .saw
            .iter()
            .find(|(seen, _)| seen == path)
            .expect("it looks there");
        value.clone()
    };
    assert_eq!(saw("amount"), Some(json!(20_000)));
    assert_eq!(saw("settings.refund_limit"), Some(json!(15_000)));
    assert_eq!(saw("consent.staff"), Some(json!(false)));
    assert_eq!(explanation.rules[0].file, "refunds.cedar");
}

#[test]
fn what_is_not_known_is_seen_as_nothing() {
    let explanation = explained(&refund("10.00"));
    let rule = &explanation.rules[0];
    assert_eq!(rule.id, "order.not_looked_up");
    assert!(rule.saw.contains(&("order".to_owned(), None)), "{rule:?}");
}

#[test]
fn a_rule_that_fails_is_named() {
    let mut scenario = refund("49.99").looked_up(json!({}));
    scenario.facts.now = i64::MIN;
    for fact in scenario.facts.entities.values_mut() {
        fact.established_at = i64::MIN;
    }
    let broken = explained(&scenario);
    let sides: Vec<(&str, Side)> = broken
        .rules
        .iter()
        .map(|rule| (rule.id.as_str(), rule.side))
        .collect();
    assert_eq!(sides[0], ("refund.window", Side::Broken));
    assert!(explained(&call("no_such_tool", json!({}))).rules.is_empty());
}
