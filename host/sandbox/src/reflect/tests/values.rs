//! What primitive types, strings and money take, in canonical form, and what they refuse, by field.

use expect_test::expect;

use super::{given, plan, show};

#[test]
fn integers_at_their_limits() {
    for (ty, below, least, most, above) in [
        ("s8", "-129", "-128", "127", "128"),
        ("u8", "-1", "0", "255", "256"),
        ("s16", "-32769", "-32768", "32767", "32768"),
        ("u16", "-1", "0", "65535", "65536"),
        (
            "s32",
            "-2147483649",
            "-2147483648",
            "2147483647",
            "2147483648",
        ),
        ("u32", "-1", "0", "4294967295", "4294967296"),
        (
            "s64",
            "-9223372036854775809",
            "-9223372036854775808",
            "9223372036854775807",
            "9223372036854775808",
        ),
        (
            "u64",
            "-1",
            "0",
            "18446744073709551615",
            "18446744073709551616",
        ),
    ] {
        let plan = plan(&format!("f: func(v: {ty});"));
        let check =
            |value: &str| plan.check(&serde_json::from_str(&format!("{{\"v\":{value}}}")).unwrap());
        for value in [least, most] {
            assert_eq!(show(&check(value).unwrap()), format!("{{\"v\":{value}}}"));
        }
        for value in [below, above] {
            let refused = check(value).unwrap_err();
            let expected =
                format!("expected a whole number from {least} to {most}, found the number ");
            assert!(refused[0].message.starts_with(&expected), "{refused:?}");
        }
    }
}

