//! One request, as what a tenant offers sees it: in which session it comes, which revision it speaks, what its client can do.

use rmcp::model::{ClientCapabilities, ProgressNotificationParam, ProtocolVersion};

use super::cases::Session;
use super::provider::Context;

/// One request of a client.
pub(super) struct Visit {
    /// Where its case is found.
    pub(super) session: Session,
    /// What the transport knows of it.
    pub(super) context: Context,
}

/// How far a call has come.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    /// Grows from one to the next.
    pub(super) done: f64,
    /// Where it ends, if that is known.
    pub(super) total: Option<f64>,
    /// For a person.
    pub(super) message: String,
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

    /// Tells a client that asked for it how far the call has come; whether it arrives is the client's affair.
    pub(super) async fn report(&self, progress: Progress) {
        let Some(token) = self.context.meta.get_progress_token() else {
            return;
        };
        let mut params = ProgressNotificationParam::new(token, progress.done);
        params.total = progress.total;
        params.message = Some(progress.message);
        if let Err(error) = self.context.peer.notify_progress(params).await {
            tracing::debug!(%error, "progress was not heard");
        }
    }
}

/// Whether a request speaks the revision that has no sessions.
pub(super) fn is_newest(context: &Context) -> bool {
    let newest = ProtocolVersion::V_2026_07_28;
    let revision = context.protocol_version();
    revision.is_some_and(|revision| revision.as_str() >= newest.as_str())
}
