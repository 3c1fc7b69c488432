//! The shipped rules as a table, and the proof that the table needs every one of them.

use std::collections::BTreeSet;

use policy::ConsentFrom::{Customer, Staff};
use policy::{Level, Prior, Rulebook};
use serde_json::json;

use crate::desk::{contact, inbox, own_ticket, resolve, tickets};
use crate::scenario::{
    BOB, SARAH, SHIPPED, Scenario, call, check, line, order, refund, rules, source, usd,
};

/// What is tried, with what is known, and what comes of it.
pub(crate) type Case = (&'static str, Scenario, &'static str);

/// What comes before what.
#[rustfmt::skip]
fn ordering() -> Vec<Case> {
    let lookup = || call("lookup_order", json!({ "order_id": "ORD-1" }));
    let orders = || call("get_customer_orders", json!({ "customer_id": SARAH }));
    let tracking = || call("get_tracking_info", json!({ "order_id": "ORD-1" }));
    vec![
        ("anybody may say who they are", call("get_customer", json!({ "email": "s@example.com" })), "allow"),
        ("nobody guesses ids", by_id(SARAH), "deny EMAIL_NEEDED"),
        ("nor beside an address", call("get_customer", json!({ "email": "s@example.com", "id": BOB })).matched(SARAH), "deny EMAIL_NEEDED"),
        ("an id that is left empty", call("get_customer", json!({ "email": "s@example.com", "id": null })), "allow"),
        ("the case's own customer by id", by_id(SARAH).claimed(SARAH), "allow"),
        ("somebody else by id", by_id(BOB).matched(SARAH), "deny EMAIL_NEEDED"),
        ("an id of a customer without a level", by_id(SARAH).identity(Level::Anonymous, Some(SARAH)), "deny EMAIL_NEEDED"),
        ("any customer by id, for staff", by_id(BOB).staff(), "allow"),
        ("no order before the customer", lookup(), "deny CUSTOMER_UNKNOWN"),
        ("a level without a customer is nobody", lookup().identity(Level::Verified, None), "deny CUSTOMER_UNKNOWN"),
        ("a customer without a level is nobody", lookup().identity(Level::Anonymous, Some(SARAH)), "deny CUSTOMER_UNKNOWN"),
        ("a claim is enough to look an order up", lookup().claimed(SARAH), "allow"),
        ("staff look up any order", lookup().staff(), "allow"),
        ("another customer's order is not looked up twice", lookup().matched(SARAH).looked_up(json!({ "owner": BOB })), "escalate P1 NOT_OWNER"),
        ("staff look up an order that they have seen", lookup().staff().matched(SARAH).looked_up(json!({ "owner": BOB })), "allow"),
        ("a claim is not enough for all orders", orders().claimed(SARAH), "deny IDENTITY_NOT_MATCHED"),
        ("a match is", orders().matched(SARAH), "allow"),
        ("all orders of somebody else", call("get_customer_orders", json!({ "customer_id": BOB })).matched(SARAH), "escalate P1 OTHER_CUSTOMER"),
        ("no tracking before the lookup", tracking().claimed(SARAH), "deny LOOKUP_FIRST"),
        ("tracking after it", tracking().claimed(SARAH).looked_up(json!({})), "allow"),
        ("tracking of an order that belongs to nobody known", tracking().claimed(SARAH).looked_up(json!({ "owner": null })), "deny OWNER_UNKNOWN"),
        ("tracking for staff", tracking().staff(), "allow"),
        ("refunds of an order that was looked up", call("list_refunds", json!({ "order_id": "ORD-1" })).claimed(SARAH).looked_up(json!({})), "allow"),
        ("no refund before the customer", refund("49.99").anonymous().looked_up(json!({})), "deny CUSTOMER_UNKNOWN"),
        ("staff need a customer to refund", refund("49.99").anonymous().looked_up(json!({})).staff(), "deny CUSTOMER_UNKNOWN"),
        ("no refund before the lookup", refund("49.99"), "deny LOOKUP_FIRST"),
        ("a lookup of another order does not count", refund("49.99").seen("order", "ORD-2", order(json!({}))), "deny LOOKUP_FIRST"),
        ("what is named like the order but is none does not count", refund("49.99").seen("ticket", "ORD-1", order(json!({}))), "deny LOOKUP_FIRST"),
        ("a claim is not enough to refund", refund("49.99").claimed(SARAH).looked_up(json!({})), "deny IDENTITY_NOT_MATCHED"),
        ("a match is, after a lookup", refund("49.99").looked_up(json!({})), "allow"),
        ("so is a session", refund("49.99").looked_up(json!({})).identity(Level::Verified, Some(SARAH)), "allow"),
        ("a lookup of an hour ago", refund("49.99").seen_ago(3600, "order", "ORD-1", order(json!({}))), "allow"),
        ("a lookup of more than an hour ago", refund("49.99").seen_ago(3601, "order", "ORD-1", order(json!({}))), "deny LOOKUP_STALE"),
    ]
}

