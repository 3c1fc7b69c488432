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
            let gate = CallGate::new(
                &self.parts,
                act.rulebook.clone(),
                act.tool.clone(),
                &permit,
                None,
            );
            let gate = Arc::new(gate.heard_by(act.waiting.clone()));
            let invoked = tokio::select! {
                invoked = act.tool.invoke(permit, gate.clone()) => invoked,
                () = act.waiting.gone.cancelled() => Err(InvokeError::Abandoned),
            };
            gate.close().await;
            match invoked {
                Ok(output) => return self.release(act, output, false).await,
                Err(error) if may_pass(&error) && attempt <= self.parts.retry.retries => {
                    let pause = self.parts.retry.after(attempt, asked_pause(&error));
                    tokio::select! {
                        () = tokio::time::sleep(pause) => (),
                        () = act.waiting.gone.cancelled() => {
                            return self.failed(act, InvokeError::Abandoned, attempt).await;
                        }
                    }
                }
                Err(error) => return self.failed(act, error, attempt).await,
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
        let _ = act.failure.set(error.to_string());
        // That all places are taken, the host's or the tenant's, is no matter of the tool's: the caller may come again.
        let gave_up = may_pass(&error) && !matches!(error, InvokeError::Busy(_));
        tracing::warn!(tool = act.call.tool, attempts, %error, "a tool failed");
        let error = typed(error);
        let escalation = if gave_up {
            self.tool_failed(act, &error).await?
        } else {
            None
        };
        Ok(Outcome::Failed {
            error: act.told(error),
            attempts,
            escalation,
        })
    }
}

/// Whether the cause may pass by itself, so that trying again makes sense.
pub(super) fn may_pass(error: &InvokeError) -> bool {
    matches!(
        error,
        InvokeError::Tool(ToolError::Unavailable { .. })
            | InvokeError::Busy(_)
            | InvokeError::Deadline(_)
    )
}

/// The seconds that the backend asked to be left alone.
pub(super) fn asked_pause(error: &InvokeError) -> Option<u32> {
    match error {
        InvokeError::Tool(ToolError::Unavailable {
            retry_after_seconds,
            ..
        }) => *retry_after_seconds,
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
