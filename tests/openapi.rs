//! From an API's document to governed calls, without code: `switchboard plugin new --openapi`.

mod again;
mod forms;
mod odd;

use std::fs;
use std::path::Path;
use std::process::Output;

use dispatch::Outcome;
use serde_json::json;

use crate::programs::{refuses, switchboard};
use crate::workbench::Workbench;

const DOCUMENT: &str = include_str!("openapi/shop.yaml");
const SARAH: &str = "C-1001";

fn run(folder: &Path, arguments: &[&str]) -> Output {
    switchboard()
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// A folder with the document in it, and what `new` said of it.
fn scaffolded(document: &str) -> (tempfile::TempDir, Output) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("shop.yaml"), document).unwrap();
    let output = run(
        folder.path(),
        &["plugin", "new", "shop", "--openapi", "shop.yaml"],
    );
    (folder, output)
}

/// What each destination of a manifest carries, in its order.
fn credentials(manifest: &str) -> Vec<Option<String>> {
    let manifest: toml::Table = toml::from_str(manifest).unwrap();
    let reach = manifest["asks"]["reach"].as_array().unwrap();
    let credential = |reach: &toml::Value| Some(reach.get("credential")?.as_str()?.to_owned());
    reach.iter().map(credential).collect()
}

/// A name or a header that would write lines of its own into the manifest.
#[test]
fn a_security_scheme_says_nothing_but_its_name() {
    let schemes = "  securitySchemes:\n    \"x\\n[asks]\\nmodel = true\": { type: apiKey, in: header, name: \"a\\nb\" }\n    \"y\\n[asks]\\nmodel = true\": { type: http, scheme: \"bearer\\n[asks]\" }\n";
    let from = DOCUMENT.find("  securitySchemes:").unwrap();
    let to = DOCUMENT.find("  parameters:\n    customerId").unwrap();
    let document = DOCUMENT.replace(&DOCUMENT[from..to], schemes);
    // Where the document does not say, every request carries the first that can be sent.
    let document = document.replace("security:\n  - login: [shop]\n  - key: []\n", "");
    let (folder, output) = scaffolded(&document);
    said(&output);
    let manifest = fs::read_to_string(folder.path().join("shop/plugin.toml")).unwrap();
    assert!(
        manifest.contains(
            "\n# the scheme y [asks] model = true (http bearer [asks]), the header authorization: "
        ),
        "{manifest}"
    );
    assert!(!manifest.contains("\n[asks]\nmodel"), "{manifest}");
    let api = || Some("api".to_owned());
    assert_eq!(credentials(&manifest), [None, api(), None, None]);
}

#[test]
fn what_cannot_be_offered_is_said_with_its_reason() {
    let (_folder, output) = scaffolded(DOCUMENT);
    let said = said(&output);
    let lines: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| line.contains('/'))
        .collect();
    let expected = [
        "GET /customers/{customerId}/orders: customerId is filled in by the host with the case's customer",
        "GET /customers/{customerId}/orders: the parameter session is left out: a description sends no cookie",
        "GET /customers/{customerId}/orders: its list is put together of up to 5 pages by offset; see `pages`",
        "GET /orders/{id}: the parameter Authorization is left out: that header field is the host's",
        "POST /tickets: attachments is left out of file_ticket_body: an object does not say what is in it",
        "POST /tickets: customer_id is filled in by the host with the case's customer",
        "DELETE /tickets/{id} is not offered: it is deprecated",
        "POST /files is not offered: its body is neither JSON nor a form",
        "POST /payments is not offered: its body: a description has nothing for oneOf",
        "GET /categories: parent is left out of Category: Category contains itself",
        "POST /search is not offered: its parameter q is needed, and a write under a grant that names its tool has no query",
        "HEAD /search is not offered: a tool has no use for HEAD",
        "GET /customers/{customerId}/orders: not carried over: minimum of offset",
        "GET /orders/{id}: not carried over: maxLength, pattern of id",
        "POST /tickets: not carried over: format of subject; minLength, maxLength of description",
        "PATCH /tickets/{id}: it carries no credential: the scheme inUrl: a key in the query is not sent, only one in a header; a request carries one credential, not several",
    ];
    for line in expected {
        assert!(lines.contains(&line), "{line:?} is missing:\n{said}");
    }
    for line in [
        "shop: 5 tools",
        "\n  api: the scheme key (apiKey), the header x-api-key; in tenant.toml, [credentials.api]: header = \"x-api-key\", value =",
        "\n  api-2: the scheme token (http bearer), the header authorization; in tenant.toml, [credentials.api-2]: bearer =",
    ] {
        assert!(said.contains(line), "{line:?} is missing:\n{said}");
    }
}

