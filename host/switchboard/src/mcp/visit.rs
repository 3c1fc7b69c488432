//! One request, as what a tenant offers sees it: in which session it comes, which revision it speaks, what its client can do.

use ::http::request::Parts;
use dispatch::Progress;
use rmcp::RoleServer;
use rmcp::model::{
    ClientCapabilities, Extensions, ProgressNotificationParam, ProtocolVersion, RequestMetaObject,
};
use rmcp::service::Peer;
use tokio_util::sync::CancellationToken;

use super::cases::Session;
use super::line::Line;
use super::provider::Context;

/// One request of a client.
pub(super) struct Visit {
    /// Where its case is found.
    pub(super) session: Session,
    /// How it came.
    way: Way,
}

enum Way {
    /// In a service of its own: its peer can be told something before the answer, and be asked.
    Talk(Context),
    /// As a call to which there is one answer.
    Plain(Plain),
}

struct Plain {
    meta: RequestMetaObject,
    gone: CancellationToken,
}

impl Visit {
    /// With what the transport knows of it.
    pub(super) fn new(session: Session, context: Context) -> Self {
        let way = Way::Talk(context);
        Self { session, way }
    }

    /// Of the revision without sessions; `gone` tells that nobody waits for the answer any more.
    pub(super) fn plain(
        session: Session,
        meta: RequestMetaObject,
        gone: CancellationToken,
    ) -> Self {
        let way = Way::Plain(Plain { meta, gone });
        Self { session, way }
    }

    /// Whether it speaks the revision that has no sessions, and whose lists say how long they hold.
    pub(super) fn is_newest(&self) -> bool {
        match &self.way {
            Way::Talk(context) => is_newest(context),
            Way::Plain(_) => true,
        }
    }

    /// What its client can do.
    pub(super) fn capabilities(&self) -> ClientCapabilities {
        let told = match &self.way {
            Way::Talk(context) => context.client_capabilities(),
            Way::Plain(plain) => plain.meta.client_capabilities(),
        };
        told.unwrap_or_default()
    }

    /// Whether its client can put a form before a person. One that names no way of asking means forms.
    pub(super) fn can_elicit(&self) -> bool {
        let elicitation = self.capabilities().elicitation;
        elicitation.is_some_and(|ways| ways.form.is_some() || ways.url.is_none())
    }

    /// What it says beside its parameters.
    pub(super) fn meta(&self) -> &RequestMetaObject {
        match &self.way {
            Way::Talk(context) => &context.meta,
            Way::Plain(plain) => &plain.meta,
        }
    }

    /// Tells that nobody waits for the answer any more.
    pub(super) fn gone(&self) -> &CancellationToken {
        match &self.way {
            Way::Talk(context) => &context.ct,
            Way::Plain(plain) => &plain.gone,
        }
    }

    /// Whoever can be told something before the answer, or asked.
    pub(super) fn peer(&self) -> Option<&Peer<RoleServer>> {
        match &self.way {
            Way::Talk(context) => Some(&context.peer),
            Way::Plain(_) => None,
        }
    }

    /// What the transport knows of the request.
    pub(super) fn extensions(&self) -> Option<&Extensions> {
        match &self.way {
            Way::Talk(context) => Some(&context.extensions),
            Way::Plain(_) => None,
        }
    }

    /// Whether its client asked to hear how far the call has come.
    pub(super) fn wants_progress(&self) -> bool {
        self.meta().get_progress_token().is_some()
    }

    /// Lets go of the connection, where the client can come back for the rest: in a session over HTTP.
    pub(super) fn hang_up(&self) {
        let line = self.extensions().and_then(|all| all.get::<Parts>());
        let line = line.and_then(|parts| parts.extensions.get::<Line>());
        if let Some(line) = line.filter(|_| !self.is_newest()) {
            line.hang_up();
        }
    }

    /// Tells a client that asked for it how far the call has come; whether it arrives is the client's affair.
    pub(super) async fn report(&self, progress: Progress) {
        let (Some(token), Some(peer)) = (self.meta().get_progress_token(), self.peer()) else {
            return;
        };
        let mut params = ProgressNotificationParam::new(token, as_number(progress.done));
        params.total = progress.total.map(as_number);
        if let Err(error) = peer.notify_progress(params).await {
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
