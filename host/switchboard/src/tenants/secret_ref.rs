//! Where a secret is: a tenant's files name the place, and never hold the secret itself.

use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::{Environment, Secret, files};

/// The program's own secrets: a tenant's plugin must not be able to send them anywhere.
const RESERVED: [&str; 3] = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "DOCKER_AUTH_CONFIG"];
const RESERVED_PREFIX: &str = "SWITCHBOARD_";

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SecretRef {
    /// In this environment variable.
    Env(String),
    /// In this file; white space around it does not count.
    File(PathBuf),
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // Read as anything at all, so that no message repeats a secret that somebody wrote here.
        let value = toml::Value::deserialize(from)?;
        let table = value.as_table().filter(|table| table.len() == 1);
        let text = |key| table.and_then(|table| table.get(key)?.as_str());
        match (text("env"), text("file")) {
            (Some(name), _) => Ok(Self::Env(name.to_owned())),
            (_, Some(file)) => Ok(Self::File(file.into())),
            _ => Err(D::Error::custom(
                "a secret is never written here: say where it is, { env = \"NAME\" } or { file = \"/run/secrets/name\" }",
            )),
        }
    }
}

impl SecretRef {
    /// The files that secrets are in, anywhere in a value of tenant.toml.
    pub(super) fn files_in(value: &toml::Value) -> Vec<PathBuf> {
        if let Ok(Self::File(path)) = value.clone().try_into() {
            return vec![path];
        }
        match value {
            toml::Value::Array(values) => values.iter().flat_map(Self::files_in).collect(),
            toml::Value::Table(table) => table.values().flat_map(Self::files_in).collect(),
            _ => Vec::new(),
        }
    }

    /// Gets the secret that a tenant's folder names, or says what to do.
    pub(crate) fn read(&self, environment: &Environment) -> Result<Secret, String> {
        match self {
            Self::Env(name) if is_reserved(name) => Err(format!(
                "{name} is the program's own secret; give the tenant one of its own, under another name"
            )),
            Self::Env(name) => environment
                .get(name)
                .map(|value| Secret::new(value.trim()))
                .ok_or_else(|| format!("the environment variable {name} is not set; set it and start the program again")),
            Self::File(path) if path.is_relative() => Err(format!(
                "{} is no whole path: begin it with /, outside of the tenant's folder", path.display()
            )),
            Self::File(path) => {
                let text = files::read_text(path)
                    .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
                match text.trim() {
                    "" => Err(format!("{} is empty", path.display())),
                    secret => Ok(Secret::new(secret)),
                }
            }
        }
    }
}

fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name.starts_with(RESERVED_PREFIX)
}
