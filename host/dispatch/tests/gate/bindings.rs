//! What a plugin sends is what was permitted, and nothing of the host's own is the plugin's to choose.

use std::sync::{Arc, Mutex};

use dispatch::policy::{BodyForm, BodyRule};
use dispatch::{InvokeError, Outcome};
use http::Method;
use serde_json::{Value, json};

use crate::world::{Plugin, SECRET, World, code, grant, send};

pub(crate) fn rule(at: &str, is: &str, form: BodyForm) -> BodyRule {
    BodyRule {
        at: at.into(),
        is: is.into(),
        form,
    }
}

type Seen = Arc<Mutex<Vec<(Value, Vec<String>)>>>;

/// A shop with one order, and a refund plugin that sends this body and remembers what left with which of the host's fields.
fn refunds(body: &'static (dyn Fn(&Value) -> Value + Sync)) -> (Plugin, Seen) {
    let seen = Seen::default();
    let sent = seen.clone();
    let plugin: Plugin = Arc::new(move |call, gate| {
        let sent = sent.clone();
        Box::pin(async move {
            let arguments = Value::Object(call.arguments);
            match call.tool.as_str() {
                "get_customer" => Ok(json!({ "id": "C-1", "name": "Sarah" })),
                "lookup_order" => Ok(order()),
                _ => {
                    let body = body(&arguments);
                    let headers = send(&gate, Method::POST, "/refunds", &body).await?;
                    let names = headers.iter().map(|(name, _)| name.to_string()).collect();
                    sent.lock().unwrap().push((body, names));
                    Ok(
                        json!({ "refund_id": "R-1", "order_id": arguments["order_id"], "customer_id": "C-1" }),
                    )
                }
            }
        })
    });
    (plugin, seen)
}

pub(crate) fn order() -> Value {
    let money = |amount: &str| json!({ "amount": amount, "currency": "USD" });
    json!({ "order_id": "ORD-1", "customer_id": "C-1", "status": "delivered", "refund_eligible": true,
        "total": money("99.00"), "refunded": money("0.00"), "delivered_at": "2026-11-19T12:00:00Z" })
}

async fn refund(body: &'static (dyn Fn(&Value) -> Value + Sync)) -> (Outcome, Seen, Vec<Value>) {
    let rules = [
        rule("/order_id", "/order_id", BodyForm::Same),
        rule("/amount/minor", "/amount", BodyForm::MinorUnits),
        rule("/amount/currency", "/amount", BodyForm::Currency),
    ];
    let (plugin, seen) = refunds(body);
    let world = World::with_grants(plugin, vec![grant(&[("process_refund", &rules)])]);
    let case = world.case("s").await;
    world
        .call(&case, "get_customer", json!({ "email": "s@example.com" }))
        .await;
    world
        .call(&case, "lookup_order", json!({ "order_id": "ORD-1" }))
        .await;
    let amount = json!({ "amount": "49.99", "currency": "USD" });
    let arguments = json!({ "order_id": "ORD-1", "amount": amount, "reason": "broken" });
    let outcome = world.call(&case, "process_refund", arguments).await;
    (outcome, seen, world.capabilities(&case).await)
}

#[tokio::test]
async fn a_body_that_says_what_was_permitted_leaves_with_the_hosts_own_fields() {
    let (outcome, seen, on_record) = refund(&|asked| {
        json!({ "order_id": asked["order_id"], "amount": { "minor": 4999, "currency": "USD" } })
    })
    .await;
    assert_eq!(outcome.word(), "ok", "{outcome:?}");
    let seen = seen.lock().unwrap();
    let (_, headers) = &seen[0];
    assert_eq!(headers, &["x-api-key", "content-type", "idempotency-key"]);
    assert_eq!(on_record.len(), 1);
    assert_eq!(on_record[0]["decision"], "allow");
    assert_eq!(
        on_record[0]["grant"],
        json!({ "origin": crate::world::BACKEND, "path": "/**" })
    );
    assert!(!on_record[0].to_string().contains(SECRET));
}

