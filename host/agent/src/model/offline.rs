//! A deterministic planner behind the model's port: no network, no key, and no language model, which it says when asked.
//!
//! It is a function of the conversation alone. Each of the customer's messages is understood by rules, the state of the
//! matter is folded from the first message to the last, and the newest tool results decide the next step.

mod amount;
mod details;
mod plan;
mod reply;
mod results;
mod spelling;
mod state;
mod steps;
mod understand;
mod wanted;

use async_trait::async_trait;
use serde_json::json;

pub(crate) use details::details;
pub(crate) use spelling::distance;

use self::plan::Step;
use super::{Arguments, Model, ModelError, ModelReply, ModelRequest, Stop, ToolCall};

/// The planner.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offline;

#[async_trait]
impl Model for Offline {
    fn name(&self) -> &'static str {
        "offline"
    }

    async fn respond(&self, request: ModelRequest) -> Result<ModelReply, ModelError> {
        Ok(match plan::next(&request) {
            Step::Say(text) => ModelReply {
                text,
                ..ModelReply::default()
            },
            Step::Clarify(question) => asks("ask_clarification", json!({ "question": question })),
            Step::Call { tool, arguments } => asks(&tool, arguments),
        })
    }

    async fn complete(&self, _prompt: String, _max_tokens: u32) -> Result<String, ModelError> {
        Err(ModelError::NoLanguageModel)
    }
}

fn asks(tool: &str, arguments: serde_json::Value) -> ModelReply {
    let call = ToolCall {
        id: String::new(),
        tool: tool.to_owned(),
        arguments: Arguments::Json(arguments),
    };
    ModelReply {
        calls: vec![call],
        stop: Stop::ToolUse,
        ..ModelReply::default()
    }
}

#[cfg(test)]
mod tests;
