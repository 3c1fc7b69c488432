//! The authorization server's keys: fetched when they are needed, kept, and fetched anew as seldom as can be.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::fetch;
use super::token::ALGORITHMS;
use crate::config::OAuth;

/// So often are keys fetched within [`WINDOW`], whatever tokens say: tokens that nobody has signed cost nothing to make.
const MOST_FETCHES: usize = 3;
const WINDOW: Duration = Duration::from_mins(1);
/// Keys of this age are fetched anew beside the requests, so that one that was taken back does not count for ever.
const AGE: Duration = Duration::from_mins(10);
/// Keys that one authorization server may have.
const MOST_KEYS: usize = 100;
/// Characters of the base64url of an RSA modulus: 2,048 to 8,192 bits. Shorter ones can be broken, longer ones take long to check.
const RSA_MODULUS: std::ops::RangeInclusive<usize> = 342..=1366;

/// One public key.
pub(super) struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    pub(super) decoding: DecodingKey,
}

/// Why there is no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    /// The authorization server has none such.
    Unknown,
    /// Nothing is known of its keys yet.
    Unavailable,
}

/// The keys of one authorization server.
pub(super) struct KeySet {
    issuer: String,
    jwks: String,
    live: RwLock<Arc<Live>>,
    fetches: Mutex<Vec<Instant>>,
}

#[derive(Default)]
struct Live {
    keys: Vec<Arc<Key>>,
    fetched: Option<Instant>,
}

impl KeySet {
    /// Empty as yet.
    pub(super) fn of(settings: &OAuth) -> Self {
        Self {
            issuer: settings.issuer.clone(),
            jwks: settings.jwks.clone(),
            live: RwLock::default(),
            fetches: Mutex::default(),
        }
    }

    /// The key that a token of this header is checked with.
    pub(super) async fn key(self: &Arc<Self>, header: &Header) -> Result<Arc<Key>, NoKey> {
        let live = self.live();
        if let Some(key) = live.find(header) {
            if live.fetched.is_some_and(|at| at.elapsed() > AGE) {
                self.renew_aside(live.fetched);
            }
            return Ok(key);
        }
        self.renew(live.fetched).await;
        let live = self.live();
        live.find(header).ok_or(match live.fetched {
            Some(_) => NoKey::Unknown,
            None => NoKey::Unavailable,
        })
    }

    fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn renew_aside(self: &Arc<Self>, seen: Option<Instant>) {
        let keys = Arc::clone(self);
        tokio::spawn(async move {
            // One of all that see the same age does it.
            if let Ok(fetches) = keys.fetches.try_lock() {
                keys.renew_with(fetches, seen).await;
            }
        });
    }

    async fn renew(&self, seen: Option<Instant>) {
        let fetches = self.fetches.lock().await;
        self.renew_with(fetches, seen).await;
    }

    /// Fetches the keys unless somebody else has done so since, or it was done too often. What cannot be had leaves the old ones.
    async fn renew_with(
        &self,
        mut fetches: tokio::sync::MutexGuard<'_, Vec<Instant>>,
        seen: Option<Instant>,
    ) {
        fetches.retain(|at| at.elapsed() < WINDOW);
        if self.live().fetched != seen || fetches.len() >= MOST_FETCHES {
            return;
        }
        fetches.push(Instant::now());
        match fetch::keys(&self.issuer, &self.jwks).await {
            Ok(document) => {
                let live = Arc::new(Live {
                    keys: usable(document),
                    fetched: Some(Instant::now()),
                });
                *self.live.write().unwrap_or_else(PoisonError::into_inner) = live;
            }
            Err(error) => {
                tracing::warn!(issuer = self.issuer, %error, "the authorization server's keys stay as they are");
            }
        }
    }
}

impl Live {
    /// By its id; a token that names none is of the only key there is.
    fn find(&self, header: &Header) -> Option<Arc<Key>> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| key.algorithms.contains(&header.alg));
        let found = if let Some(id) = &header.kid {
            fitting.find(|key| key.id.as_ref() == Some(id))
        } else {
            fitting.next().filter(|_| fitting.next().is_none())
        };
        found.cloned()
    }
}

