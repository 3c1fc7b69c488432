//! Results and typed errors, from the component's side.

use expect_test::{Expect, expect};
use wasmtime::component::Val;

use super::plan;

fn lifted(body: &str, returned: &Val, expect: &Expect) {
    expect.assert_eq(&match plan(body).lift(Some(returned)) {
        Ok(Ok(output)) => output.to_string(),
        Ok(Err(error)) => format!("{error:?}"),
        Err(misfit) => misfit.to_string(),
    });
}

fn text(value: &str) -> Val {
    Val::String(value.to_owned())
}

fn failed(case: &str, payload: Option<Val>) -> Val {
    let variant = Val::Variant(case.to_owned(), payload.map(Box::new));
    Val::Result(Err(Some(Box::new(variant))))
}

#[test]
fn errors_of_the_contract() {
    let body = "f: func() -> result<_, error>;";
    lifted(body, &Val::Result(Ok(None)), &expect!["{}"]);
    lifted(
        body,
        &failed("not-found", Some(text("no such order"))),
        &expect![[r#"NotFound { message: "no such order" }"#]],
    );
    lifted(
        body,
        &failed("invalid-input", Some(text("the reason"))),
        &expect![[r#"InvalidInput { message: "the reason" }"#]],
    );
    let unavailable = Val::Record(vec![
        ("reason".to_owned(), Val::String("busy".to_owned())),
        (
            "retry-after-seconds".to_owned(),
            Val::Option(Some(Box::new(Val::U32(3)))),
        ),
    ]);
    lifted(
        body,
        &failed("unavailable", Some(unavailable)),
        &expect![[r#"Unavailable { message: "busy", retry_after_seconds: Some(3) }"#]],
    );
}

#[test]
fn errors_of_others() {
    let own = "variant trouble { not-found, broken(string) } f: func() -> result<u8, trouble>;";
    lifted(
        own,
        &failed("not-found", None),
        &expect![[r#"NotFound { message: "not_found" }"#]],
    );
    lifted(
        own,
        &failed("broken", Some(text("it fell"))),
        &expect![[r#"NotEligible { message: "{\"broken\":\"it fell\"}" }"#]],
    );
    lifted(
        "f: func() -> result<u8, string>;",
        &Val::Result(Err(Some(Box::new(text("no"))))),
        &expect![[r#"NotEligible { message: "no" }"#]],
    );
    lifted(
        "f: func() -> result<u8>;",
        &Val::Result(Err(None)),
        &expect![[r#"NotEligible { message: "the plugin gave no reason" }"#]],
    );
}

#[test]
fn outputs_that_break_their_own_contract() {
    lifted(
        "f: func() -> f64;",
        &Val::Float64(f64::NAN),
        &expect![[
            r#"it returned something unexpected at "/result": expected a finite number, found NaN or infinity"#
        ]],
    );
    lifted(
        "f: func() -> timestamp;",
        &Val::String("yesterday".to_owned()),
        &expect![[
            r#"it returned something unexpected at "/result": expected a time such as 2026-11-20T14:05:00Z (RFC 3339), found "yesterday""#
        ]],
    );
    let gold = Val::Record(vec![
        ("minor-units".to_owned(), Val::S64(1)),
        ("currency".to_owned(), Val::String("GOLD".to_owned())),
    ]);
    lifted(
        "f: func() -> money;",
        &gold,
        &expect![[
            r#"it returned something unexpected at "": expected an ISO 4217 currency code such as "USD""#
        ]],
    );
    lifted(
        "f: func() -> list<u8>;",
        &Val::List(vec![Val::U8(104), Val::U8(105)]),
        &expect![[r#"{"result":"aGk="}"#]],
    );
}
