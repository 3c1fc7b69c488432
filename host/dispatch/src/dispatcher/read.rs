//! Reads: run, try again while the backend is unavailable, and never leave a trace outside.

use std::sync::Arc;

use policy::{Decision, Permit};

use super::Dispatcher;
use super::act::Act;
use crate::gate::CallGate;
use crate::{DispatchError, InvokeError, Outcome, ToolError};

impl Dispatcher {
    pub(super) async fn read(&self, act: &Act, first: Permit) -> Result<Outcome, DispatchError> {
        let mut permit = first;
        let mut attempt = 1;
        loop {
            let gate = Arc::new(CallGate::new(
                &self.parts,
                act.rulebook.clone(),
                &permit,
                None,
            ));
            match act.tool.invoke(permit, gate).await {
                Ok(output) => return self.release(act, output, false).await,
                Err(error) => match retry_after(&error) {
                    Some(asked) if attempt <= self.parts.retry.retries => {
                        tokio::time::sleep(self.parts.retry.after(attempt, asked)).await;
                    }
                    _ => return self.failed(act, error, attempt).await,
                },
            }
            attempt += 1;
            permit = match self.judge(act, None).await? {
                Decision::Allow(permit) => permit,
                refused => return self.refuse(act, refused).await,
            };
        }
    }

    /// What a caller hears of an invocation that certainly left no effect.
    pub(super) async fn failed(
        &self,
        act: &Act,
        error: InvokeError,
        attempts: u32,
    ) -> Result<Outcome, DispatchError> {
        if let InvokeError::Refused(refusal) = error {
            return Ok(Outcome::Denied {
                refusal,
                escalation: None,
            });
        }
        let gave_up = retry_after(&error).is_some();
        tracing::warn!(tool = act.call.tool, attempts, %error, "a tool failed");
        let error = typed(error);
        let escalation = if gave_up {
            self.tool_failed(act, &error).await?
        } else {
            None
        };
        Ok(Outcome::Failed {
            error,
            attempts,
            escalation,
        })
    }
}

/// Whether trying again makes sense, and when the backend asked for it.
pub(super) fn retry_after(error: &InvokeError) -> Option<Option<u32>> {
    match error {
        InvokeError::Tool(ToolError::Unavailable {
            retry_after_seconds,
            ..
        }) => Some(*retry_after_seconds),
        InvokeError::Busy(_) | InvokeError::Deadline(_) => Some(None),
        _ => None,
    }
}

/// The plugin's own failures (a trap, a limit) are the operator's matter: callers see a tool that is unavailable.
pub(super) fn typed(error: InvokeError) -> ToolError {
    match error {
        InvokeError::Tool(error) => error,
        other => ToolError::Unavailable {
            message: other.to_string(),
            retry_after_seconds: None,
        },
    }
}
