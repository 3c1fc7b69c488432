//! Bodies that are forms: held against the permit as strictly as JSON is, and sent in one reading or not at all.

use std::sync::Arc;

use policy::{Call, CapabilityDecision, Effect, HttpGrant, HttpRequest, Scope};
use serde_json::{Value, json};

use crate::scenario::{self, SHIPPED, usd};

/// A payment provider that reads forms, and beside it one tool without rules.
const GRANTS: &str = r#"
    [[grants]]
    origin = "https://pay.example"
    methods = ["POST"]
    paths = ["/refunds"]
    bodies = "form"
    [grants.tools]
    process_refund = [
        { at = "/charge", is = "/order_id" },
        { at = "/amount", is = "/amount", form = "minor_units" },
        { at = "/currency", is = "/amount", form = "currency" },
        { at = "/metadata/memo", is = "/memo" },
        { at = "/items", is = "/items" },
        { at = "/urgent", is = "/urgent" },
        { at = "/share", is = "/share" },
    ]
    add_credit = []

    [[grants]]
    origin = "https://pay.example"
    methods = ["POST"]
    paths = ["/credits"]
    safe_posts = ["/credits/search"]
    bodies = "form"
    [grants.tools]
    add_credit = [{ at = "/value", is = "/amount", form = "decimal" }]
    pay_out = [{ at = "/value", is = "/amount", form = "decimal_number" }]

    [[grants]]
    origin = "https://pay.example"
    methods = ["POST"]
    paths = ["/json"]
    tools = { process_refund = [{ at = "/charge", is = "/order_id" }, { at = "/memo", is = "/memo" }] }
"#;

#[derive(serde::Deserialize)]
struct Grants {
    grants: Vec<HttpGrant>,
}

fn call(tool: &str, arguments: Value) -> Call {
    scenario::call(tool, arguments).call
}

/// `sent`, or what it found.
fn send(call: &Call, path: &str, body: &str) -> String {
    let grants: Grants = toml::from_str(GRANTS).expect("the grants read");
    let scope = Scope {
        effect: Effect::Write,
        grants: Arc::from(grants.grants),
        max_http_calls: 16,
    };
    let request = HttpRequest {
        method: "POST",
        url: &format!("https://pay.example{path}"),
        body: body.as_bytes(),
        calls_before: 0,
    };
    match SHIPPED.decide_http(call, &scope, &request) {
        CapabilityDecision::Allow { .. } => "sent".to_owned(),
        CapabilityDecision::Deny(refusal) => {
            assert_eq!(refusal.code, "NOT_AS_PERMITTED", "{body}");
            let found = refusal
                .rules
                .iter()
                .find_map(|rule| rule.strip_prefix("bound:"));
            found.expect("it says what it found").to_owned()
        }
    }
}

#[test]
fn a_form_says_what_was_permitted_or_is_not_sent() {
    let arguments = json!({
        "order_id": "ch_1", "amount": usd("49.99"), "memo": "50% off & ü+", "items": ["A", { "n": 2 }],
        "urgent": true, "share": 0.5, "reason": "broken",
    });
    let call = call("process_refund", arguments);
    let right = "charge=ch_1&amount=4999&currency=USD&metadata[memo]=50%25%20off%20%26%20%C3%BC%2B&items[0]=A&items[1][n]=2&urgent=true&share=0.5&reason=any";
    for (from, to, expect) in [
        ("", "", "sent"),
        ("metadata[memo]", "metadata%5Bmemo%5d", "sent"),
        ("ch_1", "%63h_1", "sent"),
        ("4999", "5000", "/amount"),
        ("4999", "04999", "/amount"),
        ("4999", "%2B4999", "/amount"),
        ("4999", "4999.0", "/amount"),
        ("4999", "4.999e3", "/amount"),
        ("4999", "%204999", "/amount"),
        ("4999", "4999%00", "/amount"),
        ("4999", "", "/amount"),
        ("amount=4999&", "", "/amount"),
        ("amount=4999", "Amount=4999", "/amount"),
        ("amount=4999", "amount[0]=4999", "/amount"),
        ("amount=4999", "amount[minor]=4999", "/amount"),
        ("USD", "usd", "/currency"),
        ("ch_1", "ch_2", "/charge"),
        ("ch_1", "ch_1%20", "/charge"),
        ("ch_1", "%EF%BB%BFch_1", "/charge"),
        ("%2B&items", "%20&items", "/metadata/memo"),
        ("items[0]=A", "items[0]=B", "/items"),
        ("&items[1][n]=2", "", "/items"),
        ("&items[1][n]=2", "&items[1][n]=2&items[2]=C", "/items"),
        ("&items[1][n]=2", "&items[1][n]=2&items[1][m]=3", "/items"),
        ("true", "1", "/urgent"),
        ("true", "True", "/urgent"),
        ("0.5", "0.50", "/share"),
        ("0.5", "5e-1", "/share"),
    ] {
        let body = right.replacen(from, to, 1);
        assert_eq!(send(&call, "/refunds", &body), expect, "{body}");
    }
}

