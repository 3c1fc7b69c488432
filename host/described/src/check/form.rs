//! Tools whose bodies are forms: everything in them has a name that all parsers of forms take apart in the same way.

use std::collections::BTreeSet;

use super::Check;
use crate::form::MAX_SEGMENTS;
use crate::{Encoding, Kind, MoneyForm, Parameter, Place, Tool, encode_form, is_form_name, set};

const NAMES: &str = "in a form a name is ASCII letters, digits, `_` and `-`, begins with neither of the latter, is no number, and has at most five others inside of it";

impl Check<'_> {
    pub(super) fn form(&mut self, at: &str, tool: &Tool) {
        if tool.body != Encoding::Form {
            return;
        }
        let mut taken = BTreeSet::new();
        let bodies = tool.parameters.iter();
        for (name, parameter) in bodies.filter(|(_, parameter)| parameter.place == Place::Body) {
            let at = format!("{at}.parameters.{name}");
            let pointer = parameter.body_pointer(name);
            let is_other = pointer.is_empty() || taken.insert(pointer.to_lowercase());
            self.unless(
                is_other,
                &at,
                "in a form another is written like it, letters aside",
            );
            self.form_parameter(&at, &pointer, parameter);
        }
        let constants = tool.constants.iter();
        for constant in constants.filter(|constant| constant.place == Place::Body) {
            let mut tree = serde_json::Value::Null;
            let fits = set(&mut tree, &constant.at, constant.value.clone());
            if let Err(misfit) = encode_form(&tree)
                && fits
            {
                self.note(&format!("{at}.constants"), misfit.to_string());
            }
        }
    }

    fn form_parameter(&mut self, at: &str, pointer: &str, parameter: &Parameter) {
        let Some(depth) = depth_of(pointer, 0) else {
            return self.note(at, NAMES);
        };
        match (&parameter.kind, &parameter.join) {
            (Kind::List(_), Some(_)) => self.unless(depth > 0, at, NAMES),
            (kind, _) => self.form_value(at, kind, parameter.money.as_ref(), depth),
        }
    }

    /// `depth` is how many names there are on the way.
    fn form_value(&mut self, at: &str, kind: &Kind, money: Option<&MoneyForm>, depth: usize) {
        let record = match kind {
            Kind::Named(name) => self.api.types.get(name),
            _ => None,
        };
        let fields = record.filter(|def| def.cases.is_empty());
        match (kind, fields) {
            (Kind::Money, _) => {
                let form = money.cloned().unwrap_or_default();
                let mut ways = form.pointers().map(|pointer| depth_of(pointer, depth));
                let fits = ways.all(|depth| depth.is_some_and(|depth| depth > 0));
                self.unless(fits, at, NAMES);
            }
            (Kind::List(item), _) => {
                self.unless(depth > 0, at, "a form is no list; give it a name by `at`");
                if depth < MAX_SEGMENTS {
                    self.form_value(at, item, money, depth + 1);
                } else {
                    self.note(at, NAMES);
                }
            }
            (_, Some(def)) => {
                for (name, field) in def.fields.iter() {
                    let at = format!("{at}, its field {name}");
                    match depth_of(&field.pointer(name), depth) {
                        Some(below) if below > depth => {
                            self.form_value(&at, &field.kind, field.money.as_ref(), below);
                        }
                        _ => self.note(&at, NAMES),
                    }
                }
            }
            _ => self.unless(depth > 0, at, "a form has fields; give it a name by `at`"),
        }
    }
}

/// How many names there are on the way to where a pointer leads from here; none where one of them is no name in a form, or where
/// they are too many.
fn depth_of(pointer: &str, depth: usize) -> Option<usize> {
    let names = pointer.split('/').skip(1);
    let (mut depth, mut fits) = (depth, true);
    for name in names {
        depth += 1;
        fits = fits && is_form_name(name);
    }
    (fits && depth <= MAX_SEGMENTS).then_some(depth)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::Api;

    /// The faults of a description with one tool that sends these parameters and constants as a form.
    fn faults(parameters: &Value, constants: &Value) -> Vec<String> {
        let api = json!({
            "name": "shop",
            "type": {
                "colour": { "cases": { "red": "R" } },
                "line": { "fields": { "sku": { "type": "string" }, "text": { "type": "string", "at": "/more/text" } } },
                "dotted": { "fields": { "sku": { "type": "string", "at": "/a.b" } } },
                "deep": { "fields": { "lines": { "type": "list<line>", "at": "/b/c/d" } } },
            },
            "tool": { "send": {
                "docs": "Sends it.", "method": "POST", "path": "/", "body": "form",
                "parameters": parameters, "constants": constants,
            } },
        });
        let api: Api = serde_json::from_value(api).unwrap();
        let faults = api.check().err().unwrap_or_default();
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everything_in_a_form_has_a_name_that_all_parsers_agree_on() {
        let fits = json!({
            "text": { "type": "string", "in": "body" },
            "colours": { "type": "list<colour>", "in": "body", "join": "," },
            "lines": { "type": "list<line>", "in": "body", "at": "/order/lines" },
            "price": { "type": "money", "in": "body", "at": "", "money": { "minor_units": "/amount", "currency": "USD" } },
            "whole": { "type": "line", "in": "body", "at": "" },
        });
        let constants = json!([{ "in": "body", "at": "/source/name", "value": "us" }, { "in": "body", "at": "/n", "value": 1 }]);
        assert_eq!(faults(&fits, &constants), [""; 0]);
        for (parameter, said) in [
            (
                json!({ "type": "string", "at": "/a.b" }),
                "in a form a name is",
            ),
            (
                json!({ "type": "string", "at": "/_method" }),
                "in a form a name is",
            ),
            (
                json!({ "type": "string", "at": "/a/0" }),
                "in a form a name is",
            ),
            (
                json!({ "type": "string", "at": "/a/b/c/d/e/f/g" }),
                "in a form a name is",
            ),
            (json!({ "type": "string", "at": "" }), "a form has fields"),
            (
                json!({ "type": "list<string>", "at": "" }),
                "a form is no list",
            ),
            (
                json!({ "type": "list<string>", "at": "", "join": "," }),
                "in a form a name is",
            ),
            (
                json!({ "type": "list<line>", "join": "," }),
                "`join` is for lists of single texts",
            ),
            (json!({ "type": "dotted" }), "in a form a name is"),
            (json!({ "type": "list<deep>" }), "in a form a name is"),
            (
                json!({ "type": "money", "money": { "decimal": "/a.b", "currency": "USD" } }),
                "in a form a name is",
            ),
            (
                json!({ "type": "money", "at": "", "money": { "decimal": "", "currency": "USD" } }),
                "in a form a name is",
            ),
        ] {
            let mut parameters = json!({ "it": parameter });
            parameters["it"]["in"] = json!("body");
            let faults = faults(&parameters, &json!([]));
            assert!(faults[0].contains(said), "{parameters}: {faults:?}");
        }
        for value in [json!(null), json!([]), json!({ "a.b": 1 })] {
            let constants = json!([{ "in": "body", "at": "/x", "value": value }]);
            let faults = faults(&json!({}), &constants);
            assert!(
                faults[0].starts_with("tool.send.constants: x"),
                "{faults:?}"
            );
        }
        let letters = json!({ "a": { "type": "string", "in": "body" }, "b": { "type": "string", "in": "body", "at": "/A" } });
        assert!(faults(&letters, &json!([]))[0].contains("another is written like it"));
    }
}
