//! Rules are told what they read, and no more: nothing of that may show in any decision.

use std::sync::LazyLock;

use policy::{Effect, EntityRule, Establishes, Rulebook, RulebookSource, ToolRule};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::laws::any_scenario;
use crate::scenario::{SHIPPED, Scenario, call, line, rules, source, usd};

/// The names of a context's attributes, read off the schema's text.
fn attributes() -> Vec<String> {
    let schema = source().schema().expect("a schema");
    let (_, of_calls) = schema.split_once("type ToolCall = {").expect("declared");
    let (of_calls, _) = of_calls.split_once("};").expect("ends");
    let names = of_calls.lines().filter_map(|line| line.split_once(':'));
    names
        .map(|(name, _)| name.trim().trim_matches(['"', '?']).to_owned())
        .filter(|name| !name.starts_with("//"))
        .collect()
}

/// The shipped rules, and one that asks for everything although it never matches: every call's context is told whole.
static READING_ALL: LazyLock<Rulebook> = LazyLock::new(|| {
    let asked = attributes()
        .into_iter()
        .map(|name| format!("context has {name}"));
    let asked: Vec<String> = asked.collect();
    let text = format!(
        "@id(\"reads.all\") @code(\"ALL\") @say(\"No.\")\nforbid (principal, action in [Action::\"read\", Action::\"write\", Action::\"escalation\"], resource)\nwhen {{ context.tenant == \"nobody's\" && ({}) }};",
        asked.join(" || ")
    );
    let mut source = source();
    source.policies.push(("all.cedar".to_owned(), text));
    Rulebook::load(source).unwrap_or_else(|error| panic!("{error}"))
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_no_rule_reads_changes_nothing(scenario in any_scenario()) {
        let (needed, all) = (scenario.decide(&SHIPPED), scenario.decide(&READING_ALL));
        prop_assert_eq!(needed.summary(), all.summary());
    }
}

/// A tool of a vendor's own that uses everything that a context can hold.
fn look() -> ToolRule {
    let established = Establishes {
        kind: "order".into(),
        id: "/id".into(),
        attributes: [("colour".to_owned(), "/colour".to_owned())].into(),
    };
    ToolRule {
        effect: Effect::Write,
        entity: Some(EntityRule {
            kind: "order".into(),
            id: "/order".into(),
        }),
        amount: Some("/amount".into()),
        attributes: [("status".to_owned(), "/status".to_owned())].into(),
        budgets: vec!["refund_customer_day".into()],
        establishes: vec![established],
        ..SHIPPED
            .tool("search_articles")
            .expect("in the contract")
            .clone()
    }
}

/// These rules alone, over the contract and tools that are judged like that, by these names.
fn only(tool: &ToolRule, names: &[String], text: &str) -> Rulebook {
    let mut source = RulebookSource {
        policies: vec![("own.cedar".to_owned(), text.to_owned())],
        ..source()
    };
    let asked = names.iter().map(|name| (name.clone(), tool.clone()));
    source.tools.extend(asked);
    Rulebook::load(source).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn looking(tool: &ToolRule, text: &str) -> Rulebook {
    only(tool, &["look".to_owned()], text)
}

fn asked() -> Scenario {
    let arguments = json!({ "order": "ORD-1", "amount": usd("400.00"), "status": "open" });
    let known = json!({ "owner": "CUS-1", "total": usd("1.00"), "colour": "red" });
    call("look", arguments)
        .matched("CUS-1")
        .seen("order", "ORD-1", known)
}

/// Each holds of [`asked`], and reads in a way of its own.
const HOLDING: &[&str] = &[
    "context.tenant == \"demo\"",
    "context.tenant like \"d*\"",
    "[context.channel].contains(\"chat\")",
    "{ \"who\": context.role }.who == \"agent\"",
    "!context.staff",
    "context.now > 0 && -context.now < 0",
    "context.identity.level == 2",
    "context.identity has customer && context.identity.customer == \"CUS-1\"",
    "context.entity_named",
    "context has entity_id",
    "if context has entity_id then context.entity_id == \"ORD-1\" else false",
    "context has order",
    "context has order.owner && context.order.owner == \"CUS-1\"",
    "context has order.total && context.order.total == 100",
    "context has order && context.order.age == 60",
    "!(context has ticket) && !(context has customer)",
    "context.vendor has order.colour && context.vendor.order.colour == \"red\"",
    "context has amount && context.amount == 40000",
    "context has currency && context.currency == context.settings.currency",
    "context.arguments has status && context.arguments.status == \"open\"",
    "!context.consent.customer && !context.consent.staff",
    "!context.replay",
    "context.spent has refund_customer_day.after && context.spent.refund_customer_day.after == 40000",
    "context.over_budget.contains(\"refund_customer_day\")",
    "context.settings.refund_limit == 15000",
    // As a whole, of which a part is taken elsewhere.
    "{ \"all\": context }.all.tenant == \"demo\"",
    "{ \"all\": context }.all has amount && context.staff == false",
    "(if context.staff then context else context).channel == \"chat\"",
    "context == context && context.entity_named",
];

/// What stands in the scope, and what is asked of others than the context.
const SCOPES: &[(&str, &str)] = &[
    (
        "principal == Actor::\"agent:offline\", action, resource",
        "principal == Actor::\"user:alice\", action, resource",
    ),
    (
        "principal is Actor, action == Action::\"look\", resource is Case",
        "principal, action == Action::\"look\", resource == Case::\"another\"",
    ),
    (
        "principal, action in [Action::\"write\"], resource == Case::\"case-1\"",
        "principal, action in [Action::\"read\"], resource",
    ),
];

/// One rule is for, the other against, each where the condition holds or where it does not; and what is decided.
const PAIRS: &[(&str, Option<&str>, &str)] = &[
    ("when", None, "allow"),
    ("unless", None, "deny NOT_PERMITTED"),
    ("when", Some("unless"), "allow"),
    ("when", Some("when"), "deny AGAINST"),
];

#[test]
fn however_a_rule_reads_it_is_told() {
    let (mut names, mut text, mut expected) = (vec![], String::new(), vec![]);
    for (number, condition) in HOLDING.iter().enumerate() {
        for (of, (permit, forbid, expect)) in PAIRS.iter().enumerate() {
            let name = format!("look_{number}_{of}");
            let scope = format!("principal, action == Action::\"{name}\", resource");
            let permit =
                format!("@id(\"for.{name}\")\npermit ({scope})\n{permit} {{ {condition} }};\n");
            text.push_str(&permit);
            text.extend(forbid.map(|when| {
                format!("@id(\"against.{name}\") @code(\"AGAINST\") @say(\"No.\")\nforbid ({scope})\n{when} {{ {condition} }};\n")
            }));
            expected.push((name.clone(), *expect, condition));
            names.push(name);
        }
    }
    let rulebook = only(&look(), &names, &text);
    for (name, expect, condition) in expected {
        let mut asked = asked();
        asked.call.tool = name;
        assert_eq!(line(&asked.decide(&rulebook)), expect, "{condition}");
    }
}

#[test]
fn a_scope_holds_whoever_and_whatever_it_names() {
    for (holds, fails) in SCOPES {
        let decide = |scope: &str| {
            let text = format!("@id(\"for\")\npermit ({scope});");
            line(&asked().decide(&looking(&look(), &text)))
        };
        assert_eq!(decide(holds), "allow", "{holds}");
        assert_eq!(decide(fails), "deny NOT_PERMITTED", "{fails}");
    }
}

/// A rule that fails is named, and one that does not read what fails another is none of it.
#[test]
fn a_rule_that_fails_is_named() {
    let text = "@id(\"for\")\npermit (principal, action, resource);
        @id(\"fails\") @code(\"F\") @say(\"No.\")\nforbid (principal, action == Action::\"look\", resource)\nwhen { context.now + 9223372036854775807 > 0 };";
    let decision = asked().decide(&looking(&look(), text));
    assert_eq!(line(&decision), "deny RULE_ERROR");
    assert_eq!(rules(&decision), ["fails"]);
}

/// Facts that overflow, or that say one thing twice, refuse a call whose rules look at none of them.
#[test]
fn what_cannot_be_told_refuses_where_nobody_reads_it() {
    let open = "@id(\"open\")\npermit (principal, action, resource);";
    let check = |name: &str, tool: ToolRule, scenario: Scenario, expect: &str| {
        let decision = scenario.decide(&looking(&tool, open));
        assert_eq!(line(&decision), expect, "{name}");
    };
    let refused = "deny RULE_ERROR";
    check("nothing wrong", look(), asked(), "allow");
    let spent = asked().spent("refund_customer_day", i64::MAX);
    check("a sum that overflows", look(), spent, refused);
    let mut ancient = asked();
    for fact in ancient.facts.entities.values_mut() {
        fact.established_at = i64::MIN;
    }
    check("an age that overflows", look(), ancient, refused);
    let twice = ToolRule {
        rates: look().budgets,
        ..look()
    };
    check("a budget twice", twice, asked(), refused);
    let aged = ToolRule {
        establishes: vec![Establishes {
            kind: "order".into(),
            id: "/id".into(),
            attributes: [("age".to_owned(), "/age".to_owned())].into(),
        }],
        ..look()
    };
    let known = |age: Value| asked().seen("order", "ORD-1", json!({ "age": age }));
    check(
        "an age of the vendor's",
        aged.clone(),
        known(json!("old")),
        refused,
    );
    check("none after all", aged, known(json!(7)), "allow");
}
