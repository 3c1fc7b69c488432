//! What composite types take, in canonical form, and what they refuse, by field.

use expect_test::expect;

use super::{given, given_in};

#[test]
fn containers() {
    given(
        "list<u8>",
        "[1]",
        &expect!["/v: expected a base64 string, found a list"],
    );
    given(
        "list<bool>",
        "[\"a\", true, 1]",
        &expect![[r#"
        /v/0: expected true or false, found "a"
        /v/2: expected true or false, found the number 1"#]],
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
