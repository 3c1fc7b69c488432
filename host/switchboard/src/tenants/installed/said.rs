//! What is asked for, in an operator's words: a line for whatever there is to accept.

use policy::{BodyEncoding, BodyForm, BodyRule, HttpGrant, Nature, PathPattern};
use toml::{Table, Value};

use crate::Classified;

/// `GET, POST https://api.example.com /members/*, with the credential crm, on a private network`
pub(super) fn destination(grant: &HttpGrant) -> String {
    let list = |paths: &[PathPattern]| {
        let paths: Vec<&str> = paths.iter().map(|path| path.0.as_str()).collect();
        paths.join(", ")
    };
    let mut said = vec![format!(
        "{} {} {}",
        grant.methods.join(", "),
        grant.origin,
        list(&grant.paths)
    )];
    if let Some(name) = &grant.credential {
        said.push(format!("with the credential {name}"));
    }
    if grant.private_network {
        said.push("on a private network".to_owned());
    }
    match grant.nature {
        Nature::Neither => {}
        Nature::Deduplicates => said.push("which is said to deduplicate what is repeated".into()),
        Nature::Queryable { after_seconds } => said.push(format!(
            "which is said to know after {after_seconds} s what became of a request"
        )),
    }
    if !grant.safe_posts.is_empty() {
        said.push(format!(
            "where POST changes nothing at {}",
            list(&grant.safe_posts)
        ));
    }
    let tools = grant.tools.iter();
    let told = |body: &[BodyRule]| told(body, grant.bodies);
    said.extend(tools.map(|(tool, body)| format!("for {tool}, {}", told(body))));
    if grant.tools.is_empty() && grant.methods.iter().any(|method| method != "GET") {
        said.push(format!("for every tool of it, {}", told(&[])));
    }
    plain(&said.join(", "))
}

/// `with /points = /points, /sum = /amount (minor_units) in the body`
fn told(body: &[BodyRule], bodies: BodyEncoding) -> String {
    let rules = body.iter().map(|rule| {
        let BodyRule { at, is, form } = rule;
        let form = match form {
            BodyForm::Same => "",
            BodyForm::MinorUnits => " (minor_units)",
            BodyForm::Decimal => " (decimal)",
            BodyForm::DecimalNumber => " (decimal_number)",
            BodyForm::Currency => " (currency)",
        };
        format!("{at} = {is}{form}")
    });
    let rules: Vec<String> = rules.collect();
    match (rules.as_slice(), bodies) {
        ([], BodyEncoding::Json) => "with any body".to_owned(),
        ([], BodyEncoding::Form) => "with any form as its body".to_owned(),
        (rules, BodyEncoding::Json) => format!("with {} in the body", rules.join(", ")),
        (rules, BodyEncoding::Form) => format!("with {} in a form as its body", rules.join(", ")),
    }
}

/// What a tool's classification says that another, of the version before, does not: a line for each field. Without one before,
/// all that it says.
pub(super) fn judged(name: &str, tool: &Classified, before: Option<&Classified>) -> Vec<String> {
    let Some(before) = before else {
        return first(name, tool);
    };
    if tool == before {
        return Vec::new();
    }
    let (says, said) = (fields(tool), fields(before));
    let more = says.iter().filter_map(|(key, value)| match said.get(key) {
        Some(old) if old == value => None,
        Some(old) => Some(format!("{key} = {value} (was {old})")),
        None => Some(format!("{key} = {value} (was not said)")),
    });
    let dropped = said.iter().filter(|(key, _)| !says.contains_key(*key));
    let dropped = dropped.map(|(key, old)| format!("{key} is said no more (was {old})"));
    let mut lines: Vec<String> = more.chain(dropped).collect();
    if lines.is_empty() {
        lines.push("classified otherwise".to_owned());
    }
    let of_tool = |line: String| plain(&format!("the tool {name}: {line}"));
    lines.into_iter().map(of_tool).collect()
}

fn first(name: &str, tool: &Classified) -> Vec<String> {
    let mut says = fields(tool);
    let mut word = |key: &str| match says.remove(key) {
        Some(Value::String(word)) => word,
        _ => "nobody".to_owned(),
    };
    let (effect, open_to) = (word("effect"), word("open_to"));
    let head = format!("{effect}, open to {open_to}");
    let rest = says.iter().map(|(key, value)| format!("{key} = {value}"));
    let lines = std::iter::once(head).chain(rest);
    lines
        .map(|line| plain(&format!("the tool {name}: {line}")))
        .collect()
}

/// The fields that say something, by name.
fn fields(tool: &Classified) -> Table {
    let mut fields = Table::try_from(tool).unwrap_or_default();
    fields.retain(|_, value| match value {
        Value::Array(items) => !items.is_empty(),
        Value::Table(items) => !items.is_empty(),
        _ => true,
    });
    fields
}

/// On one line, and with nothing in it that nobody sees: what a manifest says cannot pass for another line.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ' '..='~' => plain.push(character),
            other => plain.extend(other.escape_debug()),
        }
    }
    plain
}