/// From the document to calls of the real shop: built, checked, loaded with exactly what its manifest asks for.
#[tokio::test]
async fn a_document_becomes_governed_tools() {
    let (folder, output) = scaffolded(DOCUMENT);
    said(&output);
    let plugin = folder.path().join("shop");
    let manifest = fs::read_to_string(plugin.join("plugin.toml")).unwrap();
    for line in [
        "paths = [\"/v1/categories\"]\n\n",
        "paths = [\"/v1/customers/*/orders\", \"/v1/orders/*\"]\n# the scheme key (apiKey), the header x-api-key: ",
        "methods = [\"PATCH\"]\npaths = [\"/v1/tickets/{id}\"]",
        "\nintent = { key = [\"/id\"], terms = [\"/status\", \"/assignee\"], latest = true }",
        "\n# intent = { key = [\"/subject\", \"/description\", \"/priority\", \"/customer_id\"], per_case = true }\n",
        "{ at = \"/subject\", is = \"/subject\" }",
    ] {
        assert!(manifest.contains(line), "{line} is missing:\n{manifest}");
    }
    let api = |name: &str| Some(name.to_owned());
    assert_eq!(
        credentials(&manifest),
        [None, api("api"), api("api-2"), None]
    );
    said(&run(&plugin, &["plugin", "build"]));
    let checked = said(&run(&plugin, &["plugin", "check"]));
    assert!(checked.contains("file_ticket"), "{checked}");

    let rules = r#"
        list_orders = { effect = "read" }
        get_order = { effect = "read" }
        tree = { effect = "read" }
        file_ticket = { effect = "write", intent = { key = ["/subject"] } }
        change_ticket = { effect = "write", intent = { key = ["/id"] } }
    "#;
    let bench = Workbench::open(&[], rules).await;
    let component = fs::read(plugin.join("shop.wasm")).unwrap();
    let reach: &[(&[&str], &[&str])] = &[
        (&["GET"], &["/customers/*/orders", "/orders/*"]),
        (&["POST"], &["/tickets"]),
    ];
    bench
        .publish("acme", vec![bench.plugin("shop", component, reach)])
        .await
        .unwrap();
    let order = bench
        .done("acme", SARAH, "get_order", json!({ "id": "ORD-8842" }))
        .await;
    assert_eq!(
        (&order["id"], &order["total"]["currency"]),
        (&json!("ORD-8842"), &json!("USD"))
    );
    let list = bench.done("acme", SARAH, "list_orders", json!({})).await;
    assert_eq!(
        (list["orders"][0]["id"].as_str(), &list["has_more_pages"]),
        (Some("ORD-8842"), &json!(false))
    );
    let ticket = json!({ "subject": "Broken glass", "description": "It arrived broken.", "priority": "high" });
    let made = bench
        .done("acme", SARAH, "file_ticket", ticket.clone())
        .await;
    assert_eq!(bench.done("acme", SARAH, "file_ticket", ticket).await, made);
    assert_eq!(bench.shop.writes().await, ["POST /tickets"]);
    let body = &bench
        .shop
        .requests()
        .await
        .into_iter()
        .find(|r| r["method"] == "POST")
        .unwrap()["body"];
    let text = body
        .as_str()
        .map_or_else(|| body.to_string(), str::to_owned);
    assert!(text.contains("\"high\"") && text.contains(SARAH), "{text}");
    let refused = bench.call("acme", SARAH, "tree", json!({})).await;
    assert!(
        matches!(&refused, Outcome::Denied { refusal, .. } if refusal.code == "NOT_GRANTED"),
        "{refused:?}"
    );
    assert!(
        !bench
            .shop
            .requests()
            .await
            .iter()
            .any(|r| r["path"] == "/categories")
    );
}

