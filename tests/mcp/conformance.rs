//! What the protocol's conformance suite is offered: only where it is asked for, and by the same way to the tools. The suite itself
//! is run by the script beside this file.

use serde_json::{Value, json};

use super::client::{NEWEST, Session, Stateless, rpc, stateless};
use crate::desk::{Desk, STAFF_KEYS};

const ASKING: &str = "test_input_required_result_request_state";

fn names(list: &Value, of: &str) -> Vec<String> {
    let all = list["result"][of].as_array().unwrap().iter();
    all.map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

fn can_elicit(desk: &Desk) -> Stateless<'_> {
    Stateless {
        capabilities: json!({ "elicitation": {} }),
        ..Stateless::new(desk)
    }
}

/// How often a tool has run in the end, by the audit log.
async fn runs(desk: &Desk, tool: &str) -> usize {
    let store = desk.running.dispatcher().store();
    let records = store.records(None, 1_000_000).await.unwrap();
    let of_tool = records.iter().filter(|record| {
        let record = serde_json::to_string(record).unwrap();
        record.contains(tool) && record.contains("\"outcome\"")
    });
    of_tool.count()
}

fn yes() -> Value {
    json!({ "confirm": { "action": "accept", "content": { "ok": true } } })
}

#[tokio::test]
async fn nothing_of_it_is_there_unless_asked_for() {
    let desk = Desk::open().await;
    let session = Session::open(&desk).await;
    for tools in [
        session.ask("tools/list", json!({})).await,
        stateless(&desk, "tools/list", json!({})).await,
    ] {
        let names = names(&tools, "tools");
        assert!(names.contains(&"get_customer".to_owned()), "{names:?}");
        assert!(!names.iter().any(|name| name.contains("test")), "{names:?}");
    }
    let simple = json!({ "name": "test_simple_text", "arguments": {} });
    let called = stateless(&desk, "tools/call", simple).await;
    assert_eq!(called["error"]["code"], -32602, "{called}");
    let read = stateless(
        &desk,
        "resources/read",
        json!({ "uri": "test://static-text" }),
    )
    .await;
    assert_eq!(read["error"]["code"], -32602, "{read}");
    let prompt = stateless(
        &desk,
        "prompts/get",
        json!({ "name": "test_simple_prompt" }),
    )
    .await;
    assert_eq!(prompt["error"]["code"], -32602, "{prompt}");
    assert_eq!(runs(&desk, "test_").await, 0);
}

#[tokio::test]
async fn it_takes_the_place_of_the_demo_s_tools_and_is_dispatched_like_them() {
    let desk = Desk::open_for_conformance().await;
    let tools = stateless(&desk, "tools/list", json!({})).await;
    let names = names(&tools, "tools");
    assert!(names.contains(&ASKING.to_owned()), "{names:?}");
    assert!(!names.contains(&"get_customer".to_owned()), "{names:?}");
    let called = Session::open(&desk)
        .await
        .tool("test_simple_text", json!({}))
        .await;
    let text = "This is a simple text response for testing.";
    assert_eq!(called["content"], json!([{ "type": "text", "text": text }]));
    assert_eq!(runs(&desk, "test_simple_text").await, 1);
    // The other surfaces are the demo's, as ever.
    desk.know_sarah("a-case").await;
    let other = desk.tool("a-case", "test_simple_text", json!({})).await;
    assert_eq!(other.status, 404, "{}", other.body);
}

#[tokio::test]
async fn a_state_that_was_changed_or_sealed_for_something_else_is_refused_and_nothing_runs() {
    let desk = Desk::open_for_conformance().await;
    let client = can_elicit(&desk);
    let asked = client.tool(ASKING, json!({})).await;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let sealed = asked["requestState"].as_str().unwrap();
    let before = runs(&desk, "test_").await;
    let mut other_byte = sealed.to_owned();
    let last = if other_byte.ends_with('A') { "B" } else { "A" };
    other_byte.replace_range(other_byte.len() - 1.., last);
    let refused = [
        (ASKING, json!({}), format!("{sealed}-TAMPERED")),
        (ASKING, json!({}), other_byte),
        (ASKING, json!({}), String::new()),
        (ASKING, json!({ "more": 1 }), sealed.to_owned()),
        (
            "test_input_required_result_tampered_state",
            json!({}),
            sealed.to_owned(),
        ),
    ];
    for (tool, arguments, state) in refused {
        let call = json!({ "name": tool, "arguments": arguments, "inputResponses": yes(), "requestState": state });
        let answer = client.ask("tools/call", call).await;
        assert_eq!(answer["error"]["code"], -32602, "{tool} {state}: {answer}");
    }
    assert_eq!(runs(&desk, "test_").await, before);
    let call =
        json!({ "name": ASKING, "arguments": {}, "inputResponses": yes(), "requestState": sealed });
    let answer = client.ask("tools/call", call).await;
    assert_eq!(
        answer["result"]["content"][0]["text"], "state-ok",
        "{answer}"
    );
}

