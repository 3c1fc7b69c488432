//! Every WIT type as JSON Schema.

use expect_test::expect;

use super::{plan, pretty, schema, try_plan};

#[test]
fn primitives() {
    schema("bool", &expect![[r#"{"type":"boolean"}"#]]);
    schema(
        "char",
        &expect![[r#"{"type":"string","minLength":1,"maxLength":1}"#]],
    );
    schema("f32", &expect![[r#"{"type":"number"}"#]]);
    schema("f64", &expect![[r#"{"type":"number"}"#]]);
    schema(
        "string",
        &expect![[r#"{"type":"string","maxLength":16384}"#]],
    );
    schema(
        "list<u8>",
        &expect![[r#"{"type":"string","contentEncoding":"base64"}"#]],
    );
}

#[test]
fn integers_carry_their_limits() {
    schema(
        "u8",
        &expect![[r#"{"type":"integer","minimum":0,"maximum":255}"#]],
    );
    schema(
        "s8",
        &expect![[r#"{"type":"integer","minimum":-128,"maximum":127}"#]],
    );
    schema(
        "u16",
        &expect![[r#"{"type":"integer","minimum":0,"maximum":65535}"#]],
    );
    schema(
        "s16",
        &expect![[r#"{"type":"integer","minimum":-32768,"maximum":32767}"#]],
    );
    schema(
        "u32",
        &expect![[r#"{"type":"integer","minimum":0,"maximum":4294967295}"#]],
    );
    schema(
        "s32",
        &expect![[r#"{"type":"integer","minimum":-2147483648,"maximum":2147483647}"#]],
    );
    schema(
        "u64",
        &expect![[r#"{"type":"integer","minimum":0,"maximum":18446744073709551615}"#]],
    );
    schema(
        "s64",
        &expect![[
            r#"{"type":"integer","minimum":-9223372036854775808,"maximum":9223372036854775807}"#
        ]],
    );
}

#[test]
fn strings_with_rules() {
    schema(
        "email",
        &expect![[r#"{"type":"string","format":"email","maxLength":254}"#]],
    );
    schema(
        "timestamp",
        &expect![[r#"{"type":"string","format":"date-time"}"#]],
    );
    schema(
        "order-id",
        &expect![[
            r#"{"type":"string","minLength":1,"maxLength":128,"pattern":"^[!-~]+$","description":"The number of an order."}"#
        ]],
    );
    schema(
        "money",
        &expect![[
            r#"{"type":"object","properties":{"amount":{"type":"string","pattern":"^-?[0-9]+(\\.[0-9]+)?$","description":"Decimal number, such as \"49.99\"."},"currency":{"type":"string","pattern":"^[A-Z]{3}$","description":"ISO 4217 code, such as \"USD\"."}},"required":["amount","currency"],"additionalProperties":false}"#
        ]],
    );
}

#[test]
fn containers() {
    schema(
        "list<string>",
        &expect![[r#"{"type":"array","items":{"type":"string","maxLength":16384}}"#]],
    );
    schema(
        "tuple<u8, bool>",
        &expect![[
            r#"{"type":"array","prefixItems":[{"type":"integer","minimum":0,"maximum":255},{"type":"boolean"}],"items":false,"minItems":2,"maxItems":2}"#
        ]],
    );
    schema("option<bool>", &expect![[r#"{"type":"boolean"}"#]]);
    schema(
        "option<option<bool>>",
        &expect![[
            r#"{"type":"object","properties":{"some":{"anyOf":[{"type":"boolean"},{"type":"null"}]}},"required":["some"],"additionalProperties":false}"#
        ]],
    );
    schema(
        "list<option<bool>>",
        &expect![[r#"{"type":"array","items":{"anyOf":[{"type":"boolean"},{"type":"null"}]}}"#]],
    );
    schema(
        "result<u8, string>",
        &expect![[
            r#"{"oneOf":[{"type":"object","properties":{"ok":{"type":"integer","minimum":0,"maximum":255}},"required":["ok"],"additionalProperties":false},{"type":"object","properties":{"error":{"type":"string","maxLength":16384}},"required":["error"],"additionalProperties":false}]}"#
        ]],
    );
    schema(
        "result",
        &expect![[
            r#"{"oneOf":[{"type":"object","properties":{"ok":{"type":"null"}},"required":["ok"],"additionalProperties":false},{"type":"object","properties":{"error":{"type":"null"}},"required":["error"],"additionalProperties":false}]}"#
        ]],
    );
}

fn body_schema(body: &str, expect: &expect_test::Expect) {
    expect.assert_eq(&plan(body).input_schema()["properties"]["v"].to_string());
}

#[test]
fn named_types_bring_their_documentation() {
    body_schema(
        "/// How urgent.
         enum priority { /// At once.
            p-one, p-two }
         f: func(v: priority);",
        &expect![[
            r#"{"type":"string","enum":["p_one","p_two"],"description":"How urgent.\n- `p_one`: At once."}"#
        ]],
    );
    body_schema(
        "flags days { monday, sun-day } f: func(v: days);",
        &expect![[
            r#"{"type":"array","items":{"type":"string","enum":["monday","sun_day"]},"uniqueItems":true}"#
        ]],
    );
    body_schema(
        "/// A shape.
         variant shape { /// Nothing at all.
            none, circle(u8), both(tuple<u8, u8>) }
         f: func(v: shape);",
        &expect![[
            r#"{"oneOf":[{"const":"none"},{"type":"object","properties":{"circle":{"type":"integer","minimum":0,"maximum":255}},"required":["circle"],"additionalProperties":false},{"type":"object","properties":{"both":{"type":"array","prefixItems":[{"type":"integer","minimum":0,"maximum":255},{"type":"integer","minimum":0,"maximum":255}],"items":false,"minItems":2,"maxItems":2}},"required":["both"],"additionalProperties":false}],"description":"A shape.\n- `none`: Nothing at all."}"#
        ]],
    );
    body_schema(
        "/// A line.
         record line {
            /// The article.
            sku: string,
            /// How often.
            times: option<u8>,
            order: order-id,
         }
         f: func(v: line);",
        &expect![[
            r#"{"type":"object","properties":{"sku":{"type":"string","maxLength":16384,"description":"The article."},"times":{"type":"integer","minimum":0,"maximum":255,"description":"How often."},"order":{"type":"string","minLength":1,"maxLength":128,"pattern":"^[!-~]+$","description":"The number of an order."}},"required":["sku","order"],"additionalProperties":false,"description":"A line."}"#
        ]],
    );
}

#[test]
fn a_function_is_a_tool() {
    let plan = plan(
        "record order { order-id: order-id, note: option<string> }
         /// Looks it up.
         ///
         /// - `loud`: whether to tell everybody.
         look-it-up: func(order-id: order-id, customer-id: option<customer-id>, loud: option<bool>) -> result<order, error>;",
    );
    assert_eq!(
        (plan.tool(), plan.title().as_str()),
        ("look_it_up", "Look it up")
    );
    assert_eq!(
        plan.description(),
        "Looks it up.\n\n- `loud`: whether to tell everybody."
    );
    assert_eq!(
        plan.bound().into_iter().collect::<Vec<_>>(),
        [("customer_id".to_owned(), false)]
    );
    expect![[r#"
        {
          "type": "object",
          "properties": {
            "order_id": {
              "type": "string",
              "minLength": 1,
              "maxLength": 128,
              "pattern": "^[!-~]+$",
              "description": "The number of an order."
            },
            "loud": {
              "type": "boolean",
              "description": "whether to tell everybody."
            }
          },
          "required": [
            "order_id"
          ],
          "additionalProperties": false
        }"#]]
    .assert_eq(&pretty(&plan.input_schema()));
    expect![[r#"
        {
          "type": "object",
          "properties": {
            "order_id": {
              "type": "string",
              "minLength": 1,
              "maxLength": 128,
              "pattern": "^[!-~]+$",
              "description": "The number of an order."
            },
            "note": {
              "type": "string"
            }
          },
          "required": [
            "order_id"
          ],
          "additionalProperties": false
        }"#]]
    .assert_eq(&pretty(&plan.output_schema()));
    expect!["func(order-id: string, customer-id: option<string>, loud: option<bool>) -> result<record { order-id: string, note: option<string> }, variant { invalid-input(string), not-found(string), not-eligible(string), conflict(string), unavailable(record { reason: string, retry-after-seconds: option<u32> }) }>"].assert_eq(&plan.signature());
}

#[test]
fn outputs_are_objects() {
    let output = |body: &str, expect: &expect_test::Expect| {
        expect.assert_eq(&plan(body).output_schema().to_string());
    };
    output(
        "f: func() -> list<string>;",
        &expect![[
            r#"{"type":"object","properties":{"result":{"type":"array","items":{"type":"string"}}},"required":["result"],"additionalProperties":false}"#
        ]],
    );
    output(
        "f: func() -> option<u8>;",
        &expect![[
            r#"{"type":"object","properties":{"result":{"type":"integer","minimum":0,"maximum":255}},"additionalProperties":false}"#
        ]],
    );
    output(
        "f: func() -> result<_, string>;",
        &expect![[r#"{"type":"object","properties":{},"additionalProperties":false}"#]],
    );
    output(
        "f: func();",
        &expect![[r#"{"type":"object","properties":{},"additionalProperties":false}"#]],
    );
    output(
        "f: func() -> result<money, error>;",
        &expect![[
            r#"{"type":"object","properties":{"amount":{"type":"string","pattern":"^-?[0-9]+(\\.[0-9]+)?$","description":"Decimal number, such as \"49.99\"."},"currency":{"type":"string","pattern":"^[A-Z]{3}$","description":"ISO 4217 code, such as \"USD\"."}},"required":["amount","currency"],"additionalProperties":false}"#
        ]],
    );
}

#[test]
fn a_bound_parameter_is_required_unless_it_is_an_option() {
    let bound = plan("f: func(customer-id: customer-id);").bound();
    assert_eq!(bound.get("customer_id"), Some(&true));
    let refused = try_plan("f: func(customer-id: u64);").unwrap_err();
    assert!(refused.contains("customer-id"), "{refused}");
}

#[test]
fn what_no_tool_can_have_is_named() {
    let refused = |body: &str, what: &str| {
        let message = try_plan(body).unwrap_err();
        assert!(message.contains(what), "{message}");
    };
    refused("resource r; f: func(v: borrow<r>);", "borrow");
    refused("f: func(v: stream<u8>);", "stream");
    refused("f: func(v: future<u8>);", "future");
    refused("f: async func();", "asynchronous");
    let nested = "option<".repeat(40) + "u8" + &">".repeat(40);
    refused(&format!("f: func(v: {nested});"), "nests");
    let shared = (1..20).fold(String::new(), |shared, n| {
        let below = n - 1;
        shared + &format!("type t{n} = tuple<t{below}, t{below}>;")
    });
    refused(
        &format!("type t0 = tuple<u8, u8>; {shared} f: func(v: t19);"),
        "parts",
    );
}
