//! One request, as what a tenant offers sees it: in which session it comes, which revision it speaks, what its client can do.

use ::http::request::Parts;
use dispatch::Progress;
use rmcp::model::{ClientCapabilities, ProgressNotificationParam, ProtocolVersion};

use super::cases::Session;
use super::line::Line;
use super::provider::Context;

/// One request of a client.
pub(super) struct Visit {
    /// Where its case is found.
    pub(super) session: Session,
    /// What the transport knows of it.
    pub(super) context: Context,
}

impl Visit {
    /// Whether it speaks the revision that has no sessions, and whose lists say how long they hold.
    pub(super) fn is_newest(&self) -> bool {
        is_newest(&self.context)
    }

    /// What its client can do.
    pub(super) fn capabilities(&self) -> ClientCapabilities {
        self.context.client_capabilities().unwrap_or_default()
    }

    /// Whether its client can put a form before a person. One that names no way of asking means forms.
    pub(super) fn can_elicit(&self) -> bool {
        let elicitation = self.capabilities().elicitation;
        elicitation.is_some_and(|ways| ways.form.is_some() || ways.url.is_none())
    }

    /// Whether its client asked to hear how far the call has come.
    pub(super) fn wants_progress(&self) -> bool {
        self.context.meta.get_progress_token().is_some()
    }

    /// Lets go of the connection, where the client can come back for the rest: in a session over HTTP.
    pub(super) fn hang_up(&self) {
        let line = self.context.extensions.get::<Parts>();
        let line = line.and_then(|parts| parts.extensions.get::<Line>());
        if let Some(line) = line.filter(|_| !self.is_newest()) {
            line.hang_up();
        }
    }

    /// Tells a client that asked for it how far the call has come; whether it arrives is the client's affair.
    pub(super) async fn report(&self, progress: Progress) {
        let Some(token) = self.context.meta.get_progress_token() else {
            return;
        };
        let mut params = ProgressNotificationParam::new(token, as_number(progress.done));
        params.total = progress.total.map(as_number);
        if let Err(error) = self.context.peer.notify_progress(params).await {
            tracing::debug!(%error, "progress was not heard");
        }
    }
}

/// The protocol counts in floating point; what does not fit exactly is a report of progress all the same.
#[expect(
    clippy::cast_precision_loss,
    reason = "a report of progress need not be exact"
)]
fn as_number(count: u64) -> f64 {
    count as f64
}

/// Whether a request speaks the revision that has no sessions.
pub(super) fn is_newest(context: &Context) -> bool {
    let newest = ProtocolVersion::V_2026_07_28;
    let revision = context.protocol_version();
    revision.is_some_and(|revision| revision.as_str() >= newest.as_str())
}