#[tokio::test]
async fn a_client_cannot_put_answers_among_the_arguments() {
    let desk = Desk::open_for_conformance().await;
    let client = can_elicit(&desk);
    let scene = json!({ "answers": yes(), "state": { "step": "confirm" }, "can": {} });
    let asked = client
        .tool(ASKING, json!({ "switchboard/scene": scene }))
        .await;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
}

#[tokio::test]
async fn who_cannot_be_asked_hears_what_is_missing_in_both_revisions() {
    let desk = Desk::open_for_conformance().await;
    let call = json!({ "name": "test_missing_capability", "arguments": {} });
    let session = Session::open(&desk).await;
    for answer in [
        session.ask("tools/call", call.clone()).await,
        can_elicit(&desk).ask("tools/call", call).await,
    ] {
        assert_eq!(answer["error"]["code"], -32021, "{answer}");
        let missing = &answer["error"]["data"]["requiredCapabilities"];
        assert_eq!(*missing, json!({ "sampling": {} }), "{NEWEST}: {answer}");
    }
}

#[tokio::test]
async fn a_task_is_found_by_whoever_began_it_and_by_nobody_else() {
    let desk = Desk::open_for_conformance().await;
    let knows_tasks = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    let keys: Vec<&str> = STAFF_KEYS
        .split(' ')
        .filter_map(|staff| staff.rsplit(':').next())
        .collect();
    let client = |key| Stateless {
        desk: &desk,
        key,
        capabilities: knows_tasks.clone(),
    };
    let own = client(Some(keys[0]));
    let begun = own.tool("slow_compute", json!({ "seconds": 9 })).await;
    assert_eq!(begun["resultType"], "task", "{begun}");
    let task = json!({ "taskId": begun["taskId"] });
    for other in [client(Some(keys[1])), client(None)] {
        for method in ["tasks/get", "tasks/cancel"] {
            let answer = other.ask(method, task.clone()).await;
            assert_eq!(answer["error"]["code"], -32602, "{method}: {answer}");
        }
        let mut update = task.clone();
        update["inputResponses"] = json!({});
        let answer = other.ask("tasks/update", update).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    let working = own.ask("tasks/get", task.clone()).await;
    assert_eq!(working["result"]["status"], "working", "{working}");
    own.ask("tasks/cancel", task.clone()).await;
    loop {
        let now = own.ask("tasks/get", task.clone()).await;
        match now["result"]["status"].as_str() {
            Some("working") => tokio::task::yield_now().await,
            status => break assert_eq!(status, Some("cancelled"), "{now}"),
        }
    }
}

#[tokio::test]
async fn tasks_are_no_method_where_nothing_goes_on_as_one() {
    let desk = Desk::open().await;
    let answer = stateless(&desk, "tasks/get", json!({ "taskId": "any" })).await;
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
}

#[tokio::test]
async fn a_client_that_was_let_go_comes_back_for_the_result_of_the_same_call() {
    let desk = Desk::open_for_conformance().await;
    let session = Session::open(&desk).await;
    let call = rpc(
        "tools/call",
        json!({ "name": "test_reconnection", "arguments": {} }),
    );
    let stream = session.send(call).await.text().await.unwrap();
    assert!(!stream.contains("result"), "{stream}");
    assert!(stream.contains("retry:"), "{stream}");
    let event = stream.lines().find_map(|line| line.strip_prefix("id:"));
    let mut rest = session.come_back(event.unwrap().trim()).await;
    let answer = rest.next().await.unwrap();
    let text = &answer["result"]["content"][0]["text"];
    assert_eq!(text, "Reconnection test completed", "{answer}");
    assert_eq!(runs(&desk, "test_reconnection").await, 1);
}
