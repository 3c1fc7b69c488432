//! Where a plugin may send requests, as a person writes it: in an operator's `plugins.toml`, and in the asks of a manifest.

use std::collections::BTreeMap;
use std::net::IpAddr;

use policy::{BodyEncoding, BodyRule, GrantError, HttpGrant, PathPattern};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::{Host, Url};

use crate::DeclaredNature;

/// One destination, before the plugin's settings are known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// `https://api.example.com`, or `{base_url}`: the origin of the URL that this setting holds.
    pub origin: String,
    /// Upper-case methods.
    pub methods: Vec<String>,
    /// Paths; `*` is one segment, `{order_id}` the segment that the permit names, a trailing `/**` any rest.
    pub paths: Vec<PathPattern>,
    /// Paths whose POST changes nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub safe_posts: Vec<PathPattern>,
    /// The credential (by name) that the host adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// How the backend treats repeats; `neither` where nobody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nature: Option<DeclaredNature>,
    /// The origin is on a private network, and that is meant.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private_network: bool,
    /// How the backend reads bodies: `json`, unless `form` is said.
    #[serde(default, skip_serializing_if = "BodyEncoding::is_json")]
    pub bodies: BodyEncoding,
    /// Which tools may use it, and what their bodies must say; empty: every tool of the plugin, with any body.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, Vec<BodyRule>>,
}

/// Why a destination cannot be granted as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReachError {
    /// The origin names a setting that is not there.
    #[error("the origin `{origin}` needs the setting `{setting}`, which has no value")]
    NoSetting {
        /// As it is written.
        origin: String,
        /// Which setting.
        setting: String,
    },
    /// The setting that the origin names holds no URL.
    #[error(
        "the setting `{setting}` must be a URL such as https://api.example.com, found {value:?}"
    )]
    NoUrl {
        /// Which setting.
        setting: String,
        /// What it holds.
        value: String,
    },
    /// The grant could never cover a request.
    #[error(transparent)]
    Grant(#[from] GrantError),
}

impl Reach {
    /// The grant that this is with these settings.
    pub fn grant(&self, settings: &BTreeMap<String, String>) -> Result<HttpGrant, ReachError> {
        let origin = self.origin_with(settings)?;
        let grant = HttpGrant {
            private_network: self.private_network || names_loopback(&origin),
            origin,
            methods: self.methods.clone(),
            paths: self.paths.clone(),
            safe_posts: self.safe_posts.clone(),
            credential: self.credential.clone(),
            nature: self.nature.map(|declared| declared.0).unwrap_or_default(),
            bodies: self.bodies,
            tools: self.tools.clone(),
        };
        grant.check()?;
        Ok(grant)
    }

    /// The setting that the origin is taken from, if it is.
    pub fn setting(&self) -> Option<&str> {
        self.origin.strip_prefix('{')?.strip_suffix('}')
    }

    fn origin_with(&self, settings: &BTreeMap<String, String>) -> Result<String, ReachError> {
        let Some(setting) = self.setting() else {
            return Ok(self.origin.clone());
        };
        let value = settings.get(setting).ok_or_else(|| ReachError::NoSetting {
            origin: self.origin.clone(),
            setting: setting.to_owned(),
        })?;
        let url = Url::parse(value).ok().filter(Url::has_host);
        let url = url.ok_or_else(|| ReachError::NoUrl {
            setting: setting.to_owned(),
            value: value.clone(),
        })?;
        Ok(url.origin().ascii_serialization())
    }
}

/// Whoever writes a loopback address into an origin means this machine; a name that only resolves to one does not say so.
fn names_loopback(origin: &str) -> bool {
    let Ok(url) = Url::parse(origin) else {
        return false;
    };
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(origin: &str, base_url: Option<&str>) -> Result<HttpGrant, String> {
        let reach: Reach = toml::from_str(&format!(
            "origin = {origin:?}\nmethods = [\"GET\"]\npaths = [\"/members/*\"]"
        ))
        .unwrap();
        let settings = base_url.map(|url| ("base_url".to_owned(), url.to_owned()));
        let grant = reach.grant(&settings.into_iter().collect());
        grant.map_err(|error| error.to_string())
    }

    #[test]
    fn an_origin_may_be_that_of_a_setting() {
        for (setting, origin, is_private) in [
            (
                "https://api.example.com/v2/",
                "https://api.example.com",
                false,
            ),
            (
                "https://api.example.com:443",
                "https://api.example.com",
                false,
            ),
            ("http://127.0.0.1:9300", "http://127.0.0.1:9300", true),
            ("http://[::1]:9300/", "http://[::1]:9300", true),
            ("http://10.0.0.7", "http://10.0.0.7", false),
            ("http://localhost:9300", "http://localhost:9300", false),
        ] {
            let grant = granted("{base_url}", Some(setting)).unwrap();
            assert_eq!(
                (grant.origin.as_str(), grant.private_network),
                (origin, is_private)
            );
        }
    }

    #[test]
    fn an_origin_that_cannot_be_granted_says_why() {
        for (origin, setting, said) in [
            ("{base_url}", None, "needs the setting `base_url`"),
            ("{base_url}", Some("shop.example"), "must be a URL"),
            ("{base_url}", Some("data:text/plain,x"), "must be a URL"),
            ("https://api.example.com/v2", None, "is no origin"),
        ] {
            let refusal = granted(origin, setting).unwrap_err();
            assert!(refusal.contains(said), "{origin} {setting:?}: {refusal}");
        }
    }
}
