//! The component behind plugins without code: it carries out what a description of an HTTP API says of one tool.

mod answer;
mod draft;
mod failure;
mod pages;
mod perform;
#[cfg(test)]
mod tests;
mod wire;

switchboard_sdk::plugin!(world: "switchboard:stock/plugin", wit: ["../../wit/host", "../../wit/declarative", "wit"]);

use std::cell::Cell;

use bindings::exports::switchboard::declarative::api::{Error, Guest};
use bindings::switchboard::host::progress;
use switchboard_sdk::Backend;

struct Declarative;

bindings::export!(Declarative with_types_in bindings);

impl Guest for Declarative {
    fn call(task: String, arguments: String) -> Result<String, Error> {
        let unreadable =
            |error| Error::unavailable(format_args!("the host's task is unreadable: {error}"));
        let task = serde_json::from_str(&task).map_err(unreadable)?;
        let arguments = serde_json::from_str(&arguments).map_err(unreadable)?;
        let backend = Backend::configured()?;
        let answered = Cell::new(0);
        let exchange = |request: &_| {
            let answer = backend.exchange(request);
            answered.set(answered.get() + 1);
            // How many pages there are is known at the last one only.
            progress::report(answered.get(), None);
            answer
        };
        let result = perform::perform(&task, &arguments, &exchange)?;
        Ok(result.to_string())
    }
}
