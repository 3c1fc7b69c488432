//! The port to a model: what it is asked, what it may answer, and how it can fail.

pub(crate) mod anthropic;
pub(crate) mod http;
pub(crate) mod offline;
pub(crate) mod openai;
#[cfg(test)]
pub(crate) mod wire_server;

use async_trait::async_trait;
use serde_json::Value;
use thiserror::Error;

/// One piece of the conversation, as the model reads it.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// What the customer said.
    Customer(String),
    /// What the model said, or the tools it asked for.
    Assistant {
        /// Its words; may be empty beside calls.
        text: String,
        /// The tools it asked for.
        calls: Vec<ToolCall>,
    },
    /// What the tools gave back; always follows the calls that it answers.
    Results(Vec<ToolResult>),
    /// A word from the host to the model, such as the guard's objection to a draft. Never the customer's words.
    Note(String),
}

/// A tool that the model asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// Pairs the call with its result; unique in the conversation.
    pub id: String,
    /// The tool's name.
    pub tool: String,
    /// As the model wrote them.
    pub arguments: Arguments,
}

/// The arguments of a call, which a model may get wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Arguments {
    /// Well-formed JSON; whether it fits the tool is dispatch's question.
    Json(Value),
    /// Text that is no JSON: nothing may run on it.
    Broken(String),
}

impl Arguments {
    /// Reads the text that a model streamed; an empty one means no arguments.
    pub fn parse(text: String) -> Self {
        if text.trim().is_empty() {
            return Self::Json(Value::Object(serde_json::Map::new()));
        }
        match serde_json::from_str(&text) {
            Ok(value) => Self::Json(value),
            Err(_) => Self::Broken(text),
        }
    }

    /// As an event stores them: broken text is a JSON string.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Json(value) => value.clone(),
            Self::Broken(text) => Value::String(text.clone()),
        }
    }
}

/// What a tool gave back, as the model may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult {
    /// The call's id.
    pub id: String,
    /// The tool's name.
    pub tool: String,
    /// One word: `ok`, `replayed`, `denied`, …
    pub outcome: String,
    /// Data, never instructions.
    pub content: Value,
}

/// A tool as the model is offered it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolOffer {
    /// `lookup_order`.
    pub name: String,
    /// When to use it, and what its arguments mean.
    pub description: String,
    /// JSON Schema of the arguments.
    pub input_schema: Value,
}

/// What a model is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelRequest {
    /// Instructions.
    pub system: String,
    /// The conversation; begins with the customer.
    pub messages: Vec<Message>,
    /// What it may ask for.
    pub tools: Vec<ToolOffer>,
    /// Tokens of the answer at most.
    pub max_tokens: u32,
    /// The customer's id, where the host knows it already (a signed session, say). The system prompt says it too.
    pub customer: Option<String>,
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    /// It has said what it had to say.
    #[default]
    EndTurn,
    /// It waits for tools.
    ToolUse,
    /// It ran out of tokens: text and calls may be cut.
    Length,
    /// It, or the service around it, declined.
    Refusal,
}

/// What a reply cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
}

/// What a model answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelReply {
    /// Its words.
    pub text: String,
    /// The tools it asks for, in its order.
    pub calls: Vec<ToolCall>,
    /// Why it stopped.
    pub stop: Stop,
    /// What it cost.
    pub usage: Usage,
}

/// Why a model gave no reply, by what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ModelError {
    /// The key is missing, wrong or without rights: somebody must change the setting.
    #[error("the model service refused the key: check {setting}")]
    Credentials {
        /// The setting that holds the key, such as `ANTHROPIC_API_KEY`.
        setting: String,
    },
    /// The service will not take this request, now or later: a wrong model name or address, a conversation too long.
    #[error("the model service rejected the request with status {status}: {message}")]
    Rejected {
        /// HTTP status.
        status: u16,
        /// The service's words.
        message: String,
    },
    /// Overloaded or broken for now, also after the retries.
    #[error("the model service is busy (status {status}); try again later")]
    Busy {
        /// HTTP status.
        status: u16,
    },
    /// It could not be reached, also after the retries.
    #[error("the model service cannot be reached: {0}")]
    Unreachable(String),
    /// The stream ended in the middle of the reply.
    #[error("the model's reply was cut off")]
    Cut,
    /// It sent nothing for so long that it counts as gone.
    #[error("the model sent nothing for {0} ms")]
    Silent(u64),
    /// The reply took too long as a whole.
    #[error("the model took longer than {0} ms")]
    Late(u64),
    /// It speaks another protocol than the one configured.
    #[error("the model service answered in an unexpected form: {0}")]
    Protocol(String),
    /// There is no language model behind this port.
    #[error("no language model is configured")]
    NoLanguageModel,
}

/// A model. Text is returned whole and not streamed to the caller: nothing may be shown before the guard has read it.
#[async_trait]
pub trait Model: Send + Sync {
    /// For logs, health and the start-up line: `anthropic:claude-…`, `offline`.
    fn name(&self) -> &str;

    /// One reply. Dropping the future gives the request up.
    async fn respond(&self, request: ModelRequest) -> Result<ModelReply, ModelError>;

    /// A plain completion, without tools.
    async fn complete(&self, prompt: String, max_tokens: u32) -> Result<String, ModelError> {
        let request = ModelRequest {
            messages: vec![Message::Customer(prompt)],
            max_tokens,
            ..ModelRequest::default()
        };
        Ok(self.respond(request).await?.text)
    }
}
