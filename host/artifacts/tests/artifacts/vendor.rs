//! Vendors who sign: with keys of ours, and with keys as cosign makes them.

use artifacts::{Envelope, Signature, SigningKey, Subject, Trust, TrustSettings, TrustedKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use time::OffsetDateTime;

/// A component, as far as signatures care.
pub(crate) const COMPONENT: &[u8] = b"\0asm a component";
/// When the tests happen, Unix seconds.
pub(crate) const NOW: i64 = 1_800_000_000;

/// A version of the loyalty plugin.
pub(crate) fn subject(bytes: &[u8]) -> Subject<'_> {
    Subject::new("loyalty", "1.0.0", bytes).unwrap()
}

pub(crate) fn signed(subject: &Subject<'_>, key: &SigningKey, not_after: Option<i64>) -> Signature {
    let not_after = not_after.map(|end| OffsetDateTime::from_unix_timestamp(end).unwrap());
    Signature::Own(Box::new(Envelope::sign(subject, key, not_after)))
}

/// The 32 bytes of a public key in base64, out of the end of its PEM.
pub(crate) fn raw_base64(key: &SigningKey) -> String {
    let pem = key.public().to_pem().unwrap();
    let body: String = pem.lines().filter(|line| !line.contains("---")).collect();
    let der = BASE64.decode(body).unwrap();
    BASE64.encode(&der[der.len() - 32..])
}

/// A policy over keys of ours, by name.
pub(crate) fn trust(required: bool, keys: &[(&str, &SigningKey)]) -> Trust {
    let keys = keys.iter().map(|(name, key)| TrustedKey {
        name: (*name).into(),
        ed25519: Some(raw_base64(key)),
        ..TrustedKey::default()
    });
    let settings = TrustSettings {
        required,
        keys: keys.collect(),
    };
    Trust::load(&settings, "/nowhere".as_ref()).unwrap()
}

/// An ECDSA key on P-256, as `cosign generate-key-pair` makes it.
pub(crate) struct CosignKey(EcdsaKeyPair);

impl CosignKey {
    pub(crate) fn generate() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap())
    }

    /// `cosign.pub`.
    pub(crate) fn public_pem(&self) -> String {
        let mut der = hex::decode("3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap();
        der.extend(self.0.public_key().as_ref());
        let body = BASE64.encode(der);
        let (first, second) = body.split_at(64);
        format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n")
    }

    /// What `cosign sign-blob` prints.
    pub(crate) fn sign(&self, bytes: &[u8]) -> String {
        let signature = self.0.sign(&SystemRandom::new(), bytes).unwrap();
        BASE64.encode(signature)
    }
}