/// What was not permitted must not be there, empty or in whichever letters: an amount that nobody permitted is a full refund's
/// part, say.
#[test]
fn what_the_permit_lacks_is_not_in_the_body() {
    let arguments = json!({ "order_id": "ch_1", "amount": usd("49.99") });
    let call = call("process_refund", arguments);
    let right = "charge=ch_1&amount=4999&currency=USD";
    for (more, expect) in [
        ("", "sent"),
        ("&reason=x", "sent"),
        ("&metadata[other]=x", "sent"),
        ("&metadata[memo]=x", "/metadata/memo"),
        ("&metadata[memo]=", "/metadata/memo"),
        ("&metadata[Memo]=x", "/metadata/memo"),
        ("&METADATA[memo]=x", "/metadata/memo"),
        ("&items[0]=x", "/items"),
        ("&Urgent=true", "/urgent"),
    ] {
        assert_eq!(send(&call, "/refunds", &format!("{right}{more}")), expect);
    }
    for (more, expect) in [
        ("", "sent"),
        (r#","memo":null"#, "sent"),
        (r#","memo":"x""#, "/memo"),
        (r#","Memo":"x""#, "/memo"),
        (r#","MEMO":null"#, "sent"),
    ] {
        let body = format!(r#"{{"charge":"ch_1"{more}}}"#);
        assert_eq!(send(&call, "/json", &body), expect, "{body}");
    }
}

/// Whatever a backend could take for two things is none, whether or not a rule asks for it; nor does a body of one kind pass
/// where its grant is for the other.
#[test]
fn a_form_that_two_parsers_read_differently_is_not_sent() {
    let arguments =
        json!({ "order_id": "ch_1", "amount": usd("49.99"), "customer_id": "C-1", "value": "x" });
    let refund = call("process_refund", arguments.clone());
    let credit = call("add_credit", arguments);
    let right = "charge=ch_1&amount=4999&currency=USD";
    let none = "not a form to be sent: ";
    for body in [
        format!("{right}&amount=1"),
        format!("amount=1&{right}"),
        format!("{right}&Amount=1"),
        format!("{right}&amoun%74=1"),
        format!("{right}&amount[]=1"),
        format!("{right}&amount[minor]=1"),
        format!("{right}&amount.minor=1"),
        format!("{right}&memo=a+b"),
        format!("{right};amount=1"),
        format!("{right}&x=1;amount=1"),
        format!("{right}&_method=DELETE"),
        format!("{right}&_charset_=utf-7"),
        format!("{right}&x=%ff"),
        format!("\u{feff}{right}"),
        format!("{{\"charge\":\"ch_2\",\"x\":\"&{right}&y=\"}}"),
        r#"{"charge":"ch_1","amount":4999,"currency":"USD"}"#.to_owned(),
        format!("{right}{}", "&x=1".repeat(1_000)),
    ] {
        let said = send(&refund, "/refunds", &body);
        assert!(said.starts_with(none), "{body}: {said}");
        let said = send(&credit, "/refunds", &body);
        assert!(said.starts_with(none), "without a rule: {body}: {said}");
    }
    assert_eq!(send(&refund, "/refunds", right), "sent");
    assert_eq!(send(&credit, "/refunds", "any=thing"), "sent");
    assert_eq!(send(&credit, "/refunds", ""), "sent");
    assert_eq!(send(&refund, "/refunds?amount=1", right), "?");
    assert_eq!(send(&refund, "/refunds", ""), "/charge");
    assert_eq!(send(&refund, "/json", right), "", "no JSON");
}

/// A search changes nothing, unless a framework takes it for another request.
#[test]
fn a_form_that_only_searches_is_one() {
    let call = call("add_credit", json!({ "customer_id": "C-1" }));
    let search = |body: &str| send(&call, "/credits/search", body);
    assert_eq!(search("any=thing"), "sent");
    assert_eq!(search(""), "sent");
    for body in ["any=thing&_method=DELETE", "a=1&a=2", r#"{"a":1}"#] {
        assert!(search(body).starts_with("not a form"), "{body}");
    }
}

#[test]
fn money_in_a_form_is_compared_in_the_form_that_the_backend_writes() {
    let table = [
        ("add_credit", "5.00", "5.00", true),
        ("add_credit", "5", "5.00", true),
        ("add_credit", "5.00", "5", false),
        ("add_credit", "5.00", "500", false),
        ("pay_out", "5.00", "5", true),
        ("pay_out", "5.00", "5.0", true),
        ("pay_out", "49.99", "49.99", true),
        ("pay_out", "49.99", "49.990000000000001", false),
        ("pay_out", "49.99", "%2B49.99", false),
        ("pay_out", "5.00", "5e0", false),
        ("pay_out", "5.00", "", false),
    ];
    for (tool, amount, value, expect) in table {
        let call = call(tool, json!({ "customer_id": "C-1", "amount": usd(amount) }));
        let sent = send(&call, "/credits", &format!("value={value}")) == "sent";
        assert_eq!(sent, expect, "{tool} of {amount} as {value}");
    }
}
