//! JSON pointers (RFC 6901) into arguments and outputs, with `*` for every item of a list.

use serde_json::{Map, Value};

/// What a pointer leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Found<'a> {
    /// A value that is not null.
    Value(&'a Value),
    /// The record that should hold it is there, but not the value.
    Missing,
    /// An optional record on the way is absent, so there is nothing that could hold it.
    NoRecord,
}

/// The value at a pointer without `*`, unless it is absent or null.
pub(crate) fn lookup<'a>(object: &'a Map<String, Value>, pointer: &str) -> Option<&'a Value> {
    let (first, rest) = split_first(pointer)?;
    let value = object.get(&unescape(first))?;
    value.pointer(rest).filter(|value| !value.is_null())
}

/// Everything that a pointer leads to; several results only where it holds a `*`.
pub(crate) fn find_all<'a>(value: &'a Value, pointer: &str) -> Vec<Found<'a>> {
    let Some((first, rest)) = split_first(pointer) else {
        return vec![if value.is_null() {
            Found::Missing
        } else {
            Found::Value(value)
        }];
    };
    match (first, value) {
        ("*", Value::Array(items)) => items.iter().flat_map(|item| find_all(item, rest)).collect(),
        ("*", _) => vec![Found::Missing],
        (name, Value::Object(object)) => match object.get(&unescape(name)) {
            None | Some(Value::Null) if rest.is_empty() => vec![Found::Missing],
            None => vec![Found::Missing],
            Some(Value::Null) => vec![Found::NoRecord],
            Some(inner) => find_all(inner, rest),
        },
        _ => vec![Found::Missing],
    }
}

/// Removes what a pointer leads to.
pub(crate) fn remove(value: &mut Value, pointer: &str) {
    let Some((first, rest)) = split_first(pointer) else {
        *value = Value::Null;
        return;
    };
    match value {
        Value::Array(items) if first == "*" => {
            for item in items {
                remove(item, rest);
            }
        }
        Value::Object(object) if rest.is_empty() => {
            object.shift_remove(&unescape(first));
        }
        Value::Object(object) => {
            if let Some(inner) = object.get_mut(&unescape(first)) {
                remove(inner, rest);
            }
        }
        _ => {}
    }
}

/// The pointers that stand for `pointer`, a `/list/*` prefix of it replaced by each item of the list: (prefix, replacement).
/// One pair that replaces nothing where there is no `*`.
pub(crate) fn expand<'a>(value: &Value, pointer: &'a str) -> Vec<(&'a str, String)> {
    let Some((list, _)) = pointer.split_once("/*") else {
        return vec![("", String::new())];
    };
    let prefix_length = list.len().saturating_add("/*".len());
    let prefix = pointer.get(..prefix_length).unwrap_or(pointer);
    let items = value.pointer(list).and_then(Value::as_array);
    (0..items.map_or(0, Vec::len))
        .map(|at| (prefix, format!("{list}/{at}")))
        .collect()
}

/// Splits `/a/b/c` into `a` and `/b/c`.
fn split_first(pointer: &str) -> Option<(&str, &str)> {
    let inner = pointer.strip_prefix('/')?;
    match inner.find('/') {
        Some(at) => inner.split_at_checked(at),
        None => Some((inner, "")),
    }
}

fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}
