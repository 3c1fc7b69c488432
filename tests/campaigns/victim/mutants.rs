//! Two ledgers that must not be: one that remembers nothing, and one that looks up and then resends.

mod look_up;
mod off;

pub(super) use look_up::LookUpThenResend;
pub(super) use off::Off;
