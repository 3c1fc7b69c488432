//! Trials that end by themselves: the registry hears of each, so that it does not begin again with the next start.

use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt as _};
use sandbox::CanaryEnded;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::task::AbortOnDropHandle;

use super::Life;
use crate::host::roster::Roster;

/// As whom it is recorded.
const BY: &str = "host:canary";

/// The task that listens; it ends when this is dropped.
pub(crate) struct Ending(#[expect(dead_code, reason = "held, not used")] AbortOnDropHandle<()>);

impl Ending {
    pub(crate) fn start(roster: Arc<Roster>) -> Self {
        let mut ended = roster.publishing().toolbox().canaries();
        let work = async move {
            // Each waits for its tenant's turn, and none for another tenant's.
            let mut settling = FuturesUnordered::new();
            loop {
                let heard = tokio::select! {
                    heard = ended.recv() => heard,
                    Some(()) = settling.next() => continue,
                };
                match heard {
                    Ok(ended) => settling.push(settle(&roster, ended)),
                    // Nobody uses those versions any more; their bindings say otherwise until somebody rolls back.
                    Err(RecvError::Lagged(missed)) => {
                        tracing::error!(
                            missed,
                            "trials have ended that the registry did not hear of"
                        );
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        };
        Self(AbortOnDropHandle::new(tokio::spawn(work)))
    }
}

async fn settle(roster: &Roster, ended: CanaryEnded) {
    let CanaryEnded {
        tenant,
        plugin,
        digest,
        reason,
        ..
    } = &ended;
    tracing::warn!(
        tenant,
        plugin,
        digest,
        reason,
        "a version on trial was rolled back"
    );
    let Some(state) = roster.tenant(tenant) else {
        return;
    };
    let rolled_back = Life::of(roster, state, BY).end_trial(&ended).await;
    if let Err(error) = rolled_back {
        tracing::error!(tenant, plugin, %error, "the rollback of a version on trial could not be recorded; nobody uses it all the same");
    }
}
