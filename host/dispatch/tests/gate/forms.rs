//! Forms leave as what they were judged as, and what two parsers could read differently never leaves.

use std::sync::{Arc, Mutex};

use dispatch::Outcome;
use dispatch::policy::{BodyEncoding, BodyForm, HttpGrant};
use http::Method;
use serde_json::{Value, json};

use crate::bindings::{order, rule};
use crate::world::{Plugin, World, code, grant, send_bytes};

/// What left: the body, and the content type that the host gave it.
type Sent = Arc<Mutex<Vec<(&'static [u8], String)>>>;

/// What came of a refund whose plugin sends this body to a backend that reads bodies so.
struct Refund {
    outcome: Outcome,
    sent: Vec<(&'static [u8], String)>,
    on_record: Vec<Value>,
    open_intents: usize,
}

fn plugin(body: &'static [u8], sent: &Sent) -> Plugin {
    let sent = sent.clone();
    Arc::new(move |call, gate| {
        let sent = sent.clone();
        Box::pin(async move {
            match call.tool.as_str() {
                "get_customer" => Ok(json!({ "id": "C-1", "name": "Sarah" })),
                "lookup_order" => Ok(order()),
                _ => {
                    let headers = send_bytes(&gate, Method::POST, "/refunds", body).await?;
                    let mut types = headers.iter().filter(|(name, _)| *name == "content-type");
                    let judged = types.next().map(|(_, value)| value.to_str().unwrap());
                    let judged = judged.unwrap_or("its plugin's").to_owned();
                    sent.lock().unwrap().push((body, judged));
                    Ok(json!({ "refund_id": "R-1", "order_id": "ORD-1", "customer_id": "C-1" }))
                }
            }
        })
    })
}

async fn refund(bodies: BodyEncoding, has_rules: bool, body: &'static [u8]) -> Refund {
    let rules = [
        rule("/order_id", "/order_id", BodyForm::Same),
        rule("/amount", "/amount", BodyForm::MinorUnits),
    ];
    let rules = if has_rules { &rules[..] } else { &[] };
    let sent = Sent::default();
    let grant = HttpGrant {
        bodies,
        ..grant(&[("process_refund", rules)])
    };
    let world = World::with_grants(plugin(body, &sent), vec![grant]);
    let case = world.case("s").await;
    let who = json!({ "email": "s@example.com" });
    world.call(&case, "get_customer", who).await;
    let order = json!({ "order_id": "ORD-1" });
    world.call(&case, "lookup_order", order).await;
    let amount = json!({ "amount": "49.99", "currency": "USD" });
    let arguments = json!({ "order_id": "ORD-1", "amount": amount, "reason": "broken" });
    let outcome = world.call(&case, "process_refund", arguments).await;
    let open = dispatch::Ledger::open_intents(world.store.as_ref()).await;
    let on_record = world.capabilities(&case).await;
    let sent = sent.lock().unwrap().clone();
    Refund {
        outcome,
        sent,
        on_record,
        open_intents: open.unwrap().len(),
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_form_leaves_under_the_content_type_that_it_was_judged_as() {
    let body = b"order_id=ORD-1&amount=4999&note=any";
    for has_rules in [true, false] {
        let refund = refund(BodyEncoding::Form, has_rules, body).await;
        assert_eq!(refund.outcome.word(), "ok", "{:?}", refund.outcome);
        assert_eq!(refund.sent, [(&body[..], FORM.to_owned())]);
    }
}

/// A tool that only reads searches by form, and by nothing else.
#[tokio::test]
async fn a_search_by_form_leaves_as_a_form_or_not_at_all() {
    for (body, leaves) in [(&b"q=x"[..], true), (b"q=x&_method=DELETE", false)] {
        let sent = Arc::<Mutex<Vec<String>>>::default();
        let log = sent.clone();
        let plugin: Plugin = Arc::new(move |_, gate| {
            let log = log.clone();
            Box::pin(async move {
                let headers = send_bytes(&gate, Method::POST, "/search", body).await?;
                let types = headers.iter().filter(|(name, _)| *name == "content-type");
                let types = types.map(|(_, value)| value.to_str().unwrap().to_owned());
                log.lock().unwrap().extend(types);
                Ok(json!({ "articles": [] }))
            })
        });
        let grant = HttpGrant {
            bodies: BodyEncoding::Form,
            ..grant(&[])
        };
        let world = World::with_grants(plugin, vec![grant]);
        let case = world.case("s").await;
        let query = json!({ "query": "x" });
        let outcome = world.call(&case, "search_knowledge_base", query).await;
        let expected = if leaves {
            ("ok", "")
        } else {
            ("denied", "NOT_AS_PERMITTED")
        };
        assert_eq!((outcome.word(), code(&outcome)), expected);
        let sent = sent.lock().unwrap().clone();
        assert_eq!(sent, vec![FORM.to_owned(); usize::from(leaves)]);
    }
}

#[tokio::test]
async fn a_form_that_is_not_what_was_permitted_never_leaves() {
    let words = "not a form to be sent: ";
    let table: [(&'static [u8], &str); 12] = [
        (b"order_id=ORD-2&amount=4999", "/order_id"),
        (b"order_id=ORD-1&amount=9900", "/amount"),
        (b"order_id=ORD-1", "/amount"),
        (b"", "/order_id"),
        (b"order_id=ORD-1&amount=4999&amount=9900", words),
        (b"order_id=ORD-1&amount=4999&Amount=9900", words),
        (b"order_id=ORD-1&amount=4999;amount=9900", words),
        (b"order_id=ORD-1&amount=4999&amount[]=9900", words),
        (b"order_id=ORD-1&amount=4999&x=%ff", words),
        (b"order_id=ORD-1&amount=4999&_method=DELETE", words),
        (b"\xef\xbb\xbforder_id=ORD-1&amount=4999", words),
        (br#"{"order_id":"ORD-1","amount":4999}"#, words),
    ];
    for (body, found) in table {
        let shown = String::from_utf8_lossy(body);
        let refund = refund(BodyEncoding::Form, true, body).await;
        assert_eq!(code(&refund.outcome), "NOT_AS_PERMITTED", "{shown}");
        assert_eq!(refund.sent, [], "{shown}: nothing was sent");
        assert_eq!(refund.open_intents, 0, "{shown}: nothing is open");
        let record = &refund.on_record[0];
        assert_eq!(record["decision"], "deny", "{shown}");
        let bound = record["rules"][1].as_str().unwrap();
        assert!(
            bound.starts_with(&format!("bound:{found}")),
            "{shown}: {bound}"
        );
    }
}

/// Nobody but the operator says how the backend reads: a form passes for no JSON, and no JSON for a form, also where no rule
/// reads the body.
#[tokio::test]
async fn a_body_of_another_kind_than_its_grant_s_never_leaves() {
    let form = b"order_id=ORD-1&amount=4999";
    let json = br#"{"order_id":"ORD-1","amount":4999}"#;
    for (bodies, has_rules, body) in [
        (BodyEncoding::Json, true, &form[..]),
        (BodyEncoding::Form, true, json),
        (BodyEncoding::Form, false, json),
    ] {
        let refund = refund(bodies, has_rules, body).await;
        assert_eq!(code(&refund.outcome), "NOT_AS_PERMITTED");
        assert_eq!(refund.sent, [], "nothing was sent");
        assert_eq!(refund.open_intents, 0, "nothing is open");
    }
    let refund = refund(BodyEncoding::Json, true, json).await;
    assert_eq!(refund.sent, [(&json[..], "application/json".to_owned())]);
}
