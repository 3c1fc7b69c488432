//! Requests: every argument where the description says, and nowhere else.

use serde_json::{Value, json};

use super::{Backend, named, ok, task};

/// What is sent for these arguments; or the error, and then nothing may have been sent.
fn sent(tool: &Value, types: &Value, arguments: &Value) -> String {
    let backend = Backend::answering([ok(&json!({}))]);
    let outcome = backend.call(&task(tool, types, &json!({})), arguments);
    let asked = backend.asked();
    match outcome {
        Ok(_) => asked.join("\n"),
        Err(error) => {
            assert_eq!(asked, [""; 0], "a refused call sends nothing");
            named(&error)
        }
    }
}

fn write() -> (Value, Value) {
    let tool = json!({
        "method": "POST", "path": "/orders/{order_id}/refunds",
        "constants": [
            { "in": "body", "at": "/meta/source", "value": "switchboard" },
            { "in": "header", "at": "x-api-version", "value": "3" },
            { "in": "query", "at": "dry run", "value": "no&never" },
        ],
        "parameters": {
            "order_id": { "type": "id", "in": "path" },
            "amount": { "type": "money", "in": "body", "at": "",
                "money": { "minor_units": "/amount_cents", "currency": "/currency" } },
            "reason": { "type": "reason", "in": "body", "at": "/meta/reason" },
            "lines": { "type": "list<line>", "in": "body", "optional": true },
            "team": { "type": "string", "in": "header", "name": "x-team", "optional": true },
        },
    });
    let types = json!({
        "reason": { "cases": { "broken": "DAMAGED", "late": "LATE" } },
        "line": { "fields": {
            "sku": { "type": "string", "at": "/article/sku" },
            "quantity": { "type": "integer", "at": "/n" },
            "price": { "type": "money", "optional": true, "money": { "decimal": "", "currency": "USD" } },
        } },
    });
    (tool, types)
}

#[test]
fn a_write_has_its_arguments_where_they_belong_and_the_same_bytes_every_time() {
    let (tool, types) = write();
    let arguments = json!({
        "order_id": "ORD 1", "amount": { "amount": "49.99", "currency": "USD" }, "reason": "broken", "team": "billing",
        "lines": [{ "sku": "A", "quantity": 2, "price": { "amount": "1.50", "currency": "USD" } }, { "sku": "B", "quantity": 1 }],
    });
    let expected = "Post /orders/ORD%201/refunds?dry%20run=no%26never [x-api-version: 3] [x-team: billing] \
        {\"amount_cents\":4999,\"currency\":\"USD\",\"lines\":[{\"article\":{\"sku\":\"A\"},\"n\":2,\"price\":\"1.50\"},\
        {\"article\":{\"sku\":\"B\"},\"n\":1}],\"meta\":{\"reason\":\"DAMAGED\",\"source\":\"switchboard\"}}";
    for _ in 0..3 {
        assert_eq!(sent(&tool, &types, &arguments), expected);
    }
}

#[test]
fn nothing_in_an_argument_leaves_its_place() {
    let (tool, types) = write();
    let fine = json!({ "order_id": "O", "amount": { "amount": "1.00", "currency": "USD" }, "reason": "late" });
    let refused = [
        (
            "order_id",
            json!("../customers"),
            "invalid-input: order_id cannot stand in a path",
        ),
        (
            "order_id",
            json!(".."),
            "invalid-input: order_id cannot stand in a path",
        ),
        (
            "order_id",
            json!(""),
            "invalid-input: order_id cannot stand in a path",
        ),
        (
            "order_id",
            json!("a%2f.."),
            "invalid-input: order_id cannot stand in a path",
        ),
        (
            "order_id",
            json!({ "a": 1 }),
            "invalid-input: order_id cannot stand in a path",
        ),
        (
            "team",
            json!("a\r\nauthorization: Bearer x"),
            "invalid-input: team: a header field takes",
        ),
        (
            "team",
            json!("ü"),
            "invalid-input: team: a header field takes",
        ),
        (
            "team",
            json!("x".repeat(2000)),
            "invalid-input: team: a header field takes",
        ),
        (
            "reason",
            json!("other"),
            "invalid-input: reason: there is no such case",
        ),
        (
            "amount",
            json!({ "amount": "1.005", "currency": "USD" }),
            "invalid-input: amount: the amount has more digits",
        ),
    ];
    for (name, value, expected) in refused {
        let mut arguments = fine.clone();
        arguments[name] = value;
        let said = sent(&tool, &types, &arguments);
        assert!(said.starts_with(expected), "{said}");
    }
    let mut arguments = fine.clone();
    arguments["order_id"] = json!("O?x=1#y&idempotency-key=2");
    let said = sent(&tool, &types, &arguments);
    assert!(
        said.starts_with("Post /orders/O%3Fx%3D1%23y%26idempotency-key%3D2/refunds?dry"),
        "{said}"
    );
}

