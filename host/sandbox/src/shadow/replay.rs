//! A recorded call as the world of a candidate: what was asked before is answered as it was, and nothing else is answered.

use std::collections::HashSet;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use super::call::RecordedCall;
use super::exchange::{Asked, Recordable};

/// What is remembered of a candidate's asking, in bytes: several times what a recorded call can have.
const REMEMBERED_BYTES: usize = 512 << 10;

/// One replay of one call.
pub(crate) struct Replay {
    call: Arc<RecordedCall>,
    played: Mutex<Played>,
}

/// What the candidate asked for.
#[derive(Default)]
pub(crate) struct Played {
    /// In order, each with the recorded exchange that answered it.
    pub(crate) asked: Vec<(Asked, Option<usize>)>,
    /// What came after so much that it was no longer remembered.
    pub(crate) beyond: usize,
    used: HashSet<usize>,
    bytes: usize,
}

impl Replay {
    pub(crate) fn of(call: Arc<RecordedCall>) -> Self {
        Self {
            call,
            played: Mutex::default(),
        }
    }

    /// The recorded answer: of the first exchange that fits, and that has not answered before.
    pub(crate) fn answer<T: Recordable>(&self, asked: Asked) -> T {
        let at = self.find(asked);
        let answered = at.and_then(|at| self.call.exchanges.get(at)?.answered.as_ref());
        answered.and_then(T::again).unwrap_or_else(T::unanswered)
    }

    /// What was asked up to now.
    pub(crate) fn unwind(&self) -> Played {
        let mut played = self.played.lock().unwrap_or_else(PoisonError::into_inner);
        mem::take(&mut *played)
    }

    fn find(&self, asked: Asked) -> Option<usize> {
        let mut played = self.played.lock().unwrap_or_else(PoisonError::into_inner);
        played.bytes = played.bytes.saturating_add(asked.bytes());
        if played.bytes > REMEMBERED_BYTES {
            played.beyond += 1;
            return None;
        }
        let recorded = self.call.exchanges.iter().enumerate();
        let mut unused = recorded.filter(|(at, _)| !played.used.contains(at));
        let found = unused.find(|(_, one)| one.asked.is_answered_like(&asked));
        let found = found.map(|(at, _)| at);
        played.used.extend(found);
        played.asked.push((asked, found));
        found
    }
}
