//! One operation of a document as a tool.

mod answer;

use described::{
    Encoding, Field, Kind, Method, Named, Parameter, PathTemplate, Place, Tool, TypeDef,
};
use serde_json::{Map, Value};

use super::body;
use super::document::Document;
use super::names::{self, Names};
use super::notes::Notes;
use super::pages;
use super::schema::{Schemas, Way};

/// The parameter that the host fills in, and how APIs tend to call it.
const CUSTOMER: &str = "customer_id";

/// One operation.
pub(super) struct Operation<'a, 'b> {
    document: &'b Document<'a>,
    path: &'a str,
    method: Method,
    item: &'a Map<String, Value>,
    node: &'a Value,
}

/// A parameter as the document has it.
struct Given<'a> {
    name: &'a str,
    place: &'a str,
    node: &'a Value,
}

/// What becomes of an operation while it is read.
struct Draft<'b> {
    types: &'b mut Named<TypeDef>,
    names: &'b mut Names,
    notes: &'b mut Notes,
    parameters: Named<Parameter>,
    path: String,
}

impl<'a, 'b> Operation<'a, 'b> {
    pub(super) fn new(
        document: &'b Document<'a>,
        path: &'a str,
        method: &str,
        item: &'a Map<String, Value>,
    ) -> Self {
        Self {
            document,
            path,
            method: match method {
                "get" => Method::Get,
                "post" => Method::Post,
                "put" => Method::Put,
                "patch" => Method::Patch,
                _ => Method::Delete,
            },
            item,
            node: &item[method],
        }
    }

