//! Whether every value of one JSON Schema is also one of another, for the schemas that reflection makes.

use serde_json::Value;

/// Whether a field that is not known is refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Openness {
    /// It is refused: arguments.
    Closed,
    /// Readers pass over it: results.
    Open,
}

/// Keywords of which the smaller value is the narrower one.
const AT_MOST: [&str; 3] = ["maximum", "maxLength", "maxItems"];
/// Keywords of which the larger value is the narrower one.
const AT_LEAST: [&str; 3] = ["minimum", "minLength", "minItems"];
/// Keywords that narrow by being there, and by nothing else that could be compared.
const EXACT: [&str; 4] = ["pattern", "format", "contentEncoding", "uniqueItems"];

/// Where values of `narrow` are not values of `wide`: the place, as a JSON pointer, and why. Empty where all are.
pub(super) fn accepts(wide: &Value, narrow: &Value, openness: Openness) -> Vec<String> {
    let mut found = Vec::new();
    Held { openness }.hold(wide, narrow, "", &mut found);
    found
}

struct Held {
    openness: Openness,
}

impl Held {
    fn hold(&self, wide: &Value, narrow: &Value, at: &str, found: &mut Vec<String>) {
        if let Some(cases) = cases(narrow) {
            for case in cases {
                self.hold(wide, case, at, found);
            }
            return;
        }
        if let Some(cases) = cases(wide) {
            let fits = |case: &Value| {
                let mut misfits = Vec::new();
                self.hold(case, narrow, at, &mut misfits);
                misfits.is_empty()
            };
            if !cases.iter().any(fits) {
                found.push(said(at, &format!("{} does not fit any more", kind(narrow))));
            }
            return;
        }
        if let Some(only) = wide.get("const") {
            if narrow.get("const") != Some(only) {
                found.push(said(at, &format!("is {only} alone, and was more")));
            }
            return;
        }
        let (here, there) = (wide.get("type"), narrow_type(narrow));
        if here.is_some() && here != there.as_ref() {
            let was = there.map_or_else(|| "anything".to_owned(), |kind| kind.to_string());
            let is = here.map_or_else(|| "anything".to_owned(), ToString::to_string);
            found.push(said(at, &format!("is {is}, and was {was}")));
            return;
        }
        bounds(wide, narrow, at, found);
        words(wide, narrow, at, found);
        self.fields(wide, narrow, at, found);
        self.items(wide, narrow, at, found);
    }

    fn fields(&self, wide: &Value, narrow: &Value, at: &str, found: &mut Vec<String>) {
        let none = serde_json::Map::new();
        let known =
            |schema: &'_ Value| schema.get("properties").and_then(Value::as_object).cloned();
        let (here, there) = (
            known(wide).unwrap_or_else(|| none.clone()),
            known(narrow).unwrap_or(none),
        );
        for name in required(wide) {
            if !required(narrow).contains(&name) {
                let place = format!("{at}/{name}");
                found.push(said(&place, "is always there on one side only"));
            }
        }
        for (name, narrower) in &there {
            let place = format!("{at}/{name}");
            match here.get(name) {
                Some(wider) => self.hold(wider, narrower, &place, found),
                None if self.openness == Openness::Closed && is_closed(wide) => {
                    found.push(said(&place, "is not known any more"));
                }
                None => {}
            }
        }
    }

    fn items(&self, wide: &Value, narrow: &Value, at: &str, found: &mut Vec<String>) {
        let place = format!("{at}/*");
        if let (Some(wider), Some(narrower)) = (wide.get("items"), narrow.get("items"))
            && wider.is_object()
            && narrower.is_object()
        {
            self.hold(wider, narrower, &place, found);
        }
        let parts = |schema: &Value| schema.get("prefixItems").and_then(Value::as_array).cloned();
        if let (Some(wider), Some(narrower)) = (parts(wide), parts(narrow)) {
            for (index, (wider, narrower)) in wider.iter().zip(&narrower).enumerate() {
                self.hold(wider, narrower, &format!("{at}/{index}"), found);
            }
        }
    }
}

/// The alternatives of a schema that has any.
fn cases(schema: &Value) -> Option<&Vec<Value>> {
    let cases = schema.get("oneOf").or_else(|| schema.get("anyOf"));
    cases.and_then(Value::as_array)
}

/// A constant has the type of its value.
fn narrow_type(schema: &Value) -> Option<Value> {
    let said = schema.get("type").cloned();
    said.or_else(|| schema.get("const")?.is_string().then(|| "string".into()))
}

fn bounds(wide: &Value, narrow: &Value, at: &str, found: &mut Vec<String>) {
    let number = |schema: &Value, key: &str| schema.get(key).and_then(Value::as_f64);
    for key in AT_MOST {
        let Some(most) = number(wide, key) else {
            continue;
        };
        if number(narrow, key).is_none_or(|was| was > most) {
            found.push(said(
                at,
                &format!("has a {key} of {most}, and had a larger one"),
            ));
        }
    }
    for key in AT_LEAST {
        let Some(least) = number(wide, key) else {
            continue;
        };
        if number(narrow, key).unwrap_or(0.0) < least {
            found.push(said(
                at,
                &format!("has a {key} of {least}, and had a smaller one"),
            ));
        }
    }
    for key in EXACT {
        let Some(rule) = wide.get(key) else { continue };
        if narrow.get(key) != Some(rule) {
            found.push(said(at, &format!("has a {key} of {rule}, and had another")));
        }
    }
}

