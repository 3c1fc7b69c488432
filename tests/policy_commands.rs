//! `switchboard policy`, as an operator uses it: rules are checked, a decision is explained, a change is tried on the past.

use std::path::Path;
use std::process::{Output, Stdio};

use crate::programs::{BLENDER, Serving, refuses, run, switchboard};
use crate::tree::root;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// That a command did well, and said all of these.
fn says(output: &Output, words: &[&str]) -> String {
    let text = said(output);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{complaint}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing: {text}");
    }
    text
}

/// A copy of the shipped rules, with one text in place of another.
fn changed_rules(folder: &Path, from: &str, to: &str) -> String {
    let shipped = root().join("host/policy/src/rules");
    let mut changes = 0;
    std::fs::create_dir(folder).unwrap();
    for entry in std::fs::read_dir(shipped).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        changes += text.matches(from).count();
        std::fs::write(
            folder.join(path.file_name().unwrap()),
            text.replace(from, to),
        )
        .unwrap();
    }
    assert!(
        changes > 0 || from.is_empty(),
        "{from:?} is not in the shipped rules"
    );
    folder.to_str().unwrap().to_owned()
}

#[test]
fn sound_rules_pass_the_check_and_others_are_named() {
    says(&run(&["policy", "check"]), &["✓ the shipped rules"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.cedar");
    let rules = "@id(\"own.all\")\npermit (principal, action in Action::\"read\", resource);\n\n@id(\"own.never\")\npermit (principal, action == Action::\"cancel_order\", resource)\nwhen { context.identity.level > 3 };\n\n@id(\"own.less\")\npermit (principal, action == Action::\"lookup_order\", resource)\nwhen { context.staff };\n";
    std::fs::write(&file, rules).unwrap();
    for path in [file.as_path(), folder.path()] {
        let output = run(&["policy", "check", path.to_str().unwrap()]);
        assert!(!output.status.success());
        let lines = said(&output);
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines.len(), 2, "{lines:#?}");
        assert!(
            lines[0].contains("own.cedar: 8:1: own.less: is unreachable")
                && lines[0].contains("own.all"),
            "{lines:#?}"
        );
        assert!(
            lines[1].contains("own.cedar: 4:1: own.never: never matches"),
            "{lines:#?}"
        );
    }
    std::fs::write(
        &file,
        "@id(\"x\") permit (principal, action == Action::\"proces_refund\", resource);",
    )
    .unwrap();
    let output = run(&["policy", "check", file.to_str().unwrap()]);
    assert!(
        !output.status.success() && said(&output).contains("own.cedar: 1:"),
        "{output:?}"
    );
    refuses(
        &run(&["policy", "check", "no-such.cedar"]),
        &["no-such.cedar"],
    );
}

#[test]
fn each_tenants_rules_are_looked_at_by_its_name() {
    let tenants = root().join("tests/data/tenants");
    let policy = |arguments: &[&str]| {
        let mut command = switchboard();
        command
            .arg("policy")
            .args(arguments)
            .env("TENANTS_FOLDER", &tenants);
        command.output().unwrap()
    };
    says(
        &policy(&["check", "--tenant", "acme"]),
        &["✓ the rules of the tenant acme"],
    );
    refuses(
        &policy(&["check", "--tenant", "initech"]),
        &["initech", "tenant.toml"],
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("call.json");
    std::fs::write(&file, LARGE.replace("200.00", "99.00")).unwrap();
    let file = file.to_str().unwrap();
    says(&policy(&["explain", file]), &["decision: allow"]);
    let limit = "settings.refund_limit = 4000";
    says(
        &policy(&["explain", file, "--tenant", "acme"]),
        &["LIMIT_EXCEEDED", limit],
    );
}

const LARGE: &str = r#"{ "call": { "tool": "process_refund", "arguments": { "order_id": "ORD-1", "amount": { "amount": "200.00", "currency": "USD" } } },
    "facts": { "now": 1795176000, "identity": { "level": "matched", "customer": "C-1" }, "entities": [
        { "kind": "order", "id": "ORD-1", "attributes": { "owner": "C-1", "status": "delivered", "refund_eligible": true,
          "delivered_at": "2026-11-15T12:00:00Z", "total": { "amount": "400.00", "currency": "USD" }, "refunded": { "amount": "0.00", "currency": "USD" } } }] } }"#;

#[test]
fn a_decision_is_explained_by_its_rules_and_what_they_saw() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("call.json");
    std::fs::write(&file, LARGE).unwrap();
    let output = run(&["policy", "explain", file.to_str().unwrap()]);
    says(
        &output,
        &[
            "decision: needs_consent staff P2 LIMIT_EXCEEDED",
            "against  refund.limit (refunds.cedar at ",
            "amount = 20000",
            "settings.refund_limit = 15000",
            "for      money.writes",
        ],
    );
    let mut explain = switchboard();
    explain
        .args(["policy", "explain", "-"])
        .env("REFUND_LIMIT", "500.00");
    let output = explain
        .stdin(std::fs::File::open(&file).unwrap())
        .stdout(Stdio::piped())
        .output();
    says(&output.unwrap(), &["decision: allow"]);
}

