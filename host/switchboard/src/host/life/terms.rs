//! The terms of a trial: how many cases see it, and how much worse than the version beside it it may do.

use dispatch::Tolerance;

use super::LifeError;

/// A trial that waits for more calls would never end by itself.
const MOST_CALLS: u64 = 1_000_000;

/// How a version is tried.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// Cases of a thousand, 1 to 1000.
    pub(crate) per_mille: u16,
    /// How much worse it may do.
    pub(crate) tolerance: Tolerance,
}

impl Terms {
    /// Refuses, by the name of the figure, what no trial could be meant by.
    pub(super) fn check(&self) -> Result<(), LifeError> {
        let of = &self.tolerance;
        let share = "calls of a thousand";
        for (figure, found, least, most, unit) in [
            (
                "per_mille",
                u64::from(self.per_mille),
                1,
                1000,
                "cases of a thousand",
            ),
            ("tolerance.min_calls", of.min_calls, 1, MOST_CALLS, "calls"),
            (
                "tolerance.traps_per_mille",
                of.traps_per_mille,
                0,
                1000,
                share,
            ),
            (
                "tolerance.errors_per_mille",
                of.errors_per_mille,
                0,
                1000,
                share,
            ),
            (
                "tolerance.denials_per_mille",
                of.denials_per_mille,
                0,
                1000,
                share,
            ),
        ] {
            if !(least..=most).contains(&found) {
                let message =
                    format!("{figure}: expected {least} to {most} ({unit}), found {found}");
                return Err(LifeError::Unfit(message));
            }
        }
        Ok(())
    }

    /// The reason as the history tells it, with the terms.
    pub(super) fn told(&self, reason: &str) -> String {
        let (percent, tenth) = (self.per_mille / 10, self.per_mille % 10);
        let terms = format!("{percent}.{tenth} % of the cases; ends {}", self.tolerance);
        if reason.is_empty() {
            return terms;
        }
        format!("{reason} ({terms})")
    }
}
