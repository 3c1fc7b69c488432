//! What does not fit in a TOML text, and where: the line and the key, as messages name them.

use std::fmt;

/// Something in a TOML text that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Which line, from 1.
    pub line: usize,
    /// Which key, with its section; empty where the text itself does not parse.
    pub key: String,
    /// What was expected, and what was found.
    pub message: String,
}

impl Complaint {
    /// What the parser says of this text.
    pub(crate) fn of(text: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        Self {
            line: line_at(text, at),
            key: key_at(text, at),
            message: error.message().trim().replace('\n', ", "),
        }
    }

    /// A value that parses, but does not fit: the line is where the key stands, as far as that can be told.
    pub(crate) fn about(text: &str, key: &str, message: impl fmt::Display) -> Self {
        let mut start = 0;
        let found = text.split_inclusive('\n').position(|line| {
            let here = key_at(text, start) == key;
            start += line.len();
            here
        });
        Self {
            line: found.map_or(1, |line| line + 1),
            key: key.to_owned(),
            message: message.to_string(),
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "line {}", self.line)?;
        if !self.key.is_empty() {
            write!(to, ", key {}", self.key)?;
        }
        write!(to, ": {}", self.message)
    }
}

/// The line, from 1, that holds the byte `at`.
pub(crate) fn line_at(text: &str, at: usize) -> usize {
    text[..at.min(text.len())].matches('\n').count() + 1
}

/// The key whose line holds the byte `at`, with the section it stands in.
fn key_at(text: &str, at: usize) -> String {
    let (mut section, mut start) = ("", 0);
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if trimmed.starts_with('[') {
            section = trimmed.trim_matches(['[', ']']);
        }
        start += line.len();
        if at < start {
            let key = trimmed.split_once('=').map_or("", |(key, _)| key.trim());
            return [section, key]
                .iter()
                .filter(|part| !part.is_empty())
                .copied()
                .collect::<Vec<_>>()
                .join(".");
        }
    }
    String::new()
}
