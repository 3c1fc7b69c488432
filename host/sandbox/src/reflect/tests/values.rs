//! What each type takes, in canonical form, and what it refuses, by field.

use expect_test::expect;

use super::{given, given_in, plan, show};

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
        &expect![[
            r#"/v: expected an object like {"amount": "49.99", "currency": "USD"}, found an object"#
        ]],
    );
    given(
        "money",
        "49.99",
        &expect![[
            r#"/v: expected an object like {"amount": "49.99", "currency": "USD"}, found the number 49.99"#
        ]],
    );
}

#[test]
fn containers() {
    given(
        "list<u8>",
        "[1]",
        &expect!["/v: expected a base64 string, found a list"],
    );
    given(
        "list<string>",
        "[\"a\", 1, \"b\", null]",
        &expect![[r#"
        /v/1: expected a string, found the number 1
        /v/3: expected a string, found null"#]],
    );
    given(
        "tuple<u8, bool>",
        "[1, true]",
        &expect![[r#"{"v":[1,true]}"#]],
    );
    given(
        "tuple<u8, bool>",
        "[1]",
        &expect!["/v: expected 2 items, found 1"],
    );
    given(
        "tuple<u8, bool>",
        "[1, 2]",
        &expect!["/v/1: expected true or false, found the number 2"],
    );
    given(
        "result<u8, string>",
        "{\"ok\": 1}",
        &expect![[r#"{"v":{"ok":1}}"#]],
    );
    given(
        "result<u8, string>",
        "{\"error\": \"no\"}",
        &expect![[r#"{"v":{"error":"no"}}"#]],
    );
    given(
        "result<u8, string>",
        "{\"ok\": \"x\"}",
        &expect![[r#"/v/ok: expected a whole number from 0 to 255, found "x""#]],
    );
    given(
        "result<u8, string>",
        "1",
        &expect!["/v: expected an object, found the number 1"],
    );
    given(
        "result",
        "{\"ok\": null}",
        &expect![[r#"{"v":{"ok":null}}"#]],
    );
    given(
        "result",
        "{\"ok\": 1}",
        &expect!["/v/ok: expected null, found the number 1"],
    );
}

#[test]
fn options() {
    given_in("f: func(v: option<u8>);", "{}", &expect!["{}"]);
    given("option<u8>", "null", &expect!["{}"]);
    given("option<u8>", "7", &expect![[r#"{"v":7}"#]]);
    given(
        "option<u8>",
        "\"7\"",
        &expect![[r#"/v: expected a whole number from 0 to 255, found "7""#]],
    );
    given("option<option<u8>>", "null", &expect!["{}"]);
    given(
        "option<option<u8>>",
        "{\"some\": null}",
        &expect![[r#"{"v":{"some":null}}"#]],
    );
    given(
        "option<option<u8>>",
        "{\"some\": 7}",
        &expect![[r#"{"v":{"some":7}}"#]],
    );
    given(
        "option<option<u8>>",
        "7",
        &expect![[r#"/v: expected null or {"some": …}, found the number 7"#]],
    );
    given(
        "list<option<u8>>",
        "[1, null]",
        &expect![[r#"{"v":[1,null]}"#]],
    );
}

#[test]
fn enums() {
    let color = "enum color { dark-red, blue } f: func(v: color);";
    given_in(
        color,
        r#"{"v": "dark_red"}"#,
        &expect![[r#"{"v":"dark_red"}"#]],
    );
    given_in(
        color,
        r#"{"v": "dark-red"}"#,
        &expect![[r#"/v: expected one of "dark_red", "blue", found "dark-red""#]],
    );
    given_in(
        color,
        r#"{"v": 1}"#,
        &expect![[r#"/v: expected one of "dark_red", "blue", found the number 1"#]],
    );
}

#[test]
fn variants() {
    let shape = "variant shape { none, side-len(u8), both(tuple<u8, u8>) } f: func(v: shape);";
    given_in(shape, r#"{"v": "none"}"#, &expect![[r#"{"v":"none"}"#]]);
    given_in(
        shape,
        r#"{"v": {"side_len": 3}}"#,
        &expect![[r#"{"v":{"side_len":3}}"#]],
    );
    given_in(
        shape,
        r#"{"v": {"both": [1, 300]}}"#,
        &expect!["/v/both/1: expected a whole number from 0 to 255, found the number 300"],
    );
    given_in(
        shape,
        r#"{"v": "side_len"}"#,
        &expect![[r#"/v: expected {"side_len": …}, found the name alone"#]],
    );
    given_in(
        shape,
        r#"{"v": {"none": 1}}"#,
        &expect![[r#"/v: expected "none" alone, found an object"#]],
    );
    given_in(
        shape,
        r#"{"v": {"round": 1}}"#,
        &expect![[r#"/v: expected one of "none", "side_len", "both", found "round""#]],
    );
    given_in(
        shape,
        r#"{"v": {"none": 1, "both": 2}}"#,
        &expect![
            "/v: expected a case's name, or an object with a case's name as its only key, found an object"
        ],
    );
}

#[test]
fn flags() {
    let days = "flags days { mon-day, tuesday } f: func(v: days);";
    given_in(days, r#"{"v": []}"#, &expect![[r#"{"v":[]}"#]]);
    given_in(
        days,
        r#"{"v": ["tuesday", "mon_day"]}"#,
        &expect![[r#"{"v":["tuesday","mon_day"]}"#]],
    );
    given_in(
        days,
        r#"{"v": ["mon_day", "mon_day"]}"#,
        &expect!["/v/1: expected each flag once, found it twice"],
    );
    given_in(
        days,
        r#"{"v": ["friday"]}"#,
        &expect![[r#"/v/0: expected one of "mon_day", "tuesday", found "friday""#]],
    );
}

#[test]
fn records_name_every_misfit() {
    let line = "record line { sku: string, times: u8, note: option<string> }
                record order { id: order-id, lines: list<line> }
                f: func(order: order, customer-id: customer-id);";
    given_in(
        line,
        r#"{"order": {"id": "1", "lines": [{"sku": "a", "times": 1, "note": null}]}, "customer_id": "C-1"}"#,
        &expect![[r#"{"order":{"id":"1","lines":[{"sku":"a","times":1}]},"customer_id":"C-1"}"#]],
    );
    given_in(
        line,
        r#"{"order": {"id": "1 2", "lines": [{"times": 300, "colour": 1}, 5]}, "customer_id": "", "extra": 1}"#,
        &expect![[r#"
            /extra: there is no such field; the fields are order
            /order/id: expected an id of printable ASCII characters without spaces, found "1 2"
            /order/lines/0/colour: there is no such field; the fields are sku, times, note
            /order/lines/0/sku: expected a string, found nothing
            /order/lines/0/times: expected a whole number from 0 to 255, found the number 300
            /order/lines/1: expected an object, found the number 5
            /customer_id: expected an id of 1 to 128 characters, found 0"#]],
    );
    given_in(
        line,
        "{}",
        &expect!["/order: expected an object, found nothing"],
    );
    given_in(
        line,
        "[]",
        &expect![": expected an object with the arguments, found a list"],
    );
}
