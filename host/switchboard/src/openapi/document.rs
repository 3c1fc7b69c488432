//! The document itself: its references, its server, what it says of itself.

use serde_json::{Map, Value};

/// How many references may lead to one another.
const MAX_HOPS: usize = 16;

/// The longest URL of a server.
const MAX_URL: usize = 2_048;

/// An OpenAPI document.
pub(super) struct Document<'a> {
    root: &'a Value,
}

impl<'a> Document<'a> {
    pub(super) fn new(root: &'a Value) -> Self {
        Self { root }
    }

    /// What a node is once its references are followed; in words, why it cannot be.
    pub(super) fn resolved(&self, node: &'a Value) -> Result<&'a Value, String> {
        let mut node = node;
        for _ in 0..MAX_HOPS {
            let Some(reference) = reference(node) else {
                return Ok(node);
            };
            let pointer = reference
                .strip_prefix('#')
                .ok_or_else(|| format!("{reference} is in another file"))?;
            node = self
                .root
                .pointer(pointer)
                .ok_or_else(|| format!("{reference} leads nowhere"))?;
        }
        Err("its references go round in a circle".to_owned())
    }

    /// The schema that bounds the values of an argument, once references and null are away.
    pub(super) fn bounded(&self, schema: &'a Value) -> Result<&'a Value, String> {
        let (schema, _) = super::schema::without_null(self.resolved(schema)?)?;
        self.resolved(schema)
    }

    /// How the API may want to be asked, by name.
    pub(super) fn security_schemes(&self) -> Option<&'a Map<String, Value>> {
        let schemes = self.root.pointer("/components/securitySchemes")?;
        schemes.as_object()
    }

    /// How every operation wants to be asked that does not say otherwise.
    pub(super) fn security(&self) -> Option<&'a Value> {
        self.root.get("security")
    }

    /// The first server that is a whole URL, its variables as they are by default.
    pub(super) fn server(&self) -> Option<String> {
        whole(self.root.get("servers"))
    }

    /// The path of the first server that is no more than that, where none is a whole URL.
    pub(super) fn path(&self) -> String {
        let mut paths =
            urls(self.root.get("servers")).filter(|url| url.starts_with('/') && is_plain(url));
        paths.next().unwrap_or_default()
    }

    /// Where an operation is that is not where the others are.
    pub(super) fn elsewhere(&self, item: &Map<String, Value>, operation: &Value) -> Option<String> {
        let own = whole(operation.get("servers")).or_else(|| whole(item.get("servers")))?;
        (self.server().as_ref() != Some(&own)).then(|| super::names::line(&own))
    }

    /// The title, on one line.
    pub(super) fn summary(&self) -> String {
        let title = self.root.pointer("/info/title").and_then(Value::as_str);
        super::names::line(title.unwrap_or_default())
    }
}

/// The first server of a list that is a whole URL.
fn whole(servers: Option<&Value>) -> Option<String> {
    urls(servers).find(|url| {
        let is_http = url.starts_with("https://") || url.starts_with("http://");
        is_http && is_plain(url)
    })
}

fn is_plain(url: &str) -> bool {
    !url.contains(['{', '?', '#', ' ']) && !url.starts_with("//")
}

/// The servers of a document, a path or an operation.
fn urls(servers: Option<&Value>) -> impl Iterator<Item = String> {
    let servers = servers.and_then(Value::as_array);
    let filled = servers.into_iter().flatten().filter_map(filled);
    filled.map(|url| url.trim_end_matches('/').to_owned())
}

/// A server's URL with the defaults of its variables; none where they make it longer than any.
fn filled(server: &Value) -> Option<String> {
    let mut url = server.get("url")?.as_str()?.to_owned();
    let variables = server.get("variables").and_then(Value::as_object);
    for (name, variable) in variables.into_iter().flatten() {
        if url.len() > MAX_URL {
            return None;
        }
        if let Some(default) = variable.get("default").and_then(Value::as_str) {
            url = url.replace(&format!("{{{name}}}"), default);
        }
    }
    (url.len() <= MAX_URL).then_some(url)
}

/// Where a node refers to, if it does.
pub(super) fn reference(node: &Value) -> Option<&str> {
    node.get("$ref")?.as_str()
}
