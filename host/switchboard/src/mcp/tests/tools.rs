//! Tools are listed and called alike in both eras; refusals are answers.

use serde_json::{Value, json};

use super::client::{Legacy, MODERN};
use super::world::World;

fn call(tool: &str, arguments: &Value) -> Value {
    json!({ "name": tool, "arguments": arguments })
}

#[tokio::test]
async fn both_eras_say_who_serves_them() {
    let world = World::new();
    let discovered = world.modern("server/discover", json!({})).await;
    let result = &discovered["result"];
    let revisions = json!(["2025-06-18", "2025-11-25", "2026-07-28"]);
    assert_eq!(result["supportedVersions"], revisions);
    assert!(result["capabilities"]["tools"].is_object());

    let session = world.legacy().await;
    let result = &session.opened["result"];
    assert_eq!(result["protocolVersion"], "2025-11-25");
    assert_eq!(result["serverInfo"]["name"], "switchboard");
    assert!(
        result["instructions"]
            .as_str()
            .unwrap()
            .contains("get_customer")
    );
}

/// A client that is ahead of the handshake, or behind what is served, is answered with a revision that has one.
#[tokio::test]
async fn the_handshake_settles_on_a_revision_with_sessions() {
    let world = World::new();
    for asked in [MODERN, "2024-11-05", "2099-01-01"] {
        let session = Legacy::open(world.router(), asked).await;
        assert_eq!(
            session.opened["result"]["protocolVersion"], "2025-11-25",
            "{asked}"
        );
    }
    let session = Legacy::open(world.router(), "2025-06-18").await;
    assert_eq!(session.opened["result"]["protocolVersion"], "2025-06-18");
}

#[tokio::test]
async fn the_list_is_the_same_in_both_eras() {
    let world = World::new();
    let modern = world.modern("tools/list", json!({})).await;
    let legacy = world.legacy().await.ask("tools/list", json!({})).await;
    assert_eq!(modern["result"]["tools"], legacy["result"]["tools"]);
    assert_eq!(modern["result"]["cacheScope"], "private");
    assert!(modern["result"]["ttlMs"].as_u64().unwrap() > 0);
    assert_eq!(legacy["result"].get("ttlMs"), None);

    let tools = modern["result"]["tools"].as_array().unwrap();
    let names: Vec<_> = tools.iter().map(|tool| &tool["name"]).collect();
    assert_eq!(
        names,
        [
            "classify_inquiry",
            "escalate_to_human",
            "send_message",
            "unruled"
        ]
    );
    for tool in tools {
        let name = tool["name"].as_str().unwrap();
        assert_eq!(tool["title"], format!("Title of {name}"));
        assert_eq!(tool["description"], format!("What {name} does."));
        assert_eq!(tool["inputSchema"]["required"], json!(["text"]));
        assert_eq!(tool["outputSchema"]["type"], "object");
        let [output, refusal] = [0, 1].map(|n| &tool["outputSchema"]["anyOf"][n]);
        assert_eq!(output["required"], json!(["text"]));
        assert_eq!(
            refusal["required"],
            json!(["outcome"]),
            "a refusal fits the schema, too"
        );
    }
}

#[tokio::test]
async fn annotations_follow_the_effect() {
    let world = World::new();
    let list = world.modern("tools/list", json!({})).await;
    let hints = |tool: &str| {
        let tools = list["result"]["tools"].as_array().unwrap();
        let of = &tools.iter().find(|t| t["name"] == tool).unwrap()["annotations"];
        [
            "readOnlyHint",
            "destructiveHint",
            "idempotentHint",
            "openWorldHint",
        ]
        .map(|h| of[h].as_bool().unwrap())
    };
    assert_eq!(hints("classify_inquiry"), [true, false, true, false]);
    assert_eq!(hints("send_message"), [false, true, true, true]);
    assert_eq!(hints("escalate_to_human"), [false, false, true, true]);
    assert_eq!(
        hints("unruled"),
        hints("send_message"),
        "what nobody classified counts as a write"
    );
}

#[tokio::test]
async fn a_result_is_structured_with_the_same_text_beside_it() {
    let world = World::new();
    let params = call("classify_inquiry", &json!({ "text": "hello" }));
    let session = world.legacy().await;
    let answers = [
        world.modern("tools/call", params.clone()).await,
        session.ask("tools/call", params).await,
    ];
    for answer in answers {
        let result = &answer["result"];
        assert_eq!(result["isError"], false, "{answer}");
        assert_eq!(result["structuredContent"], json!({ "text": "hello" }));
        let text = result["content"][0]["text"].as_str().unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(text).unwrap(),
            result["structuredContent"]
        );
        assert_eq!(result["_meta"]["switchboard/outcome"], "ok");
    }
    assert_eq!(world.ran(), ["classify_inquiry", "classify_inquiry"]);
}

#[tokio::test]
async fn a_refusal_is_an_answer_that_a_model_can_read() {
    let world = World::new();
    let cases = [
        (call("send_message", &json!({ "text": "hi" })), "denied"),
        (call("unruled", &json!({ "text": "hi" })), "denied"),
        (call("classify_inquiry", &json!({ "text": 3 })), "invalid"),
        (json!({ "name": "classify_inquiry" }), "invalid"),
    ];
    let session = world.legacy().await;
    for (params, outcome) in cases {
        let answers = [
            world.modern("tools/call", params.clone()).await,
            session.ask("tools/call", params).await,
        ];
        for answer in answers {
            let result = &answer["result"];
            assert_eq!(result["isError"], true, "{answer}");
            assert_eq!(result["_meta"]["switchboard/outcome"], outcome);
            assert_eq!(result["structuredContent"]["outcome"], outcome);
            let text = result["content"][0]["text"].as_str().unwrap();
            let told: Value = serde_json::from_str(text).unwrap();
            assert_eq!(told, result["structuredContent"]);
            assert!(!text.contains("NOT_TODAY"), "codes stay inside: {text}");
        }
    }
    assert_eq!(world.ran(), [""; 0]);
}

#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error() {
    let world = World::new();
    let params = call("drop_tables", &json!({}));
    let session = world.legacy().await;
    let answers = [
        world.modern("tools/call", params.clone()).await,
        session.ask("tools/call", params).await,
    ];
    for answer in answers {
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        assert!(
            answer["error"]["message"]
                .as_str()
                .unwrap()
                .contains("drop_tables")
        );
    }
}

#[tokio::test]
async fn parameters_without_the_shape_of_a_call_are_invalid() {
    let world = World::new();
    let session = world.legacy().await;
    for params in [
        json!({}),
        json!({ "name": 3 }),
        json!({ "name": "classify_inquiry", "arguments": ["x"] }),
    ] {
        let answer = session.ask("tools/call", params).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    let answer = session.ask("tools/burn", json!({})).await;
    assert_eq!(answer["error"]["code"], -32601);
}
