//! Reading the configuration: defaults, then the file, then the environment, with errors that name key, file and line.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{Config, variables};
use crate::{Complaint, Environment, files};

/// The file with every default, as it is committed and as `switchboard config` prints it.
pub const DEFAULT_FILE: &str = include_str!("../../switchboard.default.toml");

/// Where a configuration is looked for when none is named.
const USUAL_FILE: &str = "switchboard.toml";

/// Why a configuration was refused.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file that was named cannot be read.
    #[error(
        "cannot read the configuration {file}: {message}; name another with --config, or leave it out to use the defaults"
    )]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// Why.
        message: String,
    },
    /// The file holds something that does not fit.
    #[error("{file}, {complaint}; `switchboard config` prints every key with its default")]
    Invalid {
        /// Which file.
        file: PathBuf,
        /// Where, and what.
        complaint: Complaint,
    },
    /// An environment variable holds something that does not fit.
    #[error("environment variable {name} (over the key {key}): {message}")]
    Variable {
        /// Which variable.
        name: &'static str,
        /// Which key it overrides.
        key: &'static str,
        /// What was expected, and what was found.
        message: String,
    },
    /// A value fits by itself, but not with the others.
    #[error("the configuration's key {key}: {message}")]
    Inconsistent {
        /// Which key.
        key: &'static str,
        /// What does not fit, and what to do.
        message: String,
    },
}

impl ConfigError {
    /// Which key it is about; empty where it is about none.
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Unreadable { .. } => "",
            Self::Invalid { complaint, .. } => &complaint.key,
            Self::Variable { key, .. } | Self::Inconsistent { key, .. } => key,
        }
    }
}

impl Config {
    /// Reads `file`, or `switchboard.toml` where there is one, or the defaults, and lays the environment over it.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        let path = file.unwrap_or(Path::new(USUAL_FILE));
        let config = match files::read_text(path) {
            Ok(text) => Self::parse(&text, path)?,
            Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                Self::default()
            }
            Err(error) => {
                return Err(ConfigError::Unreadable {
                    file: path.into(),
                    message: error.to_string(),
                });
            }
        };
        variables::apply(config, environment)
    }

    /// Parses a configuration; `file` is for messages.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError::Invalid {
            file: file.into(),
            complaint: Complaint::of(text, &error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Config::parse(text, Path::new("switchboard.toml"))
            .unwrap_err()
            .to_string()
    }

    fn with(name: &str, value: &str) -> Result<Config, ConfigError> {
        let set = [(name.to_owned(), value.to_owned())];
        variables::apply(Config::default(), &set.into_iter().collect())
    }

    #[test]
    fn the_committed_file_states_the_defaults_and_every_variable() {
        assert_eq!(
            Config::parse(DEFAULT_FILE, Path::new("default")).unwrap(),
            Config::default()
        );
        for variable in super::super::VARIABLES {
            let key = variable.key.rsplit('.').next().unwrap();
            let documented = DEFAULT_FILE.lines().any(|line| {
                line.starts_with(&format!("{key} = "))
                    && line.ends_with(&format!("# {}", variable.name))
            });
            assert!(documented, "{} = …  # {}", variable.key, variable.name);
        }
    }

    #[test]
    fn every_key_has_a_variable() {
        fn keys(prefix: &str, table: &toml::Table, to: &mut Vec<String>) {
            for (key, value) in table {
                match value {
                    toml::Value::Table(inner) => keys(&format!("{prefix}{key}."), inner, to),
                    _ => to.push(format!("{prefix}{key}")),
                }
            }
        }
        let mut found = Vec::new();
        keys(
            "",
            &toml::Table::try_from(Config::default()).unwrap(),
            &mut found,
        );
        let mut known: Vec<_> = super::super::VARIABLES
            .iter()
            .map(|variable| variable.key.to_owned())
            .collect();
        found.sort();
        known.sort();
        assert_eq!(found, known);
    }

    #[test]
    fn a_refusal_names_file_line_and_key() {
        for (text, expected) in [
            (
                "listn = 1",
                "switchboard.toml, line 1, key listn: unknown field `listn`",
            ),
            (
                "[rules]\nrefund_limit = 150.0",
                "line 2, key rules.refund_limit: invalid type: floating point",
            ),
            (
                "[rules]\n\nrefund_limit = \"12,50\"",
                "line 3, key rules.refund_limit: expected a decimal amount",
            ),
            (
                "[rules]\nresolve_confidence = 1.5",
                "line 2, key rules.resolve_confidence: expected a number from 0.0 to 1.0",
            ),
            (
                "[model]\nprovider = \"gpt\"",
                "line 2, key model.provider: unknown variant `gpt`, expected one of",
            ),
            (
                "listen = \"here\"",
                "line 1, key listen: invalid socket address",
            ),
            ("[model]\nmodel = [", "line 2"),
        ] {
            let refusal = refusal(text);
            assert!(
                refusal.contains(expected),
                "{text:?} is refused with {refusal:?}"
            );
        }
    }

    #[test]
    fn a_variable_overrides_its_key_and_is_named_when_it_does_not_fit() {
        assert_eq!(
            with("REFUND_LIMIT", "20")
                .unwrap()
                .rules
                .refund_limit
                .as_str(),
            "20"
        );
        assert_eq!(
            with("RETURN_WINDOW_DAYS", "14")
                .unwrap()
                .rules
                .return_window_days,
            14
        );
        assert_eq!(
            with("RESOLVE_CONFIDENCE", "0.9")
                .unwrap()
                .rules
                .resolve_confidence
                .per_mille(),
            900
        );
        assert_eq!(
            with("ALLOWED_HOSTS", "a.example, b.example")
                .unwrap()
                .allowed_hosts,
            ["a.example", "b.example"]
        );
        assert_eq!(with("MODEL_NAME", "").unwrap(), Config::default());
        for (name, value) in [
            ("REFUND_LIMIT", "-1"),
            ("RETURN_WINDOW_DAYS", "-1"),
            ("RETURN_WINDOW_DAYS", "month"),
            ("LISTEN", "here"),
            ("MODEL_PROVIDER", "gpt"),
        ] {
            let refusal = with(name, value).unwrap_err().to_string();
            assert!(
                refusal.starts_with(&format!("environment variable {name} ")),
                "{refusal}"
            );
        }
    }
}
