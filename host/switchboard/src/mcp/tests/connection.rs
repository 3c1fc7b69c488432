//! One client on a pair of streams, as on standard input and output.

use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf,
};

use super::client::MODERN;
use super::world::World;
use crate::mcp::{Desk, StdioError, serve};

struct Client {
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    input: WriteHalf<DuplexStream>,
    server: tokio::task::JoinHandle<Result<(), StdioError>>,
}

impl Client {
    fn of(desk: Desk) -> Self {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let server = tokio::spawn(serve(desk, tokio::io::split(far)));
        let (output, input) = tokio::io::split(near);
        Self {
            lines: BufReader::new(output).lines(),
            input,
            server,
        }
    }

    async fn say(&mut self, message: &Value) {
        self.input
            .write_all(format!("{message}\n").as_bytes())
            .await
            .unwrap();
    }

    /// The next line, which must be a message of the protocol.
    async fn hear(&mut self) -> Value {
        let line = self.lines.next_line().await.unwrap().unwrap();
        let message: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.say(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }))
            .await;
        self.hear().await
    }

    /// Closes the streams; the server ends well, and has said nothing more.
    async fn leave(mut self) {
        self.input.shutdown().await.unwrap();
        assert_eq!(self.lines.next_line().await.unwrap(), None);
        self.server.await.unwrap().unwrap();
    }
}

fn call(meta: &Value) -> Value {
    json!({ "name": "classify_inquiry", "arguments": { "text": "hello" }, "_meta": meta })
}

fn modern_meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

#[tokio::test]
async fn an_older_client_is_served_in_a_case_of_its_own() {
    let world = World::new();
    let mut client = Client::of(world.desk());
    let info = json!({ "name": "story", "version": "1" });
    let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info });
    let opened = client.ask("initialize", hello).await;
    assert_eq!(opened["result"]["serverInfo"]["name"], "switchboard");
    client
        .say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))
        .await;
    let list = client.ask("tools/list", json!({})).await;
    assert_eq!(list["result"]["tools"].as_array().unwrap().len(), 4);

    client.ask("tools/call", call(&json!({}))).await;
    let case = world.last_case();
    client.ask("tools/call", call(&json!({}))).await;
    assert_eq!(world.last_case(), case);
    world.modern("tools/call", call(&json!({}))).await;
    assert_ne!(world.last_case(), case);
    client.leave().await;
}

#[tokio::test]
async fn a_newer_client_needs_no_handshake() {
    let world = World::new();
    let mut client = Client::of(world.desk());
    let discovered = client
        .ask("server/discover", json!({ "_meta": modern_meta() }))
        .await;
    assert!(
        discovered["result"]["supportedVersions"].is_array(),
        "{discovered}"
    );
    let answer = client.ask("tools/call", call(&modern_meta())).await;
    assert_eq!(
        answer["result"]["structuredContent"]["text"], "hello",
        "{answer}"
    );
    let case = world.last_case();

    let mut other = Client::of(world.desk());
    other.ask("tools/call", call(&modern_meta())).await;
    assert_ne!(
        world.last_case(),
        case,
        "two programs are two conversations"
    );
    client.leave().await;
    other.leave().await;
}

#[tokio::test]
async fn whoever_leaves_at_once_is_no_error() {
    let world = World::new();
    Client::of(world.desk()).leave().await;
}
