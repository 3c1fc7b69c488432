//! Documents as real ones are: each oddity is offered as it is meant, or left out and named, and takes nothing else with it.

use std::fs;

use super::{run, said};

const DOCUMENT: &str = include_str!("odd.yaml");

/// What `new` said, the manifest and the description.
fn imported(document: &str) -> (String, String, toml::Table) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("odd.yaml"), document).unwrap();
    let new = ["plugin", "new", "odd", "--openapi", "odd.yaml"];
    let told = said(&run(folder.path(), &new));
    let read = |name: &str| fs::read_to_string(folder.path().join("odd").join(name)).unwrap();
    let (manifest, api) = (
        read("plugin.toml"),
        toml::from_str(&read("api.toml")).unwrap(),
    );
    said(&run(&folder.path().join("odd"), &["plugin", "build"]));
    (told, manifest, api)
}

#[test]
fn what_is_odd_about_an_operation_is_said_and_costs_no_other() {
    let (told, _, api) = imported(DOCUMENT);
    for line in [
        "DELETE /orders/{orderId}/: its body is left out: GET and DELETE do not have one",
        "DELETE /orders/{orderId}/: its answer is left out: `default` may be what an error says",
        "POST /customers/{customer_id}/orders is not offered: two parameters come to the name customer_id",
        "POST /mixed: both is left out of mixed_body: a description has nothing for the type of several kinds",
        "POST /mixed: its answer is left out: no schema of JSON says what it is",
        "GET /matrix/{m} is not offered: its parameter m is needed, and a description has nothing for the style matrix",
        "GET /unsaid/{thing} is not offered: its path has {thing}, which is none of its parameters",
        "GET /files is not offered: it is at another server, https://files.odd.example: make another plugin for that",
        "GET /up[2J is not offered: ",
    ] {
        assert!(told.contains(line), "{line:?} is missing:\n{told}");
    }
    assert!(!told.contains('\u{1b}'), "{told:?}");
    let once = "GET /orders/{orderId}/: order is left out of Customer: Order contains itself";
    assert_eq!(told.matches(once).count(), 1, "{told}");
    let mut tools: Vec<&String> = api["tool"].as_table().unwrap().keys().collect();
    tools.sort();
    let expected = [
        "get_orders_order_id",
        "mixed",
        "orders_replace",
        "orders_replace_v2",
    ];
    assert_eq!(tools, expected);
}

#[test]
fn what_is_odd_is_offered_as_it_is_meant() {
    let (_, manifest, api) = imported(DOCUMENT);
    for line in [
        "base_url = \"https://eu.odd.example/v2\"",
        "paths = [\"/v2/orders/*/\"]",
        "paths = [\"/v2/orders/{order_id}/\"]",
        "{ at = \"/orderId\", is = \"/order_id_in_body\" }",
        "{ at = \"/count\", is = \"/count\" }, { at = \"/size\", is = \"/size\" }",
    ] {
        assert!(manifest.contains(line), "{line:?} is missing:\n{manifest}");
    }
    let replace = &api["tool"]["orders_replace"];
    assert_eq!(
        replace["parameters"]["order_id"]["in"].as_str(),
        Some("path")
    );
    let other = &replace["parameters"]["order_id_in_body"];
    assert_eq!(
        (other["in"].as_str(), other["at"].as_str()),
        (Some("body"), Some("/orderId"))
    );
    let mixed = &api["tool"]["mixed"]["parameters"];
    for name in ["count", "size"] {
        assert_eq!(mixed[name]["type"].as_str(), Some("integer"), "{name}");
    }
    // Types that no tool uses are not there.
    let mut types: Vec<&String> = api["type"].as_table().unwrap().keys().collect();
    types.sort();
    assert_eq!(types, ["customer", "order"]);
}

/// Where only a path is said of the server, and where its variables have no end.
#[test]
fn a_server_is_as_far_known_as_its_document_says() {
    let from = DOCUMENT.find("  - url:").unwrap();
    let to = DOCUMENT.find("paths:\n").unwrap();
    let with = |servers: &str| DOCUMENT.replace(&DOCUMENT[from..to], servers);
    let nested = (0..40).map(|n| format!("v{n}: {{ default: \"{{v{0}}}{{v{0}}}\" }}", n + 1));
    let nested = nested.collect::<Vec<_>>().join(", ");
    let endless =
        format!("  - {{ url: \"https://x.example/{{v0}}\", variables: {{ {nested} }} }}\n");
    for (servers, url) in [
        ("  - url: /api/v3\n", "https://api.example.com/api/v3"),
        ("  - url: //elsewhere.example\n", "https://api.example.com"),
        (
            "  - url: https://{unset}.example\n",
            "https://api.example.com",
        ),
        (&endless, "https://api.example.com"),
    ] {
        let (_, manifest, _) = imported(&with(servers));
        let line = format!("# The document does not say where the API is.\nbase_url = \"{url}\"\n");
        assert!(manifest.contains(&line), "{line:?} is missing:\n{manifest}");
    }
}
