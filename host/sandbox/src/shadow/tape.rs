//! What one call asks for and is given, taken down while it runs: the whole of it, or nothing.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::exchange::{Answered, Asked, Exchange};
use super::moment::{Moment, Seed};

/// A tape of a certain length. What does not fit on it makes it useless, for half of a call cannot be replayed.
pub(crate) struct Tape(Mutex<Taken>);

struct Taken {
    /// None once something did not fit.
    left: Option<usize>,
    exchanges: Vec<Exchange>,
    /// None where the call did not want to know.
    moment: Option<Moment>,
}

/// What is on a tape.
pub(crate) struct Unwound {
    /// All that was asked and answered, in the order of the asking.
    pub(crate) exchanges: Vec<Exchange>,
    /// The time and the chance that the call found, where it wanted to know.
    pub(crate) moment: Option<Moment>,
    /// The bytes that are left.
    pub(crate) left: usize,
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
            moment: None,
        }))
    }

    /// What all random numbers of the call come from.
    pub(super) fn seed(&self) -> Seed {
        let mut taken = self.taken();
        taken.fits(size_of::<Moment>());
        taken.moment.get_or_insert_default().seed
    }

    /// Takes down what the call's clock shows.
    pub(super) fn clock(&self, shows: Duration) {
        let mut taken = self.taken();
        if taken.fits(size_of::<Duration>()) {
            taken.moment.get_or_insert_default().readings.push(shows);
        }
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

    /// All of it.
    pub(crate) fn unwind(&self) -> Result<Unwound, Unrecorded> {
        let mut taken = self.taken();
        let left = taken.left.ok_or(Unrecorded::TooLong)?;
        let exchanges = mem::take(&mut taken.exchanges);
        let is_whole = exchanges.iter().all(|one| one.answered.is_some());
        let unwound = Unwound {
            exchanges,
            moment: taken.moment.take(),
            left,
        };
        is_whole.then_some(unwound).ok_or(Unrecorded::CutShort)
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
            self.moment = None;
        }
        self.left.is_some()
    }
}
