//! When a victim is to die: at a step of its own, at a stage of the backend's, or at any moment.

use std::time::Duration;

use super::backend::Stage;
use crate::victim::{Point, Side, Step};

/// One way to die.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plan {
    /// Beside a step in its own code.
    Step(Point),
    /// While the backend has its request at this stage; the how-manieth one.
    Backend(Stage, u32),
    /// So long after it was started; it may still be starting or recovering then.
    FromStart(Duration),
    /// So long after it was asked.
    FromAsking(Duration),
}

const STEPS: [Step; 5] = [
    Step::Reserve,
    Step::Take,
    Step::Sent,
    Step::Settle,
    Step::Record,
];
const STAGES: [Stage; 4] = [
    Stage::Received,
    Stage::Acted,
    Stage::HalfAnswered,
    Stage::Answered,
];

impl Plan {
    /// Every step and stage alike, and any moment as often as both.
    pub(crate) fn by_chance(chance: &mut fastrand::Rng) -> Self {
        // Mostly the first time that it comes by; later ones meet several writes at once.
        let nth = [1, 1, 1, 2, 3][chance.usize(0..5)];
        match chance.usize(0..8) {
            0..3 => Self::Step(point(chance, nth)),
            3..5 => Self::Backend(STAGES[chance.usize(0..STAGES.len())], nth),
            5 => Self::FromStart(moment(chance)),
            _ => Self::FromAsking(moment(chance)),
        }
    }

    /// For the figures: `before reserve`, `backend: acted`, `at random, asked`.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Step(point) => format!("{:?} {:?}", point.side, point.step).to_lowercase(),
            Self::Backend(stage, _) => format!("backend {stage:?}").to_lowercase(),
            Self::FromStart(_) => "at random, from the start".to_owned(),
            Self::FromAsking(_) => "at random, once asked".to_owned(),
        }
    }
}

fn point(chance: &mut fastrand::Rng, nth: u32) -> Point {
    let step = STEPS[chance.usize(0..STEPS.len())];
    Point {
        step,
        side: if chance.bool() {
            Side::Before
        } else {
            Side::After
        },
        // Every write records several entries.
        nth: if step == Step::Record {
            chance.u32(1..16)
        } else {
            nth
        },
    }
}

fn moment(chance: &mut fastrand::Rng) -> Duration {
    Duration::from_micros(chance.u64(0..60_000))
}
