//! `switchboard plugin`: what an operator does with the plugins of a host that serves, from a shell.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::process::Output;

use artifacts::Digest;
use serde_json::{Value, json};

use super::parcel::{Bay, Parcel};
use crate::desk::{Desk, OPERATOR_KEY};
use crate::programs::{refuses, run, switchboard};

/// `switchboard plugin …` in an operator's shell, for this host.
pub(super) async fn plugin(desk: &Desk, arguments: &[impl AsRef<OsStr>]) -> Output {
    let mut command = switchboard();
    command.arg("plugin").args(arguments);
    command.args(["--url", &desk.url("")]);
    command.env("SWITCHBOARD_OPERATOR_KEY", OPERATOR_KEY);
    // The host serves in this process: it must go on while the command runs.
    let running = tokio::task::spawn_blocking(move || command.output().unwrap());
    running.await.unwrap()
}

/// What it prints, where it succeeds.
pub(super) async fn says(desk: &Desk, arguments: &[impl AsRef<OsStr> + Debug]) -> String {
    let output = plugin(desk, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// How `plugin list` shows the plugin: one line of itself, and one of each version.
pub(super) async fn listed(desk: &Desk) -> String {
    let list = says(desk, &["list"]).await;
    let mut lines = list.lines().skip_while(|line| !line.starts_with("shelf "));
    let own = lines.next();
    let versions = lines.take_while(|line| line.starts_with("    "));
    let lines: Vec<&str> = own.into_iter().chain(versions).collect();
    lines.join("\n")
}

/// What `plugin history` prints of the plugin, without the times.
async fn told(desk: &Desk) -> Vec<String> {
    let told = says(desk, &["history", "shelf"]).await;
    let line = |line: &str| {
        let (at, what) = line.split_once(' ').unwrap();
        assert!(at.starts_with("20") && at.ends_with('Z'), "{line}");
        what.trim_end().to_owned()
    };
    told.lines().map(line).collect()
}

/// Two versions, brought by the command: 1.0.0, which is live, and 1.1.0, which tells an order's owner, too.
async fn shelved() -> Desk {
    let desk = Desk::open().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shelf.wasm");
    let place = format!("base_url={}", desk.shop.url);
    for (parcel, words) in [
        (Parcel::version("1.0.0"), "it is live\n"),
        (
            Parcel::with_owner("1.1.0"),
            "it is not live yet: `switchboard plugin swap shelf 1.1.0`, or `plugin canary`\n",
        ),
    ] {
        parcel.put_into(folder.path());
        let bytes = std::fs::read(&file).unwrap();
        let file = file.to_str().unwrap();
        let install = ["install", file, "--accept", "--set", &place];
        let why = ["--reason", "as agreed"];
        let said = says(&desk, &[install.as_slice(), &why].concat()).await;
        let version = &parcel.version;
        let digest = Digest::of(&bytes);
        let known = format!("shelf {version}, {digest}, is installed for demo\n{words}");
        assert_eq!(said, known);
    }
    desk
}

const VERSIONS: &str = "\n    1.0.0 from a request\n    1.1.0 from a request";

/// That the command printed this of the plugin, that the list says the same, and that this version answers a call of this case.
async fn stands(desk: &Desk, said: &str, own: &str, (case, version): (&str, &str)) {
    assert_eq!(said, format!("{own}\n"));
    assert_eq!(listed(desk).await, format!("{own}{VERSIONS}"));
    let owner = match version {
        "1.0.0" => json!(null),
        _ => json!("C-1001"),
    };
    assert_eq!(Bay::of(desk).found_in(case).await["owner"], owner);
}

#[tokio::test]
async fn an_operator_swaps_tries_and_goes_back() {
    let desk = shelved().await;
    let first = "shelf 1.0.0 (installed)";
    stands(&desk, &format!("{first}\n"), first, ("c", "1.0.0")).await;

    let swap = ["swap", "shelf", "1.1.0", "--reason", "owners"];
    let said = says(&desk, &swap).await;
    let second = "shelf 1.1.0 (installed), before it 1.0.0";
    stands(&desk, &said, second, ("c", "1.1.0")).await;
    let said = says(&desk, &["rollback", "shelf", "--reason", "a mistake"]).await;
    let back = "shelf 1.0.0 (installed), before it 1.1.0";
    stands(&desk, &said, back, ("c", "1.0.0")).await;

    let terms = ["--share", "100", "--min-calls", "7", "--denials", "0.5"];
    let canary = [["canary", "shelf", "1.1.0"].as_slice(), &terms].concat();
    let said = says(&desk, &canary).await;
    let ends = "ends from call 7 on beyond 2.0 % traps, 20.0 % errors or 0.5 % denials";
    let tried = format!(
        "shelf 1.0.0 (installed), 1.1.0 on trial for 100.0 % of the cases, which {ends}, before it 1.1.0"
    );
    stands(&desk, &said, &tried, ("c", "1.1.0")).await;
    let said = says(&desk, &["rollback", "shelf"]).await;
    stands(&desk, &said, back, ("c", "1.0.0")).await;
    says(&desk, &canary).await;
    let said = says(&desk, &["promote", "shelf", "--reason", "it does well"]).await;
    stands(&desk, &said, second, ("c", "1.1.0")).await;

    let trial = format!("canary shelf 1.0.0 → 1.1.0 by user:operator 100.0 % of the cases; {ends}");
    let told = told(&desk).await;
    let turns = [
        "promote shelf 1.0.0 → 1.1.0 by user:operator it does well",
        &trial,
        "rollback shelf 1.1.0 → 1.0.0 by user:operator",
        &trial,
        "rollback shelf 1.1.0 → 1.0.0 by user:operator a mistake",
        "swap shelf 1.0.0 → 1.1.0 by user:operator owners",
        "install shelf - → 1.1.0 by user:operator as agreed (from a request, not signed)",
        "install shelf - → 1.0.0 by user:operator as agreed",
    ];
    assert_eq!(told[..turns.len()], turns, "{told:#?}");
}

#[tokio::test]
async fn an_operator_stops_revives_and_removes() {
    let desk = shelved().await;
    let bay = Bay::of(&desk);
    let said = says(&desk, &["kill", "shelf", "--reason", "it lies"]).await;
    let stopped = "shelf 1.0.0 (installed), STOPPED";
    assert_eq!(said, format!("{stopped}\n"));
    let below = VERSIONS.replacen("a request", "a request, STOPPED", 1);
    assert_eq!(listed(&desk).await, format!("{stopped}{below}"));
    desk.shop.forget_requests().await;
    let refused = bay.find().await.body;
    assert_eq!(refused["code"], "PLUGIN_STOPPED", "{refused}");
    assert!(desk.shop.requests().await.is_empty());
    let said = says(&desk, &["revive", "shelf"]).await;
    let first = "shelf 1.0.0 (installed)";
    stands(&desk, &said, first, ("c", "1.0.0")).await;

    // One that is not live is stopped by its number, and is shown as stopped.
    says(&desk, &["kill", "shelf", "1.1.0"]).await;
    let list = listed(&desk).await;
    assert_eq!(list, format!("{first}{VERSIONS}, STOPPED"));
    let swap = plugin(&desk, &["swap", "shelf", "1.1.0"]).await;
    refuses(&swap, &["1.1.0 of shelf is stopped", "revive it first"]);
    let said = says(&desk, &["revive", "shelf", "1.1.0"]).await;
    stands(&desk, &said, first, ("c", "1.0.0")).await;

    let remove = ["remove", "shelf", "1.1.0", "--reason", "late & lame"];
    let said = says(&desk, &remove).await;
    assert_eq!(said, "shelf 1.1.0 is forgotten; its number stays taken\n");
    let one = "\n    1.0.0 from a request";
    assert_eq!(listed(&desk).await, format!("{first}{one}"));
    let said = says(&desk, &["remove", "shelf", "--reason", "not & used"]).await;
    let out = "shelf is out of service; its versions stay installed\n";
    assert_eq!(said, out);
    assert_eq!(listed(&desk).await, format!("shelf - (installed){one}"));
    assert_eq!(bay.find().await.status, 404);
    let told = told(&desk).await;
    let turns = [
        "remove shelf 1.0.0 → - by user:operator not & used",
        "remove shelf 1.1.0 → - by user:operator late & lame (the version is no longer installed)",
        "revive shelf - → 1.1.0 by user:operator",
        "kill shelf - → 1.1.0 by user:operator",
        "revive shelf - → 1.0.0 by user:operator",
        "kill shelf - → 1.0.0 by user:operator it lies",
    ];
    let but_installs = told.iter().filter(|line| !line.starts_with("install"));
    let told: Vec<&String> = but_installs.collect();
    assert_eq!(told, turns.each_ref(), "{told:#?}");
}

#[tokio::test]
async fn what_makes_no_sense_is_said_and_changes_nothing() {
    let desk = shelved().await;
    let bay = Bay::of(&desk);
    let list = says(&desk, &["list"]).await;
    let history = says(&desk, &["history"]).await;
    for version in ["9.9.9", "latest", "1.1", "../1.1.0", "1.1.0 ", ""] {
        let unknown = format!("there is no version {version} of shelf: install it first");
        for verb in ["swap", "canary", "kill", "revive", "remove", "compare"] {
            let refused = plugin(&desk, &[verb, "shelf", version]).await;
            refuses(&refused, &[&unknown]);
        }
    }
    let verbs = ["promote", "rollback", "kill", "revive", "remove"];
    for verb in verbs {
        let refused = plugin(&desk, &[verb, "no body"]).await;
        refuses(&refused, &["demo has no plugin no body"]);
    }
    // A name that would make another request of it is none.
    for elsewhere in [
        "",
        "..",
        "no/../shelf",
        "shelf?version=1.1.0",
        "shelf#",
        "she%6cf",
    ] {
        for verb in verbs {
            let refused = plugin(&desk, &[verb, elsewhere]).await;
            refuses(&refused, &["is no plugin's name", elsewhere]);
        }
    }
    for (arguments, words) in [
        (vec!["swap", "shelf", "1.0.0"], "live already"),
        (vec!["canary", "shelf", "1.0.0"], "all cases use"),
        (vec!["promote", "shelf"], "no version of shelf is on trial"),
        (vec!["rollback", "shelf"], "no version of shelf to go back"),
        (vec!["revive", "shelf"], "is not stopped"),
        (vec!["remove", "shelf", "1.0.0"], "is live"),
        (vec!["swap", "shelf"], "<VERSION>"),
        (
            vec!["canary", "shelf", "1.1.0", "--share", "0"],
            "0.1 to 100",
        ),
        (vec!["kill", "shelf", "--tenant", "nobody"], "nobody"),
        (
            vec!["kill", "shelf", "--tenant", "nobody/../demo"],
            "no tenant's name",
        ),
    ] {
        refuses(&plugin(&desk, &arguments).await, &[words]);
    }
    assert_eq!(says(&desk, &["list"]).await, list);
    assert_eq!(says(&desk, &["history"]).await, history);
    assert_eq!(bay.found().await["owner"], json!(null));
}

#[test]
fn a_component_is_told_about_without_a_host() {
    let folder = tempfile::tempdir().unwrap();
    Parcel::version("1.0.0").put_into(folder.path());
    let file = folder.path().join("shelf.wasm");
    let bytes = std::fs::read(&file).unwrap();
    let digest = Digest::of(&bytes).to_string();
    let file = file.to_str().unwrap();
    let inspected = run(&["plugin", "inspect", file]);
    assert!(inspected.status.success(), "{inspected:?}");
    let text = String::from_utf8(inspected.stdout).unwrap();
    for line in [
        file,
        &format!("  digest   {digest}"),
        "  name     shelf 1.0.0",
        "  tool     find_order",
        "           Finds one order.",
    ] {
        let is_there = text.lines().any(|one| one == line);
        assert!(is_there, "{line:?} is missing: {text}");
    }
    assert!(text.contains("  imports  wasi:http/"), "{text}");

    let inspected = run(&["plugin", "inspect", file, "--json"]);
    assert!(inspected.status.success(), "{inspected:?}");
    let told: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    assert_eq!(
        (&told["digest"], &told["bytes"], &told["file"]),
        (&json!(digest), &json!(bytes.len()), &json!(file))
    );
    assert_eq!(told["manifest"]["version"], "1.0.0", "{told:#}");
    let tools = told["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 1, "{told:#}");
    assert_eq!(tools[0]["name"], "find_order");
    assert_eq!(tools[0]["input_schema"]["required"], json!(["number"]));
    assert_eq!(told["not_offered"], json!([]), "{told:#}");
}