#[test]
fn what_is_no_integer_of_that_width() {
    given(
        "u8",
        "-1",
        &expect!["/v: expected a whole number from 0 to 255, found the number -1"],
    );
    given(
        "u8",
        "256",
        &expect!["/v: expected a whole number from 0 to 255, found the number 256"],
    );
    given(
        "s8",
        "128",
        &expect!["/v: expected a whole number from -128 to 127, found the number 128"],
    );
    given("u8", "5.0", &expect![[r#"{"v":5}"#]]);
    given(
        "u8",
        "5.5",
        &expect!["/v: expected a whole number from 0 to 255, found the number 5.5"],
    );
    given(
        "u8",
        "\"5\"",
        &expect![[r#"/v: expected a whole number from 0 to 255, found "5""#]],
    );
    given(
        "s64",
        "9223372036854775808",
        &expect![
            "/v: expected a whole number from -9223372036854775808 to 9223372036854775807, found the number 9223372036854775808"
        ],
    );
    given(
        "u64",
        "18446744073709551616",
        &expect![
            "/v: expected a whole number from 0 to 18446744073709551615, found the number 1.8446744073709552e+19"
        ],
    );
}

#[test]
fn other_primitives() {
    given("bool", "true", &expect![[r#"{"v":true}"#]]);
    given(
        "bool",
        "\"true\"",
        &expect![[r#"/v: expected true or false, found "true""#]],
    );
    given("f64", "0.1", &expect![[r#"{"v":0.1}"#]]);
    given(
        "f64",
        "\"NaN\"",
        &expect![[r#"/v: expected a number, found "NaN""#]],
    );
    given("f32", "0.1", &expect![[r#"{"v":0.1}"#]]);
    given(
        "f32",
        "1e39",
        &expect!["/v: expected a 32-bit number, found the number 1e+39"],
    );
    given("char", "\"ü\"", &expect![[r#"{"v":"ü"}"#]]);
    given(
        "char",
        "\"ab\"",
        &expect![[r#"/v: expected one character, found "ab""#]],
    );
    given(
        "char",
        "\"\"",
        &expect![[r#"/v: expected one character, found """#]],
    );
    given("list<u8>", "\"aGk=\"", &expect![[r#"{"v":"aGk="}"#]]);
    given(
        "list<u8>",
        "\"a~\"",
        &expect![[r#"/v: expected a base64 string, found "a~""#]],
    );
}

#[test]
fn text() {
    given("string", "\"\"", &expect![[r#"{"v":""}"#]]);
    given(
        "string",
        "null",
        &expect!["/v: expected a string, found null"],
    );
    given(
        "string",
        "\"a\\u0000b\"",
        &expect!["/v: expected text without NUL characters, found one"],
    );
    given(
        "string",
        &format!("\"{}\"", "x".repeat(16_385)),
        &expect!["/v: expected at most 16384 bytes of text, found 16385"],
    );
}

#[test]
fn text_with_rules() {
    given(
        "order-id",
        "\"ORD-8842\"",
        &expect![[r#"{"v":"ORD-8842"}"#]],
    );
    given(
        "order-id",
        "\"\"",
        &expect!["/v: expected an id of 1 to 128 characters, found 0"],
    );
    given(
        "order-id",
        &format!("\"{}\"", "1".repeat(10_000)),
        &expect!["/v: expected an id of 1 to 128 characters, found 10000"],
    );
    given(
        "order-id",
        "\"ORD 8842\"",
        &expect![[
            r#"/v: expected an id of printable ASCII characters without spaces, found "ORD 8842""#
        ]],
    );
    given(
        "order-id",
        "\"ORD\\u00078842\"",
        &expect![[
            r#"/v: expected an id of printable ASCII characters without spaces, found "ORD\u{7}8842""#
        ]],
    );
    given(
        "email",
        "\"sarah@example.com\"",
        &expect![[r#"{"v":"sarah@example.com"}"#]],
    );
    given(
        "email",
        "\"sarah\"",
        &expect![[r#"/v: expected an e-mail address, found "sarah""#]],
    );
    given(
        "email",
        "\"a@b@c\"",
        &expect![[r#"/v: expected an e-mail address, found "a@b@c""#]],
    );
    given(
        "email",
        "\"a b@c\"",
        &expect![[r#"/v: expected an e-mail address, found "a b@c""#]],
    );
    given(
        "timestamp",
        "\"2026-11-20T14:05:00Z\"",
        &expect![[r#"{"v":"2026-11-20T14:05:00Z"}"#]],
    );
    given(
        "timestamp",
        "\"2026-11-20\"",
        &expect![[
            r#"/v: expected a time such as 2026-11-20T14:05:00Z (RFC 3339), found "2026-11-20""#
        ]],
    );
}

#[test]
fn money() {
    given(
        "money",
        r#"{"amount": "49.99", "currency": "USD"}"#,
        &expect![[r#"{"v":{"amount":"49.99","currency":"USD"}}"#]],
    );
    given(
        "money",
        r#"{"amount": "50", "currency": "USD"}"#,
        &expect![[r#"{"v":{"amount":"50.00","currency":"USD"}}"#]],
    );
    given(
        "money",
        r#"{"amount": "50", "currency": "JPY"}"#,
        &expect![[r#"{"v":{"amount":"50","currency":"JPY"}}"#]],
    );
    given(
        "money",
        r#"{"amount": "50.5", "currency": "JPY"}"#,
        &expect![[
            r#"/v/amount: expected a decimal number with at most 0 decimals, such as "49", found "50.5""#
        ]],
    );
    given(
        "money",
        r#"{"amount": "49.999", "currency": "USD"}"#,
        &expect![[
            r#"/v/amount: expected a decimal number with at most 2 decimals, such as "49.99", found "49.999""#
        ]],
    );
    given(
        "money",
        r#"{"amount": "-1", "currency": "USD"}"#,
        &expect![[r#"{"v":{"amount":"-1.00","currency":"USD"}}"#]],
    );
    given(
        "money",
        r#"{"amount": "99999999999999999999", "currency": "USD"}"#,
        &expect![[r#"/v/amount: the amount is too large, found "99999999999999999999""#]],
    );
    given(
        "money",
        r#"{"amount": "1", "currency": "usd"}"#,
        &expect![[r#"/v/currency: expected an ISO 4217 currency code such as "USD", found "usd""#]],
    );
    given(
        "money",
        r#"{"amount": 1, "currency": "USD"}"#,
        &expect![[r#"/v/amount: expected a string such as "49.99", found the number 1"#]],
    );
    given(
        "money",
        "49.99",
        &expect![[
            r#"/v: expected an object like {"amount": "49.99", "currency": "USD"}, found the number 49.99"#
        ]],
    );
}
