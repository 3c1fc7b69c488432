//! Where in its own code a victim waits to be killed: a step of a write, the how-manieth time, before or after it.

use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};

use super::{Line, say};

/// The steps at which the dispatcher touches its store on the way of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// The intent and its charges.
    Reserve,
    /// An open intent, taken up again.
    Take,
    /// The request that is about to leave.
    Sent,
    /// The end.
    Settle,
    /// An audit record, which is queued and not waited for.
    Record,
}

/// Which side of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Side {
    Before,
    /// It is durable.
    After,
}

/// One point of a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Point {
    pub(crate) step: Step,
    pub(crate) side: Side,
    /// From 1, counted over the whole life, recovery included.
    pub(crate) nth: u32,
}

/// Watches for the point.
pub(super) struct Doom {
    point: Option<Point>,
    passed: AtomicU32,
}

impl Doom {
    pub(super) fn new(point: Option<Point>) -> Self {
        Self {
            point,
            passed: AtomicU32::new(0),
        }
    }

    /// Carries a step out, or stops for good beside it.
    pub(super) async fn around<T>(&self, step: Step, act: impl Future<Output = T>) -> T {
        let side = self.side_at(step);
        if side == Some(Side::Before) {
            await_death().await;
        }
        let done = act.await;
        if side == Some(Side::After) {
            await_death().await;
        }
        done
    }

    fn side_at(&self, step: Step) -> Option<Side> {
        let point = self.point.filter(|point| point.step == step)?;
        let before = self.passed.fetch_add(1, Ordering::SeqCst);
        (before + 1 == point.nth).then_some(point.side)
    }
}

async fn await_death() {
    say(&Line::Doomed);
    std::future::pending::<()>().await;
}
