//! Components that carry a description of an API: one tool for each described request. The guest here answers with the
//! arguments that it got; what the real one sends is told in the stories.

use std::borrow::Cow;

use dispatch::InvokeError;
use expect_test::{Expect, expect};
use sandbox::PluginSource;
use serde_json::{Value, json};
use wasm_encoder::{ComponentSection as _, CustomSection};

use crate::guest::{Guest, component, core, load, source};

const COMMON: &str = include_str!("../../../../wit/common/common.wit");
const DECLARATIVE: &str = include_str!("../../../../wit/declarative/declarative.wit");

const API: &str = r#"
name = "shop"
[type.status]
docs = "Where an order stands."
cases = { open = "OPEN", on_its_way = "In Transit" }
[type.order]
fields = { order_id = { type = "id" }, total = { type = "money", docs = "What it costs." }, status = { type = "status", optional = true } }
[tool.find_order]
docs = "Finds an order."
method = "GET"
path = "/customers/{customer_id}/orders/{order_id}"
result = "order"
[tool.find_order.parameters]
customer_id = { type = "customer-id", in = "path" }
order_id = { type = "id", in = "path", docs = "Its number." }
total = { type = "money", in = "query" }
status = { type = "status", in = "query", optional = true }
"#;

/// Returns its second parameter.
fn echo() -> Vec<u8> {
    let world =
        "package switchboard:stock@1.0.0; world w { export switchboard:declarative/api@1.0.0; }";
    let module = core(
        "(func (export \"switchboard:declarative/api@1.0.0#call\") (param i32 i32 i32 i32) (result i32)
            (i32.store (i32.const 16) (i32.const 0))
            (i32.store (i32.const 20) (local.get 2))
            (i32.store (i32.const 24) (local.get 3))
            (i32.const 16))",
    );
    component(&[COMMON, DECLARATIVE, world], &module)
}

fn with(mut component: Vec<u8>, description: &str) -> PluginSource {
    let section = CustomSection {
        name: Cow::Borrowed("switchboard-api"),
        data: Cow::Borrowed(description.as_bytes()),
    };
    section.append_to_component(&mut component);
    source(component)
}

fn without_query(description: &str) -> String {
    // Money has no place in a query; the answers of this guest need it all the same.
    description
        .replace(
            "total = { type = \"money\", in = \"query\" }\n",
            "total = { type = \"money\", in = \"body\" }\n",
        )
        .replace("\"GET\"", "\"POST\"")
}

/// The same, with a list that comes in pages.
fn paged(pages: &str) -> String {
    let pages = format!("{pages}, list = \"orders\", more = \"more\", max = 3");
    let list = "[type.order_list]\nfields = { orders = { type = \"list<order>\" }, more = { type = \"boolean\" } }\n\
                [tool.list_orders]\ndocs = \"Lists orders.\"\nmethod = \"GET\"\npath = \"/orders\"\nresult = \"order_list\"\n";
    format!("{}{list}pages = {{ {pages} }}\n", without_query(API))
}

async fn refused(source: PluginSource, expect: &Expect) {
    match load(source).await {
        Ok(_) => panic!("it was loaded"),
        Err(error) => expect.assert_eq(&error.to_string()),
    }
}

