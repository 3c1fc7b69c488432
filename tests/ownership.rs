//! Whose a result is: wherever the contract's types name a customer, the classification beside them says so; and who the
//! customer is cannot be guessed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use policy::ToolRule;
use serde_json::json;
use wit_parser::{Resolve, Type, TypeDefKind};

use crate::desk::Desk;

/// What belongs to nobody, with the reason why anybody may have it.
const OWNERLESS: &[(&str, &str)] = &[
    ("search_knowledge_base", "public articles"),
    ("search_articles", "public articles"),
    ("classify_inquiry", "made from the caller's own text alone"),
    ("analyze_sentiment", "made from the caller's own text alone"),
    (
        "escalate_to_human",
        "a reference to what this very call made",
    ),
    ("get_conversation", "staff only: conversation.staff_only"),
    ("search_users", "staff only: conversation.staff_only"),
    ("update_user", "staff only: conversation.staff_only"),
    ("send_message", "staff only: conversation.staff_only"),
    ("create_conversation", "staff only: conversation.staff_only"),
    ("assign_conversation", "staff only: conversation.staff_only"),
    ("add_tag", "staff only: conversation.staff_only"),
];

#[derive(serde::Deserialize)]
struct Classification {
    tool: BTreeMap<String, ToolRule>,
}

#[test]
fn every_customer_that_a_result_names_is_its_declared_owner() {
    let named = customers_in_results();
    let text = fs::read_to_string(crate::tree::root().join("wit/contract.toml")).unwrap();
    let rules = toml::from_str::<Classification>(&text).unwrap().tool;
    assert_eq!(
        named.keys().collect::<Vec<_>>(),
        rules.keys().collect::<Vec<_>>()
    );
    for (tool, pointers) in &named {
        let rule = &rules[tool];
        let declared: BTreeSet<_> = rule
            .owner
            .iter()
            .chain(&rule.owner_if_any)
            .cloned()
            .collect();
        assert_eq!(declared, *pointers, "{tool}: owner in wit/contract.toml");
        let is_ownerless = OWNERLESS.iter().any(|(ownerless, _)| ownerless == tool);
        assert_eq!(
            declared.is_empty(),
            is_ownerless,
            "{tool}: the list of what belongs to nobody"
        );
    }
}

/// Each tool, with a pointer to every customer id in its result.
fn customers_in_results() -> BTreeMap<String, BTreeSet<String>> {
    let wit = crate::tree::root().join("wit");
    let mut resolve = Resolve::default();
    let mut names: Vec<_> = fs::read_dir(&wit)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| wit.join(name).join(format!("{name}.wit")).is_file())
        .collect();
    names.sort_by_key(|name| (name != "common", name.clone()));
    for name in &names {
        let text = fs::read_to_string(wit.join(name).join(format!("{name}.wit"))).unwrap();
        resolve.push_source(name, &text).unwrap();
    }
    let mut found = BTreeMap::new();
    for (_, interface) in &resolve.interfaces {
        let package = interface
            .package
            .map(|id| resolve.packages[id].name.name.clone());
        // What plugins ask of the host is no tool, nor is the function that carries out descriptions.
        if matches!(package.as_deref(), Some("host" | "declarative")) {
            continue;
        }
        for (function, signature) in &interface.functions {
            let mut pointers = BTreeSet::new();
            walk(
                &resolve,
                signature.result.as_ref().unwrap(),
                "",
                &mut pointers,
            );
            found.insert(function.replace('-', "_"), pointers);
        }
    }
    found
}

fn walk(resolve: &Resolve, of: &Type, at: &str, to: &mut BTreeSet<String>) {
    let Type::Id(id) = of else { return };
    let definition = &resolve.types[*id];
    if definition.name.as_deref() == Some("customer-id") {
        to.insert(at.to_owned());
        return;
    }
    match &definition.kind {
        TypeDefKind::Type(inner) | TypeDefKind::Option(inner) => walk(resolve, inner, at, to),
        TypeDefKind::List(item) => walk(resolve, item, &format!("{at}/*"), to),
        // Of a result, the error tells nothing but a text for staff.
        TypeDefKind::Result(result) => walk(resolve, result.ok.as_ref().unwrap(), at, to),
        TypeDefKind::Record(record) => {
            for field in &record.fields {
                let name = field.name.replace('-', "_");
                walk(resolve, &field.ty, &format!("{at}/{name}"), to);
            }
        }
        TypeDefKind::Enum(_) | TypeDefKind::Flags(_) => {}
        TypeDefKind::Variant(variant) => {
            let holds = variant.cases.iter().filter_map(|case| case.ty.as_ref());
            holds.for_each(|inner| walk(resolve, inner, &format!("{at}/?"), to));
        }
        other => panic!("{at} is a {other:?}: say here how a customer is found in it"),
    }
}

/// An e-mail address is easily known; the order number that opens the account must not be found by trying.
#[tokio::test]
async fn order_numbers_are_not_found_by_trying() {
    let desk = Desk::open().await;
    let sarah = json!({ "email": "sarah@example.com" });
    desk.tool("s", "get_customer", sarah).await.expect(200);
    for number in 0..5 {
        let order = json!({ "order_id": format!("ORD-000{number}") });
        let wrong = desk.tool("s", "lookup_order", order).await.expect(404);
        // The backend's own words are for staff.
        assert_eq!(wrong["message"], "not found: there is no such thing");
    }
    desk.shop.forget_requests().await;
    let right = json!({ "order_id": "ORD-8842" });
    let refused = desk.tool("s", "lookup_order", right).await.expect(403);
    assert_eq!(refused["code"], "BUDGET_EXCEEDED");
    assert_eq!(refused["escalation"]["priority"], "P2");
    let asked = desk.shop.requests().await;
    assert!(
        asked.iter().all(|one| one["path"] == "/escalations"),
        "{asked:?}"
    );
}