    /// What the document says of it.
    pub(super) fn node(&self) -> &'a Value {
        self.node
    }

    /// `GET /orders/{id}`
    pub(super) fn place(&self) -> String {
        format!("{} {}", self.method.as_str(), self.path)
    }

    /// The tool with its name; in words, why there is none. What it leaves out goes into the notes.
    pub(super) fn tool(
        &self,
        types: &mut Named<TypeDef>,
        names: &mut Names,
        notes: &mut Notes,
    ) -> Result<(String, Tool), String> {
        if self.node.get("deprecated") == Some(&Value::Bool(true)) {
            return Err("it is deprecated".to_owned());
        }
        if let Some(url) = self.document.elsewhere(self.item, self.node) {
            return Err(format!(
                "it is at another server, {url}: make another plugin for that"
            ));
        }
        let name = self.name();
        let mut draft = Draft {
            types,
            names,
            notes,
            parameters: Named::default(),
            path: self.path.to_owned(),
        };
        let parameters = self.parameters()?;
        self.check_path(&parameters)?;
        for given in parameters {
            self.parameter(&given, &name, &mut draft)?;
        }
        PathTemplate::parse(&draft.path).map_err(|error| error.to_string())?;
        let body = self.body(&name, &mut draft)?;
        let (result, at) = self.result(&name, &mut draft)?;
        let mut tool = Tool {
            docs: self.docs(&name),
            method: self.method,
            path: draft.path,
            parameters: draft.parameters,
            body,
            constants: Vec::new(),
            result,
            at,
            pages: None,
        };
        pages::find(&mut tool, draft.types, draft.notes);
        Ok((names.free(&name), tool))
    }

    fn name(&self) -> String {
        let own = self.node.get("operationId").and_then(Value::as_str);
        let name = own.and_then(names::snake);
        name.or_else(|| names::snake(&self.place()))
            .unwrap_or_else(|| "call".to_owned())
    }

    fn docs(&self, name: &str) -> String {
        let text = |word| {
            self.node
                .get(word)
                .and_then(Value::as_str)
                .and_then(names::docs)
        };
        let texts = [text("summary"), text("description")].into_iter().flatten();
        let mut texts: Vec<String> = texts.collect();
        texts.dedup();
        if texts.is_empty() {
            texts.push(format!("{}.", name.replace('_', " ")));
        }
        texts.join("\n\n")
    }

    /// Those of the operation over those of its path.
    fn parameters(&self) -> Result<Vec<Given<'a>>, String> {
        let mut all: Vec<Given<'a>> = Vec::new();
        let lists = [self.item.get("parameters"), self.node.get("parameters")];
        for node in lists
            .into_iter()
            .flatten()
            .filter_map(Value::as_array)
            .flatten()
        {
            let node = self.document.resolved(node)?;
            let text = |word| {
                node.get(word)
                    .and_then(Value::as_str)
                    .ok_or("a parameter has no name or place")
            };
            let given = Given {
                name: text("name")?,
                place: text("in")?,
                node,
            };
            all.retain(|known| (known.name, known.place) != (given.name, given.place));
            all.push(given);
        }
        Ok(all)
    }

    /// Every brace in the path is a parameter.
    fn check_path(&self, parameters: &[Given<'a>]) -> Result<(), String> {
        let braces = self.path.split('{').skip(1);
        let mut names = braces.filter_map(|rest| Some(rest.split_once('}')?.0));
        let is_unknown = |name: &&str| {
            let mut known = parameters.iter();
            !known.any(|given| given.place == "path" && given.name == *name)
        };
        match names.find(is_unknown) {
            Some(name) => Err(format!(
                "its path has {{{name}}}, which is none of its parameters"
            )),
            None => Ok(()),
        }
    }

    fn parameter(
        &self,
        given: &Given<'a>,
        tool: &str,
        draft: &mut Draft<'_>,
    ) -> Result<(), String> {
        let required =
            given.node.get("required") == Some(&Value::Bool(true)) || given.place == "path";
        match self.converted(given, tool, required, draft) {
            Ok((name, mut parameter)) => {
                let name = draft.free(name, given.place)?;
                let is_named = matches!(parameter.place, Place::Query | Place::Header);
                parameter.name = (is_named && given.name != name).then(|| given.name.to_owned());
                if given.place == "path" {
                    draft.path = draft
                        .path
                        .replace(&format!("{{{}}}", given.name), &format!("{{{name}}}"));
                }
                draft.parameters.insert(name, parameter);
                Ok(())
            }
            Err(reason) if required => Err(format!(
                "its parameter {} is needed, and {reason}",
                given.name
            )),
            Err(reason) => {
                draft.notes.push(format!(
                    "the parameter {} is left out: {reason}",
                    given.name
                ));
                Ok(())
            }
        }
    }

    fn converted(
        &self,
        given: &Given<'a>,
        tool: &str,
        required: bool,
        draft: &mut Draft<'_>,
    ) -> Result<(String, Parameter), String> {
        let place = match given.place {
            "path" => Place::Path,
            "query" if self.method == Method::Get => Place::Query,
            "query" => {
                return Err("a write under a grant that names its tool has no query".to_owned());
            }
            "header" => Place::Header,
            other => return Err(format!("a description sends no {other}")),
        };
        let style = given.node.get("style").and_then(Value::as_str);
        if let (Place::Path | Place::Header, Some(style)) = (place, style)
            && style != "simple"
        {
            return Err(format!("a description has nothing for the style {style}"));
        }
        let schema = match (given.node.get("schema"), given.node.get("content")) {
            (Some(schema), _) => schema,
            (None, Some(_)) => return Err("its value is of a media type of its own".to_owned()),
            (None, None) => return Err("its type is not said by a schema".to_owned()),
        };
        let name = names::snake(given.name).ok_or("its name has no letters")?;
        let mut schemas = Schemas::new(
            self.document,
            draft.types,
            draft.names,
            draft.notes,
            Way::In,
        );
        let shape = schemas.shape(schema, &format!("{tool}_{name}"))?;
        let is_customer = name == CUSTOMER && shape.kind.is_scalar();
        draft
            .notes
            .unbound(given.name, self.document.bounded(schema)?, &shape.kind);
        if is_customer {
            draft.notes.push(format!(
                "{} is filled in by the host with the case's customer",
                given.name
            ));
        }
        let docs = given
            .node
            .get("description")
            .and_then(Value::as_str)
            .and_then(names::docs);
        let join = (place == Place::Query && matches!(shape.kind, Kind::List(_)))
            .then(|| joined(given.node))
            .transpose()?;
        let parameter = Parameter {
            kind: if is_customer {
                Kind::CustomerId
            } else {
                shape.kind
            },
            place,
            optional: !required,
            name: None,
            at: None,
            join: join.flatten(),
            money: None,
            docs: docs.or(shape.docs),
        };
        fits(&parameter, given.name, draft.types)?;
        Ok((name, parameter))
    }

    fn body(&self, tool: &str, draft: &mut Draft<'_>) -> Result<Encoding, String> {
        let Some(node) = self.node.get("requestBody") else {
            return Ok(Encoding::Json);
        };
        let node = self.document.resolved(node)?;
        let required = node.get("required") == Some(&Value::Bool(true));
        if matches!(self.method, Method::Get | Method::Delete) && !required {
            let line = "its body is left out: GET and DELETE do not have one";
            draft.notes.push(line.to_owned());
            return Ok(Encoding::Json);
        }
        if matches!(self.method, Method::Get | Method::Delete) {
            return Err("it has a body, which GET and DELETE do not have".to_owned());
        }
        let (media, encoding) = body::of(node)?;
        let schema = media.get("schema").unwrap_or(&Value::Null);
        if !required && body::is_empty(self.document.resolved(schema)?) {
            return Ok(Encoding::Json);
        }
        let mut schemas = Schemas::new(
            self.document,
            draft.types,
            draft.names,
            draft.notes,
            Way::In,
        );
        let shape = schemas
            .shape(schema, &format!("{tool}_body"))
            .map_err(|reason| format!("its body: {reason}"))?;
        let fields = match &shape.kind {
            Kind::Named(name) => draft
                .types
                .get(name)
                .map(|def| def.fields.clone())
                .unwrap_or_default(),
            _ => Named::default(),
        };
        if fields.is_empty() {
            if encoding == Encoding::Form {
                return Err("its body: a form has fields, and this one says none".to_owned());
            }
            let whole = Parameter {
                at: Some(String::new()),
                ..body::parameter(shape.kind, !required, shape.docs)
            };
            let name = draft.free("body".to_owned(), "body")?;
            draft.parameters.insert(name, whole);
            return Ok(encoding);
        }
        for (name, field) in fields.iter() {
            let mut parameter = of_field(name, field, draft.notes);
            if encoding == Encoding::Form {
                let wire = field.pointer(name);
                match body::in_form(name, &wire, &parameter, media, draft.types) {
                    Ok(fitting) => parameter = fitting,
                    Err(reason) if field.optional => {
                        draft.notes.push(reason + ", so it is left out");
                        continue;
                    }
                    Err(reason) => return Err(format!("its body: {reason}")),
                }
            }
            draft.add(name, field, parameter)?;
        }
        Ok(encoding)
    }
}

