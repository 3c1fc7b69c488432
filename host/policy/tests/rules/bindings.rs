//! What is sent must be what was permitted: paths and bodies that a grant binds to the permit.

use std::sync::Arc;

use policy::{Call, CapabilityDecision, Effect, HttpGrant, HttpRequest, Scope};
use serde_json::{Value, json};

use crate::scenario::{self, SHIPPED, usd};

/// Refunds in minor units, credits as a decimal string and cancellations by their path, each for its own tool.
const GRANTS: &str = r#"
    [[grants]]
    origin = "https://pay.example"
    methods = ["POST"]
    paths = ["/refunds"]
    [grants.tools]
    process_refund = [
        { at = "/order_id", is = "/order_id" },
        { at = "/amount/minor", is = "/amount", form = "minor_units" },
        { at = "/amount/currency", is = "/amount", form = "currency" },
        { at = "/memo", is = "/memo" },
    ]

    [[grants]]
    origin = "https://pay.example"
    methods = ["GET", "POST"]
    paths = ["/credits"]
    [grants.tools]
    add_credit = [{ at = "/value", is = "/amount", form = "decimal" }, { at = "/customer", is = "/customer_id" }]
    pay_out = [{ at = "/value", is = "/amount", form = "decimal_number" }]

    [[grants]]
    origin = "https://pay.example"
    methods = ["POST"]
    paths = ["/orders/{order_id}/cancel"]
    tools = { cancel_order = [] }
"#;

#[derive(serde::Deserialize)]
struct Grants {
    grants: Vec<HttpGrant>,
}

fn scope() -> Scope {
    let grants: Grants = toml::from_str(GRANTS).expect("the grants read");
    for grant in &grants.grants {
        assert_eq!(grant.check(), Ok(()));
    }
    Scope {
        effect: Effect::Write,
        grants: Arc::from(grants.grants),
        max_http_calls: 16,
    }
}

fn call(tool: &str, arguments: Value) -> Call {
    scenario::call(tool, arguments).call
}

/// `sent`, or the refusal's code and what it found.
fn send(call: &Call, method: &str, path: &str, body: &str) -> String {
    let url = format!("https://pay.example{path}");
    let request = HttpRequest {
        method,
        url: &url,
        body: body.as_bytes(),
        calls_before: 0,
    };
    match SHIPPED.decide_http(call, &scope(), &request) {
        CapabilityDecision::Allow { .. } => "sent".to_owned(),
        CapabilityDecision::Deny(refusal) => {
            let found = refusal.rules.iter().find(|rule| rule.starts_with("bound:"));
            match found {
                Some(found) => format!("{} {found}", refusal.code),
                None => refusal.code,
            }
        }
    }
}

#[test]
fn a_refund_is_sent_as_it_was_permitted_or_not_at_all() {
    let arguments = json!({ "order_id": "ORD-1", "amount": usd("49.99"), "reason": "broken" });
    let call = call("process_refund", arguments);
    let right = r#"{"order_id":"ORD-1","amount":{"minor":4999,"currency":"USD"},"reason":"any"}"#;
    for (body, expect) in [
        (right.to_owned(), "sent"),
        (right.replace("4999,", "4999 ,"), "sent"),
        (right.replace("4999", "5000"), "/amount/minor"),
        (right.replace("4999", "4999.0"), "/amount/minor"),
        (right.replace("4999", "\"4999\""), "/amount/minor"),
        (right.replace("4999", "49.99"), "/amount/minor"),
        (right.replace("4999", "499900e-2"), "/amount/minor"),
        (
            right.replace("4999", "18446744073709556615"),
            "/amount/minor",
        ),
        (right.replace("4999", "null"), "/amount/minor"),
        (right.replace("4999", "[4999]"), "/amount/minor"),
        (right.replace("\"minor\"", "\"major\""), "/amount/minor"),
        (right.replace("USD", "EUR"), "/amount/currency"),
        (right.replace("USD", "usd"), "/amount/currency"),
        (right.replace("ORD-1", "ORD-2"), "/order_id"),
        (right.replace("ORD-1", "ord-1"), "/order_id"),
        (right.replace("ORD-1", "ORD-1 "), "/order_id"),
        (
            right.replace("\"ORD-1\"", "{\"id\":\"ORD-1\"}"),
            "/order_id",
        ),
        (right.replace("any\"", "any\",\"memo\":\"x\""), "/memo"),
        (right.replace("any\"", "any\",\"memo\":null"), "sent"),
        (right.replace("ORD-1", "\\u004fRD-1"), "sent"),
    ] {
        let expect = match expect {
            "sent" => expect.to_owned(),
            at => format!("NOT_AS_PERMITTED bound:{at}"),
        };
        assert_eq!(send(&call, "POST", "/refunds", &body), expect, "{body}");
    }
}

