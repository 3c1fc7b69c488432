//! Changes: a folder is taken up while calls run, or refused while the last good state serves.

use serde_json::{Value, json};

use super::isolation::opened;
use super::town::{ACME_DANA, ACME_HELPDESK, Town, expect_refusal};

fn limit(town: &Town, amount: &str) -> String {
    town.text("acme", "tenant.toml")
        .replace("\"40.00\"", &format!("\"{amount}\""))
}

#[tokio::test]
async fn an_edit_is_taken_up_and_a_bad_one_refused_while_the_last_good_state_serves() {
    let town = Town::open().await;
    let acme = town.acme();
    let before = town.standing("acme").await["rulebook"].clone();
    town.edit("acme", "tenant.toml", &limit(&town, "60.00"));
    let after = town
        .until("acme", |standing| standing["rulebook"] != before)
        .await;
    assert_eq!(
        (&after["state"], &after["reason"]),
        (&json!("serving"), &Value::Null)
    );

    let good = town.text("acme", "tenant.toml");
    town.edit(
        "acme",
        "tenant.toml",
        &good.replace("\"60.00\"", "\"lots\""),
    );
    let refused = town
        .until("acme", |standing| standing["state"] == "last_good")
        .await;
    let reason = refused["reason"].as_str().unwrap();
    for word in ["tenant.toml, line 5", "rules.refund_limit", "lots"] {
        assert!(reason.contains(word), "{word}: {reason}");
    }
    assert_eq!(refused["rulebook"], after["rulebook"]);
    acme.know_sarah("c").await;
    assert_eq!(acme.refund("c", "49.99").await["outcome"], "ok");
    assert_eq!(acme.shop.refunds("ORD-8842").await, [4_999]);

    town.edit("acme", "tenant.toml", &good);
    town.until("acme", |standing| standing["state"] == "serving")
        .await;
    town.desk
        .running
        .dispatcher()
        .store()
        .verify()
        .await
        .unwrap()
        .unwrap();
    let events = host_events(&town, "acme").await;
    assert_eq!(
        events,
        [
            "tenant_added",
            "tenant_reloaded",
            "tenant_refused",
            "tenant_reloaded"
        ]
    );
}

/// What the audit log says that the host did with a tenant; a reload names the rules before and after.
async fn host_events(town: &Town, tenant: &str) -> Vec<String> {
    let store = town.desk.running.dispatcher().store();
    let records = store.records(None, 1_000).await.unwrap();
    let own = records
        .iter()
        .map(|record| &record.entry)
        .filter(|entry| entry.tenant == tenant);
    let events = own.filter(|entry| entry.kind == dispatch::AuditKind::Host);
    events
        .inspect(|entry| {
            if entry.detail["event"] == "tenant_reloaded" {
                assert!(
                    entry.detail["rulebook"].is_string()
                        && entry.detail["rulebook_before"].is_string()
                );
            }
        })
        .map(|entry| entry.detail["event"].as_str().unwrap().to_owned())
        .collect()
}

/// A file of a tenant's folder, a text for it, and what the refusal must say.
type Misfit = (&'static str, String, Vec<&'static str>);

fn misfits_of_tenant(tenant: &str) -> Vec<Misfit> {
    let literal = tenant.replace("{ env = \"ACME_DANA_KEY\" }", "\"a-secret-in-the-file\"");
    vec![
        (
            "tenant.toml",
            "company = 5".to_owned(),
            vec!["tenant.toml, line 1, key company"],
        ),
        (
            "tenant.toml",
            tenant.replace("[rules]", "[rules]\nfolder = \"/etc\""),
            vec!["line 5", "rules.folder", "no such key"],
        ),
        (
            "tenant.toml",
            tenant.replace("ACME_DANA_KEY", "NOT_SET"),
            vec!["tenant.toml, line", "NOT_SET is not set"],
        ),
        (
            "tenant.toml",
            tenant.replace("ACME_DANA_KEY", "SWITCHBOARD_OPERATOR_KEY"),
            vec!["the program's own secret"],
        ),
        (
            "tenant.toml",
            tenant.replace("ACME_DANA_KEY", "GLOBEX_BOSS_KEY"),
            vec!["key of dana", "globex"],
        ),
        ("tenant.toml", literal, vec!["never written here"]),
        (
            "tenant.toml",
            format!("{tenant}\n[trust]\nrequired = true\n"),
            vec!["tenant.toml, line", "key trust", "name a key"],
        ),
        (
            "tenant.toml",
            format!("{tenant}\n[trust]\nkeys = [{{ name = \"a\", file = \"none.pub\" }}]\n"),
            vec!["tenant.toml, line", "key trust", "none.pub"],
        ),
        (
            "tenant.toml",
            tenant.replace("[credentials.shop]", "[credentials.till]"),
            vec!["plugins.toml, line", "no credential shop"],
        ),
    ]
}

