//! One conversion at work: from a JSON value of one version to the other's.

use std::collections::BTreeMap;

use described::MoneyForm;
use serde_json::{Map, Value, json};

/// What is done with a value.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Both versions mean the same by it.
    Copy,
    Record(Vec<Member>),
    List(Box<Step>),
    /// An enum's cases.
    Cases(BTreeMap<String, String>),
    /// Money from another form.
    ReadMoney(MoneyForm),
    /// Money into another form.
    WriteMoney(MoneyForm),
    /// A whole number in another unit.
    Scale {
        times: i64,
        divided_by: i64,
    },
}

/// One field of a converted record.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) step: Step,
    pub(super) default: Option<Value>,
}

#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A pointer from the same object of the other version.
    Field(String),
    /// A pointer into the newer function's arguments.
    Argument(String),
    Value(Value),
}

impl Step {
    /// The converted value; in words, what cannot be.
    pub(super) fn run(&self, value: &Value, arguments: &Value) -> Result<Value, String> {
        match (self, value) {
            (Self::Record(members), value) => record(members, value, arguments),
            (Self::List(step), Value::Array(items)) => {
                items.iter().map(|item| step.run(item, arguments)).collect()
            }
            (Self::Cases(cases), Value::String(case)) => {
                let name = cases
                    .get(case)
                    .ok_or_else(|| format!("{case:?} has no counterpart"))?;
                Ok(json!(name))
            }
            (Self::ReadMoney(form), value) => form.read(value).map_err(|misfit| misfit.to_string()),
            (Self::WriteMoney(form), value) => {
                form.write(value).map_err(|misfit| misfit.to_string())
            }
            (Self::Scale { times, divided_by }, value) => {
                let scaled = value.as_i64().and_then(|number| number.checked_mul(*times));
                let even = scaled.filter(|number| number % divided_by == 0);
                even.map(|number| json!(number / divided_by))
                    .ok_or_else(|| format!("{value} cannot be converted without a rest"))
            }
            // What fits none of these is held against the other version's types, as everything is.
            (_, value) => Ok(value.clone()),
        }
    }
}

fn record(members: &[Member], value: &Value, arguments: &Value) -> Result<Value, String> {
    let mut record = Map::new();
    for member in members {
        let found = match &member.source {
            Source::Field(pointer) => value.pointer(pointer),
            Source::Argument(pointer) => arguments.pointer(pointer),
            Source::Value(value) => Some(value),
        };
        let converted = match found.filter(|found| !found.is_null()) {
            Some(found) => Some(member.step.run(found, arguments)?),
            None => member.default.clone(),
        };
        if let Some(converted) = converted {
            record.insert(member.name.clone(), converted);
        }
    }
    Ok(Value::Object(record))
}