impl Draft<'_> {
    /// This name, or where another parameter has it, one that says where this one goes. There is one customer.
    fn free(&self, name: String, place: &str) -> Result<String, String> {
        let is_free = |name: &str| self.parameters.get(name).is_none();
        let other = format!("{name}_in_{place}");
        if is_free(&name) {
            Ok(name)
        } else if name != CUSTOMER && is_free(&other) {
            Ok(other)
        } else {
            Err(format!("two parameters come to the name {name}"))
        }
    }

    /// A field of the body as a parameter, under its own name where that is free.
    fn add(&mut self, name: &str, field: &Field, mut parameter: Parameter) -> Result<(), String> {
        let free = self.free(name.to_owned(), "body")?;
        if free != name && parameter.at.is_none() {
            parameter.at = Some(field.pointer(name));
        }
        self.parameters.insert(free, parameter);
        Ok(())
    }
}

/// Each field of a body is a parameter of its own.
fn of_field(name: &str, field: &Field, notes: &mut Notes) -> Parameter {
    let is_customer = name == CUSTOMER && field.kind.is_scalar();
    if is_customer {
        notes.push(format!(
            "{name} is filled in by the host with the case's customer"
        ));
    }
    let kind = if is_customer {
        Kind::CustomerId
    } else {
        field.kind.clone()
    };
    Parameter {
        at: field.at.clone(),
        ..body::parameter(kind, field.optional, field.docs.clone())
    }
}

/// How a list is written in a query: none where each item is a parameter of its own.
pub(super) fn joined(node: &Value) -> Result<Option<String>, String> {
    let style = node.get("style").and_then(Value::as_str).unwrap_or("form");
    let explode = node
        .get("explode")
        .and_then(Value::as_bool)
        .unwrap_or(style == "form");
    match style {
        "form" if explode => Ok(None),
        "form" => Ok(Some(",".to_owned())),
        "spaceDelimited" => Ok(Some(" ".to_owned())),
        "pipeDelimited" => Ok(Some("|".to_owned())),
        other => Err(format!("a description has nothing for the style {other}")),
    }
}

/// What a description would refuse at that place.
fn fits(parameter: &Parameter, wire: &str, types: &Named<TypeDef>) -> Result<(), String> {
    let is_one = |kind: &Kind| match kind {
        Kind::Named(name) => types.get(name).is_some_and(|def| !def.cases.is_empty()),
        kind => kind.is_scalar(),
    };
    let is_list = matches!(&parameter.kind, Kind::List(item) if is_one(item));
    if !(is_one(&parameter.kind) || is_list && parameter.place == Place::Query) {
        return Err("its type cannot be written as text".to_owned());
    }
    if parameter.place == Place::Header && !described::is_free_header(wire) {
        return Err("that header field is the host's".to_owned());
    }
    Ok(())
}
