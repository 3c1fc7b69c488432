//! Why an invocation failed, in the host's terms: time, a limit, no capacity, or the plugin itself.

use dispatch::{InvokeError, ToolError};
use thiserror::Error;
use wasmtime::{PoolConcurrencyLimitError, Trap};
use wasmtime_wasi::{I32Exit, ResourceTableError};

use crate::reach::Reach;
use crate::state::State;

/// The longest text of a plugin that goes into an error, in characters.
const MAX_TEXT_CHARS: usize = 2_000;

/// Raised inside a plugin that computes past its deadline.
#[derive(Debug, Error)]
#[error("the deadline has passed")]
pub(crate) struct DeadlineReached;

/// Says what ended a call.
pub(crate) fn classify(error: &wasmtime::Error, state: &State) -> InvokeError {
    let limits = &state.invocation.limits;
    if error.is::<DeadlineReached>() {
        return InvokeError::Deadline(limits.deadline_ms);
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return InvokeError::Busy("every place in the pool of instances is taken".to_owned());
    }
    if let Some(crowded) = &state.limiter.crowded {
        return InvokeError::Busy(crowded.clone());
    }
    if let Some(passed) = &state.limiter.passed {
        return InvokeError::Limit(passed.clone());
    }
    if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) {
        return InvokeError::Limit(format!("handles: {} at most", limits.handles));
    }
    let cause = error.root_cause().to_string();
    if cause.contains("allocated for hostcalls") {
        let limit = limits.hostcall_bytes;
        return InvokeError::Limit(format!("bytes passed to the host at once: {limit} at most"));
    }
    let text = match (
        error.downcast_ref::<Trap>(),
        error.downcast_ref::<I32Exit>(),
    ) {
        (Some(trap), _) => trap.to_string(),
        (None, Some(I32Exit(code))) => format!("it exited with code {code}"),
        (None, None) => cause,
    };
    InvokeError::Trapped(scrubbed(&text, &state.invocation.reach))
}

/// A text of a plugin as it may leave the sandbox.
pub(crate) fn scrubbed(text: &str, reach: &Reach) -> String {
    let clean = reach.scrub(text);
    match clean.char_indices().nth(MAX_TEXT_CHARS) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean,
    }
}

/// A typed error of a plugin as it may leave the sandbox.
pub(crate) fn scrubbed_error(mut error: ToolError, reach: &Reach) -> ToolError {
    let (ToolError::InvalidInput { message }
    | ToolError::NotFound { message }
    | ToolError::NotEligible { message }
    | ToolError::Conflict { message }
    | ToolError::Unavailable { message, .. }) = &mut error;
    *message = scrubbed(message, reach);
    error
}
