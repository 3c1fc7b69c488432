//! Telling clients that what they were told is not so any more, in both revisions' ways.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::BoxStream;
use rmcp::model::ResourceUpdatedNotificationParam;
use rmcp::service::{Peer, SubscriptionSendError, SubscriptionSink};
use rmcp::{RoleServer, service::ServiceError};

use super::cases::IDLE_SECONDS;
use super::provider::Change;

/// The URIs that a session has subscribed to.
pub(super) type Subscribed = Arc<Mutex<BTreeSet<String>>>;

pub(super) fn lock(subscribed: &Subscribed) -> MutexGuard<'_, BTreeSet<String>> {
    subscribed.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells a session every change, until it cannot be reached any more.
pub(super) async fn tell_session(
    mut changes: BoxStream<'static, Change>,
    peer: Peer<RoleServer>,
    subscribed: Subscribed,
    asked_at: Arc<Mutex<Instant>>,
) {
    while let Some(change) = changes.next().await {
        // Whatever is told keeps a session open: one whose client is gone would never end.
        let asked_at = *asked_at.lock().unwrap_or_else(PoisonError::into_inner);
        if asked_at.elapsed() > Duration::from_secs(IDLE_SECONDS.unsigned_abs()) {
            return;
        }
        if let Err(error) = notify(&peer, &subscribed, change).await {
            tracing::debug!(%error, "a session heard nothing of a change");
            return;
        }
    }
}

async fn notify(
    peer: &Peer<RoleServer>,
    subscribed: &Subscribed,
    change: Change,
) -> Result<(), ServiceError> {
    match change {
        Change::Tools => peer.notify_tool_list_changed().await,
        Change::Prompts => peer.notify_prompt_list_changed().await,
        Change::Resources => peer.notify_resource_list_changed().await,
        Change::Resource(uri) => {
            if !lock(subscribed).contains(&uri) {
                return Ok(());
            }
            let params = ResourceUpdatedNotificationParam::new(uri);
            peer.notify_resource_updated(params).await
        }
        Change::Missed => {
            let uris = lock(subscribed).clone();
            for uri in uris {
                let params = ResourceUpdatedNotificationParam::new(uri);
                peer.notify_resource_updated(params).await?;
            }
            Ok(())
        }
    }
}

/// Tells an open subscription every change that it asked for, until it is closed.
pub(super) async fn tell_listener(mut changes: BoxStream<'static, Change>, sink: SubscriptionSink) {
    while let Some(change) = changes.next().await {
        let told = match change {
            Change::Tools => sink.notify_tool_list_changed().await,
            Change::Prompts => sink.notify_prompt_list_changed().await,
            Change::Resources => sink.notify_resource_list_changed().await,
            Change::Resource(uri) => sink.notify_resource_updated(uri).await,
            Change::Missed => all_updated(&sink).await,
        };
        match told {
            // What it did not ask for it does not hear.
            Ok(()) | Err(SubscriptionSendError::NotificationNotAccepted(_)) => (),
            Err(error) => {
                tracing::debug!(%error, "a subscription ended");
                return;
            }
        }
    }
}

async fn all_updated(sink: &SubscriptionSink) -> Result<(), SubscriptionSendError> {
    for uri in sink.accepted().resource_subscriptions.iter().flatten() {
        sink.notify_resource_updated(uri.clone()).await?;
    }
    Ok(())
}