#[test]
fn documents_that_are_none_are_refused_in_words() {
    let bomb = (0..12).fold("a0: &a0 [x]\n".to_owned(), |text, n| {
        let many = format!("*a{n}, ").repeat(9);
        text + &format!("a{}: &a{} [{many}*a{n}]\n", n + 1, n + 1)
    });
    let deep = format!(
        "openapi: 3.0.0\nx: {}1{}\n",
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    let json = format!(
        "{{\"openapi\": \"3.0.0\", \"x\": {}1{}}}",
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    for (document, words) in [
        (String::new(), "no OpenAPI 3"),
        ("swagger: '2.0'".to_owned(), "Swagger 2"),
        ("openapi: 4.0.0".to_owned(), "version is 4.0.0"),
        (
            "openapi: 3.0.0\npaths: {}".to_owned(),
            "none of its operations",
        ),
        ("{ \"openapi\": ".to_owned(), "neither JSON nor YAML"),
        ("a: [1".to_owned(), "neither JSON nor YAML"),
        (bomb, "neither JSON nor YAML"),
        (deep, "neither JSON nor YAML"),
        (json, "neither JSON nor YAML"),
        ("x".repeat(10 << 20), "bytes"),
    ] {
        let (folder, output) = scaffolded(&document);
        refuses(&output, &[words]);
        assert!(
            !folder.path().join("shop").exists(),
            "{words}: nothing is left behind"
        );
    }
}

/// References in circles and shared without end, and more operations than anybody needs: each has an end, and is said.
#[test]
fn hostile_references_and_lists_have_an_end() {
    let operation = |schema: &str| {
        format!(
            "{{\"responses\": {{\"200\": {{\"description\": \"\", \"content\": {{\"application/json\": {{\"schema\": {schema}}}}}}}}}}}"
        )
    };
    let shared = (0..30).map(|n| {
        let next = format!("{{\"$ref\": \"#/components/schemas/S{}\"}}", n + 1);
        format!(
            "\"S{n}\": {{\"type\": \"object\", \"properties\": {{\"a\": {next}, \"b\": {next}}}}}"
        )
    });
    let schemas = shared.collect::<Vec<_>>().join(",");
    let many = (0..1_000).map(|n| {
        format!(
            "\"/many/{n}\": {{\"get\": {}}}",
            operation("{\"type\": \"string\"}")
        )
    });
    let document = format!(
        "{{\"openapi\": \"3.0.3\", \"paths\": {{
            \"/circle\": {{\"get\": {}}}, \"/shared\": {{\"get\": {}}}, \"/elsewhere\": {{\"get\": {}}},
            \"/../up\": {{\"get\": {}}}, \"/a%2e/b\": {{\"get\": {}}},
            {} }},
          \"components\": {{\"schemas\": {{\"A\": {{\"$ref\": \"#/components/schemas/B\"}}, \"B\": {{\"$ref\": \"#/components/schemas/A\"}},
            {schemas} }}}}}}",
        operation("{\"$ref\": \"#/components/schemas/A\"}"),
        operation("{\"$ref\": \"#/components/schemas/S0\"}"),
        operation("{\"$ref\": \"https://evil.example/schema.json\"}"),
        operation("{\"type\": \"string\"}"),
        operation("{\"type\": \"string\"}"),
        many.collect::<Vec<_>>().join(","),
    );
    let (_folder, output) = scaffolded(&document);
    let said = said(&output);
    for line in [
        "GET /circle is not offered: its answer: its references go round in a circle",
        "GET /shared is not offered: its answer: ",
        "GET /elsewhere is not offered: its answer: https://evil.example/schema.json is in another file",
        "GET /../up is not offered: the segment \"..\"",
        "GET /a%2e/b is not offered: the segment",
        "GET /many/999 is not offered: a description has 128 tools at most",
    ] {
        assert!(
            said.contains(line),
            "{line:?} is missing:\n{}",
            &said[..said.len().min(3_000)]
        );
    }
    assert!(said.contains("shop: 128 tools"));
}