/// What has happened already changes what may happen now, but never who may see it.
#[rustfmt::skip]
fn idempotency() -> Vec<Case> {
    let refunded = || refund("49.99").looked_up(json!({ "refund_eligible": false, "refunded": usd("400.00") }));
    let cancelled = || cancel().looked_up(json!({ "status": "cancelled" }));
    let large = || refund("200.00").looked_up(json!({}));
    vec![
        ("asked again, the order is refunded by now", refunded().prior(Prior::Same), "replay"),
        ("the same without a prior", refunded(), "deny NOT_ELIGIBLE"),
        ("other terms are no replay", refunded().prior(Prior::Other), "deny NOT_ELIGIBLE"),
        ("other terms of a refundable order go to the ledger", refund("10.00").looked_up(json!({})).prior(Prior::Other), "allow"),
        ("our own intent goes on", refunded().prior(Prior::Own), "allow"),
        ("a replay is not stale", refund("49.99").seen_ago(9999, "order", "ORD-1", order(json!({}))).prior(Prior::Same), "replay"),
        ("a replay is inside of any window", refund("49.99").looked_up(json!({ "delivered_at": "2020-01-01T00:00:00Z" })).prior(Prior::Same), "replay"),
        ("a replay asks for no approval", large().prior(Prior::Same), "replay"),
        ("a replay draws on no budget", refund("49.99").looked_up(json!({})).spent("refund_customer_day", 30_000).prior(Prior::Same), "replay"),
        ("a replay needs the customer", refunded().anonymous().prior(Prior::Same), "deny CUSTOMER_UNKNOWN"),
        ("a replay needs the match", refunded().claimed(SARAH).prior(Prior::Same), "deny IDENTITY_NOT_MATCHED"),
        ("a replay needs the lookup", refund("49.99").prior(Prior::Same), "deny LOOKUP_FIRST"),
        ("a replay shows nobody else's refund", refunded().matched(BOB).prior(Prior::Same), "escalate P1 NOT_OWNER"),
        ("going on needs the owner too", refunded().matched(BOB).prior(Prior::Own), "escalate P1 NOT_OWNER"),
        ("cancelling again asks nobody", cancelled().prior(Prior::Same), "replay"),
        ("cancelling what somebody else cancelled", cancelled(), "deny NOT_CANCELLABLE"),
        ("the same label again", label().looked_up(json!({ "status": "returned" })).prior(Prior::Same), "replay"),
        ("the same credit again", credit("5.00").spent("credit_customer_day", 5_000).prior(Prior::Same), "replay"),
        ("the same change again", update().prior(Prior::Same), "replay"),
        ("the same contact again", contact().staff().prior(Prior::Same), "replay"),
        ("the same contact again, by no staff", contact().matched(SARAH).prior(Prior::Same), "deny STAFF_ONLY"),
        ("the same resolution again", resolve().prior(Prior::Same).seen("ticket", "T-1", own_ticket()), "replay"),
        ("the same resolution needs the lookup", resolve().prior(Prior::Same), "deny LOOKUP_FIRST"),
        ("a label again, after the window", label().looked_up(json!({ "delivered_at": "2020-01-01T00:00:00Z" })).prior(Prior::Same), "replay"),
        ("a label again, refunded by now", label().looked_up(json!({ "refunded": usd("400.00") })).prior(Prior::Same), "replay"),
    ]
}

