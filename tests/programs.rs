//! The program itself, as somebody starts it from a shell.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::desk::http_client;

pub(crate) fn switchboard() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    // What the machine's own environment sets must not reach the program under test.
    for name in [
        "REFUND_LIMIT",
        "RETURN_WINDOW_DAYS",
        "MODEL_PROVIDER",
        "RUST_LOG",
        "RULES_FOLDER",
        "EXTRA_PLUGINS",
        "DOCKER_AUTH_CONFIG",
        "INSECURE_REGISTRIES",
        "RUST_BACKTRACE",
    ] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a command that should end by itself.
pub(crate) fn run(arguments: &[&str]) -> Output {
    switchboard().args(arguments).output().unwrap()
}

/// That it failed with one clear message, and not by accident.
pub(crate) fn refuses(output: &Output, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{text}");
    assert!(
        !text.contains("panicked") && !text.contains("backtrace"),
        "{text}"
    );
    for word in words {
        assert!(
            text.to_lowercase().contains(&word.to_lowercase()),
            "{word:?} is missing: {text}"
        );
    }
}

/// A serving program, with the addresses that it printed.
pub(crate) struct Serving {
    child: Child,
    host: String,
    shop: String,
}

impl Serving {
    pub(crate) fn start(data: &Path, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = switchboard();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |name: &str| {
            lines
                .by_ref()
                .map(Result::unwrap)
                .find_map(|line| line.strip_prefix(name).map(str::to_owned))
                .unwrap()
        };
        let host = address("listening=");
        let shop = address("demo_backend=");
        Self { child, host, shop }
    }

    pub(crate) async fn says(&self, session: &str, message: &str) -> Value {
        let body = json!({ "session_id": session, "message": message });
        let response = http_client()
            .post(format!("{}/api/chat", self.host))
            .json(&body)
            .send()
            .await
            .unwrap();
        response.json().await.unwrap()
    }

    pub(crate) async fn refunds(&self, order: &str) -> usize {
        let url = format!("{}/refunds?order_id={order}", self.shop);
        let body: Value = http_client()
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        body["refunds"].as_array().unwrap().len()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) const BLENDER: &str =
    "Hi, email sarah@example.com. My blender arrived broken, order ORD-8842. I want a refund.";

#[tokio::test]
async fn a_killed_program_remembers_what_it_refunded() {
    let data = tempfile::tempdir().unwrap();
    let serving = Serving::start(data.path(), |_| {});
    assert_eq!(serving.says("s", BLENDER).await["status"], "resolved");
    assert_eq!(serving.refunds("ORD-8842").await, 1);
    drop(serving);
    let serving = Serving::start(data.path(), |_| {});
    serving.says("s2", BLENDER).await;
    assert_eq!(serving.refunds("ORD-8842").await, 1);
    drop(serving);
    let verified = run(&["audit", "verify", "--data", data.path().to_str().unwrap()]);
    assert!(verified.status.success(), "{verified:?}");
}

#[tokio::test]
async fn the_environment_sets_the_limit() {
    let data = tempfile::tempdir().unwrap();
    let serving = Serving::start(data.path(), |command| {
        command.env("REFUND_LIMIT", "40.00");
    });
    let reply = serving.says("s", BLENDER).await;
    assert_eq!(reply["status"], "escalated", "{reply}");
    assert_eq!(serving.refunds("ORD-8842").await, 0);
}

#[test]
fn what_cannot_be_served_is_said_in_one_message() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("data");
    let folder = folder.to_str().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    refuses(
        &run(&["serve", "--listen", &port, "--data", folder]),
        &["in use", &port],
    );

    let config = data.path().join("switchboard.toml");
    std::fs::write(&config, "[rules]\nrefund_limitt = \"10.00\"\n").unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data", folder];
    let output = switchboard()
        .args(serve)
        .arg("--config")
        .arg(&config)
        .output()
        .unwrap();
    refuses(&output, &["refund_limitt", "switchboard.toml"]);

