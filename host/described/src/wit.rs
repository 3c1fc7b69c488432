//! The WIT that a description amounts to: from it come the schemas, the checks and the documentation of its tools, as they do
//! for a plugin that was written in code.

use std::fmt::Write as _;

use crate::{Api, Kind, Tool, TypeDef};

/// What the interface uses of `switchboard:common/types`.
const USES: &str = "    use switchboard:common/types@1.0.0.{customer-id, email, error, money, timestamp};\n    type opaque-id = string;\n";

impl Api {
    /// The interface as a WIT package of its own. Only for a description that was checked.
    pub fn wit(&self) -> String {
        let mut text = format!(
            "package described:%{}@1.0.0;\n\ninterface api {{\n{USES}",
            self.name
        );
        for (name, def) in self.types.iter() {
            type_def(&mut text, name, def);
        }
        for (name, tool) in self.tools.iter() {
            function(&mut text, name, tool);
        }
        text.push_str("}\n");
        text
    }

    /// The interface's name: `described:helpdesk/api@1.0.0`.
    pub fn interface(&self) -> String {
        format!("described:{}/api@1.0.0", self.name)
    }
}

/// As WIT writes a name.
pub(crate) fn kebab(name: &str) -> String {
    name.replace('_', "-")
}

fn type_def(text: &mut String, name: &str, def: &TypeDef) {
    docs(text, "    ", def.docs.as_deref());
    let keyword = if def.fields.is_empty() {
        "enum"
    } else {
        "record"
    };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "    {keyword} {} {{", type_name(name));
    for (case, _) in def.cases.iter() {
        let _ = writeln!(text, "        %{},", kebab(case));
    }
    for (name, field) in def.fields.iter() {
        docs(text, "        ", field.docs.as_deref());
        let _ = writeln!(
            text,
            "        %{}: {},",
            kebab(name),
            optional(&field.kind, field.optional)
        );
    }
    text.push_str("    }\n");
}

fn function(text: &mut String, name: &str, tool: &Tool) {
    let mut about = tool.docs.trim().to_owned();
    for (name, parameter) in tool.parameters.iter() {
        if let Some(docs) = &parameter.docs {
            // Lines that go on are indented, else they would end what is said of the parameter.
            let docs = docs.trim().replace('\n', "\n  ");
            let _ = write!(about, "\n- `{name}`: {docs}");
        }
    }
    docs(text, "    ", Some(&about));
    let parameters: Vec<String> = tool
        .parameters
        .iter()
        .map(|(name, parameter)| {
            format!(
                "%{}: {}",
                kebab(name),
                optional(&parameter.kind, parameter.optional)
            )
        })
        .collect();
    let result = tool.result.as_ref().map_or("_".to_owned(), wit_type);
    let _ = writeln!(
        text,
        "    %{}: func({}) -> result<{result}, error>;",
        kebab(name),
        parameters.join(", ")
    );
}

/// The description's own types have an ending of their own, so that a tool may be called as a type is.
fn type_name(name: &str) -> String {
    format!("%{}-type", kebab(name))
}

fn optional(kind: &Kind, optional: bool) -> String {
    if optional {
        format!("option<{}>", wit_type(kind))
    } else {
        wit_type(kind)
    }
}

fn wit_type(kind: &Kind) -> String {
    match kind {
        Kind::Text => "string".to_owned(),
        Kind::Id => "opaque-id".to_owned(),
        Kind::CustomerId => "customer-id".to_owned(),
        Kind::Email => "email".to_owned(),
        Kind::Timestamp => "timestamp".to_owned(),
        Kind::Integer => "s64".to_owned(),
        Kind::Number => "f64".to_owned(),
        Kind::Boolean => "bool".to_owned(),
        Kind::Money => "money".to_owned(),
        Kind::List(item) => format!("list<{}>", wit_type(item)),
        Kind::Named(name) => type_name(name),
    }
}

fn docs(text: &mut String, indent: &str, docs: Option<&str>) {
    for line in docs.unwrap_or_default().trim().lines() {
        let _ = writeln!(text, "{indent}/// {line}");
    }
}