/// Whose it is, and money.
#[rustfmt::skip]
fn refunds() -> Vec<Case> {
    let of = |changes| refund("49.99").looked_up(changes);
    let euros = json!({ "amount": "49.99", "currency": "EUR" });
    let in_euros = || call("process_refund", json!({ "order_id": "ORD-1", "amount": euros })).matched(SARAH);
    let euro_order = json!({ "total": euros, "refunded": { "amount": "0", "currency": "EUR" } });
    vec![
        ("another customer's order", of(json!({ "owner": BOB })), "escalate P1 NOT_OWNER"),
        ("another customer's order that could not be refunded anyway", of(json!({ "owner": BOB, "refund_eligible": false })), "escalate P1 NOT_OWNER"),
        ("another customer's order, by staff", of(json!({ "owner": BOB })).staff(), "escalate P1 NOT_OWNER"),
        ("nobody's order", of(json!({ "owner": null })), "deny OWNER_UNKNOWN"),
        ("an order that is not eligible", of(json!({ "refund_eligible": false })), "deny NOT_ELIGIBLE"),
        ("eligibility unknown", of(json!({ "refund_eligible": null })), "deny NOT_ELIGIBLE"),
        ("eligibility in words", of(json!({ "refund_eligible": "true" })), "deny NOT_ELIGIBLE"),
        ("not delivered", of(json!({ "delivered_at": null })), "deny NOT_DELIVERED"),
        ("delivered at no time", of(json!({ "delivered_at": "last week" })), "deny NOT_DELIVERED"),
        ("cancelled before it left", of(json!({ "status": "cancelled", "delivered_at": null })), "allow"),
        ("cancelled, and not eligible", of(json!({ "status": "cancelled", "delivered_at": null, "refund_eligible": false })), "deny NOT_ELIGIBLE"),
        ("on its way", of(json!({ "status": "shipped", "delivered_at": null })), "deny NOT_DELIVERED"),
        ("no state, not delivered", of(json!({ "status": null, "delivered_at": null })), "deny NOT_DELIVERED"),
        ("cancelled, but delivered long ago", of(json!({ "status": "cancelled", "delivered_at": "2026-01-01T00:00:00Z" })), "deny WINDOW_PASSED"),
        ("the last second of the window", of(json!({ "delivered_at": "2026-10-21T12:00:00Z" })), "allow"),
        ("a second later", of(json!({ "delivered_at": "2026-10-21T11:59:59Z" })), "deny WINDOW_PASSED"),
        ("nothing", refund("0.00").looked_up(json!({})), "deny AMOUNT_INVALID"),
        ("less than nothing", refund("-5.00").looked_up(json!({})), "deny AMOUNT_INVALID"),
        ("no amount", call("process_refund", json!({ "order_id": "ORD-1" })).matched(SARAH).looked_up(json!({})), "deny AMOUNT_INVALID"),
        ("an amount that is none", refund("a lot").looked_up(json!({})), "deny AMOUNT_INVALID"),
        ("total unknown", of(json!({ "total": null })), "deny LOOKUP_INCOMPLETE"),
        ("refunded so far unknown", of(json!({ "refunded": null })), "deny LOOKUP_INCOMPLETE"),
        ("sums in two currencies", of(json!({ "refunded": { "amount": "1", "currency": "EUR" } })), "deny LOOKUP_INCOMPLETE"),
        ("refunded so far below zero", of(json!({ "refunded": usd("-1.00") })), "deny LOOKUP_INCOMPLETE"),
        ("a total below zero, which leaves what no number can hold", of(json!({ "total": usd("-92233720368547758.08"), "refunded": usd("1.00") })), "deny LOOKUP_INCOMPLETE"),
        ("a currency that is not the order's", in_euros().looked_up(json!({})), "deny CURRENCY_MISMATCH"),
        ("the order's currency, not the tenant's", in_euros().looked_up(euro_order.clone()), "ask staff P2 FOREIGN_CURRENCY"),
        ("the same, approved", in_euros().looked_up(euro_order).consent(Staff), "allow"),
        ("all that is left", of(json!({ "total": usd("60.00"), "refunded": usd("10.01") })), "allow"),
        ("a cent more than what is left", of(json!({ "total": usd("60.00"), "refunded": usd("10.02") })), "deny ABOVE_ORDER"),
        ("the limit", refund("150.00").looked_up(json!({})), "allow"),
        ("a cent above the limit", refund("150.01").looked_up(json!({})), "ask staff P2 LIMIT_EXCEEDED"),
        ("above the limit, approved", refund("150.01").looked_up(json!({})).consent(Staff), "allow"),
        ("above the limit, with the customer's yes", refund("150.01").looked_up(json!({})).consent(Customer), "ask staff P2 LIMIT_EXCEEDED"),
        ("above the limit, and not eligible: nobody is asked", refund("150.01").looked_up(json!({ "refund_eligible": false })), "deny NOT_ELIGIBLE"),
        ("the customer's budget, used up exactly", of(json!({})).spent("refund_customer_day", 25_001), "allow"),
        ("the customer's budget overdrawn", of(json!({})).spent("refund_customer_day", 25_002), "escalate P2 BUDGET_EXCEEDED"),
        ("the tenant's budget overdrawn", of(json!({})).spent("refund_tenant_day", 500_000), "escalate P2 BUDGET_EXCEEDED"),
        ("the day's calls, used up exactly", of(json!({})).spent("refund_calls_customer_day", 49), "allow"),
        ("one call too many, however small", of(json!({})).spent("refund_calls_customer_day", 50), "escalate P2 BUDGET_EXCEEDED"),
        ("approval does not raise a budget", refund("200.00").looked_up(json!({})).spent("refund_tenant_day", 500_000).consent(Staff), "escalate P2 BUDGET_EXCEEDED"),
        ("above the limit and the budget: told, not asked", refund("200.00").looked_up(json!({})).spent("refund_tenant_day", 500_000), "escalate P2 BUDGET_EXCEEDED"),
        ("a sum that cannot be computed", of(json!({})).spent("refund_tenant_day", i64::MAX), "deny RULE_ERROR"),
    ]
}

