//! The body of an operation: as JSON, or as a form in the spelling that hosts let through.

use described::{Api, Encoding, Kind, Method, Named, Parameter, Place, Tool, TypeDef};
use serde_json::Value;

use super::names;
use super::operation::joined;

/// The media type of a body that is taken, and how it is written: JSON where both are offered.
pub(super) fn of(node: &Value) -> Result<(&Value, Encoding), String> {
    let form = || media(node, |media| media == described::FORM_TYPE);
    let json = media(node, is_json).map(|media| (media, Encoding::Json));
    let found = json.or_else(|| Some((form()?, Encoding::Form)));
    found.ok_or_else(|| "its body is neither JSON nor a form".to_owned())
}

/// Whether a schema is that of an object with nothing in it.
pub(super) fn is_empty(schema: &Value) -> bool {
    let says = |word: &&str| schema.get(word).is_some();
    let more = ["allOf", "anyOf", "oneOf", "additionalProperties", "items"];
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.is_some_and(serde_json::Map::is_empty) && !more.iter().any(says)
}

/// The schema of what is JSON among the media types.
pub(super) fn json(node: &Value) -> Option<&Value> {
    media(node, is_json)?.get("schema")
}

/// One that has a schema.
fn media(node: &Value, is_it: impl Fn(&str) -> bool) -> Option<&Value> {
    let content = node.get("content")?.as_object()?;
    let mut found = content.iter().filter(|(name, media)| {
        let name = name.split(';').next().unwrap_or(name).trim();
        is_it(&name.to_ascii_lowercase()) && media.get("schema").is_some()
    });
    found.next().map(|(_, media)| media)
}

fn is_json(media: &str) -> bool {
    media == "application/json" || media.ends_with("+json")
}

/// A parameter of a body.
pub(super) fn parameter(kind: Kind, optional: bool, docs: Option<String>) -> Parameter {
    Parameter {
        kind,
        place: Place::Body,
        optional,
        name: None,
        at: None,
        join: None,
        money: None,
        docs,
    }
}

/// A parameter as a field of a form; in words, which one it is and why it cannot be. `wire` is the pointer to the property.
pub(super) fn in_form(
    name: &str,
    wire: &str,
    parameter: &Parameter,
    media: &Value,
    types: &Named<TypeDef>,
) -> Result<Parameter, String> {
    let property = wire.trim_start_matches('/');
    let property = property.replace("~1", "/").replace("~0", "~");
    let refused = |reason: &str| format!("the field {} {reason}", names::line(&property));
    let encoding = media.get("encoding").and_then(|all| all.get(&property));
    let is_json = encoding
        .and_then(|encoding| encoding.get("contentType")?.as_str())
        .is_some_and(|media| media.contains("json"));
    if is_json {
        return Err(refused("would be JSON inside of a form"));
    }
    let is_list = matches!(parameter.kind, Kind::List(_));
    let is_record = match &parameter.kind {
        Kind::Named(name) => types.get(name).is_some_and(|def| def.cases.is_empty()),
        _ => false,
    };
    let style = encoding.and_then(|encoding| encoding.get("style")?.as_str());
    let join = match (is_list, is_record, style) {
        (false, false, _) | (_, _, Some("deepObject")) => None,
        (true, _, _) => {
            let join = joined(encoding.unwrap_or(&Value::Null))
                .map_err(|reason| refused(&format!("is a list: {reason}")))?;
            let repeated = "is a list that would be written as one name again and again, which parsers read differently; with `style: deepObject` or `explode: false` in the `encoding` of its media type it could be sent";
            Some(join.ok_or_else(|| refused(repeated))?)
        }
        _ => {
            let unsaid = "is an object, and `encoding` of its media type does not say `style: deepObject`, which alone can be sent";
            return Err(refused(unsaid));
        }
    };
    let at = pointer(&property);
    let fitting = Parameter {
        at: (at != format!("/{name}")).then_some(at),
        join,
        ..parameter.clone()
    };
    match misfit(name, &fitting, types) {
        Some(reason) => Err(refused(&format!("cannot be sent: {reason}"))),
        None => Ok(fitting),
    }
}

/// `/user/name` of `user[name]`, which is what it is to whoever reads a form.
fn pointer(property: &str) -> String {
    let escaped = |text: &str| text.replace('~', "~0").replace('/', "~1");
    let inside = property
        .strip_suffix(']')
        .and_then(|rest| rest.split_once('['));
    match inside {
        Some((first, rest)) => {
            let rest = rest.split("][").map(escaped);
            rest.fold(format!("/{}", escaped(first)), |to, one| to + "/" + &one)
        }
        None => format!("/{}", escaped(property)),
    }
}

/// What a description would say against it.
fn misfit(name: &str, parameter: &Parameter, types: &Named<TypeDef>) -> Option<String> {
    let tool = Tool {
        docs: "Sends it.".to_owned(),
        method: Method::Post,
        path: "/".to_owned(),
        parameters: [(name.to_owned(), parameter.clone())].into_iter().collect(),
        body: Encoding::Form,
        constants: Vec::new(),
        result: None,
        at: String::new(),
        pages: None,
    };
    let api = Api {
        name: "form".to_owned(),
        types: types.clone(),
        tools: [("send".to_owned(), tool)].into_iter().collect(),
        ..Api::default()
    };
    let fault = api.check().err()?.into_iter().next()?;
    let (_, inner) = fault.at.rsplit_once(", ").unwrap_or_default();
    Some(if inner.is_empty() {
        fault.message
    } else {
        format!("{inner}: {}", fault.message)
    })
}
