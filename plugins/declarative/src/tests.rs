//! What is sent and what is made of the answers, natively: a description, a call, and a backend that says what it is told.

mod answers;
mod paging;
mod requests;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Write as _;

use described::Task;
use serde_json::{Value, json};
use switchboard_sdk::types::Error;
use switchboard_sdk::{Answer, Request};

use crate::perform::perform;

/// A task from the tool's table, with types and errors where they matter.
fn task(tool: &Value, types: &Value, errors: &Value) -> Task {
    let mut tool = tool.clone();
    tool["docs"] = json!("Does it.");
    let task = json!({ "tool": tool, "types": types, "errors": errors });
    serde_json::from_value(task).unwrap()
}

/// A backend that gives these answers, one after the other, and remembers what it was asked.
struct Backend {
    answers: RefCell<VecDeque<Answer>>,
    asked: RefCell<Vec<String>>,
}

impl Backend {
    fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            answers: RefCell::new(answers.into_iter().collect()),
            asked: RefCell::default(),
        }
    }

    fn call(&self, task: &Task, arguments: &Value) -> Result<Value, Error> {
        let arguments = arguments.as_object().unwrap();
        perform(task, arguments, &|request| {
            self.asked.borrow_mut().push(shown(request));
            let answer = self.answers.borrow_mut().pop_front();
            answer.ok_or_else(|| Error::unavailable("there are no more answers"))
        })
    }

    fn asked(self) -> Vec<String> {
        self.asked.into_inner()
    }
}

/// `POST /tickets?a=b [x-team: billing] {"subject":"s"}`
fn shown(request: &Request) -> String {
    let mut text = format!("{:?} {}", request.method, request.route);
    for (name, value) in &request.headers {
        write!(text, " [{name}: {value}]").unwrap();
    }
    if let Some(body) = &request.body {
        text += " ";
        text += std::str::from_utf8(body).unwrap();
    }
    text.trim_start_matches("Method::").to_owned()
}

fn ok(body: &Value) -> Answer {
    Answer {
        status: 200,
        body: body.to_string().into_bytes(),
        ..Answer::default()
    }
}

fn named(error: &Error) -> String {
    match error {
        Error::InvalidInput(text) => format!("invalid-input: {text}"),
        Error::NotFound(text) => format!("not-found: {text}"),
        Error::NotEligible(text) => format!("not-eligible: {text}"),
        Error::Conflict(text) => format!("conflict: {text}"),
        Error::Unavailable(it) => {
            format!("unavailable: {} {:?}", it.reason, it.retry_after_seconds)
        }
    }
}
