//! Misbehaviour on demand: which of the next requests go wrong, and how.

use std::sync::{Mutex, PoisonError};

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

const MOST_ARMED: usize = 100;
const MOST_TIMES: u32 = 10_000;
const LONGEST_DELAY_MS: u64 = 600_000;

/// What happens to a request instead of a plain answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fault {
    /// Waits, then acts and answers.
    Delay { ms: u64 },
    /// Answers with this error status and does not act.
    Status {
        status: u16,
        retry_after: Option<u32>,
    },
    /// Closes the connection and does not act.
    DropBefore,
    /// Acts, commits, then closes the connection without an answer.
    ActThenDrop,
    /// Acts, commits, then waits before it answers.
    ActThenDelay { ms: u64 },
}

/// A fault that waits for the requests it is meant for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ArmedFault {
    /// Only this method; absent: any.
    method: Option<String>,
    /// Only paths that begin so; absent: any.
    path_prefix: Option<String>,
    /// How many requests are left to go wrong.
    #[serde(default = "once")]
    times: u32,
    fault: Fault,
}

const fn once() -> u32 {
    1
}

/// The armed faults, in the order in which they were armed.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<ArmedFault>>);

impl Faults {
    /// Arms one more fault.
    pub(crate) fn arm(&self, fault: ArmedFault) -> Result<(), Refusal> {
        fault.check()?;
        let mut armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if armed.len() == MOST_ARMED {
            return Err(Refusal::invalid(format!(
                "{MOST_ARMED} faults are armed; DELETE /_control/faults first"
            )));
        }
        armed.push(fault);
        Ok(())
    }

    /// What is still armed.
    pub(crate) fn armed(&self) -> Vec<ArmedFault> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Disarms everything.
    pub(crate) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Uses up one turn of the first fault that is meant for this request.
    pub(crate) fn take(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let position = armed
            .iter()
            .position(|fault| fault.is_meant_for(method, path))?;
        let entry = armed.get_mut(position)?;
        let fault = entry.fault;
        entry.times -= 1;
        if entry.times == 0 {
            armed.remove(position);
        }
        Some(fault)
    }
}

impl ArmedFault {
    fn is_meant_for(&self, method: &Method, path: &str) -> bool {
        self.method
            .as_ref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method.as_str()))
            && self
                .path_prefix
                .as_ref()
                .is_none_or(|prefix| path.starts_with(prefix.as_str()))
    }

    fn check(&self) -> Result<(), Refusal> {
        if !(1..=MOST_TIMES).contains(&self.times) {
            return Err(Refusal::invalid(format!(
                "times must be between 1 and {MOST_TIMES}"
            )));
        }
        match self.fault {
            Fault::Delay { ms } | Fault::ActThenDelay { ms } if ms > LONGEST_DELAY_MS => Err(
                Refusal::invalid(format!("ms must not exceed {LONGEST_DELAY_MS}")),
            ),
            Fault::Status { status, .. } if !(400..=599).contains(&status) => Err(
                Refusal::invalid("status must be an error status, 400 to 599"),
            ),
            _ => Ok(()),
        }
    }
}

/// The refusal that a `status` fault answers with.
pub(crate) fn armed_status(status: u16, retry_after_s: Option<u32>) -> Refusal {
    Refusal::Armed {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        retry_after_s,
    }
}
