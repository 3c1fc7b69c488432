//! The wire format of chat completions: requests as JSON, replies as server-sent chunks.

use std::collections::BTreeMap;

use eventsource_stream::Event;
use serde_json::{Value, json};

use crate::model::http::Assemble;
use crate::{Arguments, Message, ModelError, ModelReply, ModelRequest, Stop, ToolCall, Usage};

/// The request's body, without the token limit, whose name depends on the server.
pub(super) fn body(model: &str, request: &ModelRequest) -> Value {
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        messages.push(json!({ "role": "system", "content": request.system }));
    }
    messages.extend(request.messages.iter().flat_map(message));
    let mut body = json!({
        "model": model,
        "messages": messages,
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            json!({
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.input_schema,
                },
            })
        });
        body["tools"] = tools.collect();
    }
    body
}

fn message(message: &Message) -> Vec<Value> {
    match message {
        Message::Customer(text) => vec![json!({ "role": "user", "content": text })],
        // A second system message is refused by some servers' chat templates.
        Message::Note(text) => {
            vec![json!({ "role": "user", "content": format!("[note from the host] {text}") })]
        }
        Message::Assistant { text, calls } if calls.is_empty() => {
            vec![json!({ "role": "assistant", "content": text })]
        }
        Message::Assistant { text, calls } => {
            let calls: Vec<Value> = calls.iter().map(call).collect();
            vec![json!({ "role": "assistant", "content": text, "tool_calls": calls })]
        }
        Message::Results(results) => {
            let result = |result: &crate::ToolResult| json!({ "role": "tool", "tool_call_id": result.id, "content": result.content.to_string() });
            results.iter().map(result).collect()
        }
    }
}

/// Servers parse the arguments of earlier calls again, so that they must be JSON by now.
fn call(call: &ToolCall) -> Value {
    let arguments = match &call.arguments {
        Arguments::Json(Value::Object(arguments)) => json!(arguments),
        other => json!({ "unreadable": other.to_value() }),
    };
    json!({
        "id": call.id,
        "type": "function",
        "function": { "name": call.tool, "arguments": arguments.to_string() },
    })
}

/// A reply on its way in.
#[derive(Default)]
pub(super) struct Reply {
    text: String,
    refused: bool,
    calls: BTreeMap<u64, Call>,
    stop: Option<Stop>,
    usage: Usage,
}

#[derive(Default)]
struct Call {
    id: String,
    tool: String,
    arguments: String,
}

impl Assemble for Reply {
    fn take(&mut self, event: &Event) -> Result<bool, ModelError> {
        if event.data.trim() == "[DONE]" {
            return Ok(true);
        }
        let chunk: Value = serde_json::from_str(&event.data)
            .map_err(|_| ModelError::Protocol("a chunk that is no JSON".to_owned()))?;
        if let Some(failed) = chunk.get("error").filter(|error| !error.is_null()) {
            return Err(error(failed));
        }
        self.count(&chunk["usage"]);
        let choice = &chunk["choices"][0];
        self.add(&choice["delta"]);
        if let Some(reason) = choice["finish_reason"].as_str() {
            self.stop = Some(stop(reason));
        }
        Ok(false)
    }

    fn has_content(&self) -> bool {
        !self.text.is_empty() || !self.calls.is_empty()
    }

    /// Some servers leave `[DONE]` out, and some the reason; a stream that ends without its reason was cut.
    fn finish(self) -> Result<ModelReply, ModelError> {
        let stop = self.stop.ok_or(ModelError::Cut)?;
        let stop = match stop {
            _ if self.refused => Stop::Refusal,
            Stop::EndTurn if !self.calls.is_empty() => Stop::ToolUse,
            stop => stop,
        };
        let calls = self.calls.into_values().map(|call| ToolCall {
            id: call.id,
            tool: call.tool,
            arguments: Arguments::parse(call.arguments),
        });
        Ok(ModelReply {
            text: self.text,
            calls: calls.collect(),
            stop,
            usage: self.usage,
        })
    }
}

impl Reply {
    fn add(&mut self, delta: &Value) {
        self.text
            .push_str(delta["content"].as_str().unwrap_or_default());
        self.refused |= delta["refusal"]
            .as_str()
            .is_some_and(|said| !said.is_empty());
        for piece in delta["tool_calls"].as_array().into_iter().flatten() {
            self.add_call(piece);
        }
    }

    /// Pieces belong together by index; servers that leave it out send whole calls, one after the other.
    fn add_call(&mut self, piece: &Value) {
        let next = self.calls.keys().next_back().map_or(0, |last| last + 1);
        let call = self
            .calls
            .entry(piece["index"].as_u64().unwrap_or(next))
            .or_default();
        let function = &piece["function"];
        if let Some(id) = piece["id"].as_str().filter(|_| call.id.is_empty()) {
            id.clone_into(&mut call.id);
        }
        call.tool
            .push_str(function["name"].as_str().unwrap_or_default());
        match &function["arguments"] {
            Value::String(text) => call.arguments.push_str(text),
            Value::Null => {}
            whole => call.arguments.push_str(&whole.to_string()),
        }
    }

    fn count(&mut self, usage: &Value) {
        if let Some(tokens) = usage["prompt_tokens"].as_u64() {
            self.usage.input_tokens = tokens;
        }
        if let Some(tokens) = usage["completion_tokens"].as_u64() {
            self.usage.output_tokens = tokens;
        }
    }
}

fn stop(reason: &str) -> Stop {
    match reason {
        "tool_calls" | "function_call" => Stop::ToolUse,
        "length" => Stop::Length,
        "content_filter" => Stop::Refusal,
        _ => Stop::EndTurn,
    }
}

fn error(error: &Value) -> ModelError {
    let message = error["message"]
        .as_str()
        .or_else(|| error.as_str())
        .unwrap_or_default()
        .to_owned();
    let status = error["code"]
        .as_u64()
        .and_then(|code| u16::try_from(code).ok());
    match status {
        Some(status) if (400..500).contains(&status) && status != 429 => {
            ModelError::Rejected { status, message }
        }
        Some(status) => ModelError::Busy { status },
        None => ModelError::Rejected {
            status: 400,
            message,
        },
    }
}
