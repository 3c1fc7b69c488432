//! The next step, as a function of the conversation: turns are replayed from the first to the last.

use serde_json::Value;

use super::state::{Expects, State, Task};
use super::steps;
use crate::{Arguments, Message, ModelRequest, ToolCall, ToolOffer, ToolResult};

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Say(String),
    /// Ask what the customer means.
    Clarify(String),
    Call {
        tool: String,
        arguments: Value,
    },
}

/// A step, and what it waits for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Move {
    pub(super) step: Step,
    pub(super) expects: Expects,
}

/// A call and what came of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) call: &'a ToolCall,
    pub(super) result: &'a ToolResult,
}

/// Everything that a step depends on.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) state: &'a State,
    /// The calls of this turn.
    pub(super) now: &'a [Seen<'a>],
    /// The calls of the turns before.
    pub(super) before: &'a [Seen<'a>],
    pub(super) tools: &'a [ToolOffer],
    /// The customer's id, where the host knows it.
    pub(super) customer: Option<&'a str>,
}

/// One message of the customer and the calls that followed it.
struct Turn<'a> {
    said: &'a str,
    seen: Vec<Seen<'a>>,
}

/// The next step in this conversation.
pub(super) fn next(request: &ModelRequest) -> Step {
    let mut state = State::default();
    let mut before = Vec::new();
    let mut step = Step::Clarify("Hello! What can I do for you?".to_owned());
    let turns = turns(&request.messages);
    let last = turns.len().saturating_sub(1);
    for (number, turn) in turns.into_iter().enumerate() {
        let task = state.hear(turn.said);
        let decided = |customer| {
            let context = Context {
                state: &state,
                now: &turn.seen,
                before: &before,
                tools: &request.tools,
                customer,
            };
            decide(&context, &task)
        };
        let mut next = decided(request.customer.as_deref());
        // A turn that is over ended in words. Where it would have gone on to a call now, the host did not know the customer
        // yet.
        if number < last && matches!(next.step, Step::Call { .. }) {
            next = decided(None);
        }
        step = next.step;
        state.replied(&task, next.expects);
        before.extend(turn.seen);
    }
    step
}

/// A call that the host resumed after the customer's yes is reported, whatever else was said.
fn decide(context: &Context<'_>, task: &Task) -> Move {
    let resumed = context
        .now
        .iter()
        .rev()
        .find(|seen| seen.call.id.starts_with("consent-"));
    match resumed {
        Some(seen) => steps::report(seen),
        None => steps::step(context, task),
    }
}

fn turns(messages: &[Message]) -> Vec<Turn<'_>> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    let mut calls: Vec<&ToolCall> = Vec::new();
    for message in messages {
        match message {
            Message::Customer(said) => turns.push(Turn {
                said,
                seen: Vec::new(),
            }),
            Message::Assistant { calls: asked, .. } => calls.extend(asked),
            Message::Results(results) => {
                let Some(turn) = turns.last_mut() else {
                    continue;
                };
                turn.seen.extend(results.iter().filter_map(|result| {
                    let call = calls.iter().copied().find(|call| call.id == result.id)?;
                    Some(Seen { call, result })
                }));
            }
            Message::Note(_) => {}
        }
    }
    turns
}

impl Seen<'_> {
    /// An argument of the call, as text.
    pub(super) fn argument(&self, name: &str) -> &str {
        match &self.call.arguments {
            Arguments::Json(arguments) => super::results::text(arguments, name),
            Arguments::Broken(_) => "",
        }
    }
}

impl Context<'_> {
    pub(super) fn offers(&self, tool: &str) -> bool {
        self.tools.iter().any(|offer| offer.name == tool)
    }

    /// The newest call of a tool in this turn.
    pub(super) fn done_now(&self, tool: &str) -> Option<&Seen<'_>> {
        self.now.iter().rev().find(|seen| seen.call.tool == tool)
    }
}

impl Move {
    /// Says something that settles the matter.
    pub(super) fn say(text: impl Into<String>) -> Self {
        Self::ask(text, Expects::Nothing)
    }

    /// Says something that waits for an answer.
    pub(super) fn ask(text: impl Into<String>, expects: Expects) -> Self {
        Self {
            step: Step::Say(text.into()),
            expects,
        }
    }

    pub(super) fn clarify(question: impl Into<String>) -> Self {
        Self {
            step: Step::Clarify(question.into()),
            expects: Expects::Nothing,
        }
    }

    pub(super) fn call(tool: &str, arguments: Value) -> Self {
        Self {
            step: Step::Call {
                tool: tool.to_owned(),
                arguments,
            },
            expects: Expects::Nothing,
        }
    }
}
