//! The manifest of a described plugin: exactly the paths that it asks for, and a first classification of its tools.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use described::{Api, Encoding, Kind, Method, Parameter, PathTemplate, Place, Tool};
use url::Url;

use super::document::Document;
use super::security::Security;

/// Where an API is whose document does not say.
const NOWHERE: &str = "https://api.example.com";

/// The text of `plugin.toml`.
pub(super) fn text(name: &str, api: &Api, security: &Security, document: &Document<'_>) -> String {
    let server = document.server();
    let summary = document.summary();
    let base_url = server.clone();
    let base_url = base_url.unwrap_or_else(|| NOWHERE.to_owned() + &document.path());
    let prefix = Url::parse(&base_url).map(|url| url.path().trim_end_matches('/').to_owned());
    let prefix = prefix.unwrap_or_default();
    let mut text = format!("name = {}\nversion = \"0.1.0\"\n", quoted(name));
    if !summary.is_empty() {
        let _ = writeln!(text, "description = {}", quoted(&summary));
    }
    let _ = write!(
        text,
        "\n[build]\napi = \"api.toml\"\n\n[asks.settings]\n{}base_url = {}\n",
        if server.is_none() {
            "# The document does not say where the API is.\n"
        } else {
            ""
        },
        quoted(&base_url)
    );
    reads(&mut text, api, security, &prefix);
    let writes = api
        .tools
        .iter()
        .filter(|(_, tool)| tool.method != Method::Get);
    for (name, tool) in writes {
        write(&mut text, api, &prefix, name, tool);
        text.push_str(&security.of_tool(name));
    }
    text.push_str(
        "\n# Who may use a tool is for you to say: anyone, claimed, matched, verified or staff. Without it nobody may.\n",
    );
    for (name, tool) in api.tools.iter() {
        classification(&mut text, name, tool);
    }
    text
}

/// One grant for all reads that carry the same credential.
fn reads(text: &mut String, api: &Api, security: &Security, prefix: &str) {
    let reads = api
        .tools
        .iter()
        .filter(|(_, tool)| tool.method == Method::Get);
    let mut grants = BTreeMap::<String, BTreeSet<String>>::new();
    for (name, tool) in reads {
        let paths = grants.entry(security.of_tool(name)).or_default();
        paths.insert(quoted(&path(prefix, tool, |_| false)));
    }
    for (credential, paths) in grants {
        let paths: Vec<String> = paths.into_iter().collect();
        let _ = write!(
            text,
            "\n[[asks.reach]]\norigin = \"{{base_url}}\"\nmethods = [\"GET\"]\npaths = [{}]\n{credential}",
            paths.join(", ")
        );
    }
}

/// One grant for each write: its path names what the permit names, and its body says what the permit says.
fn write(text: &mut String, api: &Api, prefix: &str, name: &str, tool: &Tool) {
    let same = |name: &str| {
        tool.parameters
            .get(name)
            .is_some_and(|parameter| is_same(api, &parameter.kind))
    };
    let bodies = tool
        .parameters
        .iter()
        .filter(|(_, parameter)| parameter.place == Place::Body && is_same(api, &parameter.kind));
    let rules = bodies.filter_map(|(name, parameter)| rule(name, parameter));
    let bodies = match tool.body {
        Encoding::Json => "",
        Encoding::Form => "bodies = \"form\"\n",
    };
    let _ = write!(
        text,
        "\n[[asks.reach]]\norigin = \"{{base_url}}\"\nmethods = [{}]\npaths = [{}]\n{bodies}tools = {{ {name} = [{}] }}\n",
        quoted(tool.method.as_str()),
        quoted(&path(prefix, tool, same)),
        rules.collect::<Vec<_>>().join(", ")
    );
}

fn rule(name: &str, parameter: &Parameter) -> Option<String> {
    let at = parameter.body_pointer(name);
    (!at.is_empty()).then(|| {
        format!(
            "{{ at = {}, is = {} }}",
            quoted(&at),
            quoted(&format!("/{name}"))
        )
    })
}

/// Whether what is sent is what the model said, letter for letter.
fn is_same(api: &Api, kind: &Kind) -> bool {
    match kind {
        Kind::Named(name) => {
            let mut cases = api
                .types
                .get(name)
                .into_iter()
                .flat_map(|def| def.cases.iter())
                .peekable();
            cases.peek().is_some() && cases.all(|(name, wire)| name == wire)
        }
        kind => kind.is_scalar(),
    }
}

fn path(prefix: &str, tool: &Tool, bind: impl Fn(&str) -> bool) -> String {
    let own = PathTemplate::parse(&tool.path).map(|template| template.granted(bind));
    let own = own.unwrap_or_else(|_| tool.path.clone());
    if prefix.is_empty() {
        own
    } else {
        prefix.to_owned() + if own == "/" { "" } else { &own }
    }
}

fn classification(text: &mut String, name: &str, tool: &Tool) {
    let _ = writeln!(text, "\n[tool.{name}]");
    if tool.method == Method::Get {
        text.push_str("effect = \"read\"\n# open_to = \"matched\"\n");
        return;
    }
    text.push_str("effect = \"write\"\n");
    intent(text, tool);
    text.push_str("# open_to = \"verified\"\n");
}

/// What makes two calls of a write the same business.
fn intent(text: &mut String, tool: &Tool) {
    let (key, terms): (Vec<_>, Vec<_>) = tool
        .parameters
        .iter()
        .partition(|(_, parameter)| parameter.place == Place::Path);
    let sets = matches!(tool.method, Method::Put | Method::Patch);
    if sets && !key.is_empty() && !terms.is_empty() {
        let _ = write!(
            text,
            "# What was set last is not set again; other values take its place. Where others than this host set it too,\n\
             # `per_case = true` sets it once in every case:\n\
             intent = {{ key = [{}], terms = [{}], latest = true }}\n",
            pointers(&key),
            pointers(&terms)
        );
        return;
    }
    // A path says where something is made, not what: a key of it alone would take the second thing for the first.
    text.push_str(
        "# The same arguments in one case are one intent: asked for again, it gives the first answer and sends nothing. Other\n\
         # arguments, or the same in another case, are sent.",
    );
    let all: Vec<_> = key.into_iter().chain(terms).collect();
    if !all.is_empty() {
        let _ = write!(
            text,
            " Where fewer of them make it the same business, keep those, and\n\
             # leave out what may be put in other words when it is asked for again:\n\
             # intent = {{ key = [{}], per_case = true }}",
            pointers(&all)
        );
    }
    text.push('\n');
}

/// Where these parameters are in the arguments, as the items of a list.
fn pointers(parameters: &[(&str, &Parameter)]) -> String {
    let pointers = parameters
        .iter()
        .map(|(name, _)| quoted(&format!("/{name}")));
    pointers.collect::<Vec<_>>().join(", ")
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