#[test]
fn an_input_that_does_not_fit_is_refused_by_its_field() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("call.json");
    let path = file.to_str().unwrap();
    for (text, words) in [
        (
            LARGE.replace("\"tool\"", "\"tol\""),
            vec!["call.json", "call.tol"],
        ),
        (
            LARGE.replace("matched", "certain"),
            vec!["call.json", "facts.identity.level", "certain"],
        ),
        ("not JSON".to_owned(), vec!["call.json", "line 1"]),
    ] {
        std::fs::write(&file, text).unwrap();
        refuses(&run(&["policy", "explain", path]), &words);
    }
    refuses(&run(&["policy", "explain"]), &["CALL.json"]);
    refuses(
        &run(&["policy", "explain", "no-such.json"]),
        &["no-such.json"],
    );
}

fn backtest(data: &Path, rules: &str, since: &str) -> Output {
    let data = data.to_str().unwrap();
    run(&[
        "policy", "backtest", rules, "--since", since, "--data", data,
    ])
}

/// While the host serves: nothing that a backtest does reaches the shop.
#[tokio::test]
async fn a_change_of_rules_is_tried_on_what_was_decided() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("data");
    let serving = Serving::start(&folder, |_| {});
    assert_eq!(serving.says("s", BLENDER).await["status"], "resolved");
    let same = changed_rules(&data.path().join("same"), "", "");
    let nothing = "recorded decisions: 0 would differ";
    says(&backtest(&folder, &same, "24h"), &[nothing]);
    let later = "2100-01-01T00:00:00Z";
    says(&backtest(&folder, &same, later), &["0 recorded decisions"]);

    let limit = "context.amount > context.settings.refund_limit";
    let strict = data.path().join("strict");
    let strict = changed_rules(&strict, limit, "context.amount > 1000");
    let refund = "process_refund: allow → needs_consent staff P2 LIMIT_EXCEEDED (refund.limit)";
    let text = says(
        &backtest(&folder, &strict, "24h"),
        &["1 would differ", refund],
    );
    let number = text.split_whitespace().next().unwrap();
    let mut explain = switchboard();
    explain.args([
        "policy",
        "explain",
        "--recorded",
        number,
        "--rules",
        &strict,
    ]);
    let output = explain.arg("--data").arg(&folder).output().unwrap();
    let asked = "decision: needs_consent staff";
    says(&output, &["recorded as", ": allow", asked, "amount = 4999"]);

    let lookup = "Action::\"lookup_order\",\n        Action::\"get_customer_orders\",";
    let reads = changed_rules(&data.path().join("reads"), lookup, "");
    let output = backtest(&folder, &reads, "1h");
    says(&output, &["lookup_order: allow → deny"]);
    assert_eq!(serving.refunds("ORD-8842").await, 1);
}

#[test]
fn what_cannot_be_tried_is_said() {
    let data = tempfile::tempdir().unwrap();
    let same = changed_rules(&data.path().join("same"), "", "");
    let here = data.path();
    refuses(&backtest(here, &same, "yesterday"), &["yesterday", "24h"]);
    refuses(&backtest(here, "no-such-rules", "24h"), &["no-such-rules"]);
    let nowhere = here.join("nowhere");
    refuses(
        &backtest(&nowhere, &same, "24h"),
        &["no data folder", "nowhere"],
    );
    let explain = ["policy", "explain", "--recorded", "1", "--data"];
    let output = switchboard().args(explain).arg(&nowhere).output();
    refuses(&output.unwrap(), &["no data folder", "nowhere"]);
}
