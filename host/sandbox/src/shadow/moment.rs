//! What a call finds without asking a capability: the time, and chance. A replay finds the same.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use wasmtime_wasi::{HostWallClock, WasiCtxBuilder};

use super::replay::Replay;
use super::tape::Tape;

/// What all random numbers of a call come from.
pub(super) type Seed = [u8; 32];

/// As a call found it.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(super) seed: Seed,
    /// What its clock showed, since 1970, in the order of the readings.
    pub(super) readings: Vec<Duration>,
}

impl Moment {
    /// What it takes to keep it.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.readings.len() * size_of::<Duration>()
    }
}

impl Default for Moment {
    /// Another chance than any other call has.
    fn default() -> Self {
        Self {
            seed: rand::random(),
            readings: Vec::new(),
        }
    }
}

/// Where a call's time and chance come from.
pub(crate) enum Source {
    /// The world; they are taken down.
    World(Arc<Tape>),
    /// A recorded call.
    Record(Arc<Replay>),
}

impl Source {
    /// Gives them to a call.
    pub(crate) fn set(self, wasi: &mut WasiCtxBuilder) {
        let seed = match &self {
            Self::World(tape) => tape.seed(),
            Self::Record(replay) => replay.seed(),
        };
        let mut chance = StdRng::from_seed(seed);
        wasi.insecure_random_seed(chance.random())
            .insecure_random(StdRng::from_rng(&mut chance))
            .secure_random(chance)
            .wall_clock(self);
    }
}

impl HostWallClock for Source {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        match self {
            Self::World(tape) => {
                let now = since_1970();
                tape.clock(now);
                now
            }
            Self::Record(replay) => replay.clock(),
        }
    }
}

pub(super) fn since_1970() -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap_or_default()
}
