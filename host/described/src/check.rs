//! Whether a description makes sense, before anything is offered: every fault by its place and in words.

mod form;
mod tool;
mod types;

use thiserror::Error;

pub use tool::{is_free_header, is_free_name};

use crate::{Api, place};

/// How many faults one answer names.
const MAX_FAULTS: usize = 20;
/// Tools of one description.
pub const MAX_TOOLS: usize = 128;
/// Types of one description.
pub const MAX_TYPES: usize = 512;
/// Parameters of a tool, fields of a record, cases of an enum.
const MAX_MEMBERS: usize = 256;
/// The longest name.
const MAX_NAME_BYTES: usize = 64;

/// Something in a description that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{at}: {message}")]
pub struct Fault {
    /// Where: `tool.list_orders.parameters.status`.
    pub at: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Api {
    /// Names what makes no sense; a description without faults can be offered and carried out.
    pub fn check(&self) -> Result<(), Vec<Fault>> {
        let mut check = Check {
            api: self,
            faults: Vec::new(),
        };
        if !is_package_name(&self.name) {
            check.note(
                "name",
                "words of small letters and digits, joined by `-`, are expected",
            );
        }
        check.sizes();
        check.errors();
        for (name, def) in self.types.iter() {
            check.type_def(name, def);
        }
        check.cycles();
        for (name, tool) in self.tools.iter() {
            check.tool(name, tool);
        }
        if check.faults.is_empty() {
            Ok(())
        } else {
            Err(check.faults)
        }
    }
}

/// Whether a text is a name of a tool, a parameter, a field, a case or a type: words of small letters and digits that start
/// with a letter, joined by `_`.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME_BYTES && text.split('_').all(is_word)
}

fn is_package_name(text: &str) -> bool {
    text.len() <= MAX_NAME_BYTES && text.split('-').all(is_word)
}

fn is_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// A check that is under way.
struct Check<'a> {
    api: &'a Api,
    faults: Vec<Fault>,
}

impl Check<'_> {
    fn note(&mut self, at: &str, message: impl Into<String>) {
        if self.faults.len() < MAX_FAULTS {
            let fault = Fault {
                at: at.to_owned(),
                message: message.into(),
            };
            self.faults.push(fault);
        }
    }

    fn unless(&mut self, holds: bool, at: &str, message: &str) {
        if !holds {
            self.note(at, message);
        }
    }

    fn sizes(&mut self) {
        if !(1..=MAX_TOOLS).contains(&self.api.tools.len()) {
            self.note("tool", format!("1 to {MAX_TOOLS} tools are expected"));
        }
        if self.api.types.len() > MAX_TYPES {
            self.note("type", format!("{MAX_TYPES} types at most"));
        }
    }

    fn name(&mut self, at: &str, name: &str) {
        let expected =
            "a name is words of small letters and digits that start with a letter, joined by `_`";
        self.unless(is_name(name), at, expected);
    }

    fn pointer(&mut self, at: &str, pointer: &str) {
        let expected = "expected a JSON pointer: empty, or `/` and what follows";
        self.unless(place::is_pointer(pointer), at, expected);
    }

    fn errors(&mut self) {
        let errors = &self.api.errors;
        for pointer in errors.code.iter().chain(&errors.message) {
            self.pointer("errors", pointer);
        }
        for rule in &errors.rules {
            self.unless(
                rule.status.is_some() || rule.code.is_some(),
                "errors.rule",
                "a rule has a status, a code, or both",
            );
            self.unless(
                rule.code.is_none() || errors.code.is_some(),
                "errors.rule",
                "a rule by code needs `errors.code`, the place of the code in the body",
            );
        }
    }
}
