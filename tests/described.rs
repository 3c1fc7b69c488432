//! A plugin without code: a part of the shop, described, offered and carried out under the same policy as any other.

use dispatch::Outcome;
use serde_json::json;

use crate::workbench::{Workbench, described};

const DESCRIPTION: &str = include_str!("described.toml");
const RULES: &str = r#"
list_orders = { effect = "read" }
find_order = { effect = "read" }
open_ticket = { effect = "write", intent = { key = ["/customer_id", "/subject"] } }
close_account = { effect = "write", intent = { key = ["/customer_id"] } }
"#;
const SARAH: &str = "C-1001";
/// She has ordered four times.
const REGULAR: &str = "C-1025";

async fn shop() -> Workbench {
    let bench = Workbench::open(&[], RULES).await;
    let plugin = bench.plugin(
        "shop",
        described(DESCRIPTION),
        &[
            (&["GET"], &["/customers/*/orders", "/orders/*"]),
            (&["POST"], &["/tickets"]),
        ],
    );
    bench.publish("acme", vec![plugin]).await.unwrap();
    bench
}

#[tokio::test]
async fn a_list_comes_together_from_its_pages() {
    let bench = shop().await;
    let list = bench.done("acme", REGULAR, "list_orders", json!({})).await;
    let requests = bench.shop.requests().await;
    let queries: Vec<_> = requests
        .iter()
        .map(|r| r["query"].as_str().unwrap())
        .collect();
    assert_eq!(
        queries,
        ["limit=1&offset=0", "limit=1&offset=1", "limit=1&offset=2"]
    );
    let all = bench
        .shop
        .get(&format!("/customers/{REGULAR}/orders"))
        .await;
    let all = all["orders"].as_array().unwrap();
    let listed = list["orders"].as_array().unwrap();
    assert_eq!((all.len(), listed.len()), (4, 3));
    assert_eq!(list["more"], true, "the list says that it is not whole");
    for (listed, real) in listed.iter().zip(all) {
        assert_eq!(
            (&listed["number"], &listed["owner"]),
            (&real["id"], &json!(REGULAR))
        );
        let minor = real["total"]["minor"].as_i64().unwrap();
        let amount = format!("{}.{:02}", minor / 100, minor % 100);
        assert_eq!(
            listed["total"],
            json!({ "amount": amount, "currency": "USD" })
        );
    }
}

#[tokio::test]
async fn nothing_in_an_argument_reaches_another_path() {
    let bench = shop().await;
    let found = bench
        .done("acme", SARAH, "find_order", json!({ "number": "ORD-8842" }))
        .await;
    assert_eq!(found["number"], "ORD-8842");
    bench.shop.forget_requests().await;
    for evil in [
        "../customers/C-1002",
        "..",
        ".",
        "a/b",
        "%2e%2e",
        "a\\b",
        "a\r\nx: y",
        "",
    ] {
        let outcome = bench
            .call("acme", SARAH, "find_order", json!({ "number": evil }))
            .await;
        let Outcome::Failed { error, .. } = &outcome else {
            panic!("{evil:?}: {outcome:?}");
        };
        assert_eq!(error.kind(), "invalid input", "{evil:?}");
    }
    assert!(bench.shop.requests().await.is_empty());
    // What cannot shape a path stays where it is, and there is no such order.
    let outcome = bench
        .call("acme", SARAH, "find_order", json!({ "number": "x?y=1#z" }))
        .await;
    assert!(
        matches!(&outcome, Outcome::Failed { error, .. } if error.kind() == "not found"),
        "{outcome:?}"
    );
    assert_eq!(
        bench.shop.requests().await[0]["path"],
        "/orders/x%3Fy=1%23z".replace('=', "%3D")
    );
}

#[tokio::test]
async fn what_is_not_granted_is_refused_before_any_request() {
    let bench = shop().await;
    let outcome = bench.call("acme", SARAH, "close_account", json!({})).await;
    assert!(
        matches!(&outcome, Outcome::Denied { refusal, .. } if refusal.code == "NOT_GRANTED"),
        "{outcome:?}"
    );
    assert!(bench.shop.requests().await.is_empty());
}

#[tokio::test]
async fn who_the_customer_is_says_the_host() {
    let bench = shop().await;
    let outcome = bench
        .call(
            "acme",
            SARAH,
            "list_orders",
            json!({ "customer_id": "C-1002" }),
        )
        .await;
    assert!(matches!(outcome, Outcome::Invalid(_)), "{outcome:?}");
    assert!(bench.shop.requests().await.is_empty());
    let schema = bench.spec("acme", "list_orders").input_schema;
    assert_eq!(schema["properties"], json!({}));
}

#[tokio::test]
async fn a_write_asked_for_twice_or_answered_late_happens_once() {
    let bench = shop().await;
    let ticket = json!({ "subject": "Broken glass", "text": "It arrived broken." });
    bench
        .shop
        .misbehaves("POST", "/tickets", 1, json!({ "kind": "act_then_drop" }))
        .await;
    let lost = bench
        .call("acme", SARAH, "open_ticket", ticket.clone())
        .await;
    let found = bench
        .done("acme", SARAH, "open_ticket", ticket.clone())
        .await;
    let again = bench.done("acme", SARAH, "open_ticket", ticket).await;
    assert_eq!(found, again);
    let id = found["id"].as_str().unwrap();
    assert_eq!(
        bench.shop.get(&format!("/tickets/{id}")).await["customer_id"],
        SARAH
    );
    let requests = bench.shop.requests().await;
    let sent: Vec<_> = requests.iter().filter(|r| r["method"] == "POST").collect();
    let keys: Vec<_> = sent.iter().map(|r| &r["idempotency_key"]).collect();
    assert!(
        keys.iter().all(|key| *key == keys[0] && key.is_string()),
        "{lost:?} {keys:?}"
    );
    assert!(
        sent.iter().all(|r| r["body"] == sent[0]["body"]),
        "{sent:?}"
    );
    let body = json!({ "customer_id": SARAH, "subject": "Broken glass", "description": "It arrived broken.", "priority": "normal" });
    let said = &sent[0]["body"];
    let said = said
        .as_str()
        .map_or_else(|| said.clone(), |text| serde_json::from_str(text).unwrap());
    assert_eq!(said, body);
    let next = bench
        .done(
            "acme",
            SARAH,
            "open_ticket",
            json!({ "subject": "Another", "text": "x" }),
        )
        .await;
    assert_ne!(next["id"], found["id"]);
}

/// What the author's guide shows is what the host takes.
#[test]
fn the_guide_s_description_is_one() {
    let guide = include_str!("../plugins/README.md");
    let examples = guide.split("```toml\n").skip(1);
    let mut descriptions = examples.filter(|text| text.contains("[tool.open_ticket]"));
    let description = descriptions.next().unwrap().split("```").next().unwrap();
    let inspected = crate::workbench::toolbox(&[])
        .unwrap()
        .inspect("helpdesk", "1.0.0", &described(description))
        .unwrap();
    let tools: Vec<_> = inspected
        .tools
        .iter()
        .map(|tool| tool.name.as_str())
        .collect();
    assert_eq!(tools, ["list_tickets", "open_ticket"]);
}
