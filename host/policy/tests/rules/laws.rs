//! The laws that hold for every rulebook, call and set of facts.

use std::sync::LazyLock;

use policy::ConsentFrom::{Customer, Staff};
use policy::{Decision, Level, Prior, Role, Rulebook, RulebookSource};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::scenario::{BOB, SARAH, SHIPPED, Scenario, call, contract, line, source, usd};

/// How far a call gets.
fn gain(decision: &Decision) -> u8 {
    match decision {
        Decision::Deny(_) | Decision::Escalate { .. } => 0,
        Decision::NeedsConsent { .. } => 1,
        Decision::Allow(_) | Decision::Replay => 2,
    }
}

fn allowed(decision: &Decision) -> bool {
    gain(decision) == 2
}

fn any_long() -> BoxedStrategy<i64> {
    prop_oneof![
        select(vec![
            i64::MIN,
            i64::MIN + 1,
            -1,
            0,
            1,
            i64::MAX - 1,
            i64::MAX
        ]),
        -100_000_i64..100_000,
        any::<i64>(),
    ]
    .boxed()
}

fn any_amount() -> BoxedStrategy<Value> {
    let amounts = prop_oneof![
        4 => (1_i64..60_000).prop_map(|cents| format!("{}.{:02}", cents / 100, cents % 100)),
        1 => select(vec!["0", "-1", "92233720368547758.07", "-92233720368547758.08", "x"]).prop_map(str::to_owned),
    ];
    let currencies = select(vec!["USD", "USD", "USD", "EUR", "JPY", "?"]);
    (amounts, currencies)
        .prop_map(|(amount, currency)| json!({ "amount": amount, "currency": currency }))
        .boxed()
}

fn any_junk() -> BoxedStrategy<Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|flag| json!(flag)),
        any_long().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,12}".prop_map(|text| json!(text)),
        any_amount(),
        Just(json!([{ "a": [] }])),
    ]
    .boxed()
}

/// An order's attributes: mostly sound, each at times junk or absent.
fn any_order() -> BoxedStrategy<Value> {
    let or_junk = |sound: BoxedStrategy<Value>| prop_oneof![8 => sound, 1 => any_junk()];
    (
        or_junk(select(vec![json!(SARAH), json!(SARAH), json!(BOB)]).boxed()),
        or_junk(select(["pending", "processing", "shipped", "delivered", "cancelled"].map(|s| json!(s)).to_vec()).boxed()),
        or_junk(any_amount().boxed()),
        or_junk(select(vec![usd("0"), usd("10.00")]).boxed()),
        or_junk(select(vec![json!(true), json!(true), json!(false)]).boxed()),
        or_junk(select(vec![json!("2026-11-15T12:00:00Z"), json!("2026-01-01T00:00:00Z")]).boxed()),
    )
        .prop_map(|(owner, status, total, refunded, eligible, delivered)| {
            json!({ "owner": owner, "status": status, "total": total, "refunded": refunded, "refund_eligible": eligible, "delivered_at": delivered })
        })
        .boxed()
}

fn any_ticket() -> BoxedStrategy<Value> {
    let owners =
        prop_oneof![4 => select(vec![json!(SARAH), json!(SARAH), json!(BOB)]), 1 => any_junk()];
    (owners, 0.0..1.0_f64)
        .prop_map(|(owner, sure)| json!({ "owner": owner, "suggestion_confidence": sure }))
        .boxed()
}

fn any_arguments() -> BoxedStrategy<Value> {
    let statuses = select(vec![json!("resolved"), json!("open"), json!(7)]);
    (any_amount(), statuses, any_junk(), any::<bool>()).prop_map(|(amount, status, junk, named)| {
        let (order, customer) = if named { (json!("ORD-1"), json!(SARAH)) } else { (junk.clone(), junk) };
        json!({ "id": customer, "order_id": order, "customer_id": customer, "ticket_id": "T-1", "conversation_id": "c", "amount": amount, "status": status, "email": "a@example.com" })
    })
        .boxed()
}

fn any_tool() -> BoxedStrategy<String> {
    let mut names: Vec<String> = contract().into_keys().collect();
    names.extend([
        "process_refund".to_owned(),
        "process_refund".to_owned(),
        "no_such_tool".to_owned(),
    ]);
    select(names).boxed()
}

