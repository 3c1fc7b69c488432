//! Paths with parameters in them: `/orders/{order_id}/items`. What a parameter holds never leaves its segment.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A path as a description writes it, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTemplate {
    segments: Vec<Vec<Part>>,
    /// It ends with a slash, which some servers insist on.
    is_closed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Parameter(String),
}

/// A text that is no path.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    /// It does not start at the root.
    #[error("a path starts with /")]
    Start,
    /// A segment that a server could read as another path than is written.
    #[error("the segment {0:?} is empty, `.` or `..`, or has characters that a path cannot have")]
    Segment(String),
    /// A brace without its other half, or a name that is none.
    #[error("{0:?} has a brace that does not hold the name of a parameter, such as {{order_id}}")]
    Brace(String),
}

/// A value that cannot be a segment, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{parameter} cannot stand in a path: it must not be empty, `.` or `..`, nor have slashes, backslashes, percent signs or control characters"
)]
pub struct SegmentError {
    /// The parameter.
    pub parameter: String,
}

impl PathTemplate {
    /// Takes a path apart.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let rest = text.strip_prefix('/').ok_or(PathError::Start)?;
        if rest.is_empty() {
            return Ok(Self {
                segments: Vec::new(),
                is_closed: true,
            });
        }
        let inner = rest.strip_suffix('/');
        let segments = inner.unwrap_or(rest).split('/').map(segment);
        Ok(Self {
            segments: segments.collect::<Result<_, _>>()?,
            is_closed: inner.is_some(),
        })
    }

    /// The parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments
            .iter()
            .flatten()
            .filter_map(|part| match part {
                Part::Parameter(name) => Some(name.as_str()),
                Part::Literal(_) => None,
            })
    }

    /// The path with these values, percent-encoded. A parameter without a value counts as empty.
    pub fn fill(&self, value: impl Fn(&str) -> Option<String>) -> Result<String, SegmentError> {
        let mut path = String::new();
        for parts in &self.segments {
            path.push('/');
            fill_segment(&mut path, parts, &value)?;
        }
        if self.is_closed {
            path.push('/');
        }
        Ok(path)
    }

    /// The same path as a grant writes it: a parameter that is a whole segment in braces where `bind` says so, and `*` for
    /// every other segment with a parameter in it.
    pub fn granted(&self, bind: impl Fn(&str) -> bool) -> String {
        let mut path = String::new();
        for parts in &self.segments {
            path.push('/');
            match parts.as_slice() {
                [Part::Literal(text)] => path.push_str(text),
                [Part::Parameter(name)] if bind(name) => {
                    // Writing to a String cannot fail.
                    let _ = write!(path, "{{{name}}}");
                }
                _ => path.push('*'),
            }
        }
        if self.is_closed {
            path.push('/');
        }
        path
    }
}

fn segment(text: &str) -> Result<Vec<Part>, PathError> {
    if matches!(text, "" | "." | "..") {
        return Err(PathError::Segment(text.to_owned()));
    }
    let brace = || PathError::Brace(text.to_owned());
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('{') {
            let (name, after) = after.split_once('}').ok_or_else(brace)?;
            if !crate::check::is_name(name) {
                return Err(brace());
            }
            parts.push(Part::Parameter(name.to_owned()));
            rest = after;
        } else {
            let (literal, after) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
            if !literal.bytes().all(is_plain) {
                return Err(PathError::Segment(text.to_owned()));
            }
            parts.push(Part::Literal(literal.to_owned()));
            rest = after;
        }
    }
    Ok(parts)
}

fn fill_segment(
    path: &mut String,
    parts: &[Part],
    value: &impl Fn(&str) -> Option<String>,
) -> Result<(), SegmentError> {
    let mut whole = String::new();
    let mut last = "";
    for part in parts {
        match part {
            Part::Literal(text) => {
                whole.push_str(text);
                path.push_str(text);
            }
            Part::Parameter(name) => {
                last = name;
                let text = value(name).unwrap_or_default();
                if text.is_empty() || text.chars().any(shapes_a_path) {
                    return Err(refused(name));
                }
                whole.push_str(&text);
                percent_encode(path, &text);
            }
        }
    }
    match whole.as_str() {
        "." | ".." => Err(refused(last)),
        _ => Ok(()),
    }
}

fn refused(parameter: &str) -> SegmentError {
    SegmentError {
        parameter: parameter.to_owned(),
    }
}

/// Characters that some server, proxy or client on the way could take for the path's own, even percent-encoded.
fn shapes_a_path(c: char) -> bool {
    matches!(c, '/' | '\\' | '%') || c.is_control()
}

/// What a segment may have as it is (RFC 3986), without `%`: nothing that a description writes needs an escape.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

/// Adds a text with everything but RFC 3986's unreserved characters percent-encoded.
pub fn percent_encode(to: &mut String, text: &str) {
    to.extend(utf8_percent_encode(text, RESERVED));
}

#[cfg(test)]
mod tests {
    use super::{PathError, PathTemplate};

    fn filled(template: &str, value: &str) -> Option<String> {
        let template = PathTemplate::parse(template).unwrap();
        template.fill(|_| Some(value.to_owned())).ok()
    }

    #[test]
    fn a_value_stays_in_its_segment() {
        for (value, expected) in [
            ("ORD-8842", Some("/orders/ORD-8842/items")),
            ("ü ?#&=+", Some("/orders/%C3%BC%20%3F%23%26%3D%2B/items")),
            ("...", Some("/orders/.../items")),
            ("{order_id}", Some("/orders/%7Border_id%7D/items")),
            ("", None),
            (".", None),
            ("..", None),
            ("../customers", None),
            ("a/b", None),
            ("a\\b", None),
            ("%2e%2e", None),
            ("a\0", None),
            ("a\r\nhost: evil", None),
            ("\u{85}", None),
        ] {
            let path = filled("/orders/{order_id}/items", value);
            assert_eq!(path.as_deref(), expected, "{value:?}");
        }
    }

    #[test]
    fn parts_of_a_segment_are_judged_together() {
        assert_eq!(
            filled("/files/{name}.json", "a").as_deref(),
            Some("/files/a.json")
        );
        assert_eq!(filled("/files/.{name}", "."), None);
        assert_eq!(filled("/files/{name}.", "."), None);
        assert_eq!(filled("/", "x").as_deref(), Some("/"));
        assert_eq!(filled("/a/{name}/", "x").as_deref(), Some("/a/x/"));
        assert_eq!(filled("/a/{name}/", ""), None);
    }

    #[test]
    fn a_template_says_what_it_means() {
        for wrong in [
            "orders", "/a//b", "/a/../b", "/.", "/a?x=1", "/a#b", "/a%2fb", "/a b", "/a//", "//",
        ] {
            assert!(PathTemplate::parse(wrong).is_err(), "{wrong}");
        }
        for wrong in ["/{", "/{}", "/{A}", "/{a}}", "/{a{b}}", "/}"] {
            let error = PathTemplate::parse(wrong).unwrap_err();
            assert!(
                matches!(error, PathError::Brace(_) | PathError::Segment(_)),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_grant_names_whole_segments_only() {
        let template = PathTemplate::parse("/orders/{order_id}/items/{item}").unwrap();
        assert_eq!(
            template.granted(|name| name == "order_id"),
            "/orders/{order_id}/items/*"
        );
        let template = PathTemplate::parse("/files/{name}.json").unwrap();
        assert_eq!(template.granted(|_| true), "/files/*");
        let template = PathTemplate::parse("/orders/{order_id}/").unwrap();
        assert_eq!(template.granted(|_| true), "/orders/{order_id}/");
    }
}
