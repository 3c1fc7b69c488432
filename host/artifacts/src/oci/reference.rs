//! Where an artifact lies in a registry: `host/repository:tag@sha256:…`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::Digest;

/// The longest repository name, as the distribution specification has it.
const MAX_REPOSITORY: usize = 255;
/// The longest tag, as the distribution specification has it.
const MAX_TAG: usize = 128;

/// A place in a registry: with a tag, a manifest's digest, or both. The digest decides; a tag beside it is what is watched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Not a place in a registry.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{found:?} is no place in a registry ({message}): expected host/repository:tag, host/repository@sha256:… or both"
)]
pub struct ReferenceError {
    found: String,
    message: &'static str,
}

impl Reference {
    /// The registry: a host, with its port where it has one.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository in it.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if one is named.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The manifest's digest, if it is pinned.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The place by its tag alone, and the digest that it is pinned to, where it has both: what may lead apart one day.
    pub fn tag_and_pin(&self) -> Option<(Self, Digest)> {
        let by_tag = Self {
            digest: None,
            ..self.clone()
        };
        self.tag.as_ref().and(self.digest.map(|pin| (by_tag, pin)))
    }

    /// The same place, pinned.
    #[must_use]
    pub fn at(&self, digest: Digest) -> Self {
        Self {
            digest: Some(digest),
            ..self.clone()
        }
    }

    /// Whether the registry is on this machine, so that nobody listens in.
    pub fn is_loopback(&self) -> bool {
        let host = self.registry.split_once(':');
        let host = host.map_or(self.registry.as_str(), |(host, _)| host);
        let address = host.parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// Whom to ask: the one registry that answers under another name than its own does so.
    pub(super) fn host(&self) -> &str {
        match self.registry.as_str() {
            "docker.io" => "index.docker.io",
            other => other,
        }
    }

    /// For the client that publishes: by tag.
    pub(super) fn by_tag(&self, tag: &str) -> oci_client::Reference {
        let (registry, repository) = (self.registry.clone(), self.repository.clone());
        oci_client::Reference::with_tag(registry, repository, tag.to_owned())
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    /// Reads it, with or without `oci://` in front. The registry is always named: there is none by default.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text.strip_prefix("oci://").unwrap_or(text)).map_err(|message| ReferenceError {
            found: text.chars().take(200).collect(),
            message,
        })
    }
}

fn parse(text: &str) -> Result<Reference, &'static str> {
    let (registry, rest) = text.split_once('/').ok_or("it names no repository")?;
    let (rest, digest) = match rest.split_once('@') {
        Some((rest, digest)) => (rest, Some(pinned(digest)?)),
        None => (rest, None),
    };
    let (repository, tag) = match rest.split_once(':') {
        Some((repository, tag)) => (repository, Some(tag)),
        None => (rest, None),
    };
    if !is_registry(registry) {
        return Err("it does not begin with a registry's host");
    }
    if !is_repository(repository) {
        return Err("the repository's name is odd");
    }
    if !tag.is_none_or(is_tag) {
        return Err("the tag is odd");
    }
    if tag.is_none() && digest.is_none() {
        return Err("it names neither tag nor digest");
    }
    Ok(Reference {
        registry: registry.to_owned(),
        repository: repository.to_owned(),
        tag: tag.map(str::to_owned),
        digest,
    })
}

fn pinned(digest: &str) -> Result<Digest, &'static str> {
    let digest = digest.starts_with("sha256:").then(|| digest.parse());
    match digest {
        Some(Ok(digest)) => Ok(digest),
        _ => Err("the digest is no sha256:… with 64 lower-case digits"),
    }
}

/// A name with a dot, `localhost`, or anything with a port: a bare word would be somebody's repository on a public registry.
fn is_registry(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let port_fits = port.is_none_or(|port| {
        port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    !host.is_empty()
        && host.bytes().all(plain)
        && !host.starts_with(['.', '-'])
        && !host.ends_with(['.', '-'])
        && !host.contains("..")
        && port_fits
        && (host.contains('.') || host == "localhost" || port.is_some())
}

fn is_repository(text: &str) -> bool {
    text.len() <= MAX_REPOSITORY && text.split('/').all(is_component)
}

/// Lower-case letters and digits, with `.`, `_` and `-` between them.
fn is_component(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [text.bytes().next(), text.bytes().last()];
    ends.into_iter().all(|end| end.is_some_and(plain))
        && text
            .bytes()
            .all(|byte| plain(byte) || matches!(byte, b'.' | b'_' | b'-'))
        && !text.contains("..")
}

fn is_tag(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= MAX_TAG
        && text.bytes().next().is_some_and(plain)
        && text
            .bytes()
            .all(|byte| plain(byte) || matches!(byte, b'.' | b'-'))
}

impl fmt::Display for Reference {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(to, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(to, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
