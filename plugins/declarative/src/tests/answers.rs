//! Answers: the described result, or the error that the answer amounts to.

use serde_json::{Value, json};
use switchboard_sdk::Answer;

use super::{Backend, named, ok, task};

fn order() -> Value {
    json!({
        "order": { "fields": {
            "order_id": { "type": "id", "at": "/id" },
            "city": { "type": "string", "at": "/address/city", "default": "unknown" },
            "total": { "type": "money", "at": "", "money": { "minor_units": "/cents", "currency": "/currency" } },
            "status": { "type": "status" },
            "note": { "type": "string", "optional": true },
            "items": { "type": "list<item>", "default": [] },
        } },
        "item": { "fields": { "price": { "type": "money", "money": { "decimal": "", "currency": "USD" } } } },
        "status": { "cases": { "open": "OPEN", "closed": "3", "something_else": "-" }, "other": "something_else" },
    })
}

fn read(body: &Value) -> Result<Value, String> {
    let tool = json!({ "method": "GET", "path": "/o", "result": "order", "at": "/data" });
    let backend = Backend::answering([ok(body)]);
    let outcome = backend.call(&task(&tool, &order(), &json!({})), &json!({}));
    outcome.map_err(|error| named(&error))
}

#[test]
fn fields_are_found_renamed_and_converted() {
    let body = json!({ "data": {
        "id": 7, "address": { "city": "Ghent" }, "cents": 4999, "currency": "usd", "status": 3, "note": null,
        "items": [{ "price": "1.5" }], "secret": "not described",
    } });
    let expected = json!({
        "order_id": "7", "city": "Ghent", "total": { "amount": "49.99", "currency": "USD" }, "status": "closed",
        "items": [{ "price": { "amount": "1.50", "currency": "USD" } }],
    });
    assert_eq!(read(&body), Ok(expected));
    let sparse = json!({ "data": { "id": "a", "cents": 0, "currency": "EUR", "status": "NEW" } });
    let expected = json!({
        "order_id": "a", "city": "unknown", "total": { "amount": "0.00", "currency": "EUR" },
        "status": "something_else", "items": [],
    });
    assert_eq!(read(&sparse), Ok(expected));
}

/// The place is named, and nothing of what stands there: whose it is, nobody knows yet.
#[test]
fn what_is_not_as_described_is_named_by_place_alone() {
    let fine = json!({ "id": "a", "cents": 1, "currency": "EUR", "status": "OPEN" });
    for (field, wrong, expected) in [
        ("id", json!(null), "\"/data/id\": there is nothing"),
        ("id", json!({ "sarah": 1 }), "\"/data/id\": it is no id"),
        (
            "cents",
            json!("sarah"),
            "\"/data\": there is no amount of money",
        ),
        (
            "currency",
            json!("sarah"),
            "\"/data\": there is no ISO 4217",
        ),
        (
            "items",
            json!([{ "price": "sarah" }]),
            "\"/data/items/0/price\": there is no amount",
        ),
        (
            "items",
            json!("sarah"),
            "\"/data/items\": it is no list<item>",
        ),
    ] {
        let mut data = fine.clone();
        data[field] = wrong;
        let said = read(&json!({ "data": data })).unwrap_err();
        assert!(said.contains(expected) && !said.contains("sarah"), "{said}");
    }
    for body in [json!({}), json!([]), json!({ "data": null })] {
        assert!(
            read(&body)
                .unwrap_err()
                .starts_with("unavailable: the backend's answer is not"),
            "{body}"
        );
    }
}

#[test]
fn a_tool_without_a_result_needs_no_body() {
    let tool = json!({ "method": "DELETE", "path": "/o" });
    let gone = Answer {
        status: 204,
        ..Answer::default()
    };
    let backend = Backend::answering([gone]);
    assert_eq!(
        backend
            .call(&task(&tool, &json!({}), &json!({})), &json!({}))
            .unwrap(),
        json!({})
    );
}

#[test]
fn statuses_and_codes_have_their_errors() {
    let errors = json!({
        "code": "/error/code", "message": "/error/message",
        "rule": [
            { "status": 422, "code": "too_late", "is": "not_eligible" },
            { "status": 404, "is": "conflict" },
            { "code": "no_such_thing", "is": "not_found" },
        ],
    });
    for (status, code, expected) in [
        (422, "too_late", "not-eligible: HTTP 422 too_late m"),
        (422, "other", "invalid-input: HTTP 422 other m"),
        (404, "x", "conflict: HTTP 404 x m"),
        (200, "no_such_thing", "not-found: HTTP 200 no_such_thing m"),
        (409, "x", "conflict: HTTP 409 x m"),
        (400, "x", "invalid-input: HTTP 400 x m"),
        (410, "x", "not-found: HTTP 410 x m"),
        (429, "x", "unavailable: HTTP 429 x m Some(9)"),
        (302, "x", "unavailable: HTTP 302 x m Some(9)"),
        (401, "x", "unavailable: HTTP 401 x m Some(9)"),
    ] {
        let body = json!({ "error": { "code": code, "message": "m" } });
        let answer = Answer {
            status,
            retry_after_seconds: Some(9),
            ..ok(&body)
        };
        let tool = json!({ "method": "POST", "path": "/o" });
        let backend = Backend::answering([answer]);
        let said = backend
            .call(&task(&tool, &json!({}), &errors), &json!({}))
            .unwrap_err();
        assert_eq!(named(&said), expected);
        assert_eq!(backend.asked().len(), 1, "a write is sent once");
    }
    let html = Answer {
        status: 500,
        body: b"<html>".to_vec(),
        ..Answer::default()
    };
    let tool = json!({ "method": "GET", "path": "/o", "result": "string" });
    let backend = Backend::answering([html]);
    let said = backend
        .call(&task(&tool, &json!({}), &errors), &json!({}))
        .unwrap_err();
    assert_eq!(named(&said), "unavailable: HTTP 500 None");
}
