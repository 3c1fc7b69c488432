//! Cases that say what was known before: writes of the contract whose rules need what another plugin's read establishes.

use std::fs;
use std::path::PathBuf;

use super::{Author, succeeds};
use crate::programs::refuses;
use crate::workbench::shipped;

const HEAD: &str = r#"
version = "1.0.0"
[build]
command = "exit 0"
component = "made.wasm"
[asks.settings]
base_url = "http://127.0.0.1:9300"
"#;

/// It reads no orders: what is known of one is another plugin's to say.
const REFUNDS: &str = r#"
[[asks.reach]]
origin = "{base_url}"
methods = ["POST"]
paths = ["/refunds"]
nature = "deduplicates"
tools = { process_refund = [{ at = "/order_id", is = "/order_id" }, { at = "/amount/minor", is = "/amount", form = "minor_units" }, { at = "/amount/currency", is = "/amount", form = "currency" }] }
"#;

const ORDERS: &str = r#"
[[asks.reach]]
origin = "{base_url}"
methods = ["POST"]
paths = ["/orders/{order_id}/cancel"]
nature = "deduplicates"
tools = { cancel_order = [{ at = "/reason", is = "/reason" }] }
"#;

const REFUND: &str = r#"
customer = "C-1"
call = { tool = "process_refund", arguments = { order_id = "ORD-1", amount = { amount = "49.99", currency = "USD" }, reason = "broken" } }
"#;

const DELIVERED: &str = r#"
[[case.facts]]
kind = "order"
id = "ORD-1"
[case.facts.attributes]
owner = "C-1"
status = "delivered"
refund_eligible = true
delivered_at = { days_ago = 3 }
total = { amount = "400.00", currency = "USD" }
refunded = { amount = "0.00", currency = "USD" }
"#;

const PAID_BACK: &str = r#"
output = { refund_id = "R-1", order_id = "ORD-1", customer_id = "C-1", amount = { amount = "49.99", currency = "USD" }, reason = "broken", status = "succeeded", created_at = "2026-01-31T12:00:00Z" }
effects = 1
"#;

const PAYS_BACK: &str = r#"
[[case.backend]]
expect = "POST /refunds"
body = { order_id = "ORD-1", amount = { minor = 4999, currency = "USD" }, reason = "broken" }
status = 201
answer = { id = "R-1", order_id = "ORD-1", customer_id = "C-1", amount = { minor = 4999, currency = "USD" }, reason = "broken", status = "succeeded", created_at = "2026-01-31T12:00:00Z" }
"#;

const CANCEL: &str = r#"
customer = "C-1"
call = { tool = "cancel_order", arguments = { order_id = "ORD-1", reason = "too late" } }
"#;

const CANCELLED: &str = r#"
output = { order_id = "ORD-1", customer_id = "C-1", status = "cancelled", items = [], total = { amount = "400.00", currency = "USD" }, placed_at = "2026-01-31T12:00:00Z", refund_eligible = false, refund_note = "cancelled", refunded = { amount = "0.00", currency = "USD" } }
"#;

const PENDING: &str = r#"
[[case.facts]]
kind = "order"
id = "ORD-1"
attributes = { owner = "C-1", status = "pending" }
"#;

const CANCELS: &str = r#"
[[case.backend]]
expect = "POST /orders/ORD-1/cancel"
body = { reason = "too late" }
answer = { id = "ORD-1", customer_id = "C-1", status = "cancelled", items = [], total = { minor = 40000, currency = "USD" }, placed_at = "2026-01-31T12:00:00Z", refund_eligible = false, refund_note = "cancelled", refunded = { minor = 0, currency = "USD" } }
"#;

/// A folder with a shipped component as what its build leaves.
fn folder(author: &Author, plugin: &str, reach: &str) -> PathBuf {
    let folder = author.folder(plugin);
    fs::create_dir_all(folder.join("tests")).unwrap();
    fs::write(folder.join("made.wasm"), shipped(plugin)).unwrap();
    let manifest = format!("name = \"{plugin}\"{HEAD}{reach}");
    fs::write(folder.join("plugin.toml"), manifest).unwrap();
    succeeds(&Author::plugin(&folder, &["build"]));
    folder
}

fn case(name: &str, parts: &[&str]) -> String {
    format!("[[case]]\nname = \"{name}\"\n{}\n", parts.concat())
}

