//! How an API wants to be asked: its security schemes as credentials that the host adds, and in words those that it cannot.

use std::collections::BTreeMap;

use http::HeaderName;
use serde_json::{Map, Value};

use super::document::Document;
use super::names;

/// What the first credential is called; a further one has its number behind it.
const FIRST: &str = "api";

/// The credentials that the tools' requests carry.
#[derive(Default)]
pub(super) struct Security {
    /// Scheme → credential.
    credentials: BTreeMap<String, Credential>,
    /// Tool → scheme.
    tools: BTreeMap<String, String>,
}

/// A scheme that the host can serve.
struct Credential {
    name: String,
    /// `the scheme ApiKey (apiKey), the header x-api-key`
    shown: String,
    /// What its operator writes.
    entry: String,
}

impl Security {
    /// Settles what the requests of a tool carry; in words, what it needs that the host does not do.
    pub(super) fn settle<'a>(
        &mut self,
        document: &Document<'a>,
        tool: &str,
        operation: &'a Value,
    ) -> Option<String> {
        let schemes = document.security_schemes()?;
        let wanted = operation.get("security").or(document.security());
        let Some(wanted) = wanted.and_then(Value::as_array) else {
            // The document says how, and not where: every request, then.
            return self.first_of(
                document,
                tool,
                schemes,
                schemes.keys().map(|name| vec![name]),
            );
        };
        let ways = wanted.iter().filter_map(Value::as_object);
        let ways = ways.filter(|way| !way.is_empty());
        self.first_of(
            document,
            tool,
            schemes,
            ways.map(|way| way.keys().collect()),
        )
    }

    /// The first way in which the host can ask.
    fn first_of<'a>(
        &mut self,
        document: &Document<'a>,
        tool: &str,
        schemes: &'a Map<String, Value>,
        ways: impl Iterator<Item = Vec<&'a String>>,
    ) -> Option<String> {
        let mut reasons = Vec::new();
        for way in ways {
            let [scheme] = way.as_slice() else {
                reasons.push("a request carries one credential, not several".to_owned());
                continue;
            };
            match header(document, scheme, schemes) {
                Ok((header, kind)) => {
                    self.name(scheme, &header, &kind);
                    self.tools.insert(tool.to_owned(), (*scheme).clone());
                    return None;
                }
                Err(reason) => {
                    reasons.push(format!("the scheme {}: {reason}", names::line(scheme)));
                }
            }
        }
        (!reasons.is_empty()).then(|| format!("it carries no credential: {}", reasons.join("; ")))
    }

    fn name(&mut self, scheme: &str, header: &HeaderName, kind: &str) {
        let name = match self.credentials.len() {
            0 => FIRST.to_owned(),
            more => format!("{FIRST}-{}", more + 1),
        };
        let entry = match kind {
            "http bearer" => "bearer = { env = \"…\" }".to_owned(),
            "http basic" => {
                "header = \"authorization\", value = { env = \"…\" } (the word Basic included)"
                    .to_owned()
            }
            _ => format!("header = \"{header}\", value = {{ env = \"…\" }}"),
        };
        let shown = format!(
            "the scheme {} ({kind}), the header {header}",
            names::line(scheme)
        );
        let credential = Credential { name, shown, entry };
        self.credentials
            .entry(scheme.to_owned())
            .or_insert(credential);
    }

    /// What stands in the reach of a tool: a comment and the credential; nothing where its requests carry none.
    pub(super) fn of_tool(&self, tool: &str) -> String {
        let scheme = self.tools.get(tool);
        let Some(credential) = scheme.and_then(|scheme| self.credentials.get(scheme)) else {
            return String::new();
        };
        format!(
            "# {}: [credentials.{}] of tenant.toml says where its value is.\ncredential = \"{}\"\n",
            credential.shown, credential.name, credential.name
        )
    }

    /// Each credential in words, with what its operator writes.
    pub(super) fn told(&self) -> Vec<String> {
        let mut all: Vec<&Credential> = self.credentials.values().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        let line = |one: &&Credential| {
            format!(
                "{}: {}; in tenant.toml, [credentials.{}]: {}",
                one.name, one.shown, one.name, one.entry
            )
        };
        all.iter().map(line).collect()
    }
}

/// The header that a scheme is sent in, and what it is called; in words, why the host does not send it.
fn header<'a>(
    document: &Document<'a>,
    scheme: &str,
    schemes: &'a Map<String, Value>,
) -> Result<(HeaderName, String), String> {
    let node = schemes
        .get(scheme)
        .ok_or("the document does not define it")?;
    let node = document.resolved(node)?;
    let word = |name| node.get(name).and_then(Value::as_str).unwrap_or_default();
    match (word("type"), word("in")) {
        ("apiKey", "header") => {
            let name = HeaderName::try_from(word("name"));
            Ok((name.map_err(|_| "its name is no header's")?, "apiKey".to_owned()))
        }
        ("apiKey", place) => Err(format!(
            "a key in the {} is not sent, only one in a header",
            names::line(place)
        )),
        ("http", _) => {
            let kind = names::line(word("scheme")).to_lowercase();
            Ok((http::header::AUTHORIZATION, format!("http {kind}")))
        }
        ("oauth2" | "openIdConnect", _) => Err(
            "the host fetches no tokens; where you have a lasting one, write credential = \"api\" yourself"
                .to_owned(),
        ),
        (other, _) => Err(format!("the host has nothing for {}", names::line(other))),
    }
}
