//! Reflection as tables: every WIT type, what its schema says, what it takes and what it refuses.

mod composites;
mod contract;
mod errors;
mod round_trip;
mod types;
mod values;

use expect_test::Expect;
use serde_json::{Map, Value};
use wit_parser::Resolve;

use super::plan::Plan;

/// A few of the contract's common types, as plugins and vendors use them.
const COMMON: &str = "
    package switchboard:common@1.0.0;
    interface types {
        record money { minor-units: s64, currency: string }
        type timestamp = string;
        type email = string;
        /// The number of an order.
        type order-id = string;
        type customer-id = string;
        variant error {
            invalid-input(string), not-found(string), not-eligible(string), conflict(string),
            unavailable(unavailable),
        }
        record unavailable { reason: string, retry-after-seconds: option<u32> }
    }
";

/// Compiles the one function of an interface body.
pub(super) fn plan(body: &str) -> Plan {
    try_plan(body).unwrap()
}

fn try_plan(body: &str) -> Result<Plan, String> {
    let mut resolve = Resolve::default();
    resolve.push_source("common.wit", COMMON).unwrap();
    let uses = "use switchboard:common/types@1.0.0.{customer-id, email, error, money, order-id, timestamp};";
    let text = format!("package acme:shop@1.0.0; interface shop {{ {uses} {body} }}");
    let package = resolve.push_source("shop.wit", &text).unwrap();
    let interface = &resolve.interfaces[resolve.packages[package].interfaces["shop"]];
    let (_, function) = interface.functions.first().unwrap();
    Plan::compile(&resolve, "acme:shop/shop@1.0.0", function)
}

/// The schema of a parameter `v` of this type.
fn schema(ty: &str, expect: &Expect) {
    let plan = plan(&format!("f: func(v: {ty});"));
    expect.assert_eq(&plan.input_schema()["properties"]["v"].to_string());
}

/// What becomes of `v` when it is given as this type: the canonical form, or what is wrong.
fn given(ty: &str, value: &str, expect: &Expect) {
    given_in(
        &format!("f: func(v: {ty});"),
        &format!("{{\"v\": {value}}}"),
        expect,
    );
}

fn given_in(body: &str, arguments: &str, expect: &Expect) {
    let arguments: Value = serde_json::from_str(arguments).unwrap();
    expect.assert_eq(&match plan(body).check(&arguments) {
        Ok(canonical) => show(&canonical),
        Err(violations) => {
            let lines = violations
                .iter()
                .map(|v| format!("{}: {}", v.field, v.message));
            lines.collect::<Vec<_>>().join("\n")
        }
    });
}

fn show(object: &Map<String, Value>) -> String {
    Value::Object(object.clone()).to_string()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}
