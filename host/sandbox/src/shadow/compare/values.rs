//! Where two JSON values differ, by JSON pointer.

use std::collections::BTreeSet;
use std::fmt::Display;

use serde_json::Value;

use super::{PLACES, shortened};
use crate::reflect::Pointer;
use crate::shadow::{Change, Changes};

impl Changes {
    /// Holds two texts against each other, place by place where both are JSON. Says whether there is a difference.
    pub(super) fn texts(&mut self, of: &str, was: &str, is: &str) -> bool {
        let before = self.found();
        match (serde_json::from_str(was), serde_json::from_str(is)) {
            (Ok(was), Ok(is)) => self.values(of, &was, &is),
            _ if was == is => {}
            _ => self.add(of, || (Some(was.to_owned()), Some(is.to_owned()))),
        }
        self.found() > before
    }

    /// Holds two values against each other.
    pub(super) fn values(&mut self, of: &str, was: &Value, is: &Value) {
        self.walk(of, Pointer::Root, Some(was), Some(is));
    }

    /// A changed place, unless there are too many of them.
    pub(super) fn add(
        &mut self,
        at: impl Display,
        values: impl FnOnce() -> (Option<String>, Option<String>),
    ) {
        if self.shown.len() == PLACES {
            self.more += 1;
            return;
        }
        let (was, is) = values();
        let shown = |value: Option<String>| value.map(|value| shortened(&value));
        self.shown.push(Change {
            at: shortened(&at.to_string()),
            was: shown(was),
            is: shown(is),
        });
    }

    fn walk(&mut self, of: &str, at: Pointer, was: Option<&Value>, is: Option<&Value>) {
        match (was, is) {
            (Some(Value::Object(before)), Some(Value::Object(after))) => {
                let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
                for name in names {
                    self.walk(of, at.field(name), before.get(name), after.get(name));
                }
            }
            (Some(Value::Array(before)), Some(Value::Array(after))) => {
                for index in 0..before.len().max(after.len()) {
                    self.walk(of, at.item(index), before.get(index), after.get(index));
                }
            }
            _ if was == is => {}
            _ => {
                let text = |value: Option<&Value>| value.map(Value::to_string);
                self.add(format_args!("{of}{at}"), || (text(was), text(is)));
            }
        }
    }

    fn found(&self) -> usize {
        self.shown.len() + self.more
    }
}
