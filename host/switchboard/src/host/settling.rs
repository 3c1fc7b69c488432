//! Open intents are seen through from the start on, beside everything else that the host does.

use std::time::Duration;

use dispatch::{DispatchError, Dispatcher, Recovery};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// How long a start waits for what an earlier run left open. What takes longer, because a backend is slow, is seen through
/// while the host serves.
const PATIENCE: Duration = Duration::from_secs(2);

/// Begins, and says what became of the open intents so far. Goes on until the guard is dropped.
pub(super) async fn begin(
    dispatcher: &Dispatcher,
    tasks: &TaskTracker,
) -> Result<(Recovery, DropGuard), DispatchError> {
    let open = dispatcher.store().open_intents().await?.len();
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let guard = stop.drop_guard();
    let mut settling = dispatcher.settling();
    let (tell, told) = oneshot::channel();
    tasks.spawn(async move {
        let first = settling.round().await;
        let has_begun = first.is_ok();
        // Whoever waited for it may have lost patience.
        let _ = tell.send(first);
        if has_begun {
            settling.keep_on(stopped).await;
        }
    });
    let recovery = match timeout(PATIENCE, told).await {
        Ok(Ok(first)) => first?,
        Ok(Err(_)) | Err(_) => Recovery {
            waiting: u32::try_from(open).unwrap_or(u32::MAX),
            ..Recovery::default()
        },
    };
    Ok((recovery, guard))
}
