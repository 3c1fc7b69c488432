//! Letting go of the connection in the middle of a call, as the revisions with sessions allow: the client comes back with the
//! last event that it has seen, and hears the rest.

use ::http::header::CONTENT_TYPE;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

/// The connection on which one request is being answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Line(CancellationToken);

impl Line {
    /// The line of this request, which its handler finds among the request's extensions.
    pub(super) fn of(request: &mut Request) -> Self {
        let line = Self::default();
        request.extensions_mut().insert(line.clone());
        line
    }

    /// Ends the event stream that is the answer, without the result.
    pub(super) fn hang_up(&self) {
        self.0.cancel();
    }

    /// The answer, up to where the line is let go.
    pub(super) fn carry(self, answer: Response) -> Response {
        let kind = answer.headers().get(CONTENT_TYPE);
        if kind.is_none_or(|kind| kind != "text/event-stream") {
            return answer;
        }
        let let_go = self.0.cancelled_owned();
        answer.map(|body| Body::from_stream(body.into_data_stream().take_until(Box::pin(let_go))))
    }
}
