//! A conversation of 2026-07-28: no session, each request by itself, and a subscription that its client drops.

use std::time::Instant;

use serde_json::{Value, json};

use super::asks::{self, Ask};
use super::exchange::{Wire, message};
use super::streams;

const REVISION: &str = "2026-07-28";

/// Listens, asks everything in a case of that name, and hangs up.
pub(super) async fn converse(wire: &Wire, dice: &mut fastrand::Rng, case: &str, until: Instant) {
    let wanted = json!({ "toolsListChanged": true, "resourceSubscriptions": ["switchboard://case/transcript"] });
    let listen = json!({ "notifications": wanted });
    let listen = request(wire, case, "subscriptions/listen", &listen, None, 1);
    let Some(stream) = wire.send(listen).await else {
        return;
    };
    let stream = streams::follow(stream, wire.books.clone());
    let mut asks = asks::all();
    dice.shuffle(&mut asks);
    for (id, ask) in (2..).zip(asks::opening().iter().chain(&asks)) {
        if Instant::now() >= until {
            break;
        }
        let Ask { method, params, .. } = ask;
        let request = request(wire, case, method, params, ask.name(), id);
        let done = wire.ask(ask, id, request, dice).await;
        // Without what comes first, the rest would be refused.
        if !done && ask.opens {
            break;
        }
    }
    if stream.is_finished() {
        wire.books.wrong_is("the host ended a subscription");
    }
    stream.abort();
}

fn request(
    wire: &Wire,
    case: &str,
    method: &str,
    params: &Value,
    name: Option<&str>,
    id: u64,
) -> reqwest::RequestBuilder {
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": REVISION,
        "io.modelcontextprotocol/clientInfo": { "name": "soak", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
        "switchboard/case": case,
    });
    let request = wire.post(REVISION, &message(method, &params, id));
    let request = request.header("mcp-method", method);
    match name {
        Some(name) => request.header("mcp-name", name),
        None => request,
    }
}