#[rustfmt::skip]
fn other_writes() -> Vec<Case> {
    vec![
        ("cancelling asks the customer", cancel().looked_up(json!({ "status": "processing" })), "ask customer CONSENT_NEEDED"),
        ("the customer said yes", cancel().looked_up(json!({ "status": "pending" })).consent(Customer), "allow"),
        ("a supervisor said yes", cancel().looked_up(json!({ "status": "pending" })).consent(Staff), "allow"),
        ("a shipped order is not cancelled, yes or no", cancel().looked_up(json!({ "status": "shipped" })).consent(Customer), "deny ALREADY_SHIPPED"),
        ("nor one in no known state", cancel().looked_up(json!({ "status": null })).consent(Customer), "deny NOT_CANCELLABLE"),
        ("a label for an order that was delivered", label().looked_up(json!({})), "allow"),
        ("a label for one that is on its way", label().looked_up(json!({ "status": "shipped", "delivered_at": null })), "allow"),
        ("a label in the last second of the window", label().looked_up(json!({ "delivered_at": "2026-10-21T12:00:00Z" })), "allow"),
        ("no label a second later", label().looked_up(json!({ "delivered_at": "2026-10-21T11:59:59Z" })), "deny WINDOW_PASSED"),
        ("a label for what is refunded in part", label().looked_up(json!({ "refunded": usd("399.99") })), "allow"),
        ("no label for what is refunded in full", label().looked_up(json!({ "refunded": usd("400.00") })), "deny ALREADY_REFUNDED"),
        ("a label for what was free", label().looked_up(json!({ "total": usd("0.00") })), "allow"),
        ("no label for one that was not sent", label().looked_up(json!({ "status": "processing" })), "deny NOT_RETURNABLE"),
        ("no label for somebody else", label().looked_up(json!({ "owner": BOB })), "escalate P1 NOT_OWNER"),
        ("a small credit", credit("20.00"), "allow"),
        ("a credit of nothing", credit("0"), "deny AMOUNT_INVALID"),
        ("a larger credit", credit("20.01"), "ask staff P2 LIMIT_EXCEEDED"),
        ("a larger credit, approved", credit("20.01").consent(Staff), "allow"),
        ("a credit for a claim", credit("5.00").claimed(SARAH), "deny IDENTITY_NOT_MATCHED"),
        ("a credit above the day's budget", credit("20.00").spent("credit_customer_day", 3_001), "escalate P2 BUDGET_EXCEEDED"),
        ("a credit for somebody else", credit("5.00").matched(BOB), "escalate P1 OTHER_CUSTOMER"),
        ("a change of details asks the customer", update(), "ask customer CONSENT_NEEDED"),
        ("a change that the customer confirmed", update().consent(Customer), "allow"),
        ("a change by staff", update().staff(), "allow"),
        ("a change for somebody else, by staff", update().staff().matched(BOB), "escalate P1 OTHER_CUSTOMER"),
        ("anybody may open a ticket", call("create_ticket", json!({ "subject": "s", "priority": "low" })), "allow"),
        ("anybody may call a person", call("escalate_to_human", json!({ "priority": "P1", "team": "support" })), "allow"),
        ("anybody may ask the knowledge base", call("search_knowledge_base", json!({ "query": "q" })), "allow"),
        ("a tool that nobody classified", call("delete_everything", json!({})), "deny UNCLASSIFIED"),
    ]
}

