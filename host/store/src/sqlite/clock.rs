//! The store's clock, by which rows are stamped and consents expire.

use std::sync::Arc;

use time::OffsetDateTime;

/// Unix seconds; a test may bring its own.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The system's clock, or the one that a test brings.
#[derive(Clone)]
pub(super) struct StoreClock(pub(super) Option<Clock>);

impl StoreClock {
    /// Unix seconds.
    pub(super) fn now(&self) -> i64 {
        self.0.as_ref().map_or_else(
            || OffsetDateTime::now_utc().unix_timestamp(),
            |clock| clock(),
        )
    }

    /// Unix milliseconds; whole seconds where a test brings the clock.
    pub(super) fn now_ms(&self) -> i64 {
        if let Some(clock) = &self.0 {
            return clock().saturating_mul(1000);
        }
        let now = OffsetDateTime::now_utc();
        now.unix_timestamp() * 1000 + i64::from(now.millisecond())
    }
}
