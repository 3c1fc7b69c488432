//! Short ways to make the contract's error.

use std::fmt::Display;

use crate::types::{Error, Unavailable};

impl Error {
    /// The backend, or something on the way to it, cannot answer now. `reason` is for the operator's log.
    pub fn unavailable(reason: impl Display) -> Self {
        Self::Unavailable(Unavailable {
            reason: reason.to_string(),
            retry_after_seconds: None,
        })
    }

    /// An argument makes no sense; `reason` names the argument and what was expected.
    pub fn invalid_input(reason: impl Display) -> Self {
        Self::InvalidInput(reason.to_string())
    }
}
