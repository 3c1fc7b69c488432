//! `switchboard tenants`: what an operator does with the tenants of a host that serves, from a shell.

use std::process::Output;

use serde_json::{Value, json};

use super::town::{ACME_DANA, Town, expect_refusal};
use crate::desk::OPERATOR_KEY;
use crate::programs::{refuses, switchboard};

/// `switchboard tenants …` in a shell that has this key.
async fn with_key(key: &str, url: &str, arguments: &[&str]) -> Output {
    let mut command = switchboard();
    command.arg("tenants").args(arguments).args(["--url", url]);
    command.env("SWITCHBOARD_OPERATOR_KEY", key);
    // The host serves in this process: it must go on while the command runs.
    let running = tokio::task::spawn_blocking(move || command.output().unwrap());
    running.await.unwrap()
}

async fn tenants(town: &Town, arguments: &[&str]) -> Output {
    with_key(OPERATOR_KEY, &town.desk.url(""), arguments).await
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    text
}

#[tokio::test]
async fn an_operator_sees_how_tenants_stand() {
    let town = Town::open().await;
    let listed = said(&tenants(&town, &["list"]).await);
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 3, "{listed}");
    for (line, name) in lines.iter().zip(["demo", "acme", "globex"]) {
        assert!(line.starts_with(&format!("{name} serving, ")), "{line}");
    }
    let shown = said(&tenants(&town, &["show", "acme"]).await);
    for line in [
        "company: Acme Outfitters",
        "model: offline",
        "channels: chat, http, mcp",
        "shares: the usual",
        "key helpdesk (agent): get_customer, lookup_order, process_refund, escalate_*",
        "key dana (supervisor): all",
        "plugin crm from builtin crm",
        "file rules/own.cedar, ",
    ] {
        assert!(shown.contains(line), "{line:?} is missing: {shown}");
    }
    let shown = said(&tenants(&town, &["show", "acme", "--json"]).await);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["name"], "acme");
    assert_eq!(shown["channels"], json!(["chat", "http", "mcp"]));
    let listed = said(&tenants(&town, &["list", "--json"]).await);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["tenants"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn an_operator_makes_changes_and_removes_a_tenant() {
    let town = Town::open().await;
    let texts = tempfile::tempdir().unwrap();
    let file = |text: &str| {
        let path = texts.path().join("text");
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let initech = file("company = \"Initech\"\n");
    let put = ["put", "initech", "tenant.toml", initech.as_str()];
    let made = said(&tenants(&town, &put).await);
    assert_eq!(made, "initech serving, 0 tools\n");
    town.desk.get("/t/initech/api/tools").await.expect(200);

    let closed = file("company = \"Initech\"\nchannels = [\"chat\"]\n[shares]\ncalls = 4\n");
    let put = ["put", "initech", "tenant.toml", closed.as_str()];
    said(&tenants(&town, &put).await);
    let refused = town.desk.get("/t/initech/api/tools").await;
    expect_refusal(&refused, 403, "the channel http is closed");
    let shown = said(&tenants(&town, &["show", "initech"]).await);
    assert!(shown.contains("\nshares: calls 4\n"), "{shown}");

    // What does not fit changes nothing, and is told as it is told over HTTP.
    let unknown = file("company = \"Initech\"\nchannels = [\"sms\"]\n");
    let put = ["put", "initech", "tenant.toml", unknown.as_str()];
    refuses(
        &tenants(&town, &put).await,
        &["tenant.toml, line 2", "no channel \"sms\""],
    );
    let text = town.text("initech", "tenant.toml");
    assert!(text.contains("\"chat\""), "{text}");
    town.edit("initech", "tenant.toml", "company = 5");
    town.until("initech", |standing| standing["state"] == "last_good")
        .await;
    let listed = said(&tenants(&town, &["list"]).await);
    let stands = "initech REFUSED, as it was before (good since 2";
    let (_, why) = listed.split_once(stands).unwrap();
    assert!(why.contains("Z), 0 tools: tenant.toml, line 1"), "{listed}");
    refuses(
        &tenants(&town, &["reload", "initech"]).await,
        &["tenant.toml, line 1", "company"],
    );
    town.edit("initech", "tenant.toml", &text);
    let again = said(&tenants(&town, &["reload", "initech"]).await);
    assert_eq!(again, "initech serving, 0 tools\n");

    let gone = said(&tenants(&town, &["remove", "initech"]).await);
    assert!(gone.starts_with("initech is gone"), "{gone}");
    assert!(!town.folder.join("initech").exists());
    expect_refusal(
        &town.desk.get("/t/initech/api/tools").await,
        404,
        "no tenant",
    );
}

#[tokio::test]
async fn an_operator_changes_several_files_at_once_and_deletes_one() {
    let town = Town::open().await;
    let texts = tempfile::tempdir().unwrap();
    let (open, prompt) = (texts.path().join("open"), texts.path().join("prompt"));
    std::fs::write(&open, "company = \"Initech\"\n").unwrap();
    std::fs::write(&prompt, "Be brief.").unwrap();
    let open = format!("tenant.toml={}", open.display());
    let prompt = format!("prompts/refund.md={}", prompt.display());
    let change = ["change", "initech", "--put", &open, "--put", &prompt];
    let changed = said(&tenants(&town, &change).await);
    assert_eq!(changed, "initech serving, 0 tools\n");
    assert_eq!(town.text("initech", "prompts/refund.md"), "Be brief.");
    let both = [
        "change",
        "initech",
        "--put",
        &prompt,
        "--delete",
        "tenant.toml",
    ];
    refuses(&tenants(&town, &both).await, &["tenant.toml"]);
    let twice = [
        "change",
        "initech",
        "--put",
        &prompt,
        "--delete",
        "prompts/refund.md",
    ];
    refuses(&tenants(&town, &twice).await, &["named twice"]);
    refuses(&tenants(&town, &["change", "initech"]).await, &["--put"]);
    let delete = ["delete", "initech", "prompts/refund.md"];
    let deleted = said(&tenants(&town, &delete).await);
    assert_eq!(deleted, "initech serving, 0 tools\n");
    assert!(!town.folder.join("initech/prompts/refund.md").exists());
    refuses(&tenants(&town, &delete).await, &["no prompts/refund.md"]);
}

#[tokio::test]
async fn what_cannot_be_done_is_said_and_nothing_is_changed() {
    let town = Town::open().await;
    for arguments in [
        ["show", "initech"],
        ["reload", "initech"],
        ["remove", "initech"],
    ] {
        refuses(
            &tenants(&town, &arguments).await,
            &["tenant initech", "api/tenants"],
        );
    }
    let text = town.folder.join("acme/tenant.toml");
    let text = text.to_str().unwrap();
    for (arguments, words) in [
        (vec!["remove", "demo"], "built-in"),
        (vec!["show", "../plugins"], "no tenant's name"),
        (
            vec!["put", "acme", "rules/../tenant.toml", text],
            "no such file",
        ),
        (vec!["put", "acme", "evil.wasm", text], "no such file"),
        (
            vec!["put", "acme", "tenant.toml", "/none/such"],
            "cannot read",
        ),
    ] {
        refuses(&tenants(&town, &arguments).await, &[words]);
    }

    // Neither a wrong key nor a tenant's own opens what is the operator's.
    let url = town.desk.url("");
    for key in [ACME_DANA, "not-the-operators-key-0123456789"] {
        for arguments in [["list", "--json"].as_slice(), &["remove", "acme"]] {
            refuses(
                &with_key(key, &url, arguments).await,
                &["the operator's", "SWITCHBOARD_OPERATOR_KEY"],
            );
        }
    }
    let mut keyless = switchboard();
    keyless.args(["tenants", "list", "--url", &url]);
    let keyless = keyless.env_remove("SWITCHBOARD_OPERATOR_KEY");
    refuses(
        &keyless.output().unwrap(),
        &["set SWITCHBOARD_OPERATOR_KEY"],
    );

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let asked = with_key(OPERATOR_KEY, &nobody, &["list"]).await;
    refuses(&asked, &["no host answers at", &nobody, "--url"]);

    for tenant in ["acme", "globex"] {
        assert_eq!(town.standing(tenant).await["state"], "serving");
        assert!(town.folder.join(tenant).exists());
    }
    assert!(town.acme().shop.requests().await.is_empty());
}