pub(crate) fn any_scenario() -> BoxedStrategy<Scenario> {
    let who = (
        select(vec![
            Level::Anonymous,
            Level::Claimed,
            Level::Matched,
            Level::Matched,
            Level::Verified,
        ]),
        select(vec![None, Some(SARAH), Some(SARAH), Some(BOB)]),
        select(vec![
            Role::Agent,
            Role::Agent,
            Role::Supervisor,
            Role::Admin,
        ]),
    );
    let what = (any_tool(), any_arguments(), any_order(), any_ticket());
    let when = (
        prop_oneof![6 => 0_i64..8_000, 1 => any_long()],
        select(vec![None, None, Some(Customer), Some(Staff)]),
        select(vec![
            Prior::None,
            Prior::None,
            Prior::Same,
            Prior::Own,
            Prior::Other,
        ]),
        prop_oneof![3 => 0_i64..40_000, 1 => any_long()],
        prop_oneof![6 => Just(crate::scenario::NOW), 1 => any_long()],
    );
    (who, what, when)
        .prop_map(
            |(
                (level, customer, role),
                (tool, arguments, order, ticket),
                (age, consent, prior, spent, now),
            )| {
                let mut scenario = call(&tool, arguments)
                    .identity(level, customer)
                    .seen("order", "ORD-1", order)
                    .seen("ticket", "T-1", ticket)
                    .spent("refund_customer_day", spent)
                    .spent("credit_customer_day", spent)
                    .prior(prior);
                for fact in scenario.facts.entities.values_mut() {
                    fact.established_at = now.wrapping_sub(age);
                }
                scenario.call.actor.role = role;
                scenario.facts.now = now;
                match consent {
                    Some(from) => scenario.consent(from),
                    None => scenario,
                }
            },
        )
        .boxed()
}

/// A refund that is often allowed, so that the laws below are about something.
fn plausible_refund() -> BoxedStrategy<Scenario> {
    (any_scenario(), 1_i64..50_000, any_order())
        .prop_map(|(any, cents, order)| {
            let amount = usd(&format!("{}.{:02}", cents / 100, cents % 100));
            let mut scenario = call(
                "process_refund",
                json!({ "order_id": "ORD-1", "amount": amount }),
            )
            .matched(SARAH)
            .seen("order", "ORD-1", order);
            scenario.facts.consent = any.facts.consent;
            scenario.facts.prior = any.facts.prior;
            scenario.facts.spent = any.facts.spent;
            scenario.call.actor = any.call.actor;
            scenario
        })
        .boxed()
}

/// Rules that somebody might add: some cannot be evaluated for some calls.
const FORBIDS: &[&str] = &[
    "when { true }",
    "when { context.staff }",
    "when { context.identity.level < 3 }",
    "when { context has amount && context.amount > 2000 }",
    "when { context has amount && context.amount * 1000000000000 > 1 }",
    "when { context.now + 9000000000000000000 > 0 }",
    "when { context.replay }",
    "when { context.consent.staff }",
    "unless { context.entity_named }",
];

const SOFTENERS: &[&str] = &[
    "",
    "@escalate(\"P1\")",
    "@consent(\"customer\")",
    "@consent(\"staff\") @escalate(\"P3\")",
    "@alarm(\"P2\")",
];

static WITH_MORE: LazyLock<Vec<Rulebook>> = LazyLock::new(|| {
    let with = |condition: &str, softener: &str| {
        let mut source = source();
        let action = "action in [Action::\"read\", Action::\"write\", Action::\"escalation\"]";
        let text = format!(
            "@id(\"more\") @code(\"MORE\") @say(\"No.\") @prio(\"250\") {softener}\nforbid (principal, {action}, resource) {condition};"
        );
        source.policies.push(("more.cedar".to_owned(), text));
        Rulebook::load(source).unwrap_or_else(|error| panic!("{condition}: {error}"))
    };
    let softeners = SOFTENERS.iter().cycle();
    FORBIDS
        .iter()
        .zip(softeners)
        .map(|(condition, softener)| with(condition, softener))
        .collect()
});

static EMPTY: LazyLock<Rulebook> = LazyLock::new(|| {
    Rulebook::load(RulebookSource {
        policies: vec![],
        ..source()
    })
    .expect("loads")
});

