//! The typed errors of plugins, the contract's own and any other, as the host's.

use dispatch::ToolError;
use serde_json::Value;
use wasmtime::component::Val;

use super::lift::{self, Misfit};
use super::pointer::Pointer;
use super::shape::Shape;

/// Converts the error side of a function's result. A case that is named as the contract names it means the same in a
/// vendor's own error type; every other error is a refusal by the backend's own rules, which is never retried.
pub(super) fn lift(shape: Option<&Shape>, val: Option<&Val>) -> Result<ToolError, Misfit> {
    let (Some(shape), Some(val)) = (shape, val) else {
        return Ok(ToolError::NotEligible {
            message: "the plugin gave no reason".to_owned(),
        });
    };
    let json = lift::value(shape, val, Pointer::Root)?;
    let (case, payload) = match &json {
        Value::Object(object) if object.len() == 1 => {
            let entry = object.iter().next();
            entry.map_or(("", &json), |(case, payload)| (case.as_str(), payload))
        }
        Value::String(case) => (case.as_str(), &json),
        _ => ("", &json),
    };
    let message = message(payload);
    Ok(match case {
        "invalid_input" => ToolError::InvalidInput { message },
        "not_found" => ToolError::NotFound { message },
        "conflict" => ToolError::Conflict { message },
        "unavailable" => ToolError::Unavailable {
            message,
            retry_after_seconds: retry_after(payload),
        },
        "not_eligible" => ToolError::NotEligible { message },
        _ => ToolError::NotEligible {
            message: self::message(&json),
        },
    })
}

fn message(payload: &Value) -> String {
    let text = payload.as_str().or_else(|| payload.get("reason")?.as_str());
    text.map_or_else(|| payload.to_string(), str::to_owned)
}

fn retry_after(payload: &Value) -> Option<u32> {
    payload
        .get("retry_after_seconds")?
        .as_u64()?
        .try_into()
        .ok()
}
