//! Why a tenant's folder was refused: in which file, at which line and key, and what to do.

use std::fmt;

use toml::Spanned;

use crate::complaint::{Complaint, line_at};

/// Why a tenant's folder was refused; what was live before goes on serving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantError {
    /// The file, relative to the tenant's folder.
    pub file: String,
    /// From 1, where it is known.
    pub line: Option<usize>,
    /// With the section that it stands in; empty where it is the file as a whole.
    pub key: String,
    /// What was expected, what was found, and what to do.
    pub message: String,
}

impl TenantError {
    /// The file as a whole does not fit.
    pub(super) fn of_file(file: &str, message: impl fmt::Display) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            key: String::new(),
            message: message.to_string(),
        }
    }
}

impl fmt::Display for TenantError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(to, ", line {line}")?;
        }
        if !self.key.is_empty() {
            write!(to, ", key {}", self.key)?;
        }
        write!(to, ": {}", self.message)
    }
}

impl std::error::Error for TenantError {}

/// A text of the folder, for errors that know their place in it.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
}

impl Text<'_> {
    /// Reads it as TOML.
    pub(super) fn parse<T: serde::de::DeserializeOwned>(self) -> Result<T, TenantError> {
        toml::from_str(self.text).map_err(|error| {
            let Complaint { line, key, message } = Complaint::of(self.text, &error);
            TenantError {
                file: self.file.to_owned(),
                line: Some(line),
                key,
                message,
            }
        })
    }

    /// What stands here, under this key, does not fit.
    pub(super) fn refuse<T>(
        self,
        at: &Spanned<T>,
        key: impl Into<String>,
        message: impl fmt::Display,
    ) -> TenantError {
        TenantError {
            file: self.file.to_owned(),
            line: Some(line_at(self.text, at.span().start)),
            key: key.into(),
            message: message.to_string(),
        }
    }
}