fn misfits_of_plugins(plugins: &str) -> Vec<Misfit> {
    vec![
        (
            "plugins.toml",
            plugins.replacen("builtin = \"crm\"", "builtin = \"crn\"", 1),
            vec!["no shipped plugin crn"],
        ),
        (
            "plugins.toml",
            plugins.replacen("builtin = \"crm\"", "version = \"1.0.0\"", 1),
            vec!["crm"],
        ),
        (
            "plugins.toml",
            plugins.replacen("builtin = \"crm\"", "oci = \"localhost:1/acme/crm:1\"", 1),
            vec!["plugins.toml, line 2, key crm", "is not pinned"],
        ),
        (
            "plugins.toml",
            plugins.replacen("builtin = \"crm\"", "oci = \"crm:1\"", 1),
            vec!["plugins.toml, line 2, key crm", "no place in a registry"],
        ),
        (
            "plugins.toml",
            plugins.replacen("{base_url}", "{shop}", 1),
            vec!["plugins.toml, line 6", "shop"],
        ),
        (
            "plugins.toml",
            plugins.replacen("builtin = \"crm\"", "", 1),
            vec!["plugins.toml, line 2, key crm", "where it comes from"],
        ),
    ]
}

fn misfits_of_rules() -> Vec<Misfit> {
    vec![
        (
            "tools.toml",
            "[tool.get_customer]\neffect = \"write\"".to_owned(),
            vec!["tools.toml, line 1", "get_customer", "of the contract"],
        ),
        (
            "tools.toml",
            "[tool.x]\neffect = \"reed\"".to_owned(),
            vec!["tools.toml, line 2", "reed"],
        ),
        (
            "rules/own.cedar",
            "permit (principal".to_owned(),
            vec!["rules/own.cedar", "1:"],
        ),
        (
            "rules/more.cedar",
            "@id(\"x\") @code(\"X\") @prio(\"1\") @say(\"No.\") forbid (principal, action == Action::\"proces_refund\", resource);"
                .to_owned(),
            vec!["rules/more.cedar", "proces_refund"],
        ),
        (
            "prompts/refund.md",
            "{{ open".to_owned(),
            vec!["prompts", "refund.md"],
        ),
    ]
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_file_line_and_key_and_changes_nothing() {
    let town = Town::open().await;
    let tenant = town.text("acme", "tenant.toml");
    let plugins = town.text("acme", "plugins.toml");
    let before = town.standing("acme").await;
    let misfits = [
        misfits_of_tenant(&tenant),
        misfits_of_plugins(&plugins),
        misfits_of_rules(),
    ];
    for (file, text, words) in misfits.concat() {
        let path = format!("/api/tenants/acme/files/{file}");
        let answer = town.operator("PUT", &path, &text).await;
        for word in words {
            expect_refusal(&answer, 422, word);
        }
        assert!(
            !answer.body.to_string().contains("a-secret-in-the-file"),
            "{answer:?}"
        );
    }
    assert_eq!(town.text("acme", "tenant.toml"), tenant);
    assert_eq!(town.text("acme", "plugins.toml"), plugins);
    assert!(!town.folder.join("acme/tools.toml").exists());
    assert_eq!(town.standing("acme").await, before);
    town.acme().know_sarah("c").await;
}

#[tokio::test]
async fn no_path_leads_out_of_a_tenants_folder() {
    let town = Town::open().await;
    for path in [
        "acme/files/..%2F..%2Fescaped.toml",
        "acme/files/rules%2F..%2F..%2Fglobex%2Ftenant.toml",
        "acme/files/%2Fetc%2Fhostname",
        "acme/files/rules/a/b.cedar",
        "acme/files/evil.wasm",
        "..%2Foutside/files/tenant.toml",
        "demo/files/tenant.toml",
        "Acme/files/tenant.toml",
    ] {
        let answer = town
            .operator("PUT", &format!("/api/tenants/{path}"), "company = \"X\"")
            .await;
        assert_eq!(answer.status, 422, "{path}: {answer:?}");
    }
    let found: Vec<_> = std::fs::read_dir(&town.folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(town.text("globex", "tenant.toml").contains("Globex"));
}

#[tokio::test]
async fn a_tenant_is_added_and_removed_while_others_go_on() {
    let town = Town::open().await;
    let text = "company = \"Initech\"\n";
    town.operator("PUT", "/api/tenants/initech/files/tenant.toml", text)
        .await
        .expect(200);
    assert_eq!(town.text("initech", "tenant.toml"), text);
    // Without keys and on loopback, it is open to this machine's own user.
    let listed = town.desk.get("/t/initech/api/tools").await.expect(200);
    assert_eq!(listed["tools"], json!([]));
    let gone = town.operator("DELETE", "/api/tenants/initech", "").await;
    assert_eq!(gone.status, 204);
    expect_refusal(
        &town.desk.get("/t/initech/api/tools").await,
        404,
        "no tenant",
    );
    assert!(!town.folder.join("initech").exists());
    expect_refusal(
        &town.operator("DELETE", "/api/tenants/demo", "").await,
        422,
        "built-in",
    );

    std::fs::remove_dir_all(town.folder.join("globex")).unwrap();
    town.until("globex", Value::is_null).await;
    expect_refusal(&town.globex().get("/api/tools").await, 404, "no tenant");
    town.acme().know_sarah("c").await;
}

#[tokio::test]
async fn a_reload_while_calls_run_loses_none_of_them() {
    let town = Town::open().await;
    let acme = town.acme();
    acme.know_sarah("c").await;
    let low = town.text("acme", "tenant.toml");
    let high = limit(&town, "45.00");
    let calls = async {
        let mut failed = Vec::new();
        for _ in 0..15 {
            let four = [
                acme.look_up("c"),
                acme.look_up("c"),
                acme.look_up("c"),
                acme.look_up("c"),
            ];
            let answers = futures::future::join_all(four).await;
            failed.extend(answers.into_iter().filter(|answer| answer.status != 200));
        }
        failed
    };
    let reloads = async {
        for round in 0..12 {
            let text = if round % 2 == 0 { &high } else { &low };
            town.operator("PUT", "/api/tenants/acme/files/tenant.toml", text)
                .await
                .expect(200);
        }
    };
    let (failed, ()) = tokio::join!(calls, reloads);
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(
        acme.refund("c", "42.00").await["outcome"],
        "awaiting_consent"
    );
}

#[tokio::test]
async fn a_key_that_is_taken_away_opens_nothing_and_a_new_one_does() {
    let town = Town::open().await;
    let dana = town.acme().with_key(ACME_DANA);
    dana.get("/api/ledger").await.expect(200);
    let stream = listening(&town, ACME_DANA).await;
    let text = town.text("acme", "tenant.toml");
    let (kept, rest) = text.split_once("[[keys]]\nname = \"dana\"").unwrap();
    let credentials = &rest[rest.find("# What the host adds").unwrap()..];
    let without = format!("{kept}{credentials}")
        .replace("\"escalate_*\"", "\"escalate_*\", \"list_refunds\"");
    town.operator("PUT", "/api/tenants/acme/files/tenant.toml", &without)
        .await
        .expect(200);
    // It ends by itself, or this never does.
    stream.text().await.unwrap();
    expect_refusal(&dana.get("/api/ledger").await, 401, "a supervisor's");
    let helpdesk = town.acme().with_key(ACME_HELPDESK);
    let listed = helpdesk.get("/api/tools").await.expect(200);
    assert!(listed.to_string().contains("list_refunds"));
}

/// The stream of a session at acme for what the server has to say by itself.
pub(crate) async fn listening(town: &Town, key: &str) -> reqwest::Response {
    let session = opened(town, "acme", key).await;
    let stream = town.desk.http.get(town.desk.url("/t/acme/mcp"));
    let stream = stream
        .bearer_auth(key)
        .header("accept", "text/event-stream")
        .header("mcp-session-id", session);
    let stream = stream.send().await.unwrap();
    assert_eq!(stream.status().as_u16(), 200);
    stream
}
