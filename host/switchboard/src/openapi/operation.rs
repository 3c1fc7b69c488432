//! One operation of a document as a tool.

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
        let name = self.name();
        let mut draft = Draft {
            types,
            names,
            notes,
            parameters: Named::default(),
            path: self.path.to_owned(),
        };
        for given in self.parameters()? {
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

    fn parameter(
        &self,
        given: &Given<'a>,
        tool: &str,
        draft: &mut Draft<'_>,
    ) -> Result<(), String> {
        let required =
            given.node.get("required") == Some(&Value::Bool(true)) || given.place == "path";
        match self.converted(given, tool, required, draft) {
            Ok((name, parameter)) => {
                if draft.parameters.get(&name).is_some() {
                    return Err(format!("two parameters come to the name {name}"));
                }
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
        let schema = given
            .node
            .get("schema")
            .ok_or("its type is not said by a schema")?;
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
            name: (place != Place::Path && given.name != name).then(|| given.name.to_owned()),
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
        if matches!(self.method, Method::Get | Method::Delete) {
            return Err("it has a body, which GET and DELETE do not have".to_owned());
        }
        let (media, encoding) = body::of(node)?;
        let schema = media.get("schema").unwrap_or(&Value::Null);
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
        let required = node.get("required") == Some(&Value::Bool(true));
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
            draft.add("body".to_owned(), whole)?;
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
            draft.add(name.to_owned(), parameter)?;
        }
        Ok(encoding)
    }

    /// The result of the first success that has one, and where in the answer it is.
    fn result(&self, tool: &str, draft: &mut Draft<'_>) -> Result<(Option<Kind>, String), String> {
        let responses = self.node.get("responses").and_then(Value::as_object);
        let mut good: Vec<(&String, &Value)> = responses
            .into_iter()
            .flatten()
            .filter(|(status, _)| status.starts_with('2'))
            .collect();
        good.sort_by_key(|(status, _)| (*status).clone());
        let Some((_, response)) = good.first() else {
            return Err("it does not say how it succeeds".to_owned());
        };
        let response = self.document.resolved(response)?;
        let content = response.get("content").and_then(Value::as_object);
        if content.is_none_or(Map::is_empty) {
            return Ok((None, String::new()));
        }
        let schema = body::json(response).ok_or("its answer is not JSON")?;
        let mut schemas = Schemas::new(
            self.document,
            draft.types,
            draft.names,
            draft.notes,
            Way::Out,
        );
        match schemas.shape(schema, &format!("{tool}_result")) {
            Ok(shape) => match shape.kind {
                list @ Kind::List(_) => {
                    let field = Field {
                        kind: list,
                        at: Some(String::new()),
                        optional: false,
                        default: None,
                        money: None,
                        docs: None,
                    };
                    let fields = [("items".to_owned(), field)].into_iter().collect();
                    let def = TypeDef {
                        fields,
                        ..TypeDef::default()
                    };
                    Ok((
                        Some(schemas.named(&format!("{tool}_list"), def)),
                        String::new(),
                    ))
                }
                kind => Ok((Some(kind), String::new())),
            },
            Err(reason) if self.method == Method::Get => Err(format!("its answer: {reason}")),
            Err(reason) => {
                draft
                    .notes
                    .push(format!("its answer is left out: {reason}"));
                Ok((None, String::new()))
            }
        }
    }
}

impl Draft<'_> {
    fn add(&mut self, name: String, parameter: Parameter) -> Result<(), String> {
        if self.parameters.get(&name).is_some() {
            return Err(format!("two parameters come to the name {name}"));
        }
        self.parameters.insert(name, parameter);
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
