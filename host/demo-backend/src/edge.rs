//! What happens to a request around the routes: body limit, journal, key claim, armed faults.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tower::ServiceExt;

use crate::app::{App, KeyClaim, Stopping};
use crate::faults::{Fault, armed_status};
use crate::refusal::Refusal;

/// Larger bodies are refused with 413.
const LARGEST_BODY: usize = 1024 * 1024;
/// This much of a refused body is still read, so that its sender gets to hear the answer.
const LARGEST_DRAIN: usize = 16 * 1024 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed without an answer, as it was asked to")]
pub(crate) struct Dropped;

/// The routes and what surrounds them.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) app: Arc<App>,
    pub(crate) router: Router,
    /// Held by whatever is still working; a shutdown waits until nobody holds it. Last, so that the store closes before.
    pub(crate) _working: mpsc::Sender<()>,
}

impl Edge {
    /// Answers one request, or says that its connection must be closed unanswered.
    ///
    /// The work is a task of its own: a client that hangs up does not stop a backend in the middle of a payment, and a
    /// backend that stopped then would hide the very case that callers must survive.
    pub(crate) async fn serve(self, request: Request<Incoming>) -> Result<Response, Dropped> {
        let (head, body) = request.into_parts();
        let body = read(body).await;
        match tokio::spawn(self.process(head, body)).await {
            Ok(outcome) => outcome,
            Err(_) => Ok(Refusal::Interrupted.into_response()),
        }
    }

    async fn process(self, head: Parts, body: Result<Bytes, Refusal>) -> Result<Response, Dropped> {
        let path = head.uri.path();
        let is_control = path == "/_control" || path.starts_with("/_control/");
        if !is_control {
            self.app.journal.note(
                &head,
                self.app.token.is_in(&head.headers),
                body.as_ref().ok(),
            );
        }
        let body = match body {
            Ok(body) => body,
            Err(refusal) => return Ok(refusal.into_response()),
        };
        if is_control {
            return Ok(self.act(head, body).await);
        }
        let claim = match self.claim_key(&head) {
            Ok(claim) => claim,
            Err(refusal) => return Ok(refusal.into_response()),
        };
        self.act_or_misbehave(head, body, claim).await
    }

    async fn act_or_misbehave(
        &self,
        head: Parts,
        body: Bytes,
        claim: Option<KeyClaim>,
    ) -> Result<Response, Dropped> {
        match self.app.faults.take(&head.method, head.uri.path()) {
            None => Ok(self.act(head, body).await),
            Some(Fault::Delay { ms }) => {
                self.app.pause(ms).await?;
                Ok(self.act(head, body).await)
            }
            Some(Fault::Status {
                status,
                retry_after,
            }) => Ok(armed_status(status, retry_after).into_response()),
            Some(Fault::DropBefore) => Err(Dropped),
            Some(Fault::ActThenDrop) => {
                self.act(head, body).await;
                Err(Dropped)
            }
            Some(Fault::ActThenDelay { ms }) => {
                let response = self.act(head, body).await;
                // The effect is committed: from here on the key replays instead of being in flight.
                drop(claim);
                self.app.pause(ms).await?;
                Ok(response)
            }
        }
    }

    async fn act(&self, head: Parts, body: Bytes) -> Response {
        let request = Request::from_parts(head, Body::from(body));
        match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// The claim on a write's idempotency key; reads, and writes without a usable key, claim nothing.
    fn claim_key(&self, head: &Parts) -> Result<Option<KeyClaim>, Refusal> {
        let key = head
            .headers
            .get("idempotency-key")
            .and_then(|key| key.to_str().ok());
        match key {
            Some(key) if !head.method.is_safe() => {
                self.app.keys.claim(key).map(Some).ok_or(Refusal::InFlight)
            }
            _ => Ok(None),
        }
    }
}

impl From<Stopping> for Dropped {
    fn from(_: Stopping) -> Self {
        Self
    }
}

async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(BODY_TIMEOUT, read_within_limit(body)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Refusal::TooSlow),
    }
}

async fn read_within_limit(mut body: Incoming) -> Result<Bytes, Refusal> {
    let (mut kept, mut size) = (BytesMut::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|error| Refusal::invalid(format!("the request body broke off: {error}")))?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        size = size.saturating_add(data.len());
        if size <= LARGEST_BODY {
            kept.extend_from_slice(data);
        } else if size > LARGEST_DRAIN {
            break;
        }
    }
    if size > LARGEST_BODY {
        Err(Refusal::TooLarge(LARGEST_BODY))
    } else {
        Ok(kept.freeze())
    }
}