#[test]
fn a_write_that_needs_a_lookup_of_another_plugin_is_tried_with_facts() {
    let author = Author::new();
    let folder = folder(&author, "refunds", REFUNDS);
    let refund =
        |name, how: &str, facts: &str| case(name, &[REFUND, how, PAID_BACK, facts, PAYS_BACK]);
    let fault = |fault: &str| format!("fault = \"{fault}\"\n");
    let nothing_seen = "denied = \"LOOKUP_FIRST\"\nrequests = 0\n";
    let stale = format!(
        "age = 3601\n{}",
        &DELIVERED[DELIVERED.find("[case.facts.a").unwrap()..]
    );
    let cases = [
        refund("known", "requests = 1\n", DELIVERED),
        refund("twice", &(fault("duplicate") + "requests = 1\n"), DELIVERED),
        refund(
            "never arrived",
            &(fault("cut_before_send") + "requests = 2\n"),
            DELIVERED,
        ),
        refund(
            "lost",
            &(fault("cut_after_send") + "requests = 2\n"),
            DELIVERED,
        ),
        case("not looked up", &[REFUND, nothing_seen]),
        case(
            "of another order",
            &[REFUND, nothing_seen, &DELIVERED.replace("ORD-1", "ORD-2")],
        ),
        case(
            "stale",
            &[
                REFUND,
                "denied = \"LOOKUP_STALE\"\nrequests = 0\n[[case.facts]]\nkind = \"order\"\nid = \"ORD-1\"\n",
                &stale,
            ],
        ),
        case(
            "another's",
            &[
                REFUND,
                "denied = \"NOT_OWNER\"\nrequests = 0\n",
                &DELIVERED.replace("C-1", "C-2"),
            ],
        ),
        case(
            "too late",
            &[
                REFUND,
                "denied = \"WINDOW_PASSED\"\nrequests = 0\n",
                &DELIVERED.replace("= 3 }", "= 90 }"),
            ],
        ),
    ];
    fs::write(folder.join("tests/refunds.toml"), cases.concat()).unwrap();
    let tested = succeeds(&Author::plugin(&folder, &["test"]));
    assert!(tested.contains("9 passed, 0 failed"), "{tested}");
}

#[test]
fn a_write_that_a_colleague_must_approve_is_tried_with_their_yes() {
    let author = Author::new();
    let folder = folder(&author, "refunds", REFUNDS);
    let large = |text: &str| text.replace("49.99", "300.00").replace("4999", "30000");
    let cases = [
        case(
            "a colleague agrees",
            &[
                &large(REFUND),
                "consent = \"yes\"\nrequests = 1\n",
                &large(PAID_BACK),
                DELIVERED,
                &large(PAYS_BACK),
            ],
        ),
        case(
            "nobody has agreed",
            &[
                &large(REFUND),
                "outcome = \"awaiting_consent\"\nrequests = 0\n",
                DELIVERED,
            ],
        ),
    ];
    fs::write(folder.join("tests/refunds.toml"), cases.concat()).unwrap();
    let tested = succeeds(&Author::plugin(&folder, &["test"]));
    assert!(tested.contains("2 passed, 0 failed"), "{tested}");
}

#[test]
fn a_write_that_needs_a_yes_is_tried_with_one() {
    let author = Author::new();
    let folder = folder(&author, "orders", ORDERS);
    let yes = &format!("consent = \"yes\"\n{CANCELLED}requests = 1\neffects = 1\n");
    let cases = [
        case("agreed", &[CANCEL, yes, PENDING, CANCELS]),
        case(
            "agreed, and asked again",
            &[CANCEL, "fault = \"duplicate\"\n", yes, PENDING, CANCELS],
        ),
        case(
            "not agreed",
            &[
                CANCEL,
                "outcome = \"awaiting_consent\"\nrequests = 0\n",
                PENDING,
            ],
        ),
    ];
    fs::write(folder.join("tests/orders.toml"), cases.concat()).unwrap();
    let tested = succeeds(&Author::plugin(&folder, &["test"]));
    assert!(tested.contains("3 passed, 0 failed"), "{tested}");
}

#[test]
fn facts_and_yeses_that_mean_nothing_are_refused_by_name() {
    let author = Author::new();
    let folder = folder(&author, "refunds", REFUNDS);
    let denied = "denied = \"LOOKUP_FIRST\"\n";
    let fact = |text: &str| format!("[[case.facts]]\nkind = \"order\"\nid = \"ORD-1\"\n{text}");
    for (facts, said) in [
        (
            "[[case.facts]]\nkind = \"parcel\"\nid = \"P-1\"".to_owned(),
            vec![
                "case \"one\"",
                "the fact parcel \"P-1\"",
                "customer, order, ticket",
            ],
        ),
        (
            fact("attributes = { customer_id = \"C-1\" }"),
            vec!["the fact order \"ORD-1\"", "\"customer_id\"", "owner"],
        ),
        (
            fact("attributes = { total = \"400.00\" }"),
            vec!["the fact order \"ORD-1\": total must be money"],
        ),
        (fact("colour = \"red\""), vec!["unknown field `colour`"]),
    ] {
        fs::write(
            folder.join("tests/refunds.toml"),
            case("one", &[REFUND, denied, &facts]),
        )
        .unwrap();
        refuses(&Author::plugin(&folder, &["test"]), &said);
    }
    let unasked = case("one", &[REFUND, denied, "consent = \"yes\"\n"]);
    fs::write(folder.join("tests/refunds.toml"), unasked).unwrap();
    let output = Author::plugin(&folder, &["test"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success(), "{text}");
    for said in [
        "nobody was asked for the consent",
        "the backend saw: nothing",
    ] {
        assert!(text.contains(said), "{said:?} is missing: {text}");
    }
}
