//! Operators by name: each with a key of their own, told apart in history and audit log, and gone at once when revoked.

use std::path::Path;
use std::process::Output;

use reqwest::Method;
use serde_json::{Value, json};

use crate::desk::{Answer, Desk, OPERATOR_KEY};
use crate::life::{Bay, Parcel};
use crate::programs::{refuses, switchboard};
use crate::tenants::{Town, expect_refusal, listening};

/// One request of whoever shows this key.
async fn ask(desk: &Desk, key: &str, method: Method, path: &str, body: Value) -> Answer {
    let request = desk.http.request(method, desk.url(path)).bearer_auth(key);
    Answer::of(request.json(&body).send().await.unwrap()).await
}

/// Somebody new by this name; their key.
async fn added(desk: &Desk, name: &str) -> String {
    let body = json!({ "name": name });
    let added = ask(desk, OPERATOR_KEY, Method::POST, "/api/operators", body).await;
    added.expect(200)["key"].as_str().unwrap().to_owned()
}

async fn revoke(desk: &Desk, by: &str, name: &str) -> Answer {
    let path = format!("/api/operators/{name}");
    ask(desk, by, Method::DELETE, &path, Value::Null).await
}

/// What the audit log says that the host was told to do: `operator_added user:operator`.
async fn events(desk: &Desk) -> Vec<String> {
    let store = desk.running.dispatcher().store();
    let records = store.records(None, 10_000).await.unwrap();
    let host = records.iter().map(|record| &record.entry);
    let host = host.filter(|entry| entry.kind == dispatch::AuditKind::Host);
    let told = |entry: &dispatch::AuditEntry| {
        let said = |key: &str| entry.detail[key].as_str().map(str::to_owned);
        let what = said("event").or_else(|| said("action"))?;
        Some(format!("{what} {}", entry.actor))
    };
    host.filter_map(told).collect()
}

#[tokio::test]
async fn history_and_audit_log_say_which_operator_did_what() {
    let desk = Desk::open().await;
    let (mara, jo) = (added(&desk, "mara").await, added(&desk, "jo").await);
    let first = Bay::of(&desk);
    first
        .install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    let maras = Bay::of(&desk).by(&mara);
    let second = Parcel::with_owner("1.1.0");
    maras.install(&second, false).await.expect(200);
    let swap = json!({ "version": "1.1.0", "reason": "owners" });
    maras.post("shelf/swap", swap).await.expect(200);
    assert_eq!(first.found().await["owner"], "C-1001");
    let back = json!({ "reason": "a mistake" });
    Bay::of(&desk)
        .by(&jo)
        .post("shelf/rollback", back)
        .await
        .expect(200);
    assert_eq!(first.found().await["owner"], json!(null));
    let history = first.history("shelf").await;
    assert_eq!(
        history[..3],
        [
            "rollback user:jo 1.1.0 → 1.0.0: a mistake",
            "swap user:mara 1.0.0 → 1.1.0: owners",
            "install user:mara - → 1.1.0: accepted anew, not signed",
        ]
    );
    let events = events(&desk).await;
    for told in [
        "operator_added user:operator",
        "install user:operator",
        "swap user:mara",
        "rollback user:jo",
    ] {
        assert!(events.contains(&told.to_owned()), "{told}: {events:?}");
    }
    desk.running
        .dispatcher()
        .store()
        .verify()
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn an_approval_and_a_tenants_change_are_told_by_the_operators_name() {
    let town = Town::open().await;
    let desk = &town.desk;
    let mara = added(desk, "mara").await;
    desk.customer("s")
        .says("marcus.bell@example.com, ORD-9001 is broken, refund please")
        .await;
    let id = desk.approvals().await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/approvals/{id}");
    ask(
        desk,
        &mara,
        Method::POST,
        &path,
        json!({ "decision": "grant" }),
    )
    .await
    .expect(200);
    let path = "/api/tenants/globex/reload";
    ask(desk, &mara, Method::POST, path, Value::Null)
        .await
        .expect(200);
    assert!(desk.audit().await.contains("\"actor\":\"user:mara\""));
    let events = events(desk).await;
    assert_eq!(events.last().unwrap(), "tenant_reloaded user:mara");
    let store = desk.running.dispatcher().store();
    let records = store.records(None, 10_000).await.unwrap();
    let answered = |record: &&dispatch::AuditRecord| {
        record.entry.kind == dispatch::AuditKind::Consent && record.entry.actor == "user:mara"
    };
    assert_eq!(records.iter().filter(answered).count(), 1);
}

/// That this key opens none of what an operator's opens, an approval that waits included.
async fn is_refused(desk: &Desk, key: &str, waits: &str, words: &str) {
    for (method, path, body) in [
        (
            Method::POST,
            "/api/plugins/shelf/swap",
            json!({ "version": "1.1.0" }),
        ),
        (Method::POST, "/api/plugins/shelf/kill", json!({})),
        (Method::DELETE, "/api/plugins/shelf", Value::Null),
        (
            Method::PUT,
            "/api/tenants/acme/files/tenant.toml",
            json!("company = 5"),
        ),
        (Method::DELETE, "/api/tenants/acme", Value::Null),
        (Method::POST, "/api/operators", json!({ "name": "jo" })),
        (Method::DELETE, "/api/operators/mara", Value::Null),
        (Method::GET, "/api/operators", Value::Null),
        (
            Method::POST,
            &format!("/api/approvals/{waits}"),
            json!({ "decision": "grant" }),
        ),
        (
            Method::POST,
            "/mcp",
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }),
        ),
    ] {
        let refused = ask(desk, key, method, path, body).await;
        assert_eq!(refused.status, 401, "{path}: {refused:?}");
        expect_refusal(&refused, 401, words);
    }
}

