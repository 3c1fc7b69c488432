//! A tenant's channels, at the door: whoever comes through one that is closed is told so, before anything is done for them.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::MethodRouter;
use policy::Channel;

use super::ApiError;
use super::desk::Desk;
use crate::host::Host;

/// The same route, for tenants for whom this channel is open.
pub(super) fn on(channel: Channel, route: MethodRouter<Arc<Host>>) -> MethodRouter<Arc<Host>> {
    route.layer(middleware::from_fn(
        move |desk: Desk, request: Request, next: Next| async move {
            match check(&desk, channel) {
                Ok(()) => next.run(request).await,
                Err(closed) => closed.into_response(),
            }
        },
    ))
}

fn check(desk: &Desk, channel: Channel) -> Result<(), ApiError> {
    if desk.tenant.channels.admit(channel) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        "channel_closed",
        format!(
            "the channel {} is closed for {}; its operator opens it with `channels` in its tenant.toml",
            channel.name(),
            desk.tenant.name
        ),
    ))
}
