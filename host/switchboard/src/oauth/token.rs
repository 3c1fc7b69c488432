//! One access token (RFC 9068): what it must be for its claims to count. Pure: key and time come in as arguments.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::keys::Key;

/// Seconds by which two clocks may differ.
const LEEWAY: i64 = 30;
/// Characters of a subject, at most: what names somebody in cases, logs and sessions.
const LONGEST_SUBJECT: usize = 255;

/// Those that are checked with a public key. What is signed with a shared secret is no access token of ours, whoever knows it.
pub(super) const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// What a token says, whose signature holds.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    pub(super) sub: String,
    aud: OneOrMany,
    exp: i64,
    nbf: Option<i64>,
    scope: Option<OneOrMany>,
    /// Under which name some authorization servers tell the scopes.
    scp: Option<OneOrMany>,
    cnf: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn iter(&self) -> impl Iterator<Item = &str> {
        let all = match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        };
        all.iter().map(String::as_str)
    }
}

/// The header of what has the form of a token signed with a private key. A session of a website is signed with a shared secret,
/// and is none.
pub(super) fn header(token: &str) -> Option<Header> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    ALGORITHMS.contains(&header.alg).then_some(header)
}

/// Whether it is an access token by its header, and asks for nothing that is not understood here.
pub(super) fn check_header(header: &Header) -> Result<(), &'static str> {
    if let Some(kind) = &header.typ {
        let kind = kind.to_ascii_lowercase();
        let kind = kind.strip_prefix("application/").unwrap_or(&kind);
        if !matches!(kind, "at+jwt" | "jwt") {
            return Err("its typ is no access token's");
        }
    }
    if header.crit.is_some() {
        return Err("its header has extensions that are not understood here");
    }
    Ok(())
}

/// What it says, if this key has signed it. The algorithm is one of ours, and the key's.
pub(super) fn claims(token: &str, header: &Header, key: &Key) -> Result<Claims, &'static str> {
    let mut checks = Validation::new(header.alg);
    // Time, issuer and audience are ours to compare: the time is the store's.
    checks.validate_exp = false;
    checks.validate_aud = false;
    checks.required_spec_claims.clear();
    let decoded = jsonwebtoken::decode::<Claims>(token, &key.decoding, &checks);
    decoded
        .map(|data| data.claims)
        .map_err(|error| match error.kind() {
            ErrorKind::Json(_) => {
                "it lacks iss, sub, aud or exp, or they are not what they should be"
            }
            _ => "its signature does not hold",
        })
}

impl Claims {
    /// Whether it is of this issuer, for one of these audiences, and counts now.
    pub(super) fn check<'a, I: Iterator<Item = &'a String>>(
        &self,
        issuer: &str,
        audiences: impl Fn() -> I,
        now: i64,
    ) -> Result<(), &'static str> {
        if self.iss != issuer {
            return Err("another issuer made it");
        }
        if !self.aud.iter().any(|aud| audiences().any(|own| own == aud)) {
            return Err("it is for another resource (aud)");
        }
        if self.refused_from() <= now {
            return Err("it has expired");
        }
        if self.nbf.is_some_and(|nbf| nbf.saturating_sub(LEEWAY) > now) {
            return Err("it does not count yet (nbf)");
        }
        if self.cnf.is_some() {
            return Err("it is bound to a key of its holder (cnf), which cannot be checked here");
        }
        let is_text = |c: char| !c.is_control();
        if !(1..=LONGEST_SUBJECT).contains(&self.sub.len()) || !self.sub.chars().all(is_text) {
            return Err("its sub is no name: 1 to 255 bytes, without control characters");
        }
        Ok(())
    }

    /// Unix seconds from which on it is refused.
    pub(super) fn refused_from(&self) -> i64 {
        self.exp.saturating_add(LEEWAY)
    }

    /// Its scopes, as often as it tells them.
    pub(super) fn scopes(&self) -> impl Iterator<Item = &str> {
        let told = self.scope.iter().chain(&self.scp);
        told.flat_map(OneOrMany::iter)
            .flat_map(str::split_ascii_whitespace)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn checked(change: &Value) -> Result<Vec<String>, String> {
        let mut claims = json!({ "iss": "https://id.example", "sub": "alice", "aud": "https://desk.example/mcp", "exp": NOW + 60, "scope": "a b" });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let claims: Claims = serde_json::from_value(claims).map_err(|error| error.to_string())?;
        let own = ["https://desk.example/mcp".to_owned(), "desk".to_owned()];
        claims.check("https://id.example", || own.iter(), NOW)?;
        Ok(claims.scopes().map(str::to_owned).collect())
    }

    #[test]
    fn a_token_counts_for_its_audience_while_it_lasts() {
        for (change, scopes) in [
            (json!({}), &["a", "b"][..]),
            (
                json!({ "aud": ["https://other.example", "desk"] }),
                &["a", "b"],
            ),
            (
                json!({ "exp": NOW - LEEWAY + 1, "nbf": NOW + LEEWAY }),
                &["a", "b"],
            ),
            (json!({ "scope": null, "scp": ["a", "c"] }), &["a", "c"]),
            (json!({ "scope": "a", "scp": "c" }), &["a", "c"]),
            (json!({ "scope": null }), &[]),
        ] {
            let scopes = scopes.iter().map(ToString::to_string).collect();
            assert_eq!(checked(&change), Ok(scopes), "{change}");
        }
    }

    #[test]
    fn every_other_token_is_refused() {
        for (change, expected) in [
            (json!({ "iss": "https://id.example/" }), "another issuer"),
            (
                json!({ "aud": "https://desk.example/mcp/" }),
                "another resource",
            ),
            (json!({ "aud": [] }), "another resource"),
            (json!({ "aud": null }), "OneOrMany"),
            (json!({ "exp": NOW - LEEWAY }), "expired"),
            (json!({ "exp": null }), "invalid type"),
            (json!({ "exp": u64::MAX }), "invalid value"),
            (json!({ "nbf": NOW + LEEWAY + 1 }), "not count yet"),
            (json!({ "cnf": { "jkt": "x" } }), "bound to a key"),
            (json!({ "sub": "" }), "no name"),
            (json!({ "sub": "a\u{0}" }), "no name"),
            (json!({ "sub": "a".repeat(256) }), "no name"),
        ] {
            let refused = checked(&change).unwrap_err();
            assert!(refused.contains(expected), "{change}: {refused}");
        }
    }

    #[test]
    fn a_header_of_something_else_is_refused() {
        let header = |typ: Option<&str>| Header {
            typ: typ.map(str::to_owned),
            ..Header::new(Algorithm::ES256)
        };
        for typ in [
            None,
            Some("JWT"),
            Some("at+jwt"),
            Some("application/AT+JWT"),
        ] {
            assert_eq!(check_header(&header(typ)), Ok(()), "{typ:?}");
        }
        for typ in ["logout+jwt", "dpop+jwt", "id+jwt", ""] {
            assert!(check_header(&header(Some(typ))).is_err(), "{typ}");
        }
        let bound = Header {
            crit: Some(vec!["b64".to_owned()]),
            ..header(None)
        };
        assert!(check_header(&bound).is_err());
    }
}