/// Refused wherever it is shown, and nothing is done for it.
#[tokio::test]
async fn a_revoked_key_opens_nothing_and_changes_nothing() {
    let town = Town::open().await;
    let desk = &town.desk;
    let mara = added(desk, "mara").await;
    let first = Bay::of(desk);
    first
        .install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    first
        .install(&Parcel::with_owner("1.1.0"), false)
        .await
        .expect(200);
    desk.customer("s")
        .says("marcus.bell@example.com, ORD-9001 is broken, refund please")
        .await;
    let waits = desk.approvals().await[0]["id"].as_str().unwrap().to_owned();
    let stream = listening(&town, &mara).await;
    let (history, tenant) = (
        first.history("shelf").await,
        town.text("acme", "tenant.toml"),
    );
    desk.shop.forget_requests().await;

    assert_eq!(revoke(desk, OPERATOR_KEY, "mara").await.status, 204);
    // It ends by itself, or this never does.
    stream.text().await.unwrap();
    for (key, words) in [
        (mara.as_str(), "the key of the operator mara was revoked"),
        ("not-an-operators-key-0123456789abcdef", ""),
    ] {
        is_refused(desk, key, &waits, words).await;
    }
    assert_eq!(first.history("shelf").await, history);
    assert_eq!(first.plugin("shelf").await["live"]["version"], "1.0.0");
    assert_eq!(town.text("acme", "tenant.toml"), tenant);
    assert_eq!(desk.approvals().await.len(), 1);
    desk.shop.saw_no_write().await;
    let listed = ask(
        desk,
        OPERATOR_KEY,
        Method::GET,
        "/api/operators",
        Value::Null,
    )
    .await;
    let listed = listed.expect(200);
    let names: Vec<&Value> = listed["operators"]
        .as_array()
        .unwrap()
        .iter()
        .map(|operator| &operator["name"])
        .collect();
    assert_eq!(names, ["operator", "mara"]);
    assert_eq!(listed["operators"][1]["revoked_by"], "user:operator");
}

#[tokio::test]
async fn a_name_is_plain_and_one_persons_for_ever() {
    let town = Town::open().await;
    let desk = &town.desk;
    added(desk, "mara").await;
    added(desk, "jo").await;
    revoke(desk, OPERATOR_KEY, "jo").await;
    let long = "m".repeat(65);
    for (name, status, words) in [
        ("", 400, "does not fit"),
        ("ma ra", 400, "does not fit"),
        ("mara\u{200b}", 400, "does not fit"),
        ("\u{202e}aram", 400, "does not fit"),
        ("mаra", 400, "does not fit"),
        ("../x", 400, "does not fit"),
        ("..", 400, "does not fit"),
        (&long, 400, "does not fit"),
        ("mara", 409, "choose another"),
        ("Mara", 409, "choose another"),
        ("jo", 409, "one person for ever"),
        ("operator", 409, "the host's own"),
        ("Local", 409, "the host's own"),
        // A supervisor of the built-in tenant, and one of globex.
        ("ravi", 409, "the tenant demo"),
        ("boss", 409, "the tenant globex"),
    ] {
        let body = json!({ "name": name });
        let refused = ask(desk, OPERATOR_KEY, Method::POST, "/api/operators", body).await;
        expect_refusal(&refused, status, words);
    }
    for (name, status, words) in [
        ("operator", 409, "SWITCHBOARD_OPERATOR_KEY"),
        ("jo", 409, "revoked before"),
        ("MARA", 404, "no operator MARA"),
        ("nobody", 404, "no operator nobody"),
    ] {
        expect_refusal(&revoke(desk, OPERATOR_KEY, name).await, status, words);
    }
    assert_eq!(
        events(desk)
            .await
            .iter()
            .filter(|told| told.starts_with("operator_"))
            .count(),
        3
    );
    // Nor does a tenant name somebody as an operator is named, or was.
    let tenant = town.text("acme", "tenant.toml");
    let path = "/api/tenants/acme/files/tenant.toml";
    for operator in ["mara", "jo"] {
        let namesake = tenant.replace("name = \"dana\"", &format!("name = \"{operator}\""));
        assert_ne!(namesake, tenant);
        let refused = town.operator("PUT", path, &namesake).await;
        expect_refusal(&refused, 422, &format!("{operator} is an operator's name"));
        assert_eq!(town.text("acme", "tenant.toml"), tenant);
    }
}

