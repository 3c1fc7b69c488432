//! The short way of the commonest request: a `tools/call` of the revision without sessions, to which there is one answer.
//!
//! rmcp gives every request a service with tasks, channels and a peer of its own, because any request may turn into a talk. This
//! one cannot, and there is nearly as much work in that as in running the tool. So a request that is of the common form in every
//! header and every member is read here, with rmcp's own types, and answered at once. Whatever is otherwise, wrong or merely
//! unusual, takes the long way and gets rmcp's answer; a test holds that both ways answer alike.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, ORIGIN};
use ::http::{HeaderValue, Method};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ProtocolVersion, RequestId, RequestMetaObject,
    ServerJsonRpcMessage, ServerResult,
};
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::cases::Session;
use super::http::LARGEST_REQUEST;
use super::provider::Offer;
use super::visit::Visit;

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

const REVISION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
/// Headers that begin so belong to sessions, to event streams, or repeat an argument.
const FURTHER: [&str; 3] = ["mcp-session-id", "mcp-param-", "last-event-id"];

/// Members of `_meta` by which a client asks to hear something before the answer.
const MEANWHILE: [&str; 2] = ["progressToken", "io.modelcontextprotocol/logLevel"];

/// Calls that are answered without a service of their own.
pub(super) struct Direct {
    offer: Offer,
    /// The values of `Host` under which clients reach this server as a rule.
    hosts: Vec<String>,
}

/// What became of a request.
pub(super) enum Way {
    /// It was of the common form.
    Answered(Response),
    /// It is for rmcp, as it came.
    Long(Request),
}

/// One request of the common form. A member that is not known here is rmcp's to judge.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    jsonrpc: Version,
    id: RequestId,
    method: Name,
    params: CallToolRequestParams,
}

#[derive(Deserialize)]
enum Version {
    #[serde(rename = "2.0")]
    Two,
}

#[derive(Deserialize)]
enum Name {
    #[serde(rename = "tools/call")]
    Call,
}

/// A call that can be made.
struct Call {
    id: RequestId,
    session: Session,
    meta: RequestMetaObject,
    params: CallToolRequestParams,
}

impl Direct {
    pub(super) fn new(offer: Offer, hosts: Vec<String>) -> Self {
        Self { offer, hosts }
    }

    /// Answers a request of the common form; gives any other back.
    pub(super) async fn answer(&self, request: Request) -> Way {
        if !self.is_common(&request) {
            return Way::Long(request);
        }
        let (head, body) = request.into_parts();
        let Ok(body) = to_bytes(body, LARGEST_REQUEST).await else {
            // Its length was told, and less has come: nobody is there any more.
            return Way::Answered(::http::StatusCode::BAD_REQUEST.into_response());
        };
        let Some(call) = self.read(&head.headers, &body) else {
            return Way::Long(Request::from_parts(head, Body::from(body)));
        };
        let id = call.id.clone();
        Way::Answered(told(id, self.make(call).await))
    }

    /// Whether the head of the request leaves nothing to be judged.
    fn is_common(&self, request: &Request) -> bool {
        let headers = request.headers();
        let is_ours = |host: &str| self.hosts.iter().any(|own| own == host);
        let fits = |length: &str| {
            length
                .parse()
                .is_ok_and(|length: usize| length <= LARGEST_REQUEST)
        };
        request.method() == Method::POST
            && !self.offer.strangers
            && !headers.contains_key(ORIGIN)
            && only(headers, &HOST).is_some_and(is_ours)
            && only(headers, &CONTENT_TYPE) == Some(JSON)
            && only(headers, &CONTENT_LENGTH).is_some_and(fits)
            && only(headers, &ACCEPT).is_some_and(accepts_both)
            && only(headers, &REVISION) == Some(ProtocolVersion::V_2026_07_28.as_str())
            && only(headers, &METHOD) == Some("tools/call")
            && !headers.keys().any(is_further)
    }

    /// The call, where it is complete and asks for nothing but its result.
    fn read(&self, headers: &HeaderMap, body: &[u8]) -> Option<Call> {
        let message: Message = serde_json::from_slice(body).ok()?;
        let (Version::Two, Name::Call) = (message.jsonrpc, message.method);
        let mut params = message.params;
        let meta = params.meta.take()?;
        let is_named = only(headers, &NAME) == Some(&*params.name) && is_plain(&params.name);
        let asks_more = MEANWHILE.iter().any(|member| meta.contains_key(*member));
        let is_whole = meta.protocol_version() == Some(ProtocolVersion::V_2026_07_28)
            && meta.client_capabilities().is_some();
        if !is_named || !is_whole || asks_more || !self.offer.provider.is_direct(&params.name) {
            return None;
        }
        Some(Call {
            id: message.id,
            session: Session::of_principal(&self.offer.principal, &meta)?,
            meta,
            params,
        })
    }