/// Some parsers take the first of two values under one name, some the last, some `Amount` for `amount`; some read a query
/// before a body.
#[test]
fn a_request_that_two_parsers_read_differently_is_not_sent() {
    let arguments = json!({ "order_id": "ORD-1", "amount": usd("49.99") });
    let call = call("process_refund", arguments);
    let amount = r#""amount":{"minor":4999,"currency":"USD"}"#;
    let other = r#"{"minor":1,"currency":"USD"}"#;
    for body in [
        format!(r#"{{"order_id":"ORD-2","order_id":"ORD-1",{amount}}}"#),
        format!(r#"{{"order_id":"ORD-1","order_id":"ORD-2",{amount}}}"#),
        format!(r#"{{"order_id":"ORD-1","Order_ID":"ORD-2",{amount}}}"#),
        format!(r#"{{"order_id":"ORD-1",{amount},"AMOUNT":{other}}}"#),
        format!(r#"{{"order_id":"ORD-1",{amount},"\u0061mount":{other}}}"#),
        r#"{"order_id":"ORD-1","amount":{"minor":4999,"minor":1,"currency":"USD"}}"#.to_owned(),
        r#"{"order_id":"ORD-1","amount":{"minor":4999,"currency":"USD","\u017fum":0,"sum":1}}"#
            .to_owned(),
        format!(r#"{{"order_id":"ORD-1",{amount}}} {{}}"#),
        format!(r#"{{"order_id":"ORD-1",{amount},}}"#),
        format!(r#"[{{"order_id":"ORD-1",{amount}}}]"#),
        format!("\u{feff}{{\"order_id\":\"ORD-1\",{amount}}}"),
        "order_id=ORD-1&amount=4999".to_owned(),
        String::new(),
        "[".repeat(100_000),
    ] {
        let refused = send(&call, "POST", "/refunds", &body);
        assert!(
            refused.starts_with("NOT_AS_PERMITTED bound:"),
            "{body}: {refused}"
        );
    }
    let right = format!(r#"{{"order_id":"ORD-1",{amount}}}"#);
    assert_eq!(send(&call, "POST", "/refunds", &right), "sent");
    for query in ["?", "?order_id=ORD-2"] {
        let refused = send(&call, "POST", &format!("/refunds{query}"), &right);
        assert_eq!(refused, "NOT_AS_PERMITTED bound:?");
    }
}

#[test]
fn money_is_compared_in_the_form_that_the_backend_writes() {
    let permitted = |amount: Value| json!({ "customer_id": "C-1", "amount": amount });
    let yen = json!({ "amount": "50", "currency": "JPY" });
    for (tool, amount, value, expect) in [
        ("add_credit", usd("5.00"), r#""5.00""#, true),
        ("add_credit", usd("5"), r#""5.00""#, true),
        ("add_credit", usd("5.00"), r#""5.0""#, false),
        ("add_credit", usd("5.00"), r#""5""#, false),
        ("add_credit", usd("5.00"), r#""05.00""#, false),
        ("add_credit", usd("5.00"), r#""500""#, false),
        ("add_credit", usd("5.00"), "5.00", false),
        ("pay_out", usd("5.00"), "5.00", true),
        ("pay_out", usd("5.00"), "5", true),
        ("pay_out", usd("49.99"), "49.99", true),
        ("pay_out", usd("49.99"), "49.990000000000001", true),
        ("pay_out", usd("49.99"), "49.989", false),
        ("pay_out", usd("49.99"), "4999", false),
        ("pay_out", usd("49.99"), r#""49.99""#, false),
        ("pay_out", yen.clone(), "50", true),
        ("pay_out", yen, "50.5", false),
    ] {
        let call = call(tool, permitted(amount.clone()));
        let body = format!(r#"{{"value":{value},"customer":"C-1"}}"#);
        let sent = send(&call, "POST", "/credits", &body) == "sent";
        assert_eq!(sent, expect, "{tool} of {amount} as {value}");
    }
}

#[test]
fn a_path_names_what_was_permitted() {
    for (order, path, expect) in [
        ("ORD-1", "/orders/ORD-1/cancel", "sent"),
        ("ORD-1", "/orders/%4FRD-1/cancel", "sent"),
        ("a b", "/orders/a%20b/cancel", "sent"),
        (
            "ORD-1",
            "/orders/ORD-2/cancel",
            "NOT_AS_PERMITTED bound:{order_id}",
        ),
        (
            "ORD-1",
            "/orders/ord-1/cancel",
            "NOT_AS_PERMITTED bound:{order_id}",
        ),
        (
            "ORD-1",
            "/orders/ORD-1;v=2/cancel",
            "NOT_AS_PERMITTED bound:{order_id}",
        ),
        (
            "ORD-1",
            "/orders/%ff/cancel",
            "NOT_AS_PERMITTED bound:{order_id}",
        ),
        ("{order_id}", "/orders/{order_id}/cancel", "sent"),
        ("ORD-1", "/orders/ORD-1%2f..%2fORD-2/cancel", "NOT_GRANTED"),
    ] {
        let call = call("cancel_order", json!({ "order_id": order, "reason": "x" }));
        assert_eq!(send(&call, "POST", path, "{}"), expect, "{order}: {path}");
    }
    let nothing = call("cancel_order", json!({}));
    let refused = send(&nothing, "POST", "/orders/ORD-1/cancel", "{}");
    assert_eq!(refused, "NOT_AS_PERMITTED bound:{order_id}");
}

#[test]
fn a_grant_is_for_its_tools_alone() {
    let arguments = json!({ "order_id": "ORD-1", "customer_id": "C-1", "amount": usd("5.00") });
    let body = r#"{"order_id":"ORD-1","amount":{"minor":500,"currency":"USD"},"value":"5.00","customer":"C-1"}"#;
    for (tool, path, expect) in [
        ("process_refund", "/refunds", "sent"),
        ("add_credit", "/credits", "sent"),
        ("add_credit", "/refunds", "NOT_GRANTED"),
        ("process_refund", "/credits", "NOT_GRANTED"),
        ("add_credit", "/orders/ORD-1/cancel", "NOT_GRANTED"),
    ] {
        let call = call(tool, arguments.clone());
        assert_eq!(send(&call, "POST", path, body), expect, "{tool} at {path}");
    }
    let reads = call("add_credit", arguments);
    assert_eq!(
        send(&reads, "GET", "/credits?of=C-2", ""),
        "sent",
        "a safe request has no body to bind"
    );
}