#[test]
fn queries_take_single_values_and_lists() {
    let tool = json!({
        "method": "GET", "path": "/orders",
        "parameters": {
            "status": { "type": "list<string>", "in": "query" },
            "ids": { "type": "list<integer>", "in": "query", "name": "id", "join": "," },
            "open": { "type": "boolean", "in": "query", "optional": true },
        },
    });
    let arguments = json!({ "status": ["a b", "c&d=e"], "ids": [1, 2], "open": true });
    assert_eq!(
        sent(&tool, &json!({}), &arguments),
        "Get /orders?id=1%2C2&open=true&status=a%20b&status=c%26d%3De"
    );
    let nothing = json!({ "status": [], "ids": [] });
    assert_eq!(sent(&tool, &json!({}), &nothing), "Get /orders");
}

#[test]
fn a_body_that_could_have_something_is_an_object() {
    let tool = json!({
        "method": "PATCH", "path": "/me",
        "parameters": { "name": { "type": "string", "in": "body", "optional": true } },
    });
    assert_eq!(sent(&tool, &json!({}), &json!({})), "Patch /me {}");
    let tool = json!({ "method": "POST", "path": "/restart" });
    assert_eq!(sent(&tool, &json!({}), &json!({})), "Post /restart");
}

#[test]
fn a_whole_body_may_be_one_argument() {
    let tool = json!({
        "method": "POST", "path": "/batch",
        "parameters": { "items": { "type": "list<string>", "in": "body", "at": "" } },
    });
    assert_eq!(
        sent(&tool, &json!({}), &json!({ "items": ["a"] })),
        "Post /batch [\"a\"]"
    );
}

/// The body of a payment provider that reads forms.
fn form() -> (Value, Value) {
    let tool = json!({
        "method": "POST", "path": "/charges", "body": "form",
        "constants": [{ "in": "body", "at": "/metadata/source", "value": "switchboard" }],
        "parameters": {
            "amount": { "type": "money", "in": "body", "at": "",
                "money": { "minor_units": "/amount", "currency": "/currency" } },
            "capture": { "type": "boolean", "in": "body" },
            "items": { "type": "list<item>", "in": "body", "optional": true },
            "note": { "type": "string", "in": "body", "at": "/metadata/note", "optional": true },
            "tags": { "type": "list<string>", "in": "body", "optional": true, "join": "," },
        },
    });
    let types = json!({ "item": { "fields": {
        "sku": { "type": "string", "at": "/article/sku" }, "quantity": { "type": "integer" },
    } } });
    (tool, types)
}

#[test]
fn a_form_has_its_fields_in_one_spelling() {
    let (tool, types) = form();
    let arguments = json!({
        "amount": { "amount": "49.99", "currency": "USD" }, "capture": true, "note": "50% off; a+b & ü", "tags": ["x", "y"],
        "items": [{ "sku": "A", "quantity": 2 }, { "sku": "B", "quantity": 1 }],
    });
    let expected = "Post /charges [content-type: application/x-www-form-urlencoded] amount=4999&capture=true&currency=USD\
        &items[0][article][sku]=A&items[0][quantity]=2&items[1][article][sku]=B&items[1][quantity]=1\
        &metadata[note]=50%25%20off%3B%20a%2Bb%20%26%20%C3%BC&metadata[source]=switchboard&tags=x%2Cy";
    for _ in 0..3 {
        assert_eq!(sent(&tool, &types, &arguments), expected);
    }
}

#[test]
fn what_a_form_cannot_say_is_refused_by_name() {
    let (tool, types) = form();
    let fine = json!({ "amount": { "amount": "1.00", "currency": "USD" }, "capture": false });
    for (name, value, expected) in [
        (
            "items",
            json!([]),
            "invalid-input: items: a form cannot say that a list is empty",
        ),
        (
            "tags",
            json!([]),
            "invalid-input: tags: a form cannot say that a list is empty",
        ),
        (
            "tags",
            json!(["a,b"]),
            "invalid-input: tags: an item with \",\" in it would be taken for two",
        ),
        (
            "items",
            json!(vec![json!({ "sku": "A", "quantity": 1 }); 200]),
            "invalid-input: items[126][quantity]: a form has 256 fields",
        ),
    ] {
        let mut arguments = fine.clone();
        arguments[name] = value;
        let said = sent(&tool, &types, &arguments);
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn a_form_without_fields_is_empty() {
    let tool = json!({
        "method": "PATCH", "path": "/me", "body": "form",
        "parameters": { "name": { "type": "string", "in": "body", "optional": true } },
    });
    assert_eq!(
        sent(&tool, &json!({}), &json!({})),
        "Patch /me [content-type: application/x-www-form-urlencoded] "
    );
}