/// The words that a text may be.
fn words(wide: &Value, narrow: &Value, at: &str, found: &mut Vec<String>) {
    let Some(allowed) = wide.get("enum").and_then(Value::as_array) else {
        return;
    };
    let single = narrow.get("const").cloned().map(|word| vec![word]);
    let listed = narrow.get("enum").and_then(Value::as_array).cloned();
    match listed.or(single) {
        Some(words) => {
            for word in words.iter().filter(|word| !allowed.contains(word)) {
                found.push(said(at, &format!("{word} does not fit any more")));
            }
        }
        None => found.push(said(at, "is one of a few words, and was any text")),
    }
}

fn required(schema: &Value) -> Vec<&str> {
    let listed = schema.get("required").and_then(Value::as_array);
    listed
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn is_closed(schema: &Value) -> bool {
    schema.get("additionalProperties") == Some(&Value::Bool(false))
}

fn kind(schema: &Value) -> String {
    let named = schema.get("type").or_else(|| schema.get("const"));
    named.map_or_else(|| "what it was".to_owned(), ToString::to_string)
}

fn said(at: &str, what: &str) -> String {
    let place = if at.is_empty() { "/" } else { at };
    format!("{place} {what}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(properties: &Value, required: &[&str]) -> Value {
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
    }

    /// What is wrong with `wide` for everybody who keeps to `narrow`.
    fn check(wide: &Value, narrow: &Value, openness: Openness, expected: &[&str]) {
        assert_eq!(
            accepts(wide, narrow, openness),
            expected,
            "{wide} ⊇ {narrow}"
        );
    }

    #[test]
    fn whatever_stays_or_widens_is_compatible() {
        let text = json!({ "type": "string", "maxLength": 10 });
        let longer = json!({ "type": "string", "maxLength": 20 });
        let one = object(&json!({ "id": text }), &["id"]);
        let optional = object(&json!({ "id": longer, "note": text }), &[]);
        for (wide, narrow) in [
            (&text, &text),
            (&longer, &text),
            (&one, &one),
            (&optional, &one),
            (
                &json!({ "type": "string", "enum": ["a", "b"] }),
                &json!({ "type": "string", "enum": ["a"] }),
            ),
            (
                &json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "null" }] }),
                &json!({ "type": "integer", "minimum": 0 }),
            ),
            (
                &json!({ "oneOf": [{ "const": "a" }, { "const": "b" }] }),
                &json!({ "oneOf": [{ "const": "b" }] }),
            ),
        ] {
            check(wide, narrow, Openness::Closed, &[]);
        }
    }

    #[test]
    fn whatever_narrows_is_named_with_its_place() {
        let text = json!({ "type": "string", "maxLength": 10 });
        for (wide, narrow, expected) in [
            (
                json!({ "type": "integer" }),
                text.clone(),
                "/ is \"integer\", and was \"string\"",
            ),
            (
                text.clone(),
                json!({ "type": "string" }),
                "/ has a maxLength of 10, and had a larger one",
            ),
            (
                object(&json!({ "id": text }), &["id"]),
                object(&json!({ "id": text }), &[]),
                "/id is always there on one side only",
            ),
            (
                object(&json!({}), &[]),
                object(&json!({ "id": text }), &[]),
                "/id is not known any more",
            ),
            (
                json!({ "type": "array", "items": { "type": "string", "enum": ["a"] } }),
                json!({ "type": "array", "items": { "type": "string", "enum": ["a", "b"] } }),
                "/* \"b\" does not fit any more",
            ),
            (
                json!({ "type": "string", "pattern": "^a$" }),
                json!({ "type": "string" }),
                "/ has a pattern of \"^a$\", and had another",
            ),
            (
                json!({ "oneOf": [{ "const": "a" }] }),
                json!({ "oneOf": [{ "const": "a" }, { "const": "b" }] }),
                "/ \"b\" does not fit any more",
            ),
            (
                json!({ "type": "integer", "minimum": 1 }),
                json!({ "type": "integer", "minimum": 0 }),
                "/ has a minimum of 1, and had a smaller one",
            ),
        ] {
            check(&wide, &narrow, Openness::Closed, &[expected]);
        }
    }

    #[test]
    fn readers_pass_over_a_further_field() {
        let text = json!({ "type": "string" });
        let less = object(&json!({ "id": text }), &["id"]);
        let more = object(&json!({ "id": text, "note": text }), &["id", "note"]);
        check(&less, &more, Openness::Open, &[]);
        check(
            &more,
            &less,
            Openness::Open,
            &["/note is always there on one side only"],
        );
    }
}