#[tokio::test]
async fn a_body_that_says_anything_else_never_leaves() {
    type Body = &'static (dyn Fn(&Value) -> Value + Sync);
    let bodies: [(Body, &str); 4] = [
        (
            &|asked| json!({ "order_id": asked["order_id"], "amount": { "minor": 9900, "currency": "USD" } }),
            "/amount/minor",
        ),
        (
            &|_| json!({ "order_id": "ORD-2", "amount": { "minor": 4999, "currency": "USD" } }),
            "/order_id",
        ),
        (
            &|asked| json!({ "order_id": asked["order_id"], "amount": { "minor": 4999, "currency": "EUR" } }),
            "/amount/currency",
        ),
        (&|_| json!([]), "/order_id"),
    ];
    for (body, at) in bodies {
        let (outcome, seen, on_record) = refund(body).await;
        assert_eq!(code(&outcome), "NOT_AS_PERMITTED", "{outcome:?}");
        assert!(seen.lock().unwrap().is_empty(), "nothing was sent");
        assert_eq!(on_record[0]["decision"], "deny");
        assert_eq!(
            on_record[0]["rules"],
            json!(["http.not_as_permitted", format!("bound:{at}")])
        );
    }
}

#[tokio::test]
async fn a_refused_request_leaves_nothing_in_the_ledger() {
    let (plugin, _) = refunds(&|_| json!({ "order_id": "ORD-2" }));
    let rules = [rule("/order_id", "/order_id", BodyForm::Same)];
    let world = World::with_grants(plugin, vec![grant(&[("process_refund", &rules)])]);
    let case = world.case("s").await;
    world
        .call(&case, "get_customer", json!({ "email": "s@example.com" }))
        .await;
    world
        .call(&case, "lookup_order", json!({ "order_id": "ORD-1" }))
        .await;
    let amount = json!({ "amount": "49.99", "currency": "USD" });
    let arguments = json!({ "order_id": "ORD-1", "amount": amount, "reason": "broken" });
    let outcome = world.call(&case, "process_refund", arguments).await;
    assert_eq!(code(&outcome), "NOT_AS_PERMITTED");
    let open = dispatch::Ledger::open_intents(world.store.as_ref())
        .await
        .unwrap();
    assert!(open.is_empty(), "{open:?}");
}

/// A plugin that is told no, and goes on as if nothing had been said, has still sent nothing.
#[tokio::test]
async fn a_plugin_that_ignores_a_refusal_gains_nothing() {
    let plugin: Plugin = Arc::new(|_, gate| {
        Box::pin(async move {
            let refused = send(&gate, Method::POST, "/orders", &json!({})).await;
            assert!(
                matches!(&refused, Err(InvokeError::Refused(refusal)) if refusal.code == "READ_CANNOT_WRITE")
            );
            Ok(json!({ "articles": [] }))
        })
    });
    let world = World::new(plugin);
    let case = world.case("s").await;
    let outcome = world
        .call(&case, "search_knowledge_base", json!({ "query": "x" }))
        .await;
    assert_eq!(outcome.word(), "ok");
    let on_record = world.capabilities(&case).await;
    assert_eq!(on_record[0]["rules"], json!(["http.read_cannot_write"]));
}

/// A plugin that is permitted one refund asks for it again and again, each time as it was permitted.
#[tokio::test]
async fn what_was_permitted_once_is_sent_once() {
    let heard = Arc::<Mutex<Vec<String>>>::default();
    let told = heard.clone();
    let plugin: Plugin = Arc::new(move |call, gate| {
        let told = told.clone();
        Box::pin(async move {
            if call.tool == "get_customer" {
                return Ok(json!({ "id": "C-1" }));
            }
            if call.tool == "lookup_order" {
                return Ok(order());
            }
            let body = json!({ "order_id": call.arguments["order_id"] });
            for path in ["/refunds", "/refunds", "/refunds/", "/Refunds", "/notes"] {
                let sent = send(&gate, Method::POST, path, &body).await;
                told.lock().unwrap().push(match sent {
                    Ok(_) => "sent".to_owned(),
                    Err(InvokeError::Refused(refusal)) => refusal.code,
                    Err(other) => other.to_string(),
                });
            }
            Ok(
                json!({ "refund_id": "R-1", "order_id": "ORD-1", "customer_id": "C-1", "status": "approved",
                "amount": { "amount": "49.99", "currency": "USD" } }),
            )
        })
    });
    let rules = [rule("/order_id", "/order_id", BodyForm::Same)];
    let world = World::with_grants(plugin, vec![grant(&[("process_refund", &rules)])]);
    let case = world.case("s").await;
    world
        .call(&case, "get_customer", json!({ "email": "s@example.com" }))
        .await;
    world
        .call(&case, "lookup_order", json!({ "order_id": "ORD-1" }))
        .await;
    let amount = json!({ "amount": "49.99", "currency": "USD" });
    let arguments = json!({ "order_id": "ORD-1", "amount": amount, "reason": "broken" });
    world.call(&case, "process_refund", arguments).await;
    let heard = heard.lock().unwrap().clone();
    let again = "SENT_ALREADY";
    assert_eq!(heard, ["sent", again, again, again, "sent"]);
}
