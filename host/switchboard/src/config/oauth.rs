//! `[oauth]`: whose access tokens count, for which address, and what their scopes give.

use std::collections::BTreeMap;

use policy::Role;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use url::{Host, Url};

/// Whose access tokens count beside keys, in one tenant; without an issuer there are no tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OAuth {
    /// The authorization server's identifier, which is a token's `iss` to the letter.
    pub issuer: String,
    /// The tenant's MCP endpoint as its clients reach it, which is a token's `aud` (RFC 8707).
    pub resource: String,
    /// What `aud` may be in place of the resource, where the authorization server knows none.
    pub audience: Vec<String>,
    /// Where the authorization server's keys are; empty means that its metadata say it.
    pub jwks: String,
    /// What each scope of a token gives; a scope that is not here gives nothing.
    pub scopes: BTreeMap<String, ScopeGrant>,
}

/// What a scope gives: a role, and the tools that are seen in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScopeGrant {
    /// As whom its bearer acts.
    pub role: Role,
    /// Patterns of names, where `*` stands for any part; none means every tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
}

/// The same, where tools are named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    role: Role,
    tools: Option<Vec<String>>,
}

impl<'de> Deserialize<'de> for ScopeGrant {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(from)?;
        let written = match &value {
            toml::Value::String(_) => value.try_into().map(|role| Written { role, tools: None }),
            _ => value.try_into(),
        };
        let Written { role, tools } = written.map_err(|error: toml::de::Error| {
            let reason = error.message().trim().replace('\n', ", ");
            D::Error::custom(format!(
                "a scope gives a role, \"agent\", \"supervisor\" or \"admin\", or {{ role = \"agent\", tools = [\"get_*\"] }}: {reason}"
            ))
        })?;
        Ok(Self { role, tools })
    }
}

/// What does not fit: the key within the section, and what to do.
pub(crate) type Misfit = (&'static str, String);

impl OAuth {
    /// Whether tokens count at all.
    pub(crate) fn is_on(&self) -> bool {
        *self != Self::default()
    }

    /// What a token's `aud` may be.
    pub(crate) fn audiences(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.resource).chain(&self.audience)
    }

    /// An audience for which the same tokens would count in both.
    pub(crate) fn shares_with(&self, other: &Self) -> Option<&String> {
        let is_theirs = |own: &&String| other.audiences().any(|audience| audience == *own);
        let mut own = self.audiences().filter(|_| self.issuer == other.issuer);
        own.find(is_theirs)
    }

    /// Whether its values fit together.
    pub(crate) fn check(&self) -> Result<(), Misfit> {
        let address = |key, text: &str| secure(text).map_err(|reason| (key, reason));
        address("oauth.issuer", &self.issuer)?;
        let resource = address("oauth.resource", &self.resource)?;
        if !resource.path().ends_with("/mcp") || resource.query().is_some() {
            return Err(("oauth.resource", NO_ENDPOINT.to_owned()));
        }
        if !self.jwks.is_empty() {
            address("oauth.jwks", &self.jwks)?;
        }
        if self.audience.iter().any(String::is_empty) {
            return Err((
                "oauth.audience",
                "an audience is empty; leave it out".to_owned(),
            ));
        }
        if self.scopes.is_empty() {
            return Err(("oauth.scopes", NO_SCOPES.to_owned()));
        }
        match self.scopes.keys().find(|scope| !is_scope(scope)) {
            Some(scope) => Err((
                "oauth.scopes",
                format!("{scope:?} is no scope: one is visible ASCII characters without \" and \\"),
            )),
            None => Ok(()),
        }
    }
}

const NO_ENDPOINT: &str = "expected the address of the MCP endpoint as clients reach it, such as https://desk.example/mcp or https://desk.example/t/acme/mcp";
const NO_SCOPES: &str = "no scope gives anything; say what each gives, as in [oauth.scopes] and \"support\" = \"agent\"";

/// An address that nobody on the way can answer for.
pub(crate) fn secure(text: &str) -> Result<Url, String> {
    let wrong = |why: &str| format!("{text:?} does not fit: {why}");
    let url = Url::parse(text).map_err(|_| wrong("expected an address, https://…"))?;
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Err(wrong("use https; http is for this machine alone"));
    }
    let is_plain =
        url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    is_plain
        .then_some(url)
        .ok_or_else(|| wrong("leave out user, password and everything from # on"))
}

/// On this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// RFC 6749, section 3.3.
fn is_scope(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    !text.is_empty() && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"issuer = "https://id.example"
resource = "https://desk.example/mcp"
scopes = { "support" = "agent", "lookup" = { role = "agent", tools = ["get_*"] } }"#;

    fn misfit(from: &str, to: &str) -> String {
        let text = GOOD.replace(from, to);
        match toml::from_str::<OAuth>(&text) {
            Ok(read) => read
                .check()
                .map_or_else(|(key, said)| format!("{key}: {said}"), |()| String::new()),
            Err(error) => error.message().to_owned(),
        }
    }

    #[test]
    fn what_fits_is_read_and_written_the_same() {
        let read: OAuth = toml::from_str(GOOD).unwrap();
        assert_eq!(read.check(), Ok(()));
        let again: OAuth = toml::from_str(&toml::to_string(&read).unwrap()).unwrap();
        assert_eq!(again, read);
        assert!(read.is_on() && !OAuth::default().is_on());
    }

    #[test]
    fn what_does_not_fit_says_what_to_do() {
        for (from, to, expected) in [
            ("https://id.example", "id.example", "oauth.issuer"),
            ("https://id.example", "http://id.example", "use https"),
            (
                "https://id.example",
                "https://a:b@id.example",
                "leave out user",
            ),
            (
                "/mcp",
                "",
                "oauth.resource: expected the address of the MCP",
            ),
            ("/mcp", "/mcp#here", "oauth.resource"),
            ("https://desk", "http://desk", "use https"),
            (
                "\"support\" = \"agent\"",
                "\"a b\" = \"agent\"",
                "no scope: one",
            ),
            (
                "\"support\" = \"agent\"",
                "\"a\" = \"boss\"",
                "a scope gives a role",
            ),
            ("tools =", "tool =", "a scope gives a role"),
            (
                "scopes = {",
                "scopes = {} #",
                "oauth.scopes: no scope gives",
            ),
            ("issuer", "isuer", "unknown field"),
        ] {
            let said = misfit(from, to);
            assert!(said.contains(expected), "{from} → {to}: {said:?}");
        }
        for here in ["http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9"] {
            assert_eq!(misfit("https://id.example", here), "", "{here}");
        }
    }
}
