//! Keys: read and written as other tools do.

use artifacts::{KeyError, PublicKey, SigningKey};

use crate::vendor::raw_base64;

/// Made by `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout`.
const OPENSSL_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIKPVbjtIpMec/EefXFf3SKaR/2hxC3JGuUh+mfGbMYgl
-----END PRIVATE KEY-----
";
const OPENSSL_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA9733PRJapa0NDUgqlh8H9+Xn1iHUralguyR3vARXb/k=
-----END PUBLIC KEY-----
";

#[test]
fn keys_are_read_as_they_are_written() {
    let key = SigningKey::generate().unwrap();
    let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
    assert_eq!(again.public(), key.public());
    let public = PublicKey::parse(&key.public().to_pem().unwrap()).unwrap();
    assert_eq!(public, key.public());
    assert_eq!(PublicKey::parse(&raw_base64(&key)), Ok(key.public()));
    assert_ne!(SigningKey::generate().unwrap().public(), key.public());
}

#[test]
fn keys_of_openssl_are_keys() {
    let key = SigningKey::from_pem(OPENSSL_PRIVATE).unwrap();
    assert_eq!(key.public(), PublicKey::parse(OPENSSL_PUBLIC).unwrap());
    assert_eq!(key.public().to_pem().unwrap(), OPENSSL_PUBLIC);
}

#[test]
fn a_key_shows_in_no_debug_output() {
    let key = SigningKey::generate().unwrap();
    assert_eq!(
        format!("{key:?}"),
        format!("SigningKey({})", key.public().id())
    );
}

#[test]
fn what_is_no_key_is_refused() {
    let private = ["", "key", OPENSSL_PUBLIC, &OPENSSL_PRIVATE[..60]];
    for text in private {
        let refused = SigningKey::from_pem(text).map(|key| key.public());
        assert_eq!(refused, Err(KeyError::NotPrivate), "{text:?}");
    }
    // The last two are points of order one and four: anybody could sign for them.
    let public = [
        "",
        "key",
        OPENSSL_PRIVATE,
        &OPENSSL_PUBLIC[..60],
        "AAAA",
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ];
    for text in public {
        assert_eq!(PublicKey::parse(text), Err(KeyError::NotPublic), "{text:?}");
    }
}