fn holds(folder: &Path, text: &str) -> bool {
    let found = |file: std::fs::DirEntry| {
        let path = file.path();
        if path.is_dir() {
            return holds(&path, text);
        }
        let bytes = std::fs::read(&path).unwrap();
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    let files = std::fs::read_dir(folder).unwrap();
    files.into_iter().any(|file| found(file.unwrap()))
}

#[tokio::test]
async fn operators_stay_after_a_start_and_their_keys_are_written_nowhere() {
    let desk = Desk::open().await;
    let (mara, jo) = (added(&desk, "mara").await, added(&desk, "jo").await);
    revoke(&desk, &mara, "jo").await;
    assert!(!desk.audit().await.contains(&mara));
    let desk = desk.started_again().await;
    for key in [&mara, &jo] {
        assert!(!holds(desk.data.path(), key));
    }
    let listed = ask(&desk, &mara, Method::GET, "/api/operators", Value::Null).await;
    assert_eq!(listed.expect(200)["operators"][1]["name"], "jo");
    let refused = ask(&desk, &jo, Method::GET, "/api/operators", Value::Null).await;
    expect_refusal(&refused, 401, "the key of the operator jo was revoked");
}

/// `switchboard …` in a shell that has this key.
async fn command(desk: &Desk, key: &str, arguments: &[&str]) -> Output {
    let mut command = switchboard();
    command.args(arguments).args(["--url", &desk.url("")]);
    command.env("SWITCHBOARD_OPERATOR_KEY", key);
    // The host serves in this process: it must go on while the command runs.
    let running = tokio::task::spawn_blocking(move || command.output().unwrap());
    running.await.unwrap()
}

async fn says(desk: &Desk, key: &str, arguments: &[&str]) -> String {
    let output = command(desk, key, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn operators_are_added_listed_and_revoked_from_a_shell() {
    let desk = Desk::open().await;
    let said = says(&desk, OPERATOR_KEY, &["operators", "add", "mara"]).await;
    let (told, key) = said.trim_end().split_once('\n').unwrap();
    assert!(
        told.starts_with("mara is an operator from now on"),
        "{said}"
    );
    // Her key is all that she needs, also to add somebody.
    says(&desk, key, &["operators", "add", "jo"]).await;
    assert_eq!(
        says(&desk, key, &["operators", "revoke", "jo"]).await,
        "the key of jo counts no more; the name stays taken\n"
    );
    let listed = says(&desk, key, &["operators", "list"]).await;
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 3, "{listed}");
    assert_eq!(lines[0], "operator, by the host's own key");
    assert!(
        lines[1].contains(" by user:mara, REVOKED 20") && lines[1].ends_with(" by user:mara"),
        "{listed}"
    );
    assert!(
        lines[2].starts_with("mara, added 20") && lines[2].ends_with(" by user:operator"),
        "{listed}"
    );
    let listed = says(&desk, key, &["operators", "list", "--json"]).await;
    assert!(!listed.contains(key));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["operators"].as_array().unwrap().len(), 3);
    refuses(
        &command(&desk, OPERATOR_KEY, &["operators", "add", "ma/ra"]).await,
        &["1 to 64 letters"],
    );
    says(&desk, OPERATOR_KEY, &["operators", "revoke", "mara"]).await;
    refuses(
        &command(&desk, key, &["tenants", "list"]).await,
        &["the key of the operator mara was revoked"],
    );
}
