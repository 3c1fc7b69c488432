//! The Messages API's wire format: requests as JSON, replies as server-sent events.

use std::collections::BTreeMap;

use eventsource_stream::Event;
use serde_json::{Value, json};

use crate::model::http::Assemble;
use crate::{Arguments, Message, ModelError, ModelReply, ModelRequest, Stop, ToolCall, Usage};

/// The request's body.
pub(super) fn body(model: &str, request: &ModelRequest) -> Value {
    let mut body = json!({
        "model": model,
        "max_tokens": request.max_tokens,
        "stream": true,
        "messages": messages(&request.messages),
    });
    if !request.system.is_empty() {
        body["system"] = json!(request.system);
    }
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            json!({ "name": tool.name, "description": tool.description, "input_schema": tool.input_schema })
        });
        body["tools"] = tools.collect();
    }
    body
}

/// Neighbours of the same role become one message: results and a note of the host's belong together.
fn messages(messages: &[Message]) -> Vec<Value> {
    let mut merged: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in messages {
        let (role, blocks) = blocks(message);
        match merged.last_mut() {
            Some((last, content)) if *last == role => content.extend(blocks),
            _ => merged.push((role, blocks)),
        }
    }
    let nonempty = merged.into_iter().filter(|(_, blocks)| !blocks.is_empty());
    nonempty
        .map(|(role, content)| json!({ "role": role, "content": content }))
        .collect()
}

fn blocks(message: &Message) -> (&'static str, Vec<Value>) {
    match message {
        Message::Customer(text) => ("user", vec![text_block(text)]),
        Message::Note(text) => (
            "user",
            vec![text_block(&format!("[note from the host] {text}"))],
        ),
        Message::Assistant { text, calls } => {
            let words = (!text.trim().is_empty()).then(|| text_block(text));
            (
                "assistant",
                words
                    .into_iter()
                    .chain(calls.iter().map(call_block))
                    .collect(),
            )
        }
        Message::Results(results) => {
            let blocks = results.iter().map(|result| {
                json!({
                    "type": "tool_result",
                    "tool_use_id": result.id,
                    "content": result.content.to_string(),
                    "is_error": !matches!(result.outcome.as_str(), "ok" | "replayed" | "awaiting_consent"),
                })
            });
            ("user", blocks.collect())
        }
    }
}

/// The service takes no empty text.
fn text_block(text: &str) -> Value {
    let text = if text.trim().is_empty() {
        "(nothing)"
    } else {
        text
    };
    json!({ "type": "text", "text": text })
}

fn call_block(call: &ToolCall) -> Value {
    let input = match &call.arguments {
        Arguments::Json(Value::Object(arguments)) => json!(arguments),
        other => json!({ "unreadable": other.to_value() }),
    };
    json!({ "type": "tool_use", "id": call.id, "name": call.tool, "input": input })
}

/// A reply on its way in.
#[derive(Default)]
pub(super) struct Reply {
    blocks: BTreeMap<u64, Block>,
    stop: Option<Stop>,
    usage: Usage,
    complete: bool,
}

enum Block {
    Text(String),
    Call {
        id: String,
        tool: String,
        arguments: String,
    },
    /// Thinking, and whatever else is not for us.
    Other,
}

impl Assemble for Reply {
    fn take(&mut self, event: &Event) -> Result<bool, ModelError> {
        let data: Value = serde_json::from_str(&event.data)
            .map_err(|_| ModelError::Protocol("an event that is no JSON".to_owned()))?;
        match data["type"].as_str().unwrap_or_default() {
            "message_start" => self.count(&data["message"]["usage"]),
            "content_block_start" => self.start(&data),
            "content_block_delta" => self.add(&data),
            "message_delta" => self.delta(&data),
            "message_stop" => self.complete = true,
            "error" => return Err(error(&data["error"])),
            // Pings, ends of blocks, and kinds that are yet to come.
            _ => {}
        }
        Ok(self.complete)
    }

    fn has_content(&self) -> bool {
        !self.blocks.is_empty()
    }

    fn finish(self) -> Result<ModelReply, ModelError> {
        let Some(stop) = self.stop.filter(|_| self.complete) else {
            return Err(ModelError::Cut);
        };
        let mut reply = ModelReply {
            stop,
            usage: self.usage,
            ..ModelReply::default()
        };
        for block in self.blocks.into_values() {
            match block {
                Block::Text(text) => reply.text.push_str(&text),
                Block::Call {
                    id,
                    tool,
                    arguments,
                } => reply.calls.push(ToolCall {
                    id,
                    tool,
                    arguments: Arguments::parse(arguments),
                }),
                Block::Other => {}
            }
        }
        Ok(reply)
    }
}

impl Reply {
    fn start(&mut self, data: &Value) {
        let block = &data["content_block"];
        let text = |name: &str| block[name].as_str().unwrap_or_default().to_owned();
        let started = match block["type"].as_str() {
            Some("text") => Block::Text(text("text")),
            Some("tool_use") => Block::Call {
                id: text("id"),
                tool: text("name"),
                arguments: String::new(),
            },
            _ => Block::Other,
        };
        self.blocks.insert(index(data), started);
    }

    fn add(&mut self, data: &Value) {
        let piece = |name: &str| data["delta"][name].as_str().unwrap_or_default();
        match self.blocks.get_mut(&index(data)) {
            Some(Block::Text(text)) => text.push_str(piece("text")),
            Some(Block::Call { arguments, .. }) => arguments.push_str(piece("partial_json")),
            Some(Block::Other) | None => {}
        }
    }

    fn delta(&mut self, data: &Value) {
        self.count(&data["usage"]);
        self.stop = match data["delta"]["stop_reason"].as_str() {
            Some("tool_use") => Some(Stop::ToolUse),
            Some("max_tokens" | "model_context_window_exceeded") => Some(Stop::Length),
            Some("refusal") => Some(Stop::Refusal),
            Some(_) => Some(Stop::EndTurn),
            None => self.stop,
        };
    }

    /// The counts are totals, not increments.
    fn count(&mut self, usage: &Value) {
        if let Some(tokens) = usage["input_tokens"].as_u64() {
            self.usage.input_tokens = tokens;
        }
        if let Some(tokens) = usage["output_tokens"].as_u64() {
            self.usage.output_tokens = tokens;
        }
    }
}

fn index(data: &Value) -> u64 {
    data["index"].as_u64().unwrap_or_default()
}

/// An error in the middle of a stream, by the status that it would have had at its beginning.
fn error(error: &Value) -> ModelError {
    let message = error["message"].as_str().unwrap_or_default().to_owned();
    match error["type"].as_str().unwrap_or_default() {
        "overloaded_error" => ModelError::Busy { status: 529 },
        "rate_limit_error" => ModelError::Busy { status: 429 },
        "api_error" | "timeout_error" => ModelError::Busy { status: 500 },
        _ => ModelError::Rejected {
            status: 400,
            message,
        },
    }
}
