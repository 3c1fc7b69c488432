//! Two majors of one package in one process: a plugin of the released `switchboard:shipping` keeps working beside one of a second
//! major, under the second one's tools.

use std::process::Command;
use std::sync::OnceLock;

use dispatch::Outcome;
use serde_json::json;

use crate::tree::root;
use crate::workbench::{Workbench, guests, shipped, toolbox};

const NEWER: &str = include_str!("majors/wit/shipping.wit");
const CONVERSIONS: &str = include_str!("majors/conversions.toml");
const RULES: &str = r#"
track_order = { effect = "read" }
get_tracking_info = { effect = "read" }
create_return = { effect = "write", intent = { key = ["/order"] } }
postpone_delivery = { effect = "write", intent = { key = ["/order"] } }
lookup_order = { effect = "read" }
get_customer_orders = { effect = "read" }
cancel_order = { effect = "write", intent = { key = ["/order_id"] } }
"#;
const REACH: &[(&[&str], &[&str])] = &[
    (
        &["GET"],
        &["/orders/*", "/shipments", "/customers/*/orders"],
    ),
    (&["POST"], &["/returns"]),
];
const SARAH: &str = "C-1001";

/// The guest of the second major, built once for all tests.
fn parcels() -> Vec<u8> {
    static BUILT: OnceLock<Vec<u8>> = OnceLock::new();
    let build = || {
        let folder = root().join("tests/majors/parcels");
        let built = Command::new(env!("CARGO"))
            .args([
                "build",
                "--release",
                "--locked",
                "--quiet",
                "--target",
                "wasm32-wasip2",
            ])
            .env_remove("RUSTFLAGS")
            .env("CARGO_TARGET_DIR", guests())
            .current_dir(&folder)
            .status();
        assert!(
            built.unwrap().success(),
            "{} does not build",
            folder.display()
        );
        shipped("parcels")
    };
    BUILT.get_or_init(build).clone()
}

fn contract(conversions: &str) -> [(&'static str, String); 2] {
    [
        ("shipping-2/shipping.wit", NEWER.to_owned()),
        ("conversions.toml", conversions.to_owned()),
    ]
}

/// Two tenants of one process: `older` has the shipped plugin of the first major, `newer` one of the second.
async fn side_by_side() -> Workbench {
    let files = contract(CONVERSIONS);
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    let bench = Workbench::open(&files, RULES).await;
    let older = bench.plugin("orders", shipped("orders"), REACH);
    let newer = bench.plugin("parcels", parcels(), REACH);
    bench.publish("older", vec![older]).await.unwrap();
    bench.publish("newer", vec![newer]).await.unwrap();
    bench
}

#[tokio::test]
async fn both_majors_offer_the_same_tools_and_give_the_same_answers() {
    let bench = side_by_side().await;
    for tool in ["track_order", "create_return"] {
        let (older, newer) = (bench.spec("older", tool), bench.spec("newer", tool));
        assert_eq!(older.interface, "switchboard:shipping/shipping@2.0.0");
        assert_eq!(older.interface, newer.interface);
        assert_eq!(older.description, newer.description);
        assert_eq!(older.input_schema, newer.input_schema);
        assert_eq!(older.output_schema, newer.output_schema);
    }
    let asked = json!({ "order": "ORD-8842" });
    let older = bench
        .done("older", SARAH, "track_order", asked.clone())
        .await;
    let newer = bench.done("newer", SARAH, "track_order", asked).await;
    assert_eq!(older, newer);
    assert_eq!(older["parcels"][0]["service"], "standard", "{older:#}");

    let asked = json!({ "order": "ORD-8842", "reason": "damaged", "comment": "broken glass" });
    let older = bench
        .done("older", SARAH, "create_return", asked.clone())
        .await;
    let newer = bench.done("newer", SARAH, "create_return", asked).await;
    assert_eq!(older["reason"], "damaged");
    assert_eq!(
        older["cost"],
        json!({ "amount": "0.00", "currency": "USD" })
    );
    let fields = |label: &serde_json::Value| {
        label
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(fields(&older), fields(&newer));
    let requests = bench.shop.requests().await;
    let bodies: Vec<_> = requests
        .iter()
        .filter(|r| r["method"] == "POST")
        .map(|r| &r["body"])
        .collect();
    assert_eq!(bodies.len(), 2, "{requests:#?}");
    assert_eq!(bodies[0], bodies[1], "both majors sent the same");
}

#[tokio::test]
async fn errors_and_refusals_are_the_same_in_both() {
    let bench = side_by_side().await;
    for tenant in ["older", "newer"] {
        let gone = bench
            .call(
                tenant,
                SARAH,
                "track_order",
                json!({ "order": "ORD-9999999" }),
            )
            .await;
        let Outcome::Failed { error, .. } = &gone else {
            panic!("{tenant}: {gone:?}");
        };
        assert_eq!(error.kind(), "not found", "{tenant}");
        bench.shop.forget_requests().await;
        // The first major's own argument, and a case that it never had.
        for wrong in [
            json!({ "order_id": "ORD-8842" }),
            json!({ "order": "ORD-8842", "reason": "lost", "comment": "" }),
        ] {
            let refused = bench.call(tenant, SARAH, "create_return", wrong).await;
            assert!(
                matches!(refused, Outcome::Invalid(_)),
                "{tenant}: {refused:?}"
            );
        }
        assert!(bench.shop.requests().await.is_empty());
    }
}

/// What the older plugin cannot do is not offered for it, and said to whoever checks the plugin.
#[tokio::test]
async fn a_function_without_a_counterpart_is_not_offered() {
    let bench = side_by_side().await;
    let unknown = bench
        .call("older", SARAH, "postpone_delivery", json!({}))
        .await;
    assert_eq!(unknown, Outcome::UnknownTool);
    assert_eq!(
        bench.spec("newer", "postpone_delivery").name,
        "postpone_delivery"
    );
    let inspected = bench
        .toolbox
        .inspect("orders", "1.0.0", &shipped("orders"))
        .unwrap();
    assert_eq!(
        inspected.skipped,
        [
            "switchboard:shipping/shipping@2.0.0#postpone-delivery has no counterpart in the older version"
        ]
    );
}

/// One name is one tool of one plugin, whatever major is behind it.
#[tokio::test]
async fn both_majors_in_one_tenant_clash_by_tool() {
    let bench = side_by_side().await;
    let both = vec![
        bench.plugin("orders", shipped("orders"), REACH),
        bench.plugin("parcels", parcels(), REACH),
    ];
    let error = bench.publish("older", both).await.unwrap_err();
    assert!(
        error.to_string().contains("offer the tool track_order"),
        "{error}"
    );
    bench
        .done(
            "older",
            SARAH,
            "track_order",
            json!({ "order": "ORD-8842" }),
        )
        .await;
}

/// Without the line that says where the first major's order comes from, no host starts with this contract.
#[test]
fn a_declaration_with_a_hole_is_refused_at_the_start() {
    let holed = CONVERSIONS.replace("\"/parcels/*/service\" = { value = \"standard\" }\n", "");
    assert_ne!(holed, CONVERSIONS);
    let files = contract(&holed);
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    let error = toolbox(&files).err().unwrap().to_string();
    assert!(
        error.contains("conversions.toml") && error.contains("/parcels/*/service"),
        "{error}"
    );
}
