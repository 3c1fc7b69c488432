//! Names and passwords for registries, each for its own host alone, in the form that Docker's configuration has.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use oci_client::secrets::RegistryAuth;
use serde::Deserialize;
use thiserror::Error;

/// Who we are to which registry. The values show in no debug output.
#[derive(Clone, Default)]
pub struct Credentials(BTreeMap<String, (String, String)>);

/// Not Docker's form.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CredentialsError {
    /// Not the JSON that it should be. What it says is not repeated: it holds passwords.
    #[error(
        "the registries' credentials are not in the form of Docker's configuration, {{\"auths\": {{\"HOST\": {{\"username\": …, \"password\": …}}}}}} (line {line}, column {column})"
    )]
    Form {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A registry with neither name and password nor both in base64.
    #[error(
        "the credentials of the registry {0:?} are neither `username` and `password` nor `auth` in base64"
    )]
    Entry(String),
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    username: Option<String>,
    password: Option<String>,
    auth: Option<String>,
}

impl Credentials {
    /// Reads the text of a Docker configuration file (`{"auths": {"HOST": {"auth": "…"}}}`); what else it holds counts for nothing.
    pub fn parse(text: &str) -> Result<Self, CredentialsError> {
        let file: File = serde_json::from_str(text).map_err(|error| CredentialsError::Form {
            line: error.line(),
            column: error.column(),
        })?;
        let entries = file.auths.into_iter().map(|(host, entry)| {
            let host = host_of(&host);
            let pair = entry
                .pair()
                .ok_or_else(|| CredentialsError::Entry(host.clone()))?;
            Ok((host, pair))
        });
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// Name and password for a registry, and for no other.
    pub(super) fn of(&self, registry: &str) -> RegistryAuth {
        match self.0.get(registry) {
            Some((name, password)) => RegistryAuth::Basic(name.clone(), password.clone()),
            None => RegistryAuth::Anonymous,
        }
    }
}

/// Docker writes some hosts as addresses: `https://index.docker.io/v1/`.
fn host_of(key: &str) -> String {
    let host = key.split_once("://").map_or(key, |(_, rest)| rest);
    host.split('/').next().unwrap_or(host).to_owned()
}

impl Entry {
    fn pair(self) -> Option<(String, String)> {
        if let (Some(name), Some(password)) = (self.username, self.password) {
            return Some((name, password));
        }
        let both = BASE64.decode(self.auth?).ok()?;
        let both = String::from_utf8(both).ok()?;
        let (name, password) = both.split_once(':')?;
        Some((name.to_owned(), password.to_owned()))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_set().entries(self.0.keys()).finish()
    }
}
