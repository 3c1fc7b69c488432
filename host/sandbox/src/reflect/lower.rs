//! From JSON to component values, with every misfit named by its field.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dispatch::Violation;
use policy::{Money, MoneyError};
use serde_json::{Map, Value};
use wasmtime::component::Val;

use super::pointer::Pointer;
use super::schema::Side;
use super::shape::{Case, Field, IntKind, Kind, Label, Shape, TextRule};
use super::text::misfit;
use super::words::{article, found, json_names, not_one_of, one_of, unknown_field};

/// How many misfits one answer names; whoever sent more has a different problem.
const MAX_VIOLATIONS: usize = 20;

/// Collects misfits while values are converted.
pub(super) struct Lowering {
    pub(super) violations: Vec<Violation>,
    side: Side,
}

impl Lowering {
    /// Converts what a tool takes, or gives.
    pub(super) fn of(side: Side) -> Self {
        Self {
            violations: Vec::new(),
            side,
        }
    }

    /// Converts one value; none if it does not fit, and then the reason is among the violations.
    pub(super) fn value(&mut self, shape: &Shape, value: &Value, at: Pointer<'_>) -> Option<Val> {
        match &shape.kind {
            Kind::Bool => {
                self.primitive(value.as_bool().map(Val::Bool), "true or false", value, at)
            }
            Kind::Int(int) => self.int(*int, value, at),
            Kind::F32 => self.float32(value, at),
            Kind::F64 => self.primitive(value.as_f64().map(Val::Float64), "a number", value, at),
            Kind::Char => self.primitive(
                single_char(value).map(Val::Char),
                "one character",
                value,
                at,
            ),
            Kind::Text(rule) => {
                let text = self.text(value, "a string", at)?;
                // How long plain text may be is a rule for arguments; an output is limited as a whole.
                let is_free = self.side == Side::Output && *rule == TextRule::Plain;
                match misfit(*rule, text).filter(|_| !is_free) {
                    Some(message) => self.refuse(at, message),
                    None => Some(Val::String(text.to_owned())),
                }
            }
            Kind::Bytes => self.bytes(value, at),
            Kind::Money => self.money(value, at),
            Kind::List(item) => self.list(item, value, at),
            Kind::Tuple(items) => self.tuple(items, value, at),
            Kind::Record(fields) => {
                let object = self.object(value, at)?;
                self.record(fields, object, at)
            }
            Kind::Variant(cases) => self.variant(cases, value, at),
            Kind::Enum(labels) => self.enumeration(labels, value, at),
            Kind::Flags(labels) => self.flags(labels, value, at),
            Kind::Option(some) => self.option(some, value, at),
            Kind::Result { ok, error } => self.result(ok.as_deref(), error.as_deref(), value, at),
        }
    }

    /// Converts the fields of an object; fields that are options may be absent or null, others may not be there.
    pub(super) fn record(
        &mut self,
        fields: &[Field],
        object: &Map<String, Value>,
        at: Pointer<'_>,
    ) -> Option<Val> {
        for name in object.keys() {
            if !fields.iter().any(|field| field.name.json == *name) {
                let known = fields.iter().map(|field| field.name.json.as_str());
                self.note(at.field(name), unknown_field(known));
            }
        }
        // Every field is looked at, so that one answer names all misfits.
        let values: Vec<Option<(String, Val)>> = fields
            .iter()
            .map(|field| {
                let value = self.member(field, object, at)?;
                Some((field.name.wit.clone(), value))
            })
            .collect();
        values
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .map(Val::Record)
    }

    /// Converts one field of an object.
    pub(super) fn member(
        &mut self,
        field: &Field,
        object: &Map<String, Value>,
        at: Pointer<'_>,
    ) -> Option<Val> {
        let at = at.field(&field.name.json);
        match object.get(&field.name.json) {
            Some(value) => self.value(&field.shape, value, at),
            None if field.shape.is_option() => Some(Val::Option(None)),
            None => self.refuse(
                at,
                format!("expected {}, found nothing", article(&field.shape)),
            ),
        }
    }

    /// Names a misfit.
    pub(super) fn note(&mut self, at: Pointer<'_>, message: String) {
        if self.violations.len() < MAX_VIOLATIONS {
            self.violations.push(Violation {
                field: at.to_string(),
                message,
            });
        }
    }

    fn refuse<T>(&mut self, at: Pointer<'_>, message: String) -> Option<T> {
        self.note(at, message);
        None
    }

    fn primitive(
        &mut self,
        converted: Option<Val>,
        expected: &str,
        value: &Value,
        at: Pointer<'_>,
    ) -> Option<Val> {
        converted
            .or_else(|| self.refuse(at, format!("expected {expected}, found {}", found(value))))
    }

    fn text<'v>(&mut self, value: &'v Value, expected: &str, at: Pointer<'_>) -> Option<&'v str> {
        value
            .as_str()
            .or_else(|| self.refuse(at, format!("expected {expected}, found {}", found(value))))
    }

