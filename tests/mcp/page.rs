//! The page that connects clients: what can be checked of it without the clients themselves.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::client::Session;
use crate::desk::Desk;

const PAGE: &str = include_str!("../../host/MCP.md");

fn beside(file: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/mcp");
    tests.join(file)
}

/// The blocks in this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let start = format!("\n```{language}\n");
    let after = PAGE.split(&start).skip(1);
    after
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

#[test]
fn configurations_are_json_and_lead_to_the_program() {
    let configurations = blocks("json");
    assert!(configurations.len() >= 8, "{}", configurations.len());
    for text in configurations {
        let configuration: Value = serde_json::from_str(text).unwrap();
        let servers = ["mcpServers", "servers"].map(|key| &configuration[key]["switchboard"]);
        let server = servers.into_iter().find(|server| server.is_object());
        let server = server.unwrap_or_else(|| panic!("no server: {text}"));
        match server["command"].as_str() {
            Some(_) => assert_eq!(server["args"][0], "mcp", "{text}"),
            None => assert!(server["url"].as_str().unwrap().ends_with("/mcp"), "{text}"),
        }
    }
}

/// What is pasted from the page is what the clients' script runs.
#[test]
fn the_examples_are_those_that_are_run() {
    let run = std::fs::read_to_string(beside("run")).unwrap();
    for (language, file) in [("python", "quick.py"), ("js", "quick.mjs")] {
        let text = std::fs::read_to_string(beside(file)).unwrap();
        assert_eq!(blocks(language), [text], "{file}");
        assert!(run.contains(file), "{file} is not run");
    }
}

#[test]
fn versions_are_those_that_are_tested() {
    let installed = std::fs::read_to_string(beside("clients.sh")).unwrap();
    for (told, tested) in [
        (
            "@modelcontextprotocol/inspector@",
            "@modelcontextprotocol/inspector@",
        ),
        (
            "@modelcontextprotocol/client@",
            "@modelcontextprotocol/client@",
        ),
        ("pip install mcp==", "(mcp=="),
    ] {
        let version = |text: &str, before: &str| {
            let (_, after) = text.split_once(before).unwrap();
            let end = after.find(|c: char| !c.is_ascii_digit() && c != '.');
            after[..end.unwrap()].to_owned()
        };
        let tested = version(&installed, tested);
        let wrong: Vec<&str> = PAGE
            .split(told)
            .skip(1)
            .filter(|after| !after.starts_with(&tested))
            .collect();
        assert!(wrong.is_empty(), "{told}{tested}: {wrong:?}");
    }
}

/// Each outcome that the page explains is one that the tools' schemas announce, or a success; and the other way round.
#[tokio::test]
async fn outcomes_are_explained() {
    let desk = Desk::open().await;
    let listed = Session::open(&desk)
        .await
        .ask("tools/list", json!({}))
        .await;
    let schema = &listed["result"]["tools"][0]["outputSchema"]["anyOf"][1];
    let announced = schema["properties"]["outcome"]["description"]
        .as_str()
        .unwrap();
    let rows = PAGE
        .split("| --- | --- | --- |\n")
        .find(|part| part.starts_with("| `ok`"));
    let rows = rows
        .unwrap()
        .lines()
        .take_while(|line| line.starts_with('|'));
    let explained: Vec<&str> = rows
        .flat_map(|row| row.split('|').nth(1).unwrap().split(','))
        .map(|outcome| outcome.trim().trim_matches('`'))
        .collect();
    for outcome in &explained {
        let success = ["ok", "replayed"].contains(outcome);
        assert!(
            success || announced.contains(outcome),
            "{outcome}: {announced}"
        );
    }
    let words = announced.split(|c: char| !(c.is_ascii_alphabetic() || c == '_'));
    let missing = words.filter(|word| word.contains('_') && !explained.contains(word));
    assert_eq!(missing.collect::<Vec<_>>(), [""; 0]);
}

/// Prompts with their arguments and resources are listed on the page as by the server.
#[tokio::test]
async fn prompts_and_resources_are_those_of_the_page() {
    let desk = Desk::open().await;
    let session = Session::open(&desk).await;
    let listed = async |method: &str, of: &str| {
        let answer = session.ask(method, json!({})).await;
        answer["result"][of].as_array().unwrap().clone()
    };
    for prompt in listed("prompts/list", "prompts").await {
        let arguments = prompt["arguments"].as_array().unwrap().iter();
        let arguments: Vec<_> = arguments
            .map(|argument| format!("`{}`", argument["name"].as_str().unwrap()))
            .collect();
        let row = format!(
            "| `{}` | {} |",
            prompt["name"].as_str().unwrap(),
            arguments.join(", ")
        );
        assert!(PAGE.contains(&row), "{row}");
    }
    let resources = listed("resources/list", "resources").await;
    let templates = listed("resources/templates/list", "resourceTemplates").await;
    let uris = resources.iter().map(|resource| &resource["uri"]);
    let uris = uris.chain(templates.iter().map(|template| &template["uriTemplate"]));
    let uris: BTreeSet<&str> = uris.map(|uri| uri.as_str().unwrap()).collect();
    let told = PAGE
        .split('`')
        .filter(|code| code.starts_with("switchboard://"));
    assert_eq!(told.collect::<BTreeSet<_>>(), uris);
}

/// The refusals that the page quotes are those that a client gets.
#[tokio::test]
async fn troubles_are_as_the_page_says() {
    let desk = Desk::open().await;
    for (header, value, status, quoted) in [
        (
            "origin",
            "https://elsewhere.example",
            403,
            "other sites' pages",
        ),
        (
            "host",
            "elsewhere.example",
            403,
            "this host name is not one of ours",
        ),
        (
            "authorization",
            "Bearer nobody-knows-this-key",
            401,
            "unauthorized",
        ),
        (
            "mcp-session-id",
            "nobody-has-this-session",
            404,
            "Session not found",
        ),
        (
            "mcp-protocol-version",
            "2025-11-25",
            400,
            "Session ID is required",
        ),
    ] {
        let asked = desk.http.post(desk.url("/mcp")).header(header, value);
        let asked = asked.header("accept", "application/json, text/event-stream");
        let asked =
            asked.json(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} }));
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{header}");
        let text = answer.text().await.unwrap();
        assert!(text.contains(quoted), "{header}: {text}");
        assert!(
            PAGE.contains(quoted) && PAGE.contains(&format!("| {status}")),
            "{quoted}"
        );
    }
    desk.shop.saw_no_write().await;
}
