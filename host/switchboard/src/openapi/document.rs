//! The document itself: its references, its server, what it says of itself.

use serde_json::{Map, Value};

/// How many references may lead to one another.
const MAX_HOPS: usize = 16;

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

    /// The first server that is a whole URL.
    pub(super) fn server(&self) -> Option<&'a str> {
        let servers = self.root.get("servers")?.as_array()?;
        let urls = servers
            .iter()
            .filter_map(|server| server.get("url")?.as_str());
        urls.map(|url| url.trim_end_matches('/')).find(|url| {
            let is_http = url.starts_with("https://") || url.starts_with("http://");
            is_http && !url.contains(['{', '?', '#', ' '])
        })
    }

    /// The title, on one line.
    pub(super) fn summary(&self) -> String {
        let title = self.root.pointer("/info/title").and_then(Value::as_str);
        super::names::line(title.unwrap_or_default())
    }
}

/// Where a node refers to, if it does.
pub(super) fn reference(node: &Value) -> Option<&str> {
    node.get("$ref")?.as_str()
}
