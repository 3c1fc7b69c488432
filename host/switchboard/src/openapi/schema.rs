//! Schemas as types.

use described::{Field, Kind, Named, TypeDef};
use serde_json::Value;

use super::document::{Document, reference};
use super::names::{self, Names};
use super::notes::Notes;

/// How deep schemas may nest.
const MAX_DEPTH: usize = 12;
/// How many schemas one operation may have once references are followed: sharing could make them explode.
const MAX_NODES: usize = 5_000;

/// Whether values of a type are sent or received: some fields are there in one direction only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

/// A schema's type, and what else it says.
pub(super) struct Shape {
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    pub(super) docs: Option<String>,
}

/// Makes types of the schemas of one operation.
pub(super) struct Schemas<'a, 'b> {
    pub(super) document: &'b Document<'a>,
    pub(super) types: &'b mut Named<TypeDef>,
    pub(super) names: &'b mut Names,
    /// What is left out of types, with reasons.
    pub(super) notes: &'b mut Notes,
    pub(super) way: Way,
    /// The references that are being followed.
    open: Vec<&'a str>,
    nodes: usize,
}

impl<'a, 'b> Schemas<'a, 'b> {
    pub(super) fn new(
        document: &'b Document<'a>,
        types: &'b mut Named<TypeDef>,
        names: &'b mut Names,
        notes: &'b mut Notes,
        way: Way,
    ) -> Self {
        Self {
            document,
            types,
            names,
            notes,
            way,
            open: Vec::new(),
            nodes: 0,
        }
    }

    /// The type of a schema. `hint` names it where it needs a name and has none.
    pub(super) fn shape(&mut self, schema: &'a Value, hint: &str) -> Result<Shape, String> {
        self.nodes += 1;
        if self.open.len() > MAX_DEPTH || self.nodes > MAX_NODES {
            return Err("its types are too deep or too many".to_owned());
        }
        let Some(target) = reference(schema) else {
            return self.plain(schema, hint);
        };
        if self.open.contains(&target) {
            return Err(format!("{} contains itself", last(target)));
        }
        self.open.push(target);
        let resolved = self.document.resolved(schema);
        let shape = resolved.and_then(|schema| self.plain(schema, last(target)));
        self.open.pop();
        shape
    }

    fn plain(&mut self, schema: &'a Value, hint: &str) -> Result<Shape, String> {
        let (schema, or_null) = without_null(schema)?;
        if reference(schema).is_some() {
            let shape = self.shape(schema, hint)?;
            return Ok(Shape {
                nullable: true,
                ..shape
            });
        }
        let (name, null_type) = type_name(schema);
        let cases = schema.get("enum").and_then(Value::as_array);
        let null_case = cases.is_some_and(|cases| cases.contains(&Value::Null));
        let null_said = schema.get("nullable") == Some(&Value::Bool(true));
        let nullable = or_null || null_type || null_case || null_said;
        let docs = schema
            .get("description")
            .and_then(Value::as_str)
            .and_then(names::docs);
        let kind = if schema.get("allOf").is_some()
            || name == Some("object")
            || (name.is_none() && schema.get("properties").is_some())
        {
            self.object(schema, hint)?
        } else {
            self.scalar(schema, name, hint)?
        };
        Ok(Shape {
            kind,
            nullable,
            docs,
        })
    }

