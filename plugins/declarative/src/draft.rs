//! The request that a tool's arguments make: the same arguments make the same bytes.

use described::{
    Encoding, FORM_TYPE, Kind, Method, Parameter, PathTemplate, Place, Task, encode_form,
    percent_encode, set,
};
use serde_json::{Map, Value, json};
use switchboard_sdk::Request;
use switchboard_sdk::types::Error;

use crate::wire::{self, Types};

/// The longest header value.
const MAX_HEADER_BYTES: usize = 1024;

/// A request without what differs from page to page.
#[derive(Debug)]
pub(crate) struct Draft {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<Value>,
    /// The body as it is sent.
    bytes: Option<Vec<u8>>,
}

impl Draft {
    /// Puts every argument where the description says. Fails with `invalid-input`, by the parameter's name.
    pub(crate) fn of(task: &Task, arguments: &Map<String, Value>) -> Result<Self, Error> {
        let tool = &task.tool;
        let template = PathTemplate::parse(&tool.path).map_err(Error::unavailable)?;
        let text = |name: &str| {
            let kind = &tool.parameters.get(name)?.kind;
            wire::text(&task.types, kind, arguments.get(name)?)
        };
        let mut draft = Self {
            method: tool.method,
            path: template.fill(text).map_err(Error::invalid_input)?,
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            bytes: None,
        };
        for constant in &tool.constants {
            draft.put(constant.place, &constant.at, constant.value.clone())?;
        }
        for (name, parameter) in tool.parameters.iter() {
            match arguments.get(name) {
                Some(value) => draft.argument(&task.types, name, parameter, value)?,
                // A body that could have something is an object, even if nothing was given.
                None if parameter.place == Place::Body => {
                    draft.body.get_or_insert(Value::Null);
                }
                None => {}
            }
        }
        if draft.body == Some(Value::Null) {
            draft.body = Some(json!({}));
        }
        draft.write(tool.body)?;
        Ok(draft)
    }

    fn write(&mut self, encoding: Encoding) -> Result<(), Error> {
        let Some(body) = &self.body else {
            return Ok(());
        };
        let text = match encoding {
            Encoding::Json => body.to_string(),
            Encoding::Form => {
                let content_type = ("content-type".to_owned(), FORM_TYPE.to_owned());
                self.headers.push(content_type);
                encode_form(body).map_err(Error::invalid_input)?
            }
        };
        self.bytes = Some(text.into_bytes());
        Ok(())
    }

    fn argument(
        &mut self,
        types: &Types,
        name: &str,
        parameter: &Parameter,
        value: &Value,
    ) -> Result<(), Error> {
        let misfit = |reason: String| Error::invalid_input(format_args!("{name}: {reason}"));
        match parameter.place {
            Place::Path => Ok(()),
            Place::Query => {
                let wire_name = parameter.wire_name(name);
                for text in self::texts(types, parameter, value)
                    .ok_or_else(|| misfit("it cannot be written as text".to_owned()))?
                {
                    self.query.push((wire_name.to_owned(), text));
                }
                Ok(())
            }
            Place::Header => {
                let text =
                    wire::text(types, &parameter.kind, value).filter(|text| is_header_value(text));
                let text = text.ok_or_else(|| {
                    misfit("a header field takes short printable ASCII text".to_owned())
                })?;
                self.put(Place::Header, parameter.wire_name(name), json!(text))
            }
            Place::Body => {
                let at = parameter.body_pointer(name);
                let written = match &parameter.join {
                    Some(between) => joined(types, parameter, between, value),
                    None => wire::write(types, &parameter.kind, parameter.money.as_ref(), value),
                };
                self.put(Place::Body, &at, written.map_err(misfit)?)
            }
        }
    }

    fn put(&mut self, place: Place, at: &str, value: Value) -> Result<(), Error> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match place {
            Place::Path => {}
            Place::Query => self.query.push((at.to_owned(), text(&value))),
            Place::Header => self.headers.push((at.to_owned(), text(&value))),
            Place::Body => {
                let is_free = set(self.body.get_or_insert(Value::Null), at, value);
                if !is_free {
                    let message = format_args!("two things are written to {at:?} in the body");
                    return Err(Error::invalid_input(message));
                }
            }
        }
        Ok(())
    }

    /// The path below the base URL.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Path and query, with what this page adds.
    pub(crate) fn route(&self, more: &[(&str, String)]) -> String {
        let mut route = self.path.clone();
        let own = self
            .query
            .iter()
            .map(|(name, value)| (name.as_str(), value));
        let more = more.iter().map(|(name, value)| (*name, value));
        for (index, (name, value)) in own.chain(more).enumerate() {
            route.push(if index == 0 { '?' } else { '&' });
            percent_encode(&mut route, name);
            route.push('=');
            percent_encode(&mut route, value);
        }
        route
    }

    /// The request for this path and query.
    pub(crate) fn request(&self, route: &str) -> Request {
        Request {
            method: match self.method {
                Method::Get => switchboard_sdk::Method::Get,
                Method::Post => switchboard_sdk::Method::Post,
                Method::Put => switchboard_sdk::Method::Put,
                Method::Patch => switchboard_sdk::Method::Patch,
                Method::Delete => switchboard_sdk::Method::Delete,
            },
            route: route.to_owned(),
            headers: self.headers.clone(),
            body: self.bytes.clone(),
        }
    }
}

/// The texts of one query parameter: one, or one for each item of a list.
fn texts(types: &Types, parameter: &Parameter, value: &Value) -> Option<Vec<String>> {
    let (Kind::List(item), Value::Array(values)) = (&parameter.kind, value) else {
        return Some(vec![wire::text(types, &parameter.kind, value)?]);
    };
    let texts = values.iter().map(|value| wire::text(types, item, value));
    let texts: Vec<String> = texts.collect::<Option<_>>()?;
    Some(match &parameter.join {
        Some(_) if texts.is_empty() => texts,
        Some(between) => vec![texts.join(between)],
        None => texts,
    })
}

/// A list as one text of a form. An item that would be taken for two is none.
fn joined(
    types: &Types,
    parameter: &Parameter,
    between: &str,
    value: &Value,
) -> Result<Value, String> {
    let (Kind::List(item), Value::Array(values)) = (&parameter.kind, value) else {
        return Err("it is no list".to_owned());
    };
    let texts = values.iter().map(|value| wire::text(types, item, value));
    let texts = texts.collect::<Option<Vec<String>>>();
    let texts = texts.ok_or("it cannot be written as text")?;
    if texts.is_empty() {
        return Err("a form cannot say that a list is empty; leave it out".to_owned());
    }
    if texts.iter().any(|text| text.contains(between)) {
        return Err(format!(
            "an item with {between:?} in it would be taken for two"
        ));
    }
    Ok(json!(texts.join(between)))
}

/// Nothing that could end the field and begin another.
fn is_header_value(text: &str) -> bool {
    text.len() <= MAX_HEADER_BYTES
        && text
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic())
}
