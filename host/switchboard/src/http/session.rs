//! Signed sessions: JSON Web Tokens (HS256) by which a website vouches for the customer that it has signed in.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::secrets::Secret;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The customer's id at the backend.
    pub sub: String,
    /// Whose customer.
    pub tenant: String,
    /// Unix seconds after which it is void.
    pub exp: i64,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum SessionError {
    /// Nothing to check it with.
    #[error(
        "signed sessions are off: start the program with SWITCHBOARD_SESSION_SECRET, or send no Authorization header"
    )]
    Off,
    /// Not a token of ours.
    #[error(
        "the session token is not valid: expected a JSON Web Token signed with HS256, with sub, tenant and exp"
    )]
    Invalid,
    /// Too old.
    #[error("the session token has expired: sign in again")]
    Expired,
    /// Another tenant's customer.
    #[error("the session token is for another tenant")]
    OtherTenant,
}

/// Signs claims, as a website does it.
pub fn sign(claims: &Claims, secret: &Secret) -> Result<String, jsonwebtoken::errors::Error> {
    let key = EncodingKey::from_secret(secret.expose().as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key)
}

/// Checks signature, algorithm, expiry and tenant, in this order.
pub(crate) fn verify(
    token: &str,
    secret: Option<&Secret>,
    tenant: &str,
    now: i64,
) -> Result<Claims, SessionError> {
    let secret = secret.ok_or(SessionError::Off)?;
    let claims = signed_claims(token, secret).ok_or(SessionError::Invalid)?;
    if claims.exp <= now {
        return Err(SessionError::Expired);
    }
    if claims.tenant != tenant {
        return Err(SessionError::OtherTenant);
    }
    Ok(claims)
}

/// The algorithm is ours to say, never the token's. The time is the store's, so it is compared by the caller.
fn signed_claims(token: &str, secret: &Secret) -> Option<Claims> {
    let mut checks = Validation::new(Algorithm::HS256);
    checks.validate_exp = false;
    checks.validate_aud = false;
    let key = DecodingKey::from_secret(secret.expose().as_bytes());
    Some(
        jsonwebtoken::decode::<Claims>(token, &key, &checks)
            .ok()?
            .claims,
    )
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn claims() -> Claims {
        Claims {
            sub: "C-1001".into(),
            tenant: "demo".into(),
            exp: NOW + 60,
        }
    }

    fn secret() -> Secret {
        Secret::new("0123456789abcdef0123456789abcdef")
    }

    fn token_of(claims: &Claims, secret: &Secret) -> String {
        sign(claims, secret).unwrap()
    }

    #[test]
    fn a_signed_token_names_its_customer() {
        let token = token_of(&claims(), &secret());
        assert_eq!(verify(&token, Some(&secret()), "demo", NOW), Ok(claims()));
    }

    #[test]
    fn a_token_made_elsewhere_by_the_book_is_understood() {
        // Header {"alg":"HS256","typ":"JWT"}, claims {"sub":"C-1","tenant":"demo","exp":4102444800}, key "your-256-bit-secret-your-256-bit".
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJDLTEiLCJ0ZW5hbnQiOiJkZW1vIiwiZXhwIjo0MTAyNDQ0ODAwfQ.hGXwSMLMXxhJ4pqn2SGfZNny0StXG7O-QHDv5OiuruI";
        let secret = Secret::new("your-256-bit-secret-your-256-bit");
        assert_eq!(
            verify(token, Some(&secret), "demo", NOW).unwrap().sub,
            "C-1"
        );
    }

    #[test]
    fn every_other_token_is_refused() {
        let good = token_of(&claims(), &secret());
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let (header, _) = signed.split_once('.').unwrap();
        let other_customer =
            BASE64_URL_SAFE_NO_PAD.encode(r#"{"sub":"C-1002","tenant":"demo","exp":9999999999}"#);
        let unsigned = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        for (token, expected) in [
            (
                format!("{header}.{other_customer}.{signature}"),
                SessionError::Invalid,
            ),
            (
                format!("{unsigned}.{other_customer}."),
                SessionError::Invalid,
            ),
            (format!("{signed}."), SessionError::Invalid),
            ("nonsense".to_owned(), SessionError::Invalid),
            (
                token_of(
                    &claims(),
                    &Secret::new("another secret of thirty-two chars"),
                ),
                SessionError::Invalid,
            ),
            (
                token_of(
                    &Claims {
                        exp: NOW,
                        ..claims()
                    },
                    &secret(),
                ),
                SessionError::Expired,
            ),
            (
                token_of(
                    &Claims {
                        tenant: "other".into(),
                        ..claims()
                    },
                    &secret(),
                ),
                SessionError::OtherTenant,
            ),
        ] {
            assert_eq!(
                verify(&token, Some(&secret()), "demo", NOW),
                Err(expected),
                "{token}"
            );
        }
        assert_eq!(verify(&good, None, "demo", NOW), Err(SessionError::Off));
    }
}
