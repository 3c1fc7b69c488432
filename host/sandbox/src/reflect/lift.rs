//! From component values to JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dispatch::Violation;
use policy::Money;
use serde_json::{Map, Number, Value, json};
use thiserror::Error;
use wasmtime::component::Val;

use super::pointer::Pointer;
use super::shape::{Case, Field, Kind, Label, Shape, TextRule};
use super::text::misfit;

/// A value that its own contract does not allow.
#[derive(Debug, Error)]
#[error("it returned something unexpected at \"{at}\": {message}")]
pub(crate) struct Misfit {
    at: String,
    message: String,
}

impl Misfit {
    pub(super) fn new(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            at: at.into(),
            message: message.into(),
        }
    }
}

impl From<Vec<Violation>> for Misfit {
    fn from(violations: Vec<Violation>) -> Self {
        let first = violations.into_iter().next();
        first.map_or_else(
            || Self::new("", "it does not fit"),
            |violation| Self::new(violation.field, violation.message),
        )
    }
}

/// Converts one value.
pub(super) fn value(shape: &Shape, val: &Val, at: Pointer<'_>) -> Result<Value, Misfit> {
    Ok(match (&shape.kind, val) {
        (Kind::Bool, Val::Bool(b)) => json!(b),
        (Kind::Int(_), val) => int(val).ok_or_else(|| alien(at))?,
        (Kind::F32, Val::Float32(number)) => json!(float(shortest(*number), at)?),
        (Kind::F64, Val::Float64(number)) => json!(float(*number, at)?),
        (Kind::Char, Val::Char(c)) => json!(c),
        (Kind::Text(rule), Val::String(text)) => {
            // How long plain text may be is a rule for arguments; an output is limited as a whole.
            let wrong = (*rule != TextRule::Plain)
                .then(|| misfit(*rule, text))
                .flatten();
            if let Some(message) = wrong {
                return Err(at_fault(at, message));
            }
            json!(text)
        }
        (Kind::Bytes, Val::List(items)) => json!(STANDARD.encode(bytes(items, at)?)),
        (Kind::Money, Val::Record(fields)) => money(fields, at)?,
        (Kind::List(item), Val::List(items)) => (items.iter().enumerate())
            .map(|(index, val)| value(item, val, at.item(index)))
            .collect::<Result<_, _>>()?,
        (Kind::Tuple(shapes), Val::Tuple(items)) => (shapes.iter().zip(items).enumerate())
            .map(|(index, (shape, val))| value(shape, val, at.item(index)))
            .collect::<Result<_, _>>()?,
        (Kind::Record(fields), Val::Record(values)) => {
            let values = values.iter().map(|(_, val)| val);
            Value::Object(members(fields.iter().zip(values), at)?)
        }
        (Kind::Variant(cases), Val::Variant(name, payload)) => {
            variant(cases, name, payload.as_deref(), at)?
        }
        (Kind::Enum(labels), Val::Enum(name)) => json!(json_name(labels, name, at)?),
        (Kind::Flags(labels), Val::Flags(set)) => (set.iter())
            .map(|name| json_name(labels, name, at).map(Value::from))
            .collect::<Result<_, _>>()?,
        (Kind::Option(_), Val::Option(None)) => Value::Null,
        (Kind::Option(some), Val::Option(Some(val))) if some.is_option() => {
            json!({ "some": value(some, val, at.field("some"))? })
        }
        (Kind::Option(some), Val::Option(Some(val))) => value(some, val, at)?,
        (Kind::Result { ok, .. }, Val::Result(Ok(val))) => {
            json!({ "ok": payload(ok.as_deref(), val.as_deref(), at.field("ok"))? })
        }
        (Kind::Result { error, .. }, Val::Result(Err(val))) => {
            json!({ "error": payload(error.as_deref(), val.as_deref(), at.field("error"))? })
        }
        _ => return Err(alien(at)),
    })
}

/// Converts the fields of a record; absent options are left out.
pub(super) fn members<'a>(
    fields: impl Iterator<Item = (&'a Field, &'a Val)>,
    at: Pointer<'_>,
) -> Result<Map<String, Value>, Misfit> {
    let mut object = Map::new();
    for (field, val) in fields {
        if matches!(val, Val::Option(None)) {
            continue;
        }
        let json = value(&field.shape, val, at.field(&field.name.json))?;
        object.insert(field.name.json.clone(), json);
    }
    Ok(object)
}

fn int(val: &Val) -> Option<Value> {
    Some(match val {
        Val::S8(n) => json!(n),
        Val::U8(n) => json!(n),
        Val::S16(n) => json!(n),
        Val::U16(n) => json!(n),
        Val::S32(n) => json!(n),
        Val::U32(n) => json!(n),
        Val::S64(n) => json!(n),
        Val::U64(n) => json!(n),
        _ => return None,
    })
}

/// The 64-bit number that prints as the 32-bit one does: 0.1 stays 0.1.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

fn float(number: f64, at: Pointer<'_>) -> Result<Number, Misfit> {
    Number::from_f64(number).ok_or_else(|| {
        at_fault(
            at,
            "expected a finite number, found NaN or infinity".to_owned(),
        )
    })
}

fn bytes(items: &[Val], at: Pointer<'_>) -> Result<Vec<u8>, Misfit> {
    items
        .iter()
        .map(|item| match item {
            Val::U8(byte) => Ok(*byte),
            _ => Err(alien(at)),
        })
        .collect()
}

fn money(fields: &[(String, Val)], at: Pointer<'_>) -> Result<Value, Misfit> {
    let [(_, Val::S64(minor)), (_, Val::String(currency))] = fields else {
        return Err(alien(at));
    };
    let money = Money {
        minor: *minor,
        currency: currency.clone(),
    };
    let json = money.to_json();
    match Money::parse(&json) {
        Ok(_) => Ok(json),
        Err(wrong) => Err(at_fault(at, wrong.to_string())),
    }
}

fn variant(
    cases: &[Case],
    name: &str,
    val: Option<&Val>,
    at: Pointer<'_>,
) -> Result<Value, Misfit> {
    let case = cases
        .iter()
        .find(|case| case.label.name.wit == name)
        .ok_or_else(|| alien(at))?;
    let key = &case.label.name.json;
    match (&case.payload, val) {
        (Some(shape), Some(val)) => Ok(json!({ key: value(shape, val, at.field(key))? })),
        (None, None) => Ok(json!(key)),
        _ => Err(alien(at)),
    }
}

fn json_name<'a>(labels: &'a [Label], name: &str, at: Pointer<'_>) -> Result<&'a str, Misfit> {
    labels
        .iter()
        .find(|label| label.name.wit == name)
        .map(|label| label.name.json.as_str())
        .ok_or_else(|| alien(at))
}

fn payload(shape: Option<&Shape>, val: Option<&Val>, at: Pointer<'_>) -> Result<Value, Misfit> {
    match (shape, val) {
        (Some(shape), Some(val)) => value(shape, val, at),
        (None, None) => Ok(Value::Null),
        _ => Err(alien(at)),
    }
}

fn at_fault(at: Pointer<'_>, message: String) -> Misfit {
    Misfit {
        at: at.to_string(),
        message,
    }
}

/// The component's types were compared with the plan when it was loaded, so this cannot come from a plugin.
fn alien(at: Pointer<'_>) -> Misfit {
    at_fault(at, "a value of another type than its plan".to_owned())
}
