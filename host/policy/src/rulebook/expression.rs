//! Cedar expressions as their JSON form: what parts of the context they look at, and what they come down to.

use std::collections::BTreeSet;

use serde_json::Value;

/// The one operator of an expression, with what it is applied to.
pub(super) fn operator(expression: &Value) -> Option<(&str, &Value)> {
    let object = expression.as_object()?;
    let (name, applied_to) = object.iter().next().filter(|_| object.len() == 1)?;
    Some((name.as_str(), applied_to))
}

/// `context.order.owner` as `order.owner`; none for anything that is no such path. The context itself is the empty path.
pub(super) fn path(expression: &Value) -> Option<String> {
    match operator(expression)? {
        ("Var", name) => (name == "context").then(String::new),
        (".", access) => below(access),
        _ => None,
    }
}

/// The path of an access, or of a question for presence, as both have the same form.
pub(super) fn below(access: &Value) -> Option<String> {
    let left = path(access.get("left")?)?;
    let attribute = access.get("attr")?.as_str()?;
    Some(if left.is_empty() {
        attribute.to_owned()
    } else {
        format!("{left}.{attribute}")
    })
}

/// The deepest paths of the context that an expression looks at, or asks for.
pub(super) fn paths(expression: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    gather(expression, &mut found);
    let is_on_the_way = |path: &String| {
        let inside = format!("{path}.");
        found.iter().any(|other| other.starts_with(&inside))
    };
    found
        .iter()
        .filter(|path| !is_on_the_way(path))
        .cloned()
        .collect()
}

fn gather(expression: &Value, found: &mut BTreeSet<String>) {
    match operator(expression) {
        Some(("." | "has", access)) => match below(access) {
            Some(path) => drop(found.insert(path)),
            None => gather_inside(access, found),
        },
        // A literal may be anything, also an object that looks like an expression.
        Some(("Value", _)) => {}
        Some((_, inner)) => gather_inside(inner, found),
        None => gather_inside(expression, found),
    }
}

fn gather_inside(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
        Value::Object(parts) => parts.values().for_each(|part| gather(part, found)),
        _ => {}
    }
}
