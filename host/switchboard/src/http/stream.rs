//! A turn as server-sent events: `text`, `tool_call`, `tool_result`, `escalation`, `error`, `done`.

use std::convert::Infallible;

use agent::{TurnError, TurnResult};
use axum::response::sse::{self, KeepAlive, Sse};
use dispatch::Event;
use futures::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use tokio::task::JoinError;
use tokio_stream::wrappers::UnboundedReceiverStream;

use super::chat::{Turn, answer};

/// The events of a turn as they happen; the last one, `done`, carries the answer as a whole.
pub(super) fn of(turn: Turn) -> Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    let Turn {
        session,
        events,
        ending,
    } = turn;
    let steps =
        UnboundedReceiverStream::new(events).filter_map(|event| async move { told(&event) });
    let end = stream::once(async move { ended(&session, ending.await) });
    let all = steps
        .chain(end)
        .map(|(name, data)| Ok(sse::Event::default().event(name).data(data.to_string())));
    Sse::new(all).keep_alive(KeepAlive::default())
}

/// What a client hears of an event. Results stay inside: the reply says of them what is for the customer.
fn told(event: &Event) -> Option<(&'static str, Value)> {
    match event {
        Event::Text { text } => Some(("text", json!({ "text": text }))),
        Event::ToolCall {
            id,
            tool,
            arguments,
        } => Some((
            "tool_call",
            json!({ "id": id, "tool": tool, "arguments": arguments }),
        )),
        Event::ToolResult {
            id, tool, outcome, ..
        } => Some((
            "tool_result",
            json!({ "id": id, "tool": tool, "outcome": outcome }),
        )),
        Event::Escalation { id, priority, team } => Some((
            "escalation",
            json!({ "id": id, "priority": priority, "team": team }),
        )),
        Event::Error { message } => Some(("error", json!({ "message": message }))),
        // The end is told by the turn's result, which holds more.
        Event::Customer { .. }
        | Event::ConsentAsked { .. }
        | Event::ConsentAnswered { .. }
        | Event::Done { .. } => None,
    }
}

fn ended(
    session: &str,
    ending: Result<Result<TurnResult, TurnError>, JoinError>,
) -> (&'static str, Value) {
    match ending {
        Ok(Ok(result)) => ("done", answer(session, &result)),
        // The turn has told its error already.
        Ok(Err(_)) => (
            "done",
            json!({ "session_id": session, "response": null, "status": "open", "actions": [] }),
        ),
        Err(_) => (
            "error",
            json!({ "message": "Something went wrong on our side. Please send your message again; nothing is done twice." }),
        ),
    }
}
