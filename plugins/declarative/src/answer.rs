//! An answer's JSON as the described result.

use described::{Field, Kind, MoneyForm, Task, TypeDef};
use serde_json::{Map, Value, json};
use switchboard_sdk::types::Error;

use crate::wire::Types;

/// Something in an answer that is not what the description says. The answer's own words stay out of it.
struct Misfit {
    at: String,
    message: String,
}

/// The result of a tool, from the body of its answer.
pub(crate) fn result(task: &Task, kind: &Kind, body: &Value) -> Result<Value, Error> {
    let from = body.pointer(&task.tool.at);
    let missing = || misfit(&task.tool.at, "there is nothing");
    from.ok_or_else(missing)
        .and_then(|from| value(&task.types, kind, None, from, &task.tool.at))
        .map_err(Error::from)
}

/// A result that comes in pages: a record whose field `more` is not the answer's.
pub(crate) fn page(
    task: &Task,
    kind: &Kind,
    more: &str,
    body: &Value,
) -> Result<Map<String, Value>, Error> {
    let at = &task.tool.at;
    let from = body
        .pointer(at)
        .ok_or_else(|| misfit(at, "there is nothing"))?;
    let def = match kind {
        Kind::Named(name) => task.types.get(name),
        _ => None,
    };
    let def = def.ok_or_else(|| misfit(at, "the result is no record"))?;
    record(&task.types, def, from, at, Some(more)).map_err(Error::from)
}

impl From<Misfit> for Error {
    fn from(misfit: Misfit) -> Self {
        let Misfit { at, message } = misfit;
        Self::unavailable(format_args!(
            "the backend's answer is not as described at {at:?}: {message}"
        ))
    }
}

fn value(
    types: &Types,
    kind: &Kind,
    money: Option<&MoneyForm>,
    from: &Value,
    at: &str,
) -> Result<Value, Misfit> {
    match (kind, from) {
        (Kind::Money, from) => {
            let form = money.cloned().unwrap_or_default();
            form.read(from)
                .map_err(|reason| misfit(at, &reason.to_string()))
        }
        (Kind::List(item), Value::Array(items)) => items
            .iter()
            .enumerate()
            .map(|(index, from)| value(types, item, money, from, &format!("{at}/{index}")))
            .collect(),
        (Kind::Named(name), from) => {
            let def = types
                .get(name)
                .ok_or_else(|| misfit(at, "its type is not described"))?;
            if def.cases.is_empty() {
                record(types, def, from, at, None).map(Value::Object)
            } else {
                case(def, from, at)
            }
        }
        (Kind::Text | Kind::Id | Kind::CustomerId, Value::Number(number)) => {
            Ok(json!(number.to_string()))
        }
        (
            Kind::Text | Kind::Id | Kind::CustomerId | Kind::Email | Kind::Timestamp,
            Value::String(_),
        )
        | (Kind::Integer | Kind::Number, Value::Number(_))
        | (Kind::Boolean, Value::Bool(_)) => Ok(from.clone()),
        (kind, _) => Err(misfit(at, &format!("it is no {kind}"))),
    }
}

fn case(def: &TypeDef, from: &Value, at: &str) -> Result<Value, Misfit> {
    let written = match from {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(misfit(at, "it is no text")),
    };
    let known = def.cases.iter().find(|(_, wire)| **wire == written);
    let name = known.map(|(name, _)| name).or(def.other.as_deref());
    name.map(Value::from)
        .ok_or_else(|| misfit(at, "it is none of the cases"))
}

fn record(
    types: &Types,
    def: &TypeDef,
    from: &Value,
    at: &str,
    without: Option<&str>,
) -> Result<Map<String, Value>, Misfit> {
    let mut record = Map::new();
    for (name, field) in def.fields.iter().filter(|(name, _)| without != Some(name)) {
        if let Some(value) = member(types, name, field, from, at)? {
            record.insert(name.to_owned(), value);
        }
    }
    Ok(record)
}

fn member(
    types: &Types,
    name: &str,
    field: &Field,
    from: &Value,
    at: &str,
) -> Result<Option<Value>, Misfit> {
    let pointer = field.pointer(name);
    let here = format!("{at}{pointer}");
    match from.pointer(&pointer).filter(|value| !value.is_null()) {
        Some(from) => value(types, &field.kind, field.money.as_ref(), from, &here).map(Some),
        None if field.optional => Ok(None),
        None => field
            .default
            .clone()
            .map(Some)
            .ok_or_else(|| misfit(&here, "there is nothing")),
    }
}

fn misfit(at: &str, message: &str) -> Misfit {
    Misfit {
        at: at.to_owned(),
        message: message.to_owned(),
    }
}
