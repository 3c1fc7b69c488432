//! One call: one request and its answer, or as many pages as the description allows.

use described::Task;
use serde_json::{Map, Value};
use switchboard_sdk::types::Error;
use switchboard_sdk::{Answer, Request};

use crate::draft::Draft;
use crate::{answer, failure, pages};

/// Whoever sends a request and waits for its answer.
pub(crate) type Send<'a> = &'a dyn Fn(&Request) -> Result<Answer, Error>;

/// Carries out one tool. A tool that changes something sends exactly one request.
pub(crate) fn perform(
    task: &Task,
    arguments: &Map<String, Value>,
    send: Send<'_>,
) -> Result<Value, Error> {
    let draft = Draft::of(task, arguments)?;
    if let (Some(pages), Some(kind)) = (&task.tool.pages, &task.tool.result) {
        return pages::collect(task, pages, kind, &draft, send);
    }
    let answer = send(&draft.request(&draft.route(&[])))?;
    failure::check(&task.errors, &answer)?;
    match &task.tool.result {
        None => Ok(Value::Object(Map::new())),
        Some(kind) => answer::result(task, kind, &parsed(&answer)?),
    }
}

/// The body of an answer as JSON.
pub(crate) fn parsed(answer: &Answer) -> Result<Value, Error> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        Error::unavailable(format_args!(
            "the backend's answer is not understood: {error}"
        ))
    })
}