static FAILING: LazyLock<Rulebook> = LazyLock::new(|| {
    let text = "@id(\"fails\") @code(\"C\") @say(\"S\")\nforbid (principal, action in [Action::\"read\", Action::\"write\"], resource) when { context.now + 9223372036854775807 < 0 };";
    let mut source = source();
    source
        .policies
        .push(("fails.cedar".to_owned(), text.to_owned()));
    Rulebook::load(source).expect("loads")
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn deciding_is_total_and_deterministic(scenario in any_scenario()) {
        let (once, again) = (scenario.decide(&SHIPPED), scenario.decide(&SHIPPED));
        prop_assert_eq!(format!("{once:?}"), format!("{again:?}"));
    }

    #[test]
    fn where_no_rule_speaks_nothing_is_allowed(scenario in any_scenario()) {
        prop_assert!(!allowed(&scenario.decide(&EMPTY)));
    }

    #[test]
    fn one_more_forbid_never_allows_more(scenario in any_scenario(), which in 0..FORBIDS.len()) {
        let (before, after) = (scenario.decide(&SHIPPED), scenario.decide(&WITH_MORE[which]));
        prop_assert!(allowed(&before) || !allowed(&after), "{} then {}", line(&before), line(&after));
    }

    #[test]
    fn a_rule_that_fails_refuses(mut scenario in any_scenario()) {
        scenario.facts.now = scenario.facts.now.saturating_abs().max(1);
        let decision = scenario.decide(&FAILING);
        let tool = SHIPPED.tool(&scenario.call.tool);
        if tool.is_some_and(|rule| rule.effect != policy::Effect::Escalation) {
            prop_assert_eq!(line(&decision), "deny RULE_ERROR");
        }
    }

    #[test]
    fn more_money_never_gains(scenario in plausible_refund(), more in 1_i64..1_000_000) {
        let mut larger = scenario.clone();
        let amount = policy::Money::parse(&scenario.call.arguments["amount"]).expect("money");
        let raised = policy::Money { minor: amount.minor + more, ..amount };
        larger.call.arguments["amount"] = raised.to_json();
        let (small, large) = (scenario.decide(&SHIPPED), larger.decide(&SHIPPED));
        prop_assert!(gain(&large) <= gain(&small), "{} then {}", line(&small), line(&large));
    }

    #[test]
    fn a_lower_identity_never_gains(scenario in any_scenario(), level in select(vec![Level::Anonymous, Level::Claimed, Level::Matched]), forget in any::<bool>()) {
        let mut lower = scenario.clone();
        lower.facts.identity.level = level.min(scenario.facts.identity.level);
        if forget {
            lower.facts.identity.customer = None;
        }
        let (high, low) = (scenario.decide(&SHIPPED), lower.decide(&SHIPPED));
        prop_assert!(gain(&low) <= gain(&high), "{} then {}", line(&high), line(&low));
    }

    #[test]
    fn an_older_lookup_never_gains(scenario in plausible_refund(), seconds in 0_i64..20_000) {
        let mut older = scenario.clone();
        for fact in older.facts.entities.values_mut() {
            fact.established_at -= seconds;
        }
        let (fresh, old) = (scenario.decide(&SHIPPED), older.decide(&SHIPPED));
        prop_assert!(gain(&old) <= gain(&fresh), "{} then {}", line(&fresh), line(&old));
    }

    /// What every refund that is allowed has in common, read off the facts without the rules.
    #[test]
    fn an_allowed_refund_is_owned_positive_and_within_bounds(scenario in plausible_refund()) {
        if let Decision::Allow(permit) = scenario.decide(&SHIPPED) {
            let (_, order) = scenario.facts.entities.first_key_value().expect("looked up");
            let amount = policy::Money::parse(&permit.call().arguments["amount"]).expect("money");
            let approved = scenario.facts.consent.as_ref().is_some_and(|given| given.from == Staff);
            prop_assert_eq!(&order.attributes["owner"], &json!(SARAH));
            prop_assert!(amount.minor > 0);
            if scenario.facts.prior != Prior::Own {
                let total = policy::Money::parse(&order.attributes["total"]).expect("money");
                let refunded = policy::Money::parse(&order.attributes["refunded"]).expect("money");
                prop_assert!(amount.minor <= total.minor - refunded.minor);
                prop_assert!(amount.minor <= 15_000 || approved);
                prop_assert_eq!(&order.attributes["refund_eligible"], &json!(true));
            }
        }
    }
}

/// The tools that concern one ticket.
const OF_TICKETS: &[&str] = &[
    "get_ticket",
    "summarize_ticket",
    "suggest_response",
    "update_ticket",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// What an agent may do with a ticket, read off the facts without the rules.
    #[test]
    fn an_agent_changes_owned_tickets_and_a_claim_reads_no_others(mut scenario in any_scenario(), tool in select(OF_TICKETS.to_vec())) {
        tool.clone_into(&mut scenario.call.tool);
        let identity = &scenario.facts.identity;
        if allowed(&scenario.decide(&SHIPPED)) && scenario.call.actor.role == Role::Agent {
            let customer = identity.customer.as_deref().expect("somebody known");
            let mut tickets = scenario.facts.entities.iter().filter(|(entity, _)| entity.kind == "ticket");
            let (_, ticket) = tickets.next().expect("a ticket");
            let owned = ticket.attributes.get("owner") == Some(&json!(customer));
            prop_assert!(owned || (tool != "update_ticket" && identity.level >= Level::Matched));
        }
    }
}

/// The generators reach every outcome: otherwise the laws above would hold of nothing.
#[test]
fn the_laws_are_about_something() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    let scenarios = prop_oneof![any_scenario(), plausible_refund()];
    for _ in 0..3_000 {
        let scenario = scenarios
            .new_tree(&mut runner)
            .expect("a scenario")
            .current();
        let line = line(&scenario.decide(&SHIPPED));
        seen.insert(line.split(' ').next().expect("a word").to_owned());
    }
    assert_eq!(
        Vec::from_iter(seen),
        ["allow", "ask", "deny", "escalate", "replay"]
    );
}
