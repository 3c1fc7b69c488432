//! Places in a JSON document: writing at a JSON pointer (RFC 6901).

use serde_json::{Map, Value};

/// Puts a value at a pointer, and makes the objects on the way. A pointer never names an item of a list here. Gives false,
/// and changes nothing that was there, where something else is in the way.
pub fn set(document: &mut Value, pointer: &str, value: Value) -> bool {
    let mut place = document;
    for token in tokens(pointer) {
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(object) = place else {
            return false;
        };
        place = object.entry(token).or_insert(Value::Null);
    }
    merge(place, value)
}

fn merge(place: &mut Value, value: Value) -> bool {
    match (place, value) {
        (Value::Object(there), Value::Object(more)) => more
            .into_iter()
            .all(|(key, value)| merge(there.entry(key).or_insert(Value::Null), value)),
        (place @ Value::Null, value) => {
            *place = value;
            true
        }
        _ => false,
    }
}

/// Whether a text is a JSON pointer: empty, or `/` and what follows.
pub(crate) fn is_pointer(text: &str) -> bool {
    text.is_empty() || text.starts_with('/')
}

fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    let rest = pointer.strip_prefix('/');
    rest.into_iter()
        .flat_map(|rest| rest.split('/'))
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::set;

    #[test]
    fn objects_on_the_way_are_made() {
        let mut body = Value::Null;
        assert!(set(&mut body, "/customer/email", json!("a@b")));
        assert!(set(&mut body, "/customer/id", json!(7)));
        assert!(set(
            &mut body,
            "",
            json!({ "subject": "s", "customer": { "x~/y": 1 } })
        ));
        let expected =
            json!({ "customer": { "email": "a@b", "id": 7, "x~/y": 1 }, "subject": "s" });
        assert_eq!(body, expected);
    }

    #[test]
    fn nothing_that_is_there_is_overwritten() {
        let mut body = json!({ "a": 1 });
        assert!(!set(&mut body, "/a", json!(2)));
        assert!(!set(&mut body, "/a/b", json!(2)));
        assert_eq!(body, json!({ "a": 1 }));
    }
}
