//! What one call asks for and is given, taken down while it runs: the whole of it, or nothing.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::exchange::{Answered, Asked, Exchange};

/// A tape of a certain length. What does not fit on it makes it useless, for half of a call cannot be replayed.
pub(crate) struct Tape(Mutex<Taken>);

struct Taken {
    /// None once something did not fit.
    left: Option<usize>,
    exchanges: Vec<Exchange>,
}

/// Why there is no record of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unrecorded {
    /// It asked for or got more than is kept of a call.
    TooLong,
    /// It came to no end of its own: how far it got says nothing about the next time.
    CutShort,
}

/// Where on the tape something was asked.
#[derive(Clone, Copy)]
pub(crate) struct Spot(usize);

impl Tape {
    /// An empty one that holds so many bytes.
    pub(crate) fn of(bytes: usize) -> Self {
        Self(Mutex::new(Taken {
            left: Some(bytes),
            exchanges: Vec::new(),
        }))
    }

    /// Takes down that something is asked.
    pub(crate) fn ask(&self, asked: Asked) -> Spot {
        let mut taken = self.taken();
        let spot = Spot(taken.exchanges.len());
        if taken.fits(asked.bytes()) {
            taken.exchanges.push(Exchange {
                asked,
                answered: None,
            });
        }
        spot
    }

    /// Takes down the answer to it.
    pub(crate) fn answer(&self, spot: Spot, answered: impl FnOnce() -> Answered) {
        let mut taken = self.taken();
        if taken.left.is_none() {
            return;
        }
        let answered = answered();
        if taken.fits(answered.bytes())
            && let Some(exchange) = taken.exchanges.get_mut(spot.0)
        {
            exchange.answered = Some(answered.detached());
        }
    }

    /// All that was asked and answered, in the order of the asking, and the bytes that are left.
    pub(crate) fn unwind(&self) -> Result<(Vec<Exchange>, usize), Unrecorded> {
        let mut taken = self.taken();
        let left = taken.left.ok_or(Unrecorded::TooLong)?;
        let exchanges = mem::take(&mut taken.exchanges);
        let is_whole = exchanges.iter().all(|one| one.answered.is_some());
        let whole = is_whole.then_some((exchanges, left));
        whole.ok_or(Unrecorded::CutShort)
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Takes so much of what is left; from the first that does not fit on, nothing fits and nothing is held.
    fn fits(&mut self, bytes: usize) -> bool {
        self.left = self.left.and_then(|left| left.checked_sub(bytes));
        if self.left.is_none() {
            self.exchanges = Vec::new();
        }
        self.left.is_some()
    }
}