    fn object<'v>(&mut self, value: &'v Value, at: Pointer<'_>) -> Option<&'v Map<String, Value>> {
        value
            .as_object()
            .or_else(|| self.refuse(at, format!("expected an object, found {}", found(value))))
    }

    fn array<'v>(&mut self, value: &'v Value, at: Pointer<'_>) -> Option<&'v Vec<Value>> {
        value
            .as_array()
            .or_else(|| self.refuse(at, format!("expected a list, found {}", found(value))))
    }

    fn int(&mut self, int: IntKind, value: &Value, at: Pointer<'_>) -> Option<Val> {
        let (least, most) = int.bounds();
        let converted = whole(value)
            .filter(|number| (least..=most).contains(number))
            .and_then(|number| int_val(int, number));
        let expected = format!("a whole number from {least} to {most}");
        self.primitive(converted, &expected, value, at)
    }

    fn float32(&mut self, value: &Value, at: Pointer<'_>) -> Option<Val> {
        // Rounding to the nearest is what a 32-bit parameter asks for; only overflow is a misfit.
        #[allow(clippy::cast_possible_truncation)]
        let narrowed = value.as_f64().map(|number| number as f32);
        let finite = narrowed.filter(|number| number.is_finite());
        self.primitive(finite.map(Val::Float32), "a 32-bit number", value, at)
    }

    fn bytes(&mut self, value: &Value, at: Pointer<'_>) -> Option<Val> {
        let decoded = value.as_str().and_then(|text| STANDARD.decode(text).ok());
        let list = decoded.map(|bytes| Val::List(bytes.into_iter().map(Val::U8).collect()));
        self.primitive(list, "a base64 string", value, at)
    }

    fn money(&mut self, value: &Value, at: Pointer<'_>) -> Option<Val> {
        match Money::parse(value) {
            Ok(money) => Some(Val::Record(vec![
                ("minor-units".to_owned(), Val::S64(money.minor)),
                ("currency".to_owned(), Val::String(money.currency)),
            ])),
            Err(wrong) => {
                let part = match wrong {
                    MoneyError::Shape => return self.money_shape(&wrong, value, at),
                    MoneyError::Amount { .. } | MoneyError::Overflow => "amount",
                    MoneyError::Currency => "currency",
                };
                let given = value.get(part).unwrap_or(value);
                self.refuse(at.field(part), format!("{wrong}, found {}", found(given)))
            }
        }
    }

    /// Names the part that is no string, where that is what is wrong; most often somebody gave the amount as a number.
    fn money_shape(&mut self, wrong: &MoneyError, value: &Value, at: Pointer<'_>) -> Option<Val> {
        for (part, example) in [("amount", "49.99"), ("currency", "USD")] {
            if let Some(given) = value.get(part).filter(|given| !given.is_string()) {
                let message = format!(
                    "expected a string such as \"{example}\", found {}",
                    found(given)
                );
                return self.refuse(at.field(part), message);
            }
        }
        self.refuse(at, format!("{wrong}, found {}", found(value)))
    }

    fn list(&mut self, item: &Shape, value: &Value, at: Pointer<'_>) -> Option<Val> {
        let items: Vec<Option<Val>> = (self.array(value, at)?.iter().enumerate())
            .map(|(index, value)| self.value(item, value, at.item(index)))
            .collect();
        items.into_iter().collect::<Option<Vec<_>>>().map(Val::List)
    }

    fn tuple(&mut self, shapes: &[Shape], value: &Value, at: Pointer<'_>) -> Option<Val> {
        let array = self.array(value, at)?;
        if array.len() != shapes.len() {
            let message = format!("expected {} items, found {}", shapes.len(), array.len());
            return self.refuse(at, message);
        }
        let items: Vec<Option<Val>> = (shapes.iter().zip(array).enumerate())
            .map(|(index, (shape, value))| self.value(shape, value, at.item(index)))
            .collect();
        items
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .map(Val::Tuple)
    }

    fn variant(&mut self, cases: &[Case], value: &Value, at: Pointer<'_>) -> Option<Val> {
        let (name, payload) = match value {
            Value::String(name) => (name, None),
            Value::Object(object) if object.len() == 1 => {
                let (name, payload) = object.iter().next()?;
                (name, Some(payload))
            }
            other => {
                let expected = "a case's name, or an object with a case's name as its only key";
                return self.primitive(None, expected, other, at);
            }
        };
        let known = cases.iter().find(|case| case.label.name.json == *name);
        match (known, payload) {
            (None, _) => {
                let names = cases.iter().map(|case| case.label.name.json.as_str());
                self.refuse(at, not_one_of(names, name))
            }
            (Some(case), given) => match (&case.payload, given) {
                (Some(shape), Some(given)) => {
                    let payload = self.value(shape, given, at.field(name))?;
                    Some(variant_val(case, Some(payload)))
                }
                (None, None) => Some(variant_val(case, None)),
                (Some(_), None) => self.refuse(
                    at,
                    format!("expected {{\"{name}\": …}}, found the name alone"),
                ),
                (None, Some(_)) => {
                    self.refuse(at, format!("expected \"{name}\" alone, found an object"))
                }
            },
        }
    }

