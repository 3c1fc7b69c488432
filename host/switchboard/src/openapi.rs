//! OpenAPI 3 documents as descriptions: what can be offered as tools, and in words what cannot.

mod body;
mod document;
mod manifest;
mod names;
mod notes;
mod operation;
mod pages;
mod schema;
mod security;

use described::{Api, MAX_TOOLS, MAX_TYPES, Named, Task, Tool, TypeDef};
use serde_json::{Map, Value};
use thiserror::Error;

use document::Document;
use names::Names;
use notes::Notes;
use operation::Operation;
use security::Security;

/// The longest document, in bytes.
const MAX_BYTES: usize = 5 << 20;

/// The methods that a description has, as the document writes them.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Why a document is no OpenAPI 3, or none that a description could be made of.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum OpenApiError {
    /// It is longer than any API that a model could use.
    #[error("it has {0} bytes, and {MAX_BYTES} are read at most; cut out the part that you want")]
    TooLong(usize),
    /// Neither JSON nor YAML.
    #[error("it is neither JSON nor YAML: {0}")]
    Syntax(String),
    /// Something else, or another version.
    #[error("it is no OpenAPI 3 document: {0}")]
    Version(String),
    /// Nothing of it can be offered.
    #[error("none of its operations can be offered:\n{}", .0.join("\n"))]
    Nothing(Vec<String>),
    /// What was made of it does not hold together.
    #[error("no description can be made of it: {0}")]
    Unfit(String),
}

/// Those that a tool has no use for.
const USELESS: [&str; 3] = ["head", "options", "trace"];

/// What was made of a document.
#[derive(Clone, Debug)]
pub(crate) struct Imported {
    /// The description.
    pub(crate) api: Api,
    /// The plugin's manifest, as text: what it asks for, and how its tools are classified.
    pub(crate) manifest: String,
    /// What its requests carry, and what an operator writes for that.
    pub(crate) credentials: Vec<String>,
    /// What is not offered, or not as the document has it; each with its reason.
    pub(crate) left_out: Vec<String>,
}

/// Makes a description and a manifest of a document's text. `name` is the plugin's.
pub(crate) fn import(name: &str, text: &str) -> Result<Imported, OpenApiError> {
    if text.len() > MAX_BYTES {
        return Err(OpenApiError::TooLong(text.len()));
    }
    let root = parsed(text)?;
    check_version(&root)?;
    let mut import = Import::of(&root, name);
    let paths = root.get("paths").and_then(Value::as_object);
    for (path, item) in paths.into_iter().flatten() {
        import.path(path, item);
    }
    let Import {
        document,
        api,
        security,
        left_out,
        ..
    } = import;
    // Nothing of a document moves a terminal's cursor.
    let left_out: Vec<String> = left_out.iter().map(|line| names::line(line)).collect();
    if api.tools.is_empty() {
        return Err(OpenApiError::Nothing(left_out));
    }
    api.check().map_err(|faults| {
        let words: Vec<String> = faults.iter().map(ToString::to_string).collect();
        OpenApiError::Unfit(words.join("; "))
    })?;
    let manifest = manifest::text(name, &api, &security, &document);
    Ok(Imported {
        api,
        manifest,
        credentials: security.told(),
        left_out,
    })
}

/// An import that is under way.
struct Import<'a> {
    document: Document<'a>,
    api: Api,
    names: Names,
    security: Security,
    left_out: Vec<String>,
}

impl<'a> Import<'a> {
    fn of(root: &'a Value, name: &str) -> Self {
        Self {
            document: Document::new(root),
            api: Api {
                name: names::kebab(name),
                ..Api::default()
            },
            names: Names::default(),
            security: Security::default(),
            left_out: Vec::new(),
        }
    }

    fn path(&mut self, path: &'a str, item: &'a Value) {
        let item = self.document.resolved(item).ok().and_then(Value::as_object);
        let Some(item) = item else {
            return self.left_out.push(format!("{path}: it cannot be read"));
        };
        for method in METHODS.iter().filter(|method| item.contains_key(**method)) {
            self.operation(path, method, item);
        }
        for method in USELESS.iter().filter(|method| item.contains_key(**method)) {
            let method = method.to_uppercase();
            let line = format!("{method} {path} is not offered: a tool has no use for {method}");
            self.left_out.push(line);
        }
    }

    fn operation(&mut self, path: &'a str, method: &str, item: &'a Map<String, Value>) {
        let operation = Operation::new(&self.document, path, method, item);
        let place = operation.place();
        if self.api.tools.len() >= MAX_TOOLS {
            let reason =
                format!("a description has {MAX_TOOLS} tools at most; make another plugin of it");
            return self
                .left_out
                .push(format!("{place} is not offered: {reason}"));
        }
        let mut types = self.api.types.clone();
        let mut notes = Notes::default();
        match operation.tool(&mut types, &mut self.names, &mut notes) {
            Ok(_) if types.len() > MAX_TYPES => {
                let reason = format!("a description has {MAX_TYPES} types at most");
                self.left_out
                    .push(format!("{place} is not offered: {reason}"));
            }
            Ok((name, tool)) => {
                let types = match self.fitting(&name, &tool, types) {
                    Ok(types) => types,
                    Err(reason) => {
                        let line = format!("{place} is not offered: {reason}");
                        return self.left_out.push(line);
                    }
                };
                let node = operation.node();
                if let Some(line) = self.security.settle(&self.document, &name, node) {
                    notes.push(line);
                }
                self.left_out.extend(notes.of(&place));
                self.api.tools.insert(name, tool);
                self.api.types = types;
            }
            Err(reason) => self
                .left_out
                .push(format!("{place} is not offered: {reason}")),
        }
    }
}

impl Import<'_> {
    /// The types that there are with those that a further tool uses; in words, why no description can have it.
    fn fitting(
        &self,
        name: &str,
        tool: &Tool,
        types: Named<TypeDef>,
    ) -> Result<Named<TypeDef>, String> {
        let api = Api {
            name: self.api.name.clone(),
            types,
            tools: [(name.to_owned(), tool.clone())].into_iter().collect(),
            ..Api::default()
        };
        api.check().map_err(|faults| {
            let first = faults.first().map(ToString::to_string);
            first.unwrap_or_default()
        })?;
        let task = Task::of(&api, name);
        let used = task.map(|task| task.types).unwrap_or_default();
        let types = api.types.iter();
        let known = |name: &str| self.api.types.get(name).is_some() || used.contains_key(name);
        Ok(types
            .filter(|(name, _)| known(name))
            .map(|(name, def)| (name.to_owned(), def.clone()))
            .collect())
    }
}

fn parsed(text: &str) -> Result<Value, OpenApiError> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| OpenApiError::Syntax(error.to_string()));
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let words = error.to_string();
        OpenApiError::Syntax(words.lines().next().unwrap_or_default().to_owned())
    })
}

fn check_version(root: &Value) -> Result<(), OpenApiError> {
    let version = root.get("openapi").and_then(Value::as_str);
    match version {
        Some(version) if version.starts_with("3.") => Ok(()),
        Some(version) => Err(OpenApiError::Version(format!("its version is {version}"))),
        None if root.get("swagger").is_some() => {
            let words = "it is Swagger 2; convert it first, for example with `npx swagger2openapi`";
            Err(OpenApiError::Version(words.to_owned()))
        }
        None => Err(OpenApiError::Version(
            "there is no `openapi: 3.…`".to_owned(),
        )),
    }
}
