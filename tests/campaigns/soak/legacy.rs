//! A conversation of 2025-11-25: a session from its opening to its end, with a stream beside it.

use std::sync::atomic::Ordering;
use std::time::Instant;

use serde_json::json;

use super::asks::{self, Ask};
use super::exchange::{Wire, answer, message};
use super::streams;

const REVISION: &str = "2025-11-25";

/// Opens a session, asks everything, ends it, and finds it ended.
pub(super) async fn converse(wire: &Wire, dice: &mut fastrand::Rng, until: Instant) {
    let Some(session) = open(wire).await else {
        return;
    };
    let Some(stream) = wire.send(wire.get(&session)).await else {
        return;
    };
    let stream = streams::follow(stream, wire.books.clone());
    let subscribe = json!({ "uri": "switchboard://case/transcript" });
    let subscribe = message("resources/subscribe", &subscribe, 1);
    expect(wire, &session, &subscribe, 200).await;
    let mut asks = asks::all();
    dice.shuffle(&mut asks);
    for (id, ask) in (2..).zip(asks::opening().iter().chain(&asks)) {
        if Instant::now() >= until {
            break;
        }
        let request = in_session(wire, &session, ask, id);
        let done = wire.ask(ask, id, request, dice).await;
        // Without what comes first, the rest would be refused.
        if !done && ask.opens {
            break;
        }
    }
    end(wire, &session).await;
    // The host ends the stream with the session; were it not to, this would be heard of.
    if stream.await.is_err() {
        wire.books.wrong_is("a stream's reader broke");
    }
}

async fn open(wire: &Wire) -> Option<String> {
    let params = json!({ "protocolVersion": REVISION, "capabilities": {}, "clientInfo": { "name": "soak", "version": "1" } });
    let hello = wire.post(REVISION, &message("initialize", &params, 0));
    let response = wire.send(hello).await?;
    let session = response.headers().get("mcp-session-id").cloned();
    let session = session.and_then(|id| id.to_str().ok().map(str::to_owned));
    match (session, answer(response, 0, &wire.books).await) {
        (Some(session), Ok(answer)) if answer["result"]["protocolVersion"] == REVISION => {
            let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
            expect(wire, &session, &told, 202).await;
            Some(session)
        }
        (_, answer) => {
            wire.books.wrong_is(&format!("initialize: {answer:?}"));
            None
        }
    }
}

fn in_session(wire: &Wire, session: &str, ask: &Ask, id: u64) -> reqwest::RequestBuilder {
    let request = wire.post(REVISION, &message(ask.method, &ask.params, id));
    request.header("mcp-session-id", session)
}

/// Sends a message whose answer is its status.
async fn expect(wire: &Wire, session: &str, message: &serde_json::Value, status: u16) {
    let request = wire
        .post(REVISION, message)
        .header("mcp-session-id", session);
    let got = wire.send(request).await.map(|response| response.status());
    if got.is_some_and(|got| got.as_u16() != status) {
        wire.books.wrong_is(&format!("{message}: HTTP {got:?}"));
    }
}

async fn end(wire: &Wire, session: &str) {
    let ended = wire.send(wire.delete(session)).await;
    if let Some(status) = ended.map(|response| response.status().as_u16()) {
        wire.books.sessions.fetch_add(1, Ordering::Relaxed);
        if status != 204 {
            wire.books
                .wrong_is(&format!("the end of a session: HTTP {status}"));
        }
    }
    let late = message("tools/list", &json!({}), 99);
    expect(wire, session, &late, 404).await;
}
