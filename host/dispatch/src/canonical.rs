//! JSON in its one canonical form, which digests and the audit log's hashes are taken of: the members of every object sorted by
//! name, and no white space.

use serde::Serialize;
use serde_json::{Map, Value};

/// Appends a value. It is written as it is read: no tree is made and sorted first.
pub fn write(to: &mut Vec<u8>, value: &Value) -> serde_json::Result<()> {
    match value {
        Value::Object(members) => write_object(to, members),
        Value::Array(items) => write_array(to, items),
        plain => write_plain(to, plain),
    }
}

/// Appends what has no members to sort: a text, a number, a plain enum, or nothing.
pub fn write_plain(to: &mut Vec<u8>, value: &impl Serialize) -> serde_json::Result<()> {
    serde_json::to_writer(to, value)
}

/// Appends an object.
pub fn write_object(to: &mut Vec<u8>, members: &Map<String, Value>) -> serde_json::Result<()> {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    to.push(b'{');
    for (place, (name, value)) in members.into_iter().enumerate() {
        if place > 0 {
            to.push(b',');
        }
        write_plain(to, name)?;
        to.push(b':');
        write(to, value)?;
    }
    to.push(b'}');
    Ok(())
}

fn write_array(to: &mut Vec<u8>, items: &[Value]) -> serde_json::Result<()> {
    to.push(b'[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            to.push(b',');
        }
        write(to, item)?;
    }
    to.push(b']');
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        let plain = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        plain.prop_recursive(4, 48, 6, |inner| {
            let named = prop::collection::vec((any::<String>(), inner.clone()), 0..6);
            prop_oneof![
                prop::collection::vec(inner, 0..6).prop_map(Value::from),
                named.prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_the_text_of_the_sorted_tree(value in values()) {
            let mut text = vec![];
            write(&mut text, &value).unwrap();
            let mut sorted = value;
            sorted.sort_all_objects();
            prop_assert_eq!(String::from_utf8(text).unwrap(), sorted.to_string());
        }
    }
}
