//! What counts as a difference, and how it is shown.

use dispatch::ToolError;
use http::{HeaderMap, Method};

use serde_json::{Value, json};

use super::*;
use crate::shadow::Change;

fn request(method: Method, url: &str, body: &str) -> Asked {
    Asked::Http {
        method,
        url: url.to_owned(),
        headers: HeaderMap::new(),
        body: body.to_owned().into(),
    }
}

fn recorded(asked: &[Asked]) -> Vec<Exchange> {
    let one = |asked: &Asked| Exchange {
        asked: asked.clone(),
        answered: None,
    };
    asked.iter().map(one).collect()
}

fn output(value: &Value) -> Ended {
    Ended::Output(value.to_string())
}

/// `at: was → is` for each changed place.
fn lines(changes: &Changes) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or("-".to_owned());
    let line = |one: &Change| format!("{}: {} → {}", one.at, text(&one.was), text(&one.is));
    changes.shown.iter().map(line).collect()
}

fn check_ends(was: &Ended, is: &Ended, expected: &[&str]) {
    assert_eq!(lines(&ends(was, is)), expected);
}

/// What differs when `was` is recorded and `is` is asked, with what the replay found for each.
fn check_asks(was: &[Asked], is: &[(Asked, Option<usize>)], expected: &[&str]) {
    let (found, more) = asks(&recorded(was), is);
    let line = |one: &CapabilityDifference| {
        let changes = lines(&one.changes).join("; ");
        format!("{:?} {} {changes}", one.kind, one.asked)
            .trim_end()
            .to_owned()
    };
    assert_eq!(found.iter().map(line).collect::<Vec<_>>(), expected);
    assert_eq!(more, 0);
}

#[test]
fn outputs_differ_place_by_place() {
    let was = output(&json!({ "points": 10, "tiers": ["a", "b"], "old/name": 1, "same": [{}] }));
    let is = output(&json!({ "points": 12, "tiers": ["a"], "new": null, "same": [{}] }));
    let expected = [
        "/new: - → null",
        "/old~1name: 1 → -",
        "/points: 10 → 12",
        "/tiers/1: \"b\" → -",
    ];
    check_ends(&was, &is, &expected);
    check_ends(&was, &was, &[]);
    let rearranged = Ended::Output("{\"b\":1, \"a\":2}".to_owned());
    check_ends(&rearranged, &output(&json!({ "a": 2, "b": 1 })), &[]);
}

#[test]
fn ends_of_different_kinds_differ_as_a_whole() {
    let message = "gone".to_owned();
    let error = Ended::Error(ToolError::NotFound { message });
    let trap = Ended::Failed("the plugin failed: wasm trap".to_owned());
    let result = output(&json!({ "result": 1 }));
    check_ends(
        &result,
        &trap,
        &[": {\"result\":1} → the plugin failed: wasm trap"],
    );
    check_ends(&error, &result, &[": not found: gone → {\"result\":1}"]);
    check_ends(&trap, &trap.clone(), &[]);
    let message = "lost".to_owned();
    let other = Ended::Error(ToolError::NotFound { message });
    check_ends(&error, &other, &["/message: \"gone\" → \"lost\""]);
}

#[test]
fn what_is_shown_has_an_end() {
    let many: Vec<_> = (0..25).collect();
    let changes = ends(&output(&json!(many)), &output(&json!([])));
    assert_eq!((changes.shown.len(), changes.more), (10, 15));
    let long = ends(
        &output(&json!("x".repeat(1_000))),
        &output(&json!("ü".repeat(1_000))),
    );
    let is = long.shown[0].is.clone().unwrap();
    assert_eq!(is.chars().count(), CHARS + 1);
    let asked = vec![(request(Method::GET, "http://a/", ""), None); 25];
    let (found, more) = asks(&[], &asked);
    assert_eq!((found.len(), more), (10, 15));
}

#[test]
fn requests_are_missing_additional_or_changed() {
    let read = request(Method::GET, "http://a/orders/1", "");
    let write = request(
        Method::POST,
        "http://a/refunds",
        r#"{"amount":5,"why":"x"}"#,
    );
    let other = request(
        Method::POST,
        "http://a/refunds",
        r#"{"amount":6,"why":"x"}"#,
    );
    let elsewhere = request(Method::PUT, "http://b/", "");
    let both = [read.clone(), write.clone()];
    check_asks(
        &both,
        &[(read.clone(), Some(0)), (write.clone(), Some(1))],
        &[],
    );
    check_asks(
        &both,
        &[(read.clone(), Some(0))],
        &["Missing POST http://a/refunds"],
    );
    check_asks(
        &both,
        &[(read.clone(), Some(0)), (elsewhere, None), (other, None)],
        &[
            "Additional PUT http://b/",
            "Changed POST http://a/refunds body/amount: 5 → 6",
        ],
    );
    check_asks(
        &both[..1],
        &[(request(Method::GET, "http://a/orders/2", ""), None)],
        &["Changed GET http://a/orders/2 url: http://a/orders/1 → http://a/orders/2"],
    );
    let spaced = request(
        Method::POST,
        "http://a/refunds",
        r#"{"amount":5, "why":"x"}"#,
    );
    check_asks(
        &both[1..],
        &[(spaced, None)],
        &[
            r#"Changed POST http://a/refunds body: {"amount":5,"why":"x"} → {"amount":5, "why":"x"}"#,
        ],
    );
}

#[test]
fn a_request_that_was_answered_may_have_other_header_fields() {
    let with = |accept: &'static str| {
        let mut asked = request(Method::GET, "http://a/", "");
        if let Asked::Http { headers, .. } = &mut asked {
            headers.insert("accept", accept.parse().unwrap());
        }
        asked
    };
    check_asks(
        &[with("text/plain")],
        &[(with("text/html"), Some(0))],
        &["Changed GET http://a/ header accept: text/plain → text/html"],
    );
}

#[test]
fn the_closest_of_several_is_the_one_that_changed() {
    let set = |key: &str, value: Option<&[u8]>| Asked::SetValue {
        key: key.to_owned(),
        value: value.map(<[u8]>::to_vec),
    };
    let was = [
        set("a", Some(b"1")),
        set("b", Some(b"1")),
        Asked::Keys { from: 0 },
    ];
    check_asks(
        &was,
        &[
            (set("b", None), None),
            (
                Asked::Value {
                    key: "a".to_owned(),
                },
                None,
            ),
        ],
        &[
            "Changed delete the key \"b\" value: 1 → -",
            "Additional read the key \"a\"",
            "Missing set the key \"a\"",
            "Missing list the keys from 0",
        ],
    );
}