#[tokio::test]
async fn a_described_request_is_a_tool_like_any_other() {
    let plugin = load(with(echo(), &without_query(API))).await.unwrap();
    let tools: Vec<_> = plugin.tools().collect();
    let [tool] = tools.as_slice() else {
        panic!("{tools:?}");
    };
    assert_eq!(
        (tool.name.as_str(), tool.interface.as_str()),
        ("find_order", "described:shop/api@1.0.0")
    );
    assert_eq!(tool.bound, [("customer_id".to_owned(), true)].into());
    expect![[r#"
        Finds an order.
        - `order_id`: Its number.
        {"type":"object","properties":{"order_id":{"type":"string","minLength":1,"maxLength":128,"pattern":"^[!-~]+$","description":"Its number."},"total":{"type":"object","properties":{"amount":{"type":"string","pattern":"^-?[0-9]+(\\.[0-9]+)?$","description":"Decimal number, such as \"49.99\"."},"currency":{"type":"string","pattern":"^[A-Z]{3}$","description":"ISO 4217 code, such as \"USD\"."}},"required":["amount","currency"],"additionalProperties":false,"description":"An amount of money. In JSON: {\"amount\": \"49.99\", \"currency\": \"USD\"}, the amount as a decimal string with at most as\nmany decimals as the currency has."},"status":{"type":"string","enum":["open","on_its_way"],"description":"Where an order stands."}},"required":["order_id","total"],"additionalProperties":false}
        {"type":"object","properties":{"order_id":{"type":"string","minLength":1,"maxLength":128,"pattern":"^[!-~]+$"},"total":{"type":"object","properties":{"amount":{"type":"string","pattern":"^-?[0-9]+(\\.[0-9]+)?$","description":"Decimal number, such as \"49.99\"."},"currency":{"type":"string","pattern":"^[A-Z]{3}$","description":"ISO 4217 code, such as \"USD\"."}},"required":["amount","currency"],"additionalProperties":false,"description":"What it costs."},"status":{"type":"string","enum":["open","on_its_way"],"description":"Where an order stands."}},"required":["order_id","total"],"additionalProperties":false}"#]]
    .assert_eq(&format!("{}\n{}\n{}", tool.description, tool.input_schema, tool.output_schema));
}

async fn called(arguments: Value) -> Result<Value, InvokeError> {
    let guest = Guest::live(with(echo(), &without_query(API))).await;
    guest.call("find_order", arguments).await
}

/// The echoed arguments are no order: what a guest answers is held against the description, whatever it is.
#[tokio::test]
async fn an_answer_is_held_against_the_described_types() {
    let arguments = json!({ "customer_id": "C-1", "order_id": "O-1", "total": { "amount": "5", "currency": "USD" } });
    let error = called(arguments).await.unwrap_err();
    expect!["the plugin failed: it returned something unexpected at \"/customer_id\": there is no such field; the fields are order_id, total, status"].assert_eq(&error.to_string());
}

#[tokio::test]
async fn an_answer_that_fits_is_given_in_canonical_form() {
    let api = without_query(API)
        .replace(
            "/customers/{customer_id}/orders/{order_id}",
            "/orders/{order_id}",
        )
        .replace(
            "customer_id = { type = \"customer-id\", in = \"path\" }\n",
            "",
        );
    let guest = Guest::live(with(echo(), &api)).await;
    let arguments =
        json!({ "order_id": "O-1", "total": { "amount": "5", "currency": "USD" }, "status": null });
    let output = guest.call("find_order", arguments).await.unwrap();
    assert_eq!(
        output,
        json!({ "order_id": "O-1", "total": { "amount": "5.00", "currency": "USD" } })
    );
}

#[tokio::test]
async fn without_a_description_there_is_nothing_to_offer() {
    refused(source(echo()), &expect!["the description of its API does not fit: the component carries out descriptions, and has none: it needs a section switchboard-api"]).await;
    refused(
        with(crate::guest::friendly(), &without_query(API)),
        &expect!["the description of its API does not fit: nothing in the component carries it out; `switchboard plugin build` puts it into one that does"],
    )
    .await;
    let twice = with(with(echo(), &without_query(API)).bytes, &without_query(API));
    refused(
        twice,
        &expect!["the description of its API does not fit: there are two of them"],
    )
    .await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table, a row for each mistake")]
async fn descriptions_that_make_no_sense_are_refused_by_place() {
    let api = without_query(API);
    for (wrong, expect) in [
        (
            API.to_owned(),
            expect![
                "the description of its API does not fit: tool.find_order.parameters.total: in a query only single texts, numbers, enums and lists of them fit"
            ],
        ),
        (
            api.replace("/orders/{order_id}", "/orders/../{order_id}"),
            expect![[
                r#"the description of its API does not fit: tool.find_order.path: the segment ".." is empty, `.` or `..`, or has characters that a path cannot have"#
            ]],
        ),
        (
            api.replace("type = \"status\", optional", "type = \"state\", optional"),
            expect![
                "the description of its API does not fit: type.order.fields.status: there is no type state"
            ],
        ),
        (
            api.replace("docs = \"Finds an order.\"", "docs = \"\""),
            expect![
                "the description of its API does not fit: tool.find_order: `docs` is missing: a model knows of a tool what stands there"
            ],
        ),
        (
            api.replace(
                "docs = \"Finds an order.\"",
                "docs = \"Finds \u{202e} an order.\"",
            ),
            expect![[
                r"the description of its API does not fit: Input contains bidirectional override codepoint EscapeUnicode(EscapeIterInner('\u{202e}'))"
            ]],
        ),
        (
            format!(
                "{api}evil = {{ type = \"string\", in = \"header\", name = \"Authorization\" }}"
            ),
            expect![
                "the description of its API does not fit: tool.find_order.parameters.evil: that header field is the host's: credentials, keys and destinations are granted by the operator"
            ],
        ),
        (
            format!("{api}evil = {{ type = \"string\", in = \"header\", name = \"x\\r\\nhost\" }}"),
            expect![
                "the description of its API does not fit: tool.find_order.parameters.evil: that is no name of a header field"
            ],
        ),
        (
            format!("{api}other = {{ type = \"customer-id\", in = \"body\" }}"),
            expect![
                "the description of its API does not fit: tool.find_order.parameters.other: the customer is a parameter called customer_id of the type customer-id, which the host fills in"
            ],
        ),
        (
            api.replace(
                "total = { type = \"money\", docs",
                "inner = { type = \"order\" }, total = { type = \"money\", docs",
            ),
            expect![
                "the description of its API does not fit: type.order: it contains itself: order → order"
            ],
        ),
        (
            api.replace("name = \"shop\"", "name = \"Shop\""),
            expect![
                "the description of its API does not fit: name: words of small letters and digits, joined by `-`, are expected"
            ],
        ),
        (
            paged("style = \"cursor\", parameter = \"after\""),
            expect![
                "the description of its API does not fit: tool.list_orders.pages: `next` is missing: the place of the next cursor"
            ],
        ),
        (
            paged("style = \"page\", parameter = \"page\", next = \"/next\""),
            expect![
                "the description of its API does not fit: tool.list_orders.pages: `next` is the place of the next cursor or link, and goes with those styles"
            ],
        ),
        (
            paged("style = \"link\", next = \"next\""),
            expect![
                "the description of its API does not fit: tool.list_orders.pages: expected a JSON pointer: empty, or `/` and what follows"
            ],
        ),
        (
            "x".repeat(600 * 1024),
            expect!["the description of its API does not fit: it has more than 524288 bytes"],
        ),
        (
            "a description".to_owned(),
            expect![[r"
            the description of its API does not fit: TOML parse error at line 1, column 3
              |
            1 | a description
              |   ^
            key with no value, expected `=`
        "]],
        ),
    ] {
        refused(with(echo(), &wrong), &expect).await;
    }
}
