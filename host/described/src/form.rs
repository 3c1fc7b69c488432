//! Bodies as forms (`application/x-www-form-urlencoded`), in the one spelling that all parsers agree on, which is what hosts let
//! through: what is inside is in brackets, `a[b]=1`, items of a list are counted, `c[0]=2`, and a space is `%20`.

use serde_json::Value;
use thiserror::Error;

use crate::path::percent_encode;

/// The content type of a form.
pub const FORM_TYPE: &str = "application/x-www-form-urlencoded";
/// Fields that a host reads of one form.
const MAX_FIELDS: usize = 256;
/// A name and what is in brackets behind it.
pub(crate) const MAX_SEGMENTS: usize = 6;

/// Something that a form has no words for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{name}: {message}")]
pub struct FormMisfit {
    /// Where in the form.
    pub name: String,
    /// What is wrong, in words.
    pub message: &'static str,
}

/// The form that a tree of values amounts to: the same tree, the same bytes.
pub fn encode_form(body: &Value) -> Result<String, FormMisfit> {
    let Value::Object(object) = body else {
        return Err(misfit("the body", "a form has fields, each with a name"));
    };
    let mut form = Form::default();
    for (name, value) in object {
        form.field(name, name, 1, value)?;
    }
    Ok(form.text)
}

/// Whether a text can be a name in a form, or stand in brackets behind one. Parsers differ on any other; those that begin with
/// `_`, such as `_method`, are some framework's own.
pub fn is_form_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !text.starts_with(['_', '-'])
        && text.bytes().all(is_plain)
        && text.bytes().any(|byte| !byte.is_ascii_digit())
}

#[derive(Default)]
struct Form {
    text: String,
    fields: usize,
}

impl Form {
    /// `own` is the last of the name's segments.
    fn field(
        &mut self,
        name: &str,
        own: &str,
        segments: usize,
        value: &Value,
    ) -> Result<(), FormMisfit> {
        if !is_form_name(own) {
            return Err(misfit(name, "that is no name in a form"));
        }
        self.value(name, segments, value)
    }

    fn value(&mut self, name: &str, segments: usize, value: &Value) -> Result<(), FormMisfit> {
        if segments > MAX_SEGMENTS {
            return Err(misfit(name, "a form is not as deep"));
        }
        match value {
            Value::String(text) => self.write(name, text),
            Value::Number(number) => self.write(name, &number.to_string()),
            Value::Bool(bool) => self.write(name, &bool.to_string()),
            Value::Null => Err(misfit(name, "a form has no null")),
            Value::Array(items) if items.is_empty() => Err(misfit(
                name,
                "a form cannot say that a list is empty; leave it out",
            )),
            Value::Object(fields) if fields.is_empty() => Err(misfit(
                name,
                "a form cannot say that a record is empty; leave it out",
            )),
            Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
                self.value(&format!("{name}[{index}]"), segments + 1, item)
            }),
            Value::Object(fields) => fields.iter().try_for_each(|(own, value)| {
                self.field(&format!("{name}[{own}]"), own, segments + 1, value)
            }),
        }
    }

    fn write(&mut self, name: &str, text: &str) -> Result<(), FormMisfit> {
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            return Err(misfit(name, "a form has 256 fields at most"));
        }
        if !self.text.is_empty() {
            self.text.push('&');
        }
        self.text.push_str(name);
        self.text.push('=');
        percent_encode(&mut self.text, text);
        Ok(())
    }
}

fn misfit(name: &str, message: &'static str) -> FormMisfit {
    FormMisfit {
        name: name.to_owned(),
        message,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::encode_form;

    #[test]
    fn a_tree_is_written_with_brackets_and_escapes() {
        let tree = json!({
            "amount": 4999, "capture": true, "note": "50% off; a+b=c & ü\n",
            "customer": { "name": "Sarah", "address": { "city": "Bern" } },
            "items": [{ "sku": "A" }, { "sku": "B" }], "tags": ["x", "y"],
        });
        let mut fields: Vec<String> = encode_form(&tree)
            .unwrap()
            .split('&')
            .map(str::to_owned)
            .collect();
        fields.sort();
        assert_eq!(
            fields,
            [
                "amount=4999",
                "capture=true",
                "customer[address][city]=Bern",
                "customer[name]=Sarah",
                "items[0][sku]=A",
                "items[1][sku]=B",
                "note=50%25%20off%3B%20a%2Bb%3Dc%20%26%20%C3%BC%0A",
                "tags[0]=x",
                "tags[1]=y",
            ]
        );
        assert_eq!(encode_form(&json!({})).unwrap(), "");
    }

    #[test]
    fn what_a_form_has_no_words_for_is_named() {
        let deep = json!({ "a": { "b": { "c": { "d": { "e": { "f": { "g": 1 } } } } } } });
        let many: Vec<u32> = (0..257).collect();
        for (tree, said) in [
            (json!([1]), "the body: a form has fields"),
            (json!({ "a": null }), "a: a form has no null"),
            (
                json!({ "a": { "b": [] } }),
                "a[b]: a form cannot say that a list is empty",
            ),
            (
                json!({ "a": [{}] }),
                "a[0]: a form cannot say that a record is empty",
            ),
            (json!({ "a.b": 1 }), "a.b: that is no name in a form"),
            (
                json!({ "_method": "x" }),
                "_method: that is no name in a form",
            ),
            (
                json!({ "a": { "0": 1 } }),
                "a[0]: that is no name in a form",
            ),
            (json!({ "": 1 }), ": that is no name in a form"),
            (deep, "a[b][c][d][e][f][g]: a form is not as deep"),
            (
                json!({ "a": many }),
                "a[256]: a form has 256 fields at most",
            ),
        ] {
            let error = encode_form(&tree).unwrap_err().to_string();
            assert!(error.starts_with(said), "{tree}: {error}");
        }
    }
}