    let output = switchboard()
        .args(serve)
        .env("REFUND_LIMIT", "lots")
        .output()
        .unwrap();
    refuses(&output, &["REFUND_LIMIT", "lots"]);

    let file = data.path().join("a-file");
    std::fs::write(&file, "not a folder").unwrap();
    refuses(
        &run(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            file.to_str().unwrap(),
        ]),
        &["a-file"],
    );

    let missing = data.path().join("missing.toml");
    let output = switchboard()
        .args(serve)
        .arg("--config")
        .arg(&missing)
        .output()
        .unwrap();
    refuses(&output, &["missing.toml"]);

    let rules = data.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    let typo = "@id(\"own.typo\")\npermit (principal, action == Action::\"get_customer\", resource)\nwhen { context.figurs.refund_limit > 1 };\n";
    std::fs::write(rules.join("own.cedar"), typo).unwrap();
    let output = switchboard()
        .args(serve)
        .env("RULES_FOLDER", &rules)
        .output()
        .unwrap();
    refuses(&output, &["own.cedar: 3:", "figurs"]);

    for (content, words) in [
        ("just some text", "no WebAssembly component"),
        ("\0asm\x01\0\0\0", "core module"),
    ] {
        let plugin = data.path().join("extra.wasm");
        std::fs::write(&plugin, content).unwrap();
        let output = switchboard()
            .args(serve)
            .env("EXTRA_PLUGINS", &plugin)
            .output()
            .unwrap();
        refuses(&output, &["extra.wasm", words]);
    }
}

#[test]
fn one_data_folder_serves_one_program() {
    let data = tempfile::tempdir().unwrap();
    let _serving = Serving::start(data.path(), |_| {});
    let second = run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        data.path().to_str().unwrap(),
    ]);
    refuses(&second, &[data.path().to_str().unwrap()]);
}

#[test]
fn the_terminal_chat_refunds_the_blender() {
    let data = tempfile::tempdir().unwrap();
    let mut chat = switchboard()
        .args(["chat", "--data", data.path().to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(chat.stdin.take().unwrap(), "{BLENDER}").unwrap();
    let mut said = String::new();
    chat.stdout
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(chat.wait().unwrap().success());
    assert!(
        said.contains("process_refund") && said.contains("49.99"),
        "{said}"
    );
}

#[test]
fn stdio_speaks_mcp_and_nothing_else() {
    let data = tempfile::tempdir().unwrap();
    let mut server = switchboard()
        .args(["mcp", "--data", data.path().to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = server.stdin.take().unwrap();
    let mut from = BufReader::new(server.stdout.take().unwrap()).lines();
    let initialize = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "stories", "version": "1" } } });
    writeln!(to, "{initialize}").unwrap();
    let first: Value = serde_json::from_str(&from.next().unwrap().unwrap()).unwrap();
    assert_eq!(first["result"]["protocolVersion"], "2025-11-25", "{first}");
    writeln!(
        to,
        "{}",
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })
    )
    .unwrap();
    writeln!(
        to,
        "{}",
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {} })
    )
    .unwrap();
    let listed: Value = serde_json::from_str(&from.next().unwrap().unwrap()).unwrap();
    assert!(
        listed["result"]["tools"].as_array().unwrap().len() > 20,
        "{listed}"
    );
    drop(to);
    assert!(server.wait().unwrap().success());
}

#[test]
fn eval_passes_every_scenario_with_the_offline_model() {
    let output = run(&["eval"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("first-contact resolution"), "{said}");
}

#[test]
fn help_and_doctor_are_for_newcomers() {
    let help = run(&["--help"]);
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    for command in ["serve", "mcp", "chat", "doctor", "audit", "eval"] {
        assert!(text.contains(command), "{text}");
    }
    let data = tempfile::tempdir().unwrap();
    let doctor = run(&["doctor", "--data", data.path().to_str().unwrap()]);
    assert!(doctor.status.success(), "{doctor:?}");
}
