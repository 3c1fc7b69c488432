//! Keys that sign plugins: ed25519, in the PEM forms that other tools read and write.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ed25519_dalek::{Signer, VerifyingKey};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Bytes of an ed25519 key, and of its seed.
const KEY_BYTES: usize = 32;
/// Bytes of an ed25519 signature.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// Not a key, or not one that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// It is no private ed25519 key.
    #[error(
        "this is no private ed25519 key in PEM (PKCS#8): make one with `switchboard plugin keygen`"
    )]
    NotPrivate,
    /// It is no public ed25519 key.
    #[error(
        "this is no public ed25519 key: expected PEM (-----BEGIN PUBLIC KEY-----), or its 32 bytes in base64"
    )]
    NotPublic,
    /// The system gave no random bytes.
    #[error("the system has no random bytes to make a key of")]
    NoRandom,
}

/// A key that signs. Its value shows in no debug output.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A new key, of the system's randomness.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = [0; KEY_BYTES];
        SystemRandom::new()
            .fill(&mut seed)
            .map_err(|_| KeyError::NoRandom)?;
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// Reads a PKCS#8 key in PEM, as [`Self::to_pem`] and `openssl genpkey -algorithm ed25519` write it.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let key = ed25519_dalek::SigningKey::from_pkcs8_pem(pem.trim());
        key.map(Self).map_err(|_| KeyError::NotPrivate)
    }

    /// Writes it as PKCS#8 in PEM.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let pem = self.0.to_pkcs8_pem(LineEnding::LF);
        let pem = pem.map_err(|_| KeyError::NotPrivate)?;
        Ok(pem.to_string())
    }

    /// What others verify with.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "SigningKey({})", self.public().id())
    }
}

/// A key that verifies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads a public key: PEM (SPKI), or its 32 bytes in base64.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.starts_with("-----") {
            let key = VerifyingKey::from_public_key_pem(text);
            return key.map_err(|_| KeyError::NotPublic).and_then(Self::sound);
        }
        let bytes = BASE64.decode(text).map_err(|_| KeyError::NotPublic)?;
        let bytes = bytes.try_into().map_err(|_| KeyError::NotPublic)?;
        let key = VerifyingKey::from_bytes(&bytes);
        key.map_err(|_| KeyError::NotPublic).and_then(Self::sound)
    }

    /// A point of small order verifies signatures that nobody made.
    fn sound(key: VerifyingKey) -> Result<Self, KeyError> {
        if key.is_weak() {
            return Err(KeyError::NotPublic);
        }
        Ok(Self(key))
    }

    /// Writes it as SPKI in PEM.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let pem = self.0.to_public_key_pem(LineEnding::LF);
        pem.map_err(|_| KeyError::NotPublic)
    }

    /// By what signatures name it: the first 16 hexadecimal digits of the sha256 of its 32 bytes. No proof of anything.
    pub fn id(&self) -> String {
        hex::encode(&Sha256::digest(self.0.as_bytes())[..8])
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0.verify_strict(message, &signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "PublicKey({})", self.id())
    }
}