/// The keys of a set that tokens can be checked with. One that is not understood keeps no other from counting.
fn usable(set: fetch::JwkSet) -> Vec<Arc<Key>> {
    let read = |value: Value| key(&Jwk::deserialize(value).ok()?).map(Arc::new);
    set.keys
        .into_iter()
        .filter_map(read)
        .take(MOST_KEYS)
        .collect()
}

fn key(jwk: &Jwk) -> Option<Key> {
    let signs = |use_: &PublicKeyUse| *use_ == PublicKeyUse::Signature;
    let verifies = |all: &Vec<KeyOperations>| all.contains(&KeyOperations::Verify);
    let common = &jwk.common;
    if !common.public_key_use.as_ref().is_none_or(signs)
        || !common.key_operations.as_ref().is_none_or(verifies)
    {
        return None;
    }
    let mut algorithms = of_kind(&jwk.algorithm);
    if let Some(only) = common.key_algorithm {
        algorithms.retain(|algorithm| only.to_string().parse() == Ok(*algorithm));
    }
    if algorithms.is_empty() {
        return None;
    }
    Some(Key {
        id: common.key_id.clone(),
        algorithms,
        decoding: DecodingKey::from_jwk(jwk).ok()?,
    })
}

/// What a key of this kind can check: never anything with a shared secret.
fn of_kind(kind: &AlgorithmParameters) -> Vec<Algorithm> {
    let of = |names: fn(&Algorithm) -> bool| ALGORITHMS.into_iter().filter(names).collect();
    match kind {
        AlgorithmParameters::RSA(rsa) if RSA_MODULUS.contains(&rsa.n.len()) => {
            of(|a| !matches!(a, Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA))
        }
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => vec![Algorithm::ES256],
            EllipticCurve::P384 => vec![Algorithm::ES384],
            _ => Vec::new(),
        },
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            vec![Algorithm::EdDSA]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    fn algorithms(jwk: Value) -> Vec<Algorithm> {
        let mut keys = usable(fetch::JwkSet { keys: vec![jwk] });
        keys.pop()
            .map_or_else(Vec::new, |key| key.algorithms.clone())
    }

    #[test]
    fn a_key_checks_what_its_kind_signs_and_nothing_else() {
        let ec = json!({ "kty": "EC", "crv": "P-256", "x": X, "y": Y });
        let with = |name: &str, value: Value| {
            let mut jwk = ec.clone();
            jwk[name] = value;
            jwk
        };
        let rsa = |length: usize| json!({ "kty": "RSA", "e": "AQAB", "n": "w".repeat(length) });
        assert_eq!(algorithms(ec.clone()), [Algorithm::ES256]);
        assert_eq!(algorithms(with("use", "sig".into())), [Algorithm::ES256]);
        assert_eq!(algorithms(rsa(342)).len(), 6);
        for unusable in [
            with("use", "enc".into()),
            with("key_ops", json!(["encrypt"])),
            with("alg", "ES384".into()),
            with("alg", "HS256".into()),
            with("crv", "secp256k1".into()),
            rsa(171),
            rsa(2_732),
            json!({ "kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "alg": "HS256" }),
            json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA" }),
            json!("nonsense"),
        ] {
            assert_eq!(algorithms(unusable.clone()), [], "{unusable}");
        }
    }

    #[test]
    fn a_token_without_a_key_id_is_of_the_only_key() {
        let ec = json!({ "kty": "EC", "crv": "P-256", "x": X, "y": Y, "kid": "one" });
        let ed = json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "kid": "two" });
        let header = |alg, kid: Option<&str>| Header {
            kid: kid.map(str::to_owned),
            ..Header::new(alg)
        };
        let live = |keys: Vec<Value>| Live {
            keys: usable(fetch::JwkSet { keys }),
            fetched: None,
        };
        let both = live(vec![ec.clone(), ed]);
        for (alg, kid, expected) in [
            (Algorithm::ES256, Some("one"), true),
            (Algorithm::ES256, Some("two"), false),
            (Algorithm::EdDSA, Some("one"), false),
            (Algorithm::ES256, None, true),
            (Algorithm::RS256, None, false),
        ] {
            let found = both.find(&header(alg, kid));
            assert_eq!(found.is_some(), expected, "{alg:?} {kid:?}");
        }
        let twice = live(vec![ec.clone(), ec]);
        assert!(twice.find(&header(Algorithm::ES256, None)).is_none());
    }
}
