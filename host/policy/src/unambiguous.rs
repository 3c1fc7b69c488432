//! JSON that every parser reads alike: no object holds a name twice, not even in other letters.

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The value that a text stands for; none where it is not JSON, or where two parsers could read it differently: of a name
/// that comes twice some take the first value and some the last, and some take `Amount` for `amount`.
pub(crate) fn parse(text: &[u8]) -> Option<Value> {
    serde_json::from_slice::<Unambiguous>(text)
        .ok()
        .map(|value| value.0)
}

/// Whether there is anything but null at a pointer, in whichever letters the names on the way are written.
pub(crate) fn says_at(value: &Value, pointer: &str) -> bool {
    let mut place = value;
    for segment in pointer.split('/').skip(1) {
        let name = folded(&segment.replace("~1", "/").replace("~0", "~"));
        let found = match place {
            Value::Object(object) => {
                let mut fields = object.iter();
                let found = fields.find(|(key, _)| folded(key) == name);
                found.map(|(_, inner)| inner)
            }
            Value::Array(items) => name.parse().ok().and_then(|index: usize| items.get(index)),
            _ => None,
        };
        let Some(inner) = found else {
            return false;
        };
        place = inner;
    }
    !place.is_null()
}

struct Unambiguous(Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("JSON whose names are unique")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("no number"))?;
        Ok(number.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = vec![];
        while let Some(Unambiguous(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let (mut object, mut seen) = (Map::new(), HashSet::new());
        while let Some((name, Unambiguous(value))) = fields.next_entry::<String, Unambiguous>()? {
            if !seen.insert(folded(&name)) {
                return Err(de::Error::custom("a name that comes twice"));
            }
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

/// One spelling for names that differ in letters alone; `ſ` and the Kelvin sign count as the letters that they look like.
pub(crate) fn folded(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}
