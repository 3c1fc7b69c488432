//! What a manifest may say, and how one that does not fit is refused.

use policy::Effect;

use super::*;
use crate::OpenTo;

const LOYALTY: &str = r#"
name = "loyalty"
version = "1.0.0"

[build]
command = "cargo build --release --target wasm32-wasip2"
component = "target/wasm32-wasip2/release/loyalty.wasm"

[asks]
settings = { base_url = "http://127.0.0.1:9300" }

[[asks.reach]]
origin = "{base_url}"
methods = ["GET"]
paths = ["/members/*"]

[tool.get_points]
effect = "read"
open_to = "matched"
"#;

fn parsed(text: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse(text, Path::new("plugin.toml"))
}

fn refusal(text: &str) -> String {
    parsed(text).unwrap_err().to_string()
}

#[test]
fn a_manifest_says_what_the_plugin_is_and_asks() {
    let manifest = parsed(LOYALTY).unwrap();
    assert_eq!(manifest.version, Version::new(1, 0, 0));
    assert_eq!(manifest.tools["get_points"].rule.effect, Effect::Read);
    assert_eq!(manifest.tools["get_points"].open_to, Some(OpenTo::Matched));
    assert_eq!(manifest.build.unwrap().wit, Path::new("wit"));
    let chosen = [(
        "base_url".to_owned(),
        "https://api.example.com/v2".to_owned(),
    )]
    .into();
    let settings = manifest.asks.settings_with(&chosen);
    let grants = manifest.asks.grants(&settings).unwrap();
    assert_eq!(grants[0].origin, "https://api.example.com");
    assert!(!grants[0].private_network);
}

#[test]
fn a_component_carries_its_manifest() {
    let empty = b"\0asm\x0d\0\x01\0";
    let file = Path::new("loyalty.wasm");
    assert_eq!(Manifest::of_component(empty, file), Ok(None));
    let carrying = Manifest::embed(LOYALTY, empty, file).unwrap();
    let carried = Manifest::of_component(&carrying, file).unwrap();
    assert_eq!(carried, Some(parsed(LOYALTY).unwrap()));
    let refused = Manifest::embed("name = 1", empty, file).unwrap_err();
    assert!(refused.to_string().starts_with("loyalty.wasm, line 1"));
}

#[test]
fn a_refusal_names_file_line_and_key() {
    for (old, new, said) in [
        ("1.0.0", "1.0", "plugin.toml, line 3, key version: "),
        (
            "\"loyalty\"",
            "\"Loyalty\"",
            "plugin.toml, line 2, key name: expected a-z",
        ),
        (
            "\"loyalty\"",
            "\"../loyalty\"",
            "line 2, key name: expected a-z",
        ),
        (
            "open_to = \"matched\"",
            "open_to = \"all\"",
            "line 19, key tool.get_points.open_to: unknown variant `all`",
        ),
        (
            "effect = \"read\"",
            "effect = \"none\"",
            "line 18, key tool.get_points.effect: unknown variant",
        ),
        (
            "http://127.0.0.1:9300",
            "somewhere",
            "line 13, key asks.reach.origin: the setting `base_url` must be a URL",
        ),
        (
            "settings = {",
            "setings = {",
            "line 10, key asks.setings: unknown field",
        ),
        ("[\"GET\"]", "[\"get\"]", "`get` is no method"),
    ] {
        let refusal = refusal(&LOYALTY.replacen(old, new, 1));
        assert!(refusal.contains(said), "{new}: {refusal}");
    }
    let long = format!("{LOYALTY}# {}", "x".repeat(MAX_BYTES));
    assert!(refusal(&long).contains("may have 65536"));
}

/// An author who could say these would forge who a customer is, or what is so of an order.
#[test]
fn what_an_operator_alone_can_say_of_a_tool_is_refused_by_its_key() {
    for (key, value, said) in [
        ("identity", "\"claims\"", "who the customer is"),
        ("identity", "\"matches\"", "who the customer is"),
        ("claimed_by", "\"/email\"", "who the customer is"),
        (
            "establishes",
            "[{ kind = \"points\", id = \"/id\" }, { kind = \"order\", id = \"/id\" }]",
            "of the contract (order)",
        ),
        (
            "establishes",
            "[{ kind = \"customer\", id = \"/id\" }]",
            "of the contract (customer)",
        ),
        (
            "establishes",
            "[{ kind = \"ticket\", id = \"/id\" }]",
            "of the contract (ticket)",
        ),
        (
            "establishes",
            "[{ kind = \"contact\", id = \"/id\" }]",
            "of the contract (contact)",
        ),
        ("budgets", "[\"refund_tenant_day\"]", "(refund_tenant_day)"),
        (
            "rates",
            "[\"ticket_calls_tenant_day\"]",
            "(ticket_calls_tenant_day)",
        ),
        ("guesses", "[\"guesses_case_day\"]", "(guesses_case_day)"),
    ] {
        let refusal = refusal(&format!("{LOYALTY}{key} = {value}\n"));
        let at = format!("plugin.toml, line 20, key tool.get_points.{key}: ");
        assert!(refusal.starts_with(&at), "{refusal}");
        assert!(refusal.contains(said), "{refusal}");
        let who = "only the operator's tools.toml can say so";
        assert!(refusal.contains(who), "{refusal}");
    }
    let own = "entity = { kind = \"customer\", id = \"/customer_id\" }\nestablishes = [{ kind = \"points\", id = \"/id\" }]\nowner = [\"/customer_id\"]\n";
    parsed(&format!("{LOYALTY}{own}")).unwrap();
}

#[test]
fn only_tools_that_exist_are_classified() {
    let manifest = parsed(LOYALTY).unwrap();
    assert_eq!(
        manifest.check_tools(["get_points", "redeem_points"]),
        Ok(())
    );
    let refused = manifest.check_tools(["redeem_points"]).unwrap_err();
    let said = "plugin.toml classifies get_points, which the component does not offer; it offers redeem_points";
    assert_eq!(refused.to_string(), said);
}
