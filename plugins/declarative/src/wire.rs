//! Arguments as the API writes them.

use std::collections::BTreeMap;

use described::{Kind, MoneyForm, TypeDef, set};
use serde_json::{Map, Value, json};

/// The description's own types.
pub(crate) type Types = BTreeMap<String, TypeDef>;

/// A value as one piece of text, for a path, a query or a header; none for what is no such piece.
pub(crate) fn text(types: &Types, kind: &Kind, value: &Value) -> Option<String> {
    match (kind, value) {
        (Kind::Named(name), Value::String(case)) => types.get(name)?.cases.get(case).cloned(),
        (Kind::Named(_) | Kind::List(_) | Kind::Money, _) => None,
        (_, Value::String(text)) => Some(text.clone()),
        (_, Value::Number(number)) => Some(number.to_string()),
        (_, Value::Bool(bool)) => Some(bool.to_string()),
        _ => None,
    }
}

/// A value as JSON. Fails with what is wrong, in words.
pub(crate) fn write(
    types: &Types,
    kind: &Kind,
    money: Option<&MoneyForm>,
    value: &Value,
) -> Result<Value, String> {
    match (kind, value) {
        (Kind::Money, value) => {
            let form = money.cloned().unwrap_or_default();
            form.write(value).map_err(|misfit| misfit.to_string())
        }
        (Kind::List(item), Value::Array(items)) => items
            .iter()
            .map(|value| write(types, item, money, value))
            .collect(),
        (Kind::Named(name), value) => {
            let def = types
                .get(name)
                .ok_or_else(|| format!("there is no type {name}"))?;
            match value {
                Value::String(case) => {
                    let written = def.cases.get(case).ok_or("there is no such case")?;
                    Ok(json!(written))
                }
                Value::Object(given) => record(types, def, given),
                _ => Err("it is no value of its type".to_owned()),
            }
        }
        (_, value) => Ok(value.clone()),
    }
}

fn record(types: &Types, def: &TypeDef, given: &Map<String, Value>) -> Result<Value, String> {
    let mut written = json!({});
    for (name, field) in def.fields.iter() {
        let Some(value) = given.get(name).filter(|value| !value.is_null()) else {
            continue;
        };
        let value = write(types, &field.kind, field.money.as_ref(), value)?;
        if !set(&mut written, &field.pointer(name), value) {
            return Err(format!("something else is written where {name} belongs"));
        }
    }
    Ok(written)
}
