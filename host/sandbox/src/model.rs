//! The capability `switchboard:host/model`: a metered completion, through the gate.

use std::sync::Arc;

use dispatch::{CompletionError, CompletionRequest, Gate};
use wasmtime::component::{ComponentType, Lift, Linker, Lower};
use wasmtime::{Result, StoreContextMut};

use crate::invocation::Invocation;
use crate::lane;
use crate::outset::begin;
use crate::reach::Reach;
use crate::shadow::{Answered, Asked, Recordable};
use crate::state::State;

/// The interface as components import it.
pub(crate) const INTERFACE: &str = "switchboard:host/model@1.0.0";

/// The longest prompt, in bytes.
const MAX_PROMPT_BYTES: usize = 64 * 1024;

/// `model-error`: every text is for the operator's log.
#[derive(Clone, Debug, ComponentType, Lift, Lower)]
#[component(variant)]
pub(crate) enum ModelError {
    #[component(name = "unavailable")]
    Unavailable(String),
    #[component(name = "budget-exhausted")]
    BudgetExhausted(String),
    #[component(name = "refused")]
    Refused(String),
    #[component(name = "invalid-request")]
    InvalidRequest(String),
}

/// Makes the model available to a component.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    linker.instance(INTERFACE)?.func_wrap_async(
        "complete",
        |mut store: StoreContextMut<'_, State>, (prompt, max_tokens): (String, u32)| {
            Box::new(async move { Ok((complete(store.data_mut(), prompt, max_tokens).await,)) })
        },
    )
}

async fn complete(
    state: &mut State,
    prompt: String,
    max_tokens: u32,
) -> Result<String, ModelError> {
    if prompt.trim().is_empty() || prompt.len() > MAX_PROMPT_BYTES {
        let message = format!(
            "a prompt has 1 to {MAX_PROMPT_BYTES} bytes, not {}",
            prompt.len()
        );
        return Err(ModelError::InvalidRequest(message));
    }
    if max_tokens == 0 {
        return Err(ModelError::InvalidRequest("max-tokens is 0".to_owned()));
    }
    let Some(left) = state.completions_left.checked_sub(1) else {
        let message = "this call has used up its completions".to_owned();
        return Err(ModelError::BudgetExhausted(message));
    };
    state.completions_left = left;
    let invocation = state.invocation.clone();
    let asked = Asked::Completion {
        prompt: prompt.clone(),
        max_tokens,
    };
    match &invocation.reach {
        Reach::Out(out) => {
            let request = CompletionRequest { prompt, max_tokens };
            let asking = of_gate(&out.gate, request, &invocation);
            out.record(asked, asking).await
        }
        Reach::Replay(replay) => replay.answer(asked),
    }
}

async fn of_gate(
    gate: &Arc<dyn Gate>,
    request: CompletionRequest,
    invocation: &Invocation,
) -> Result<String, ModelError> {
    let (asked, stop) = (Arc::clone(gate), invocation.stop.clone());
    let asking = async move { asked.complete(request).await };
    let work = async move { stop.run_until_cancelled(lane::at_home(asking)).await };
    let answer = begin(invocation, work).await.end().await;
    let answer = answer.flatten().flatten();
    let no_end = || Err(CompletionError::Unavailable("it came to no end".to_owned()));
    answer.unwrap_or_else(no_end).map_err(|error| {
        let message = gate.scrub(&error.to_string());
        match error {
            CompletionError::Budget => ModelError::BudgetExhausted(message),
            CompletionError::NotReleased => ModelError::Refused(message),
            CompletionError::Unavailable(_) => ModelError::Unavailable(message),
        }
    })
}

impl Recordable for Result<String, ModelError> {
    fn recorded(&self) -> Answered {
        Answered::Completion(self.clone())
    }

    fn again(answered: &Answered) -> Option<Self> {
        match answered {
            Answered::Completion(answer) => Some(answer.clone()),
            _ => None,
        }
    }

    fn unanswered() -> Self {
        let message = "this completion is not recorded".to_owned();
        Err(ModelError::Unavailable(message))
    }
}
