//! A trap in the backend: one request is held at one stage until the campaign has killed whoever waits for its answer.

use tokio::sync::oneshot;

/// How far a request has come at the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It has arrived, and nothing is done.
    Received,
    /// The effect has happened, and nothing is answered.
    Acted,
    HalfAnswered,
    Answered,
}

/// The backend's side.
pub(super) struct Trap {
    stage: Stage,
    /// How many more requests have to come to the stage.
    left: u32,
    reached: oneshot::Sender<()>,
    released: oneshot::Receiver<()>,
}

/// The campaign's side; dropping it lets the request go.
pub(crate) struct Caught {
    reached: oneshot::Receiver<()>,
    _release: oneshot::Sender<()>,
}

impl Caught {
    /// Returns when a request has come to the stage; never, if none does.
    pub(crate) async fn reached(&mut self) {
        if (&mut self.reached).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

pub(super) fn pair(stage: Stage, nth: u32) -> (Trap, Caught) {
    let (reached, hears) = oneshot::channel();
    let (release, released) = oneshot::channel();
    let trap = Trap {
        stage,
        left: nth,
        reached,
        released,
    };
    let caught = Caught {
        reached: hears,
        _release: release,
    };
    (trap, caught)
}

/// Takes the trap out, if this is the stage and the turn that it was set for.
pub(super) fn spring(trap: &mut Option<Trap>, stage: Stage) -> Option<Trap> {
    let set = trap.as_mut().filter(|trap| trap.stage == stage)?;
    set.left -= 1;
    if set.left == 0 { trap.take() } else { None }
}

impl Trap {
    /// Holds the request until the campaign lets it go.
    pub(super) async fn hold(self) {
        if self.reached.send(()).is_ok() {
            let _ = self.released.await;
        }
    }
}