    fn enumeration(&mut self, labels: &[Label], value: &Value, at: Pointer<'_>) -> Option<Val> {
        let text = self.text(value, &one_of(json_names(labels)), at)?;
        match labels.iter().find(|label| label.name.json == text) {
            Some(label) => Some(Val::Enum(label.name.wit.clone())),
            None => self.refuse(at, not_one_of(json_names(labels), text)),
        }
    }

    fn flags(&mut self, labels: &[Label], value: &Value, at: Pointer<'_>) -> Option<Val> {
        let array = self.array(value, at)?;
        let mut set: Vec<String> = Vec::new();
        let mut fits = true;
        for (index, value) in array.iter().enumerate() {
            match self.enumeration(labels, value, at.item(index)) {
                Some(Val::Enum(name)) if set.contains(&name) => {
                    self.note(
                        at.item(index),
                        "expected each flag once, found it twice".to_owned(),
                    );
                    fits = false;
                }
                Some(Val::Enum(name)) => set.push(name),
                _ => fits = false,
            }
        }
        fits.then_some(Val::Flags(set))
    }

    fn option(&mut self, some: &Shape, value: &Value, at: Pointer<'_>) -> Option<Val> {
        if value.is_null() {
            return Some(Val::Option(None));
        }
        let inner = if some.is_option() {
            let object = value.as_object().filter(|object| object.len() == 1);
            if let Some(inner) = object.and_then(|object| object.get("some")) {
                self.value(some, inner, at.field("some"))
            } else {
                self.primitive(None, "null or {\"some\": …}", value, at)
            }
        } else {
            self.value(some, value, at)
        };
        inner.map(|value| Val::Option(Some(Box::new(value))))
    }

    fn result(
        &mut self,
        ok: Option<&Shape>,
        error: Option<&Shape>,
        value: &Value,
        at: Pointer<'_>,
    ) -> Option<Val> {
        let object = self.object(value, at)?;
        let only = if object.len() == 1 {
            object.iter().next()
        } else {
            None
        };
        match only.map(|(key, payload)| (key.as_str(), payload)) {
            Some(("ok", payload)) => {
                let payload = self.payload(ok, payload, at.field("ok"))?;
                Some(Val::Result(Ok(payload)))
            }
            Some(("error", payload)) => {
                let payload = self.payload(error, payload, at.field("error"))?;
                Some(Val::Result(Err(payload)))
            }
            _ => self.refuse(at, "expected {\"ok\": …} or {\"error\": …}".to_owned()),
        }
    }

    /// The payload of a result's side; a side without one takes null.
    #[allow(clippy::option_option)]
    fn payload(
        &mut self,
        shape: Option<&Shape>,
        value: &Value,
        at: Pointer<'_>,
    ) -> Option<Option<Box<Val>>> {
        match shape {
            Some(shape) => self
                .value(shape, value, at)
                .map(|value| Some(Box::new(value))),
            None if value.is_null() => Some(None),
            None => self.refuse(at, format!("expected null, found {}", found(value))),
        }
    }
}

/// A whole number; `5.0` is one in JSON.
fn whole(value: &Value) -> Option<i128> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Some(number) = value.as_i64() {
        return Some(number.into());
    }
    if let Some(number) = value.as_u64() {
        return Some(number.into());
    }
    let float = value.as_f64()?;
    // Beyond 2^53 a float no longer says which whole number was meant.
    #[allow(clippy::cast_possible_truncation)]
    (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i128)
}

fn int_val(int: IntKind, number: i128) -> Option<Val> {
    Some(match int {
        IntKind::S8 => Val::S8(number.try_into().ok()?),
        IntKind::U8 => Val::U8(number.try_into().ok()?),
        IntKind::S16 => Val::S16(number.try_into().ok()?),
        IntKind::U16 => Val::U16(number.try_into().ok()?),
        IntKind::S32 => Val::S32(number.try_into().ok()?),
        IntKind::U32 => Val::U32(number.try_into().ok()?),
        IntKind::S64 => Val::S64(number.try_into().ok()?),
        IntKind::U64 => Val::U64(number.try_into().ok()?),
    })
}

fn single_char(value: &Value) -> Option<char> {
    let mut chars = value.as_str()?.chars();
    chars.next().filter(|_| chars.next().is_none())
}

fn variant_val(case: &Case, payload: Option<Val>) -> Val {
    Val::Variant(case.label.name.wit.clone(), payload.map(Box::new))
}
