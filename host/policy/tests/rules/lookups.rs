//! What the answer of a backend that can only be asked proves of an intent.

use std::collections::BTreeSet;

use policy::{Lookup, Nature, Sought, Trace};
use serde_json::{Map, Value, json};

use crate::scenario::{contract, usd};

/// 2026-11-20T10:00:00Z
const RESERVED: i64 = 1_795_168_800;

fn refund_lookup() -> Lookup {
    let rule = contract()
        .remove("process_refund")
        .expect("in the contract");
    rule.lookup.expect("a lookup")
}

fn arguments() -> Map<String, Value> {
    let arguments = json!({ "order_id": "ORD-1", "amount": usd("49.99"), "reason": "broken" });
    arguments.as_object().expect("an object").clone()
}

fn entry(id: &str, amount: &str, at: &str) -> Value {
    json!({ "refund_id": id, "order_id": "ORD-1", "customer_id": "C-1", "amount": usd(amount), "created_at": at })
}

fn find(output: &Value, claimed: &[&str]) -> Trace {
    let claimed: BTreeSet<String> = claimed.iter().map(|id| (*id).to_owned()).collect();
    refund_lookup().find(
        output,
        &Sought {
            arguments: &arguments(),
            since: RESERVED,
            claimed: &claimed,
        },
    )
}

#[test]
fn only_a_whole_answer_proves_anything() {
    let ours = entry("R-2", "49.99", "2026-11-20T10:00:01Z");
    let at_once = entry("R-2", "49.99", "2026-11-20T10:00:00.4Z");
    let before = entry("R-1", "49.99", "2026-11-20T09:00:00Z");
    let just_before = entry("R-1", "49.99", "2026-11-20T09:59:00Z");
    let smaller = entry("R-1", "5.00", "2026-11-20T10:00:01Z");
    let of_another = json!({ "refund_id": "R-1", "order_id": "ORD-2", "amount": usd("49.99"), "created_at": "2026-11-20T10:00:01Z" });
    let undated = json!({ "refund_id": "R-1", "order_id": "ORD-1", "amount": usd("49.99") });
    let without_amount =
        json!({ "refund_id": "R-1", "order_id": "ORD-1", "created_at": "2026-11-20T10:00:01Z" });
    let found = || Trace::Found(ours.clone());
    let list = |entries: &[&Value]| json!({ "order_id": "ORD-1", "refunds": entries });
    for (name, output, expected) in [
        ("ours", list(&[&ours]), found()),
        (
            "in the same second",
            list(&[&at_once]),
            Trace::Found(at_once.clone()),
        ),
        (
            "among others",
            list(&[&before, &smaller, &of_another, &ours]),
            found(),
        ),
        ("nothing", list(&[]), Trace::Absent),
        (
            "others only",
            list(&[&before, &smaller, &of_another]),
            Trace::Absent,
        ),
        (
            "two that fit",
            list(&[&ours, &entry("R-3", "49.99", "2026-11-20T10:00:02Z")]),
            Trace::Unclear,
        ),
        (
            "within the skew of clocks",
            list(&[&just_before]),
            Trace::Unclear,
        ),
        ("without a date", list(&[&undated]), Trace::Unclear),
        (
            "without an amount",
            list(&[&without_amount]),
            Trace::Unclear,
        ),
        ("no list", json!({ "order_id": "ORD-1" }), Trace::Unclear),
        ("no answer", Value::Null, Trace::Unclear),
    ] {
        assert_eq!(find(&output, &[]), expected, "{name}");
    }
    assert_eq!(
        find(&list(&[&ours]), &["R-2"]),
        Trace::Absent,
        "claimed by another intent"
    );
}

#[test]
fn a_state_is_an_effect_too() {
    let rule = contract().remove("cancel_order").expect("in the contract");
    let lookup = rule.lookup.expect("a lookup");
    let claimed = BTreeSet::new();
    let arguments = arguments();
    let sought = Sought {
        arguments: &arguments,
        since: RESERVED,
        claimed: &claimed,
    };
    let cancelled = json!({ "id": "ORD-1", "status": "cancelled" });
    assert_eq!(
        lookup.find(&cancelled, &sought),
        Trace::Found(cancelled.clone())
    );
    assert_eq!(
        lookup.find(&json!({ "status": "processing" }), &sought),
        Trace::Absent
    );
    assert_eq!(lookup.find(&json!({}), &sought), Trace::Unclear);
}

#[test]
fn the_question_is_made_of_the_arguments() {
    let asked = refund_lookup().question(&arguments());
    assert_eq!(
        asked.map(Value::Object),
        Some(json!({ "order_id": "ORD-1" }))
    );
    assert_eq!(refund_lookup().question(&Map::new()), None);
}

#[test]
fn of_two_backends_the_less_able_counts() {
    let asked = |after_seconds| Nature::Queryable { after_seconds };
    for (one, other, both) in [
        (
            Nature::Deduplicates,
            Nature::Deduplicates,
            Nature::Deduplicates,
        ),
        (Nature::Deduplicates, asked(5), asked(5)),
        (asked(60), asked(5), asked(60)),
        (asked(60), Nature::Neither, Nature::Neither),
        (Nature::Deduplicates, Nature::Neither, Nature::Neither),
    ] {
        assert_eq!(
            (one.and(other), other.and(one)),
            (both, both),
            "{one:?} {other:?}"
        );
    }
}
