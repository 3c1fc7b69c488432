//! Prompts, models and turns: what a customer says goes in, a guarded reply comes out, and every tool runs at dispatch.
//!
//! **Prompts advise, policy decides.** This crate performs no effect itself: a [`Model`] asks for tools, [`ToolHost`]
//! (that is, [`dispatch::Dispatcher`]) runs them or does not, and [`Guard`] lets nothing out that did not happen.

mod completions;
mod consent;
mod guard;
mod host;
mod model;
mod pattern;
mod prompts;
mod tenant;
mod triggers;
mod turn;

pub use completions::ModelCompletions;
pub use consent::{Answer, read_answer};
pub use guard::{Claim, Evidence, Guard, Offence};
pub use host::ToolHost;
pub use model::anthropic::{Anthropic, AnthropicConfig};
pub use model::http::HttpLimits;
pub use model::offline::Offline;
pub use model::openai::{OpenAi, OpenAiConfig};
pub use model::{
    Arguments, Message, Model, ModelError, ModelReply, ModelRequest, Stop, ToolCall, ToolOffer,
    ToolResult, Usage,
};
pub use prompts::{PromptError, Prompts};
pub use tenant::{Tenant, Tenants};
pub use triggers::{Trigger, TriggerKind, screen};
pub use turn::{
    Action, Agent, AgentParts, EventSink, TurnError, TurnLimits, TurnRequest, TurnResult,
};