    fn scalar(
        &mut self,
        schema: &'a Value,
        name: Option<&str>,
        hint: &str,
    ) -> Result<Kind, String> {
        let format = schema.get("format").and_then(Value::as_str);
        let cases = schema.get("enum").and_then(Value::as_array);
        let single = schema.get("const").map(std::slice::from_ref);
        Ok(match (name, format) {
            (Some("array"), _) => {
                let items = schema.get("items").ok_or("a list does not say of what")?;
                let item = self.shape(items, &format!("{hint}_item"))?;
                if item.nullable {
                    return Err("a list has nulls among its items".to_owned());
                }
                Kind::List(Box::new(item.kind))
            }
            (Some("string") | None, _) if cases.is_some() || single.is_some() => {
                let cases = cases.map(Vec::as_slice).or(single).unwrap_or_default();
                match (name, of_values(cases)) {
                    (None, Some(kind)) => kind,
                    (_, _) => self.enumeration(cases, hint),
                }
            }
            (Some("string"), Some("date-time")) => Kind::Timestamp,
            (Some("string"), Some("email")) => Kind::Email,
            (Some("string"), Some("binary")) => {
                return Err("a description sends no files".to_owned());
            }
            (Some("string"), _) => Kind::Text,
            (Some("integer"), _) => Kind::Integer,
            (Some("number"), _) => Kind::Number,
            (Some("boolean"), _) => Kind::Boolean,
            (Some(other), _) => {
                return Err(format!("a description has nothing for the type {other}"));
            }
            (None, _) => return Err("a schema does not say what it is".to_owned()),
        })
    }

    /// Plain text where the values do not make names.
    fn enumeration(&mut self, values: &[Value], hint: &str) -> Kind {
        let texts = values
            .iter()
            .filter(|value| !value.is_null())
            .map(Value::as_str);
        let Some(texts) = texts.collect::<Option<Vec<_>>>() else {
            return Kind::Text;
        };
        let named = texts
            .iter()
            .map(|text| Some((names::snake(text)?, (*text).to_owned())));
        let Some(named) = named.collect::<Option<Vec<_>>>() else {
            return Kind::Text;
        };
        let cases: Named<String> = named.into_iter().collect();
        if cases.len() != texts.len() || cases.is_empty() {
            return Kind::Text;
        }
        self.named(
            hint,
            TypeDef {
                cases,
                ..TypeDef::default()
            },
        )
    }

    fn object(&mut self, schema: &'a Value, hint: &str) -> Result<Kind, String> {
        let (mut properties, mut required) = (Vec::new(), Vec::new());
        self.gather(schema, &mut properties, &mut required, 0)?;
        if properties.is_empty() {
            return Err("an object does not say what is in it".to_owned());
        }
        let mut fields = Named::default();
        for (wire, property) in properties {
            match self.field(wire, property, hint, required.contains(&wire)) {
                Ok(Some((name, field))) => fields.insert(name, field),
                Ok(None) => {}
                Err(reason) if self.way == Way::In && required.contains(&wire) => {
                    return Err(format!("{wire}: {reason}"));
                }
                Err(reason) => {
                    self.notes
                        .push(format!("{} is left out of {}: {reason}", wire, last(hint)));
                }
            }
        }
        if fields.is_empty() {
            return Err("nothing is left of an object".to_owned());
        }
        let docs = schema
            .get("description")
            .and_then(Value::as_str)
            .and_then(names::docs);
        Ok(self.named(
            hint,
            TypeDef {
                docs,
                fields,
                ..TypeDef::default()
            },
        ))
    }

