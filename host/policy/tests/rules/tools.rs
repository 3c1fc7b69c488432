//! What the host reads from arguments and outputs by a tool's rule.

use std::collections::BTreeSet;

use policy::{Effect, Entity, EntityRule, Establishes, Intent, Owners, ToolRule};
use serde_json::{Map, Value, json};

use crate::scenario::{contract, usd};

fn rule() -> ToolRule {
    contract()
        .remove("process_refund")
        .expect("in the contract")
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

#[test]
fn the_entity_is_named_by_the_arguments() {
    for (arguments, expect) in [
        (json!({ "order_id": "ORD-1" }), Some("ORD-1")),
        (json!({ "order_id": 17 }), Some("17")),
        (json!({ "order_id": "" }), None),
        (json!({ "order_id": null }), None),
        (json!({ "order_id": ["ORD-1"] }), None),
        (json!({}), None),
    ] {
        let entity = rule().entity(&object(arguments.clone()));
        assert_eq!(
            entity.as_ref().map(|found| found.id.as_str()),
            expect,
            "{arguments}"
        );
    }
}

#[test]
fn pointers_reach_into_nested_arguments() {
    let nested = ToolRule {
        entity: Some(EntityRule {
            kind: "order".into(),
            id: "/what/ids/0/a~1b".into(),
        }),
        ..rule()
    };
    let arguments = object(json!({ "what": { "ids": [{ "a/b": "ORD-9" }] } }));
    assert_eq!(
        nested.entity(&arguments),
        Some(Entity {
            kind: "order".into(),
            id: "ORD-9".into()
        })
    );
}

#[test]
fn a_call_draws_its_amount_or_counts_as_one() {
    let rule = rule();
    assert_eq!(
        rule.draw(&object(json!({ "amount": usd("49.99") }))),
        Some(4_999)
    );
    assert_eq!(
        rule.draw(&object(json!({ "amount": usd("-49.99") }))),
        Some(0)
    );
    assert_eq!(rule.draw(&object(json!({ "amount": "49.99" }))), None);
    let counted = ToolRule {
        amount: None,
        ..rule
    };
    assert_eq!(counted.draw(&object(json!({}))), Some(1));
}

fn with_intent(intent: Option<Intent>) -> ToolRule {
    ToolRule { intent, ..rule() }
}

fn intent(key: &[&str], terms: &[&str], per_case: bool) -> Intent {
    let own = |pointers: &[&str]| pointers.iter().map(|at| (*at).to_owned()).collect();
    Intent {
        key: own(key),
        terms: own(terms),
        per_case,
        latest: false,
    }
}

#[test]
fn one_intent_has_one_key() {
    let refund = json!({ "order_id": "ORD-1", "amount": usd("49.99"), "reason": "broken" });
    let reworded = json!({ "reason": "it broke", "amount": { "currency": "USD", "amount": "49.99" }, "order_id": "ORD-1" });
    let smaller = json!({ "order_id": "ORD-1", "amount": usd("10.00"), "reason": "broken" });
    let other = json!({ "order_id": "ORD-2", "amount": usd("49.99"), "reason": "broken" });
    let key = |rule: &ToolRule, case: &str, arguments: &Value| {
        rule.intent_key("demo", "process_refund", case, &object(arguments.clone()))
    };
    let terms = |rule: &ToolRule, arguments: &Value| rule.terms_digest(&object(arguments.clone()));

    let by_order = with_intent(Some(intent(
        &["/order_id"],
        &["/order_id", "/amount"],
        false,
    )));
    assert_eq!(
        key(&by_order, "c1", &refund),
        r#"["demo","process_refund",null,{"/order_id":"ORD-1"}]"#
    );
    assert_eq!(
        key(&by_order, "c1", &refund),
        key(&by_order, "c2", &smaller)
    );
    assert_ne!(key(&by_order, "c1", &refund), key(&by_order, "c1", &other));
    assert_eq!(terms(&by_order, &refund), terms(&by_order, &reworded));
    assert_ne!(terms(&by_order, &refund), terms(&by_order, &smaller));

    let by_key = with_intent(Some(intent(&["/order_id"], &[], false)));
    assert_eq!(
        terms(&by_key, &refund),
        terms(&by_key, &smaller),
        "the key is the terms"
    );

    let per_case = with_intent(Some(intent(&["/order_id"], &[], true)));
    assert_ne!(key(&per_case, "c1", &refund), key(&per_case, "c2", &refund));

    let none = with_intent(None);
    assert_eq!(
        key(&none, "c1", &refund),
        key(
            &none,
            "c1",
            &json!({ "order_id": "ORD-1", "amount": usd("49.99"), "reason": "broken", "note": null })
        )
    );
    assert_ne!(key(&none, "c1", &refund), key(&none, "c1", &reworded));
    assert_ne!(key(&none, "c1", &refund), key(&none, "c2", &refund));
}

/// Of what is set, the last value counts, whichever case set it: a value set back from another case is no replay. A tag is put
/// on once in a case.
#[test]
fn the_contract_keys_what_is_set_by_the_thing() {
    let contract = contract();
    let key = |tool: &str, case: &str, arguments: Value| {
        contract[tool].intent_key("demo", tool, case, &object(arguments))
    };
    for tool in [
        "update_customer_info",
        "update_ticket",
        "update_user",
        "assign_conversation",
    ] {
        let arguments = json!({ "customer_id": "C", "ticket_id": "T", "contact_id": "P", "conversation_id": "V" });
        let set = json!({ "customer_id": "C", "ticket_id": "T", "contact_id": "P", "conversation_id": "V", "status": "open", "email": "e", "assignee": "a" });
        assert_eq!(key(tool, "c1", arguments), key(tool, "c2", set), "{tool}");
    }
    let tag = |case: &str, conversation: &str, tag: &str| {
        key(
            "add_tag",
            case,
            json!({ "conversation_id": conversation, "tag": tag }),
        )
    };
    let keys = [
        tag("c1", "V", "t"),
        tag("c2", "V", "t"),
        tag("c1", "W", "t"),
        tag("c1", "V", "u"),
    ];
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    assert_eq!(tag("c1", "V", "t"), keys[0]);
}

#[test]
fn keys_are_not_confused_by_what_values_hold() {
    let rule = with_intent(Some(intent(&["/a", "/b"], &[], false)));
    let key =
        |tenant: &str, arguments: Value| rule.intent_key(tenant, "t", "c", &object(arguments));
    let keys = [
        key("x", json!({ "a": "1", "b": "2" })),
        key("x", json!({ "a": "1\",\"/b\":\"2", "b": null })),
        key("x", json!({ "a": "12" })),
        key("x", json!({ "a": 12 })),
        key("x", json!({ "b": "12" })),
        key("x\",\"t", json!({ "b": "12" })),
        key("x", json!({ "a": [1, 2] })),
        key("x", json!({ "a": [12] })),
    ];
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
}

#[test]
fn equal_amounts_are_equal_terms() {
    let digest = |amount: &str| {
        rule().terms_digest(&object(json!({ "order_id": "O", "amount": usd(amount) })))
    };
    assert_eq!(digest("50"), digest("50.00"));
    assert_ne!(digest("50"), digest("5.00"));
}

fn owned_by(pointers: &[&str]) -> ToolRule {
    ToolRule {
        owner: pointers.iter().map(|at| (*at).to_owned()).collect(),
        ..rule()
    }
}

#[test]
fn a_record_that_does_not_name_its_owner_is_nobodys_to_see() {
    let known = |owners: &[&str]| Owners {
        named: owners.iter().map(|one| (*one).to_owned()).collect(),
        unknown: false,
    };
    let unknown = |owners: &[&str]| Owners {
        unknown: true,
        ..known(owners)
    };
    let list = "/orders/*/customer_id";
    for (pointer, output, expect) in [
        (
            "/customer_id",
            json!({ "customer_id": "C1" }),
            known(&["C1"]),
        ),
        ("/customer_id", json!({ "customer_id": 7 }), known(&["7"])),
        ("/customer_id", json!({ "order_id": "O" }), unknown(&[])),
        ("/customer_id", json!({ "customer_id": null }), unknown(&[])),
        ("/customer_id", json!({ "customer_id": {} }), unknown(&[])),
        ("/customer_id", json!([]), unknown(&[])),
        ("/order/customer_id", json!({ "order": null }), known(&[])),
        ("/order/customer_id", json!({}), unknown(&[])),
        (list, json!({ "orders": [] }), known(&[])),
        (
            list,
            json!({ "orders": [{ "customer_id": "C1" }, { "customer_id": "C2" }] }),
            known(&["C1", "C2"]),
        ),
        (
            list,
            json!({ "orders": [{ "customer_id": "C1" }, {}] }),
            unknown(&["C1"]),
        ),
        (list, json!({ "orders": "none" }), unknown(&[])),
        (list, json!({}), unknown(&[])),
    ] {
        assert_eq!(
            owned_by(&[pointer]).owners(&output),
            expect,
            "{pointer} in {output}"
        );
    }
}

#[test]
fn an_output_is_released_only_whole() {
    let rule = owned_by(&["/orders/*/customer_id"]);
    let of = |owners: &[Value]| {
        let orders: Vec<Value> = owners
            .iter()
            .map(|owner| json!({ "customer_id": owner }))
            .collect();
        rule.owners(&json!({ "orders": orders }))
    };
    assert!(of(&[json!("C1"), json!("C1")]).all_are(Some("C1")));
    assert!(!of(&[json!("C1"), json!("C2")]).all_are(Some("C1")));
    assert!(!of(&[json!("C1"), json!(null)]).all_are(Some("C1")));
    assert!(!of(&[json!("C1")]).all_are(None));
    assert!(of(&[]).all_are(None));
}

#[test]
fn facts_are_what_the_output_says() {
    let lookup = contract().remove("lookup_order").expect("in the contract");
    let output = json!({ "order_id": "ORD-1", "customer_id": "C1", "status": "shipped", "delivered_at": null, "total": usd("5.00") });
    let facts = lookup.facts(&object(json!({ "order_id": "ord-1" })), &output, 99);
    let [(entity, fact)] = facts.as_slice() else {
        panic!("one fact: {facts:?}");
    };
    assert_eq!(
        (entity.kind.as_str(), entity.id.as_str()),
        ("order", "ORD-1")
    );
    assert_eq!(fact.established_at, 99);
    assert_eq!(
        Value::Object(fact.attributes.clone()),
        json!({ "owner": "C1", "status": "shipped", "total": usd("5.00") })
    );
}

fn establishing(id: &str, attribute: &str) -> ToolRule {
    let establishes = Establishes {
        kind: "order".into(),
        id: id.into(),
        attributes: [("status".to_owned(), attribute.to_owned())].into(),
    };
    ToolRule {
        effect: Effect::Read,
        establishes: vec![establishes],
        ..rule()
    }
}

#[test]
fn an_id_that_the_output_lacks_comes_from_the_arguments() {
    let rule = establishing("/order_id", "/status");
    let facts = rule.facts(
        &object(json!({ "order_id": "O1" })),
        &json!({ "status": "open" }),
        0,
    );
    assert_eq!(
        facts.first().map(|(entity, _)| entity.id.as_str()),
        Some("O1")
    );
    assert_eq!(rule.facts(&Map::new(), &json!({ "status": "open" }), 0), []);
}

#[test]
fn a_list_establishes_each_of_its_items() {
    let rule = establishing("/orders/*/id", "/orders/*/status");
    let output = json!({ "orders": [{ "id": "O1", "status": "open" }, { "status": "lost" }, { "id": "O3", "status": "shut" }] });
    let facts: Vec<(String, Value)> = rule
        .facts(&Map::new(), &output, 0)
        .into_iter()
        .map(|(entity, fact)| (entity.id, Value::Object(fact.attributes)))
        .collect();
    assert_eq!(
        facts,
        [
            ("O1".to_owned(), json!({ "status": "open" })),
            ("O3".to_owned(), json!({ "status": "shut" })),
        ]
    );
}

#[test]
fn private_fields_are_taken_out() {
    let rule = ToolRule {
        private: vec![
            "/phone".into(),
            "/users/*/email".into(),
            "/not/there".into(),
        ],
        ..rule()
    };
    let mut output =
        json!({ "name": "n", "phone": "1", "users": [{ "id": 1, "email": "e" }, { "id": 2 }] });
    rule.withhold(&mut output);
    assert_eq!(
        output,
        json!({ "name": "n", "users": [{ "id": 1 }, { "id": 2 }] })
    );
}
