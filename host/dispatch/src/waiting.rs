//! Whoever waits for a call: they may go away, and they may want to hear how far it has come.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How far a call has come, in the plugin's own units. There are no words in it: what a plugin says has not passed the release
/// check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Grows from one to the next.
    pub done: u64,
    /// Where it ends, if the plugin knows.
    pub total: Option<u64>,
}

/// Whoever waits for a call.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// They have gone. A read ends at once; a write that has begun is seen to its end, as its effect must be known.
    pub gone: CancellationToken,
    /// Hears how far it has come; what cannot be heard in time is left out.
    pub progress: Option<mpsc::Sender<Progress>>,
}

impl Waiting {
    /// Tells them, if they want to hear it and can keep up.
    pub(crate) fn tell(&self, progress: Progress) {
        if let Some(listener) = &self.progress {
            // A full or closed channel is the listener's affair.
            let _ = listener.try_send(progress);
        }
    }
}