fn by_id(customer: &str) -> Scenario {
    call("get_customer", json!({ "id": customer }))
}

fn cancel() -> Scenario {
    call(
        "cancel_order",
        json!({ "order_id": "ORD-1", "reason": "late" }),
    )
    .matched(SARAH)
}

fn label() -> Scenario {
    call(
        "create_return",
        json!({ "order_id": "ORD-1", "reason": "broken" }),
    )
    .matched(SARAH)
}

fn credit(amount: &str) -> Scenario {
    call(
        "add_credit",
        json!({ "customer_id": SARAH, "amount": usd(amount), "reason": "late" }),
    )
    .matched(SARAH)
}

fn update() -> Scenario {
    call(
        "update_customer_info",
        json!({ "customer_id": SARAH, "email": "new@example.com" }),
    )
    .matched(SARAH)
}

fn all() -> Vec<Case> {
    [
        ordering(),
        idempotency(),
        refunds(),
        other_writes(),
        tickets(),
        inbox(),
    ]
    .concat()
}

#[test]
fn the_table_holds() {
    for (name, scenario, expect) in all() {
        check(name, &scenario, expect);
    }
}

/// Every shipped rule matters to some case: a forbid stands against it, and without a permit it comes out differently.
/// Those of `capability.cedar` have their own table.
#[test]
fn every_shipped_rule_decides_something() {
    let cases = all();
    let lines = |rulebook: &Rulebook| -> Vec<String> {
        let decided = cases
            .iter()
            .map(|(_, scenario, _)| scenario.decide(rulebook));
        decided.map(|decision| line(&decision)).collect()
    };
    let whole = lines(&SHIPPED);
    let against: BTreeSet<String> = cases
        .iter()
        .flat_map(|(_, scenario, _)| rules(&scenario.decide(&SHIPPED)))
        .collect();
    for id in shipped_ids() {
        if id.starts_with("http.") || against.contains(&id) {
            continue;
        }
        let mutant = Rulebook::load(without(&id)).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert!(lines(&mutant) != whole, "no case needs the rule {id}");
    }
}

/// What customers hear names no code, no tool, no figure; and nobody is left without words.
#[test]
fn what_customers_hear_is_plain() {
    for (file, text) in Rulebook::SHIPPED {
        for said in text.lines().filter_map(|line| line.strip_prefix("@say(\"")) {
            let said = said.trim_end_matches("\")");
            assert!(said.len() > 20, "{file}: {said}");
            assert!(
                !said.contains(|c: char| c.is_ascii_digit() || "_`@".contains(c)),
                "{file}: {said}"
            );
        }
    }
}

/// Of several objections the one with the highest priority is heard, and all are recorded.
#[test]
fn a_refusal_names_every_rule_by_falling_priority() {
    let scenario = refund("500.00").anonymous();
    assert_eq!(
        rules(&scenario.decide(&SHIPPED)),
        [
            "identity.unknown",
            "order.not_looked_up",
            "identity.not_matched",
            "budget.exceeded",
            "refund.limit"
        ]
    );
}

#[test]
fn a_permit_carries_the_call_that_was_judged() {
    let scenario = refund("49.99").looked_up(json!({}));
    let policy::Decision::Allow(permit) = scenario.decide(&SHIPPED) else {
        panic!("allowed");
    };
    assert_eq!(*permit.call(), scenario.call);
    assert_eq!(permit.scope().effect, policy::Effect::Write);
    assert_eq!(
        permit.scope().max_http_calls,
        SHIPPED.settings().max_http_calls
    );
}

pub(crate) fn shipped_ids() -> Vec<String> {
    let texts = Rulebook::SHIPPED.iter().map(|(_, text)| *text);
    texts
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix("@id(\"")?.strip_suffix("\")"))
        .map(str::to_owned)
        .collect()
}

/// The shipped rulebook less one rule: from its `@id` to the next one.
pub(crate) fn without(id: &str) -> policy::RulebookSource {
    let mut source = source();
    let start = format!("@id(\"{id}\")");
    for (_, text) in &mut source.policies {
        if let Some(from) = text.find(&start) {
            let rest = from + start.len();
            let to = text[rest..].find("@id(").map_or(text.len(), |at| rest + at);
            text.replace_range(from..to, "");
        }
    }
    source
}
