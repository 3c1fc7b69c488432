//! The conversation: one turn as one answer or as a stream of events, and starting anew.

use agent::{TurnError, TurnRequest, TurnResult};
use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dispatch::Event;
use policy::{Actor, Channel, Level, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinHandle;

use super::access::{Caller, chat_session};
use super::desk::Desk;
use super::request::{JsonBody, QueryOf, check_id};
use super::{ApiError, stream};

/// Bytes of one message, at most.
const LONGEST_MESSAGE: usize = 8 * 1024;

/// What a customer says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    session_id: Option<String>,
    message: String,
    customer_id: Option<String>,
}

/// Which conversation ends.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    session_id: String,
}

/// A turn under way: its events as they happen, and its end.
pub(super) struct Turn {
    pub(super) session: String,
    pub(super) events: UnboundedReceiver<Event>,
    pub(super) ending: JoinHandle<Result<TurnResult, TurnError>>,
}

/// `POST /api/chat`: as one answer, or as events where the client asks for them.
pub(super) async fn turn(
    desk: Desk,
    headers: HeaderMap,
    caller: Caller,
    JsonBody(said): JsonBody<Said>,
) -> Result<Response, ApiError> {
    let turn = begin(desk, &caller, said).await?;
    if wants_events(&headers) {
        return Ok(stream::of(turn).into_response());
    }
    let result = turn.ending.await.map_err(|_| ApiError::internal())??;
    Ok(Json(answer(&turn.session, &result)).into_response())
}

/// `GET /api/chat/stream`.
pub(super) async fn stream(
    desk: Desk,
    caller: Caller,
    QueryOf(said): QueryOf<Said>,
) -> Result<Response, ApiError> {
    Ok(stream::of(begin(desk, &caller, said).await?).into_response())
}

/// `POST /api/chat/reset`: whoever knows the name may end the conversation; what it holds stays closed to them.
pub(super) async fn reset(
    desk: Desk,
    JsonBody(reset): JsonBody<Reset>,
) -> Result<Json<Reset>, ApiError> {
    check_id("session_id", &reset.session_id)?;
    if desk
        .store()
        .reset_session(desk.name(), &chat_session(&reset.session_id))
        .await?
    {
        return Ok(Json(reset));
    }
    Err(ApiError::not_found(
        "there is no such conversation; a message to POST /api/chat starts one",
    ))
}

/// Starts a turn as a task of its own: a client that hangs up must not cut a write short.
async fn begin(desk: Desk, caller: &Caller, said: Said) -> Result<Turn, ApiError> {
    check(&said)?;
    let session = said
        .session_id
        .unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let case = caller.chat_case(&desk, &session).await?;
    if let Some(customer) = &said.customer_id {
        // Nothing vouches for it, and ids can be guessed: it says whose account to look at first, and proves nothing. Where
        // the case knows better, it stays as it is.
        desk.store()
            .identify(&case.id, customer, Level::Anonymous)
            .await?;
    }
    let request = TurnRequest {
        tenant: desk.name().to_owned(),
        case: case.id,
        channel: Channel::Chat,
        actor: Actor {
            role: Role::Agent,
            subject: format!("agent:{}", desk.model()),
        },
        message: said.message,
    };
    let (sink, events) = mpsc::unbounded_channel();
    let tasks = desk.tasks.clone();
    let ending = tasks.spawn(async move { desk.agent.turn(request, sink).await });
    Ok(Turn {
        session,
        events,
        ending,
    })
}

fn check(said: &Said) -> Result<(), ApiError> {
    if said.message.trim().is_empty() {
        return Err(ApiError::invalid(
            "the message is empty; say something in `message`",
        ));
    }
    if said.message.len() > LONGEST_MESSAGE {
        return Err(ApiError::too_large(format!(
            "the message has more than {LONGEST_MESSAGE} bytes; say it in several shorter ones"
        )));
    }
    for (name, id) in [
        ("session_id", &said.session_id),
        ("customer_id", &said.customer_id),
    ] {
        id.as_deref().map_or(Ok(()), |id| check_id(name, id))?;
    }
    Ok(())
}

fn wants_events(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|accept| {
        accept
            .to_str()
            .is_ok_and(|accept| accept.contains("text/event-stream"))
    })
}

/// The answer as a whole.
pub(super) fn answer(session: &str, result: &TurnResult) -> Value {
    let actions: Vec<_> = result
        .actions
        .iter()
        .map(|action| json!({ "tool": action.tool, "outcome": action.outcome }))
        .collect();
    let mut answer = json!({ "session_id": session, "response": result.response, "status": result.status, "actions": actions });
    if let Some(escalation) = &result.escalation {
        answer["escalation"] = json!(escalation);
    }
    answer
}

impl From<TurnError> for ApiError {
    fn from(error: TurnError) -> Self {
        match error {
            TurnError::Host(error) => error.into(),
            TurnError::UnknownTenant(_) | TurnError::Prompt(_) => {
                tracing::error!(%error, "a turn could not begin");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal",
                    "the agent cannot answer; the log says why",
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str, session: Option<&str>) -> Said {
        Said {
            session_id: session.map(ToOwned::to_owned),
            message: text.to_owned(),
            customer_id: None,
        }
    }

    #[test]
    fn messages_that_cannot_be_answered_are_refused_with_their_status() {
        let status = |said: Said| check(&said).err().map(|error| error.status.as_u16());
        assert_eq!(status(message("hello", None)), None);
        assert_eq!(status(message("hello", Some("s-1"))), None);
        assert_eq!(status(message(" \n", None)), Some(400));
        assert_eq!(
            status(message(&"x".repeat(LONGEST_MESSAGE + 1), None)),
            Some(413)
        );
        assert_eq!(status(message("hello", Some(""))), Some(400));
        assert_eq!(status(message("hello", Some("a b"))), Some(400));
        assert_eq!(status(message("hello", Some(&"s".repeat(129)))), Some(400));
    }
}
