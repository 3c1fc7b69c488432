//! A recorded call as the world of a candidate: what was asked before is answered as it was, and nothing else is answered.

use std::collections::HashSet;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::call::RecordedCall;
use super::exchange::{Asked, Recordable};
use super::moment::{Moment, Seed, since_1970};

/// What is remembered of a candidate's asking, in bytes: several times what a recorded call can have.
const REMEMBERED_BYTES: usize = 512 << 10;

/// One replay of one call.
pub(crate) struct Replay {
    call: Arc<RecordedCall>,
    /// Of its own, where the recorded call did not want to know.
    moment: Moment,
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
    /// Readings of the clock.
    readings: usize,
    /// The last recorded one, and when it was shown.
    last: Option<(Duration, Instant)>,
    bytes: usize,
}

impl Replay {
    pub(crate) fn of(call: Arc<RecordedCall>) -> Self {
        Self {
            moment: call.moment.clone().unwrap_or_default(),
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
        mem::take(&mut *self.played())
    }

    pub(super) fn seed(&self) -> Seed {
        self.moment.seed
    }

    /// The next recorded reading. After the last one time passes as it does; where there was none, it is now.
    pub(super) fn clock(&self) -> Duration {
        let mut played = self.played();
        if let Some(shown) = self.moment.readings.get(played.readings) {
            played.readings += 1;
            played.last = Some((*shown, Instant::now()));
            return *shown;
        }
        match played.last {
            Some((shown, at)) => shown + at.elapsed(),
            None => since_1970(),
        }
    }

    fn played(&self) -> MutexGuard<'_, Played> {
        self.played.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, asked: Asked) -> Option<usize> {
        let mut played = self.played();
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
