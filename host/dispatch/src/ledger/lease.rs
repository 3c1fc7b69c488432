//! Leases: one process at a time may run an intent, and one that lost its lease changes nothing any more.

use super::{Intent, SentRequest};

/// The right to run one intent. Whoever takes the intent over raises `epoch`, and from then on an earlier lease is void,
/// whatever its holder believes of the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The intent.
    pub intent: String,
    /// The fencing number.
    pub epoch: i64,
}

/// Who asks for a lease, and for how long by the store's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// A process, by a name that no other and no later one has.
    pub name: String,
    /// How long without renewal.
    pub seconds: u32,
}

/// An intent that was taken over, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// The right to run it.
    pub lease: Lease,
    /// As it stands.
    pub intent: Intent,
}

/// The answer to [`Ledger::sent`](super::Ledger::sent).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Leave {
    /// Recorded; it may leave.
    First,
    /// Recorded before, as this: the caller compares.
    Again(SentRequest),
    /// The lease is void: somebody else runs the intent, or it is settled. Nothing may leave.
    Void,
}

/// The answer to [`Ledger::settle_by_hand`](super::Ledger::settle_by_hand).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum ByHand {
    /// Done as asked.
    Settled,
    /// A process runs it until this Unix second at least.
    Running {
        /// Unix seconds.
        until: i64,
    },
    /// It has an end already.
    Ended(super::IntentState),
    /// There is no such intent of this tenant.
    Missing,
}
