//! What the capabilities of an invocation lead to: out of the host, through the gate, or to a recording that answers.

use std::sync::Arc;

use dispatch::Gate;

use crate::outbound::Connector;
use crate::shadow::{Asked, Recordable, Replay, Source, Tape};

/// Where whatever a plugin asks for goes.
pub(crate) enum Reach {
    /// To the gate, and out.
    Out(Out),
    /// Nowhere: a recorded call answers. There is no gate here, and no connector.
    Replay(Arc<Replay>),
}

impl Reach {
    /// Where time and chance come from.
    pub(crate) fn source(&self) -> Source {
        match self {
            Self::Out(out) => Source::World(out.tape.clone()),
            Self::Replay(replay) => Source::Record(replay.clone()),
        }
    }

    /// A text as it may leave the sandbox. What a recording answers has no secrets: the plugin that was recorded saw none.
    pub(crate) fn scrub(&self, text: &str) -> String {
        match self {
            Self::Out(out) => out.gate.scrub(text),
            Self::Replay(_) => text.to_owned(),
        }
    }
}

/// The way out. Everything that leaves passes the gate, and is recorded with its answer.
pub(crate) struct Out {
    pub(crate) gate: Arc<dyn Gate>,
    pub(crate) connector: Arc<Connector>,
    pub(crate) tape: Arc<Tape>,
}

impl Out {
    /// Asks, and records what was asked with the answer that the plugin gets.
    pub(crate) async fn record<T: Recordable>(
        &self,
        asked: Asked,
        asking: impl Future<Output = T>,
    ) -> T {
        let place = self.tape.ask(asked);
        let answer = asking.await;
        self.tape.answer(place, || answer.recorded());
        answer
    }
}
