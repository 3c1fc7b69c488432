//! Watching the tenants' folder: what changes in it is taken up at once, and what no event tells of, a little later.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use notify::{Event, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use super::Roster;
use super::changes::Changes;

/// Editors write in several steps: after the first event, so long is waited for the others.
const SETTLING: Duration = Duration::from_millis(100);
/// Some file systems tell of nothing, and a queue of events can overflow: so often everything is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// As whom a change is recorded that nobody asked this program for.
const BY: &str = "host:folder";

/// The task that watches; it ends when this is dropped.
pub(crate) struct Watching(#[expect(dead_code, reason = "held, not used")] AbortOnDropHandle<()>);

impl Watching {
    /// Watches the roster's folder, if it has one.
    pub(crate) fn start(roster: Arc<Roster>) -> Self {
        let work = async move {
            let Some(folder) = roster.folder().cloned() else {
                return;
            };
            let changed = Arc::new(Notify::new());
            let _watcher = watcher(&folder, Arc::clone(&changed));
            let mut taken_up = Changes::of(&roster, BY);
            let mut news = Box::pin(news(&changed));
            loop {
                let looked = tokio::select! {
                    () = &mut news => {
                        news.set(self::news(&changed));
                        taken_up.look()
                    }
                    Some(done) = taken_up.next() => done,
                };
                if let Err(error) = looked {
                    tracing::error!(%error, "the tenants' folder could not be taken up; what is live keeps serving");
                }
            }
        };
        Self(AbortOnDropHandle::new(tokio::spawn(work)))
    }
}

/// Until there may be something new.
async fn news(changed: &Notify) {
    tokio::select! {
        () = changed.notified() => tokio::time::sleep(SETTLING).await,
        () = tokio::time::sleep(LOOK_EVERY) => {}
    }
}

/// None where the system cannot watch: then looking now and then must do.
fn watcher(folder: &Path, changed: Arc<Notify>) -> Option<notify::RecommendedWatcher> {
    let told = move |event: notify::Result<Event>| {
        // Reading is no change, and this program reads.
        if !event.is_ok_and(|event| event.kind.is_access()) {
            changed.notify_one();
        }
    };
    let watched = notify::recommended_watcher(told).and_then(|mut watcher| {
        watcher.watch(folder, RecursiveMode::Recursive)?;
        Ok(watcher)
    });
    watched
        .inspect_err(|error| tracing::warn!(%error, "the tenants' folder cannot be watched; it is looked at every few seconds"))
        .ok()
}
