//! Where an outbound request really goes: one spelling of an origin and a path, or none.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use url::{Origin, Url};

use crate::PathPattern;
use crate::tool_rule::id_text;

/// A URL whose every part means to a backend what it means to us. URLs that two parsers could read differently are none.
pub(crate) struct Target {
    origin: Origin,
    path: String,
    has_query: bool,
}

/// What no path may hold: escapes of the characters that shape it, and of the escape character itself.
const FORBIDDEN_ESCAPES: &[&str] = &["%2e", "%2f", "%5c", "%25", "%00"];

impl Target {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (raw_host, raw_path) = split(text)?;
        let url = Url::parse(text).ok()?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
            && url
                .host_str()
                .is_some_and(|host| is_same_host(raw_host, host))
            && is_plain_path(raw_path);
        plain.then(|| Self {
            origin: url.origin(),
            path: url.path().to_owned(),
            has_query: text.contains('?'),
        })
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn has_query(&self) -> bool {
        self.has_query
    }

    /// Whether it lies at a grant's origin (scheme, host and port; nothing else may be in it).
    pub(crate) fn is_at(&self, origin: &str) -> bool {
        parse_origin(origin).is_some_and(|granted| granted == self.origin)
    }
}

/// Whether a text is an origin and nothing more.
pub(crate) fn is_origin(text: &str) -> bool {
    parse_origin(text).is_some()
}

fn parse_origin(text: &str) -> Option<Origin> {
    let target = Target::parse(text)?;
    (target.path == "/" && !target.has_query).then_some(target.origin)
}

impl PathPattern {
    /// Whether a path matches: `*` and `{name}` are one segment that is not empty, `/**` at the end any rest, also none.
    pub fn matches(&self, path: &str) -> bool {
        let (stem, any_rest) = match self.0.strip_suffix("/**") {
            Some(stem) => (stem, true),
            None => (self.0.as_str(), false),
        };
        let mut segments = path.split('/');
        for wanted in stem.split('/') {
            match segments.next() {
                Some(segment) if wanted == "*" || bound(wanted).is_some() => {
                    if segment.is_empty() {
                        return false;
                    }
                }
                Some(segment) if segment == wanted => {}
                _ => return false,
            }
        }
        any_rest || segments.next().is_none()
    }

    /// The first argument that a matching path names otherwise than it was permitted.
    pub(crate) fn broken(&self, path: &str, permitted: &Map<String, Value>) -> Option<&str> {
        let differs = |(wanted, segment): (&'_ str, &str)| {
            let value = permitted.get(bound(wanted)?).and_then(id_text);
            let said = percent_decode_str(segment).decode_utf8().ok();
            (value.is_none() || value.as_deref() != said.as_deref()).then_some(())
        };
        self.0
            .split('/')
            .zip(path.split('/'))
            .find(|pair| differs(*pair).is_some())
            .map(|(wanted, _)| wanted)
    }

    /// Whether it can match a path at all: `*` and `{name}` stand alone in their segment, `**` at the end only.
    pub(crate) fn is_plain(&self) -> bool {
        let stem = self.0.strip_suffix("/**").unwrap_or(&self.0);
        let rooted = self.0.starts_with('/') && is_plain_path(&self.0);
        rooted
            && stem.split('/').all(|segment| {
                segment == "*" || bound(segment).is_some() || !segment.contains(['*', '{', '}'])
            })
    }
}

/// The argument that a segment of a pattern names: `order_id` of `{order_id}`.
fn bound(segment: &str) -> Option<&str> {
    let name = segment.strip_prefix('{')?.strip_suffix('}')?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (!name.is_empty() && name.bytes().all(plain)).then_some(name)
}

/// The authority and the path, as they are written.
fn split(text: &str) -> Option<(&str, &str)> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains(['\\', '#']) {
        return None;
    }
    let (_, rest) = text.split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    if authority.contains(['@', '%']) {
        return None;
    }
    Some((authority, path.split('?').next()?))
}

/// The host must be spelled as it is: no octal or hexadecimal addresses, no trailing dot, nothing left to normalise but case.
fn is_same_host(authority: &str, host: &str) -> bool {
    let port_at = authority.rfind(':').filter(|at| {
        let closing = authority.rfind(']').unwrap_or(0);
        *at >= closing
    });
    let written = port_at.map_or(Some(authority), |at| authority.get(..at));
    written.is_some_and(|written| written.eq_ignore_ascii_case(host)) && !host.ends_with('.')
}

fn is_plain_path(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let escapes = FORBIDDEN_ESCAPES
        .iter()
        .any(|escape| lower.contains(escape));
    let is_dots = |segment: &str| {
        let name = segment.split(';').next().unwrap_or(segment);
        name == "." || name == ".."
    };
    !escapes && !path.contains("//") && !path.split('/').any(is_dots)
}