    fn make(&self, call: Call) -> Seen<impl Future<Output = Answer> + Send + use<>> {
        let gone = CancellationToken::new();
        let provider = Arc::clone(&self.offer.provider);
        let visit = Visit::plain(call.session, call.meta, gone.clone());
        let tasks = self.offer.tasks.clone();
        let call = Box::pin(async move { provider.call(visit, call.params).await });
        Seen {
            call: Some(call),
            gone,
            tasks,
        }
    }
}

type Answer = Result<CallToolResponse, ErrorData>;

/// The one value of a header, as text; none where there are several.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Both forms of answers, without weights.
fn accepts_both(accept: &str) -> bool {
    let accepted = |form| accept.split(',').any(|one| one.trim() == form);
    accepted(JSON) && accepted(EVENTS)
}

fn is_further(name: &HeaderName) -> bool {
    FURTHER
        .iter()
        .any(|further| name.as_str().starts_with(further))
}

/// A name that stands in its header as it is, and not in an encoding.
fn is_plain(name: &str) -> bool {
    !name.starts_with('=')
}

/// As JSON. A call of the common form has errors of its own alone, which are answers.
fn told(id: RequestId, answer: Answer) -> Response {
    let message = match answer {
        Ok(response) => ServerJsonRpcMessage::response(ServerResult::from(response), id),
        Err(error) => ServerJsonRpcMessage::error(error, Some(id)),
    };
    match serde_json::to_vec(&message) {
        Ok(body) => {
            let json = [(CONTENT_TYPE, HeaderValue::from_static(JSON))];
            (json, Bytes::from(body)).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "an answer is no JSON");
            ::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A call that comes to its end though its caller goes away: it hears of that, and ends what can be ended.
struct Seen<F: Future + Send + 'static>
where
    F::Output: Send,
{
    call: Option<Pin<Box<F>>>,
    gone: CancellationToken,
    /// What the program waits for before it ends.
    tasks: TaskTracker,
}

impl<F: Future + Send> Future for Seen<F>
where
    F::Output: Send,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // Taken out meanwhile: one that panics must not be polled again.
        let Some(mut call) = self.call.take() else {
            return Poll::Pending;
        };
        let polled = call.as_mut().poll(context);
        if polled.is_pending() {
            self.call = Some(call);
        }
        polled
    }
}

impl<F: Future + Send + 'static> Drop for Seen<F>
where
    F::Output: Send,
{
    fn drop(&mut self) {
        let Some(call) = self.call.take() else { return };
        self.gone.cancel();
        // Without a runtime there is nothing any more that it could end in.
        if let Ok(runtime) = Handle::try_current() {
            self.tasks.spawn_on(call, &runtime);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use futures::FutureExt;
    use tokio::sync::oneshot;

    use super::*;

    fn seen<F>(call: F, gone: &CancellationToken, tasks: &TaskTracker) -> Seen<F>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        Seen {
            call: Some(Box::pin(call)),
            gone: gone.clone(),
            tasks: tasks.clone(),
        }
    }

    #[tokio::test]
    async fn a_call_that_nobody_waits_for_is_told_so_and_waited_for() {
        let (gone, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (end, mut ended) = oneshot::channel();
        let told = gone.clone();
        let call = async move {
            told.cancelled().await;
            let _ = end.send(());
        };
        let mut calling = seen(call, &gone, &tasks);
        assert!(futures::poll!(&mut calling).is_pending());
        drop(calling);
        tasks.close();
        tasks.wait().await;
        assert_eq!(ended.try_recv(), Ok(()));
    }

    #[tokio::test]
    async fn a_call_that_breaks_is_not_taken_up_again() {
        let (gone, tasks) = (CancellationToken::new(), TaskTracker::new());
        let call = seen(async { panic!("of the test") }, &gone, &tasks);
        assert!(AssertUnwindSafe(call).catch_unwind().await.is_err());
        assert!(tasks.is_empty());
    }
}