    /// The properties of a schema and of all that it is put together of; a later one of the same name counts.
    fn gather(
        &self,
        schema: &'a Value,
        properties: &mut Vec<(&'a str, &'a Value)>,
        required: &mut Vec<&'a str>,
        depth: usize,
    ) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("allOf goes too deep, or contains itself".to_owned());
        }
        for part in schema
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let part = self.document.resolved(part)?;
            if part.get("oneOf").is_some() || part.get("anyOf").is_some() {
                return Err("a description has nothing for oneOf or anyOf".to_owned());
            }
            self.gather(part, properties, required, depth + 1)?;
        }
        let own = schema.get("properties").and_then(Value::as_object);
        for (name, property) in own.into_iter().flatten() {
            properties.retain(|(known, _)| known != name);
            properties.push((name, property));
        }
        let own = schema.get("required").and_then(Value::as_array);
        required.extend(own.into_iter().flatten().filter_map(Value::as_str));
        Ok(())
    }

    fn field(
        &mut self,
        wire: &'a str,
        property: &'a Value,
        hint: &str,
        required: bool,
    ) -> Result<Option<(String, Field)>, String> {
        let away = if self.way == Way::In {
            "readOnly"
        } else {
            "writeOnly"
        };
        if self.document.resolved(property)?.get(away) == Some(&Value::Bool(true)) {
            return Ok(None);
        }
        let name = names::snake(wire).ok_or("its name has no letters")?;
        let shape = self.shape(property, &format!("{hint}_{wire}"))?;
        if self.way == Way::In {
            let bounded = self.document.bounded(property)?;
            self.notes.unbound(wire, bounded, &shape.kind);
        }
        let pointer = format!("/{}", wire.replace('~', "~0").replace('/', "~1"));
        let field = Field {
            kind: shape.kind,
            at: (pointer != format!("/{name}")).then_some(pointer),
            optional: shape.nullable || !required,
            default: None,
            money: None,
            docs: shape.docs,
        };
        Ok(Some((name, field)))
    }

    /// A type under a free name; the same type twice is one.
    pub(super) fn named(&mut self, hint: &str, def: TypeDef) -> Kind {
        let wanted = names::snake(hint).unwrap_or_else(|| "thing".to_owned());
        let wanted = match wanted.parse() {
            Ok(Kind::Named(_)) => wanted,
            _ => format!("{wanted}_value"),
        };
        let same = self
            .types
            .iter()
            .find(|(name, known)| **known == def && name.starts_with(&wanted));
        if let Some((name, _)) = same {
            return Kind::Named(name.to_owned());
        }
        let mut name = wanted.clone();
        for number in 2.. {
            if self.types.get(&name).is_none() && !self.names.is_taken(&format!("{name}_type")) {
                break;
            }
            name = format!("{wanted}_v{number}");
        }
        self.types.insert(name.clone(), def);
        Kind::Named(name)
    }
}

/// The type of values that are no texts, where nothing else says it.
fn of_values(values: &[Value]) -> Option<Kind> {
    let values = || values.iter().filter(|value| !value.is_null());
    values().next()?;
    if values().all(Value::is_boolean) {
        Some(Kind::Boolean)
    } else if values().all(|value| value.is_i64() || value.is_u64()) {
        Some(Kind::Integer)
    } else if values().all(Value::is_number) {
        Some(Kind::Number)
    } else {
        None
    }
}

/// The type's name, and whether null is one, too.
fn type_name(schema: &Value) -> (Option<&str>, bool) {
    match schema.get("type") {
        Some(Value::String(name)) => (Some(name), false),
        Some(Value::Array(names)) => {
            let mut real = names
                .iter()
                .filter_map(Value::as_str)
                .filter(|name| *name != "null");
            let first = real.next();
            let nullable = names.iter().any(|name| name == "null");
            match real.next() {
                None => (first, nullable),
                Some(_) => (Some("of several kinds"), nullable),
            }
        }
        _ => (None, false),
    }
}

/// `Order` of `#/components/schemas/Order`.
fn last(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// `oneOf` and `anyOf` with null are an option; any other cannot be told apart by a description.
pub(super) fn without_null(schema: &Value) -> Result<(&Value, bool), String> {
    for word in ["oneOf", "anyOf"] {
        let Some(all) = schema.get(word).and_then(Value::as_array) else {
            continue;
        };
        let is_null = |one: &Value| one.get("type").and_then(Value::as_str) == Some("null");
        // "Or empty, to unset it": what is left out is not set either.
        let is_blank = |one: &Value| {
            let cases = one.get("enum").and_then(Value::as_array);
            cases.is_some_and(
                |cases| matches!(cases.as_slice(), [Value::String(text)] if text.is_empty()),
            )
        };
        let is_real = |one: &&Value| !is_null(one) && !is_blank(one);
        let real: Vec<&Value> = all.iter().filter(is_real).collect();
        return match real.as_slice() {
            [one] => Ok((one, all.iter().any(is_null))),
            _ => Err(format!("a description has nothing for {word}")),
        };
    }
    match schema.get("not") {
        Some(_) => Err("a description has nothing for `not`".to_owned()),
        None => Ok((schema, false)),
    }
}
