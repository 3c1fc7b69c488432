//! Signatures of cosign keys: of a file's bytes, or of the OCI manifest that holds the artifact.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use sigstore_crypto::VerificationKey;
use sigstore_types::{DerPublicKey, SignatureBytes};
use thiserror::Error;

use super::envelope::Flaw;
use super::{Subject, provider};
use crate::Digest;

/// What cosign calls such a text.
const PAYLOAD_TYPE: &str = "cosign container image signature";

/// A public key as `cosign generate-key-pair` writes it (`cosign.pub`).
#[derive(Clone)]
pub(crate) struct CosignKey(Arc<VerificationKey>, Digest);

/// Not a key that sigstore's crate can use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("this is no public key in PEM that cosign could have written: {0}")]
pub struct CosignKeyError(String);

impl CosignKey {
    pub(crate) fn from_pem(pem: &str) -> Result<Self, CosignKeyError> {
        provider::install();
        let der = DerPublicKey::from_pem(pem).map_err(|error| CosignKeyError(error.to_string()))?;
        let key = VerificationKey::from_spki(&der);
        let key = key.map_err(|error| CosignKeyError(error.to_string()))?;
        if !provider::knows(key.scheme()) {
            let scheme = key.scheme();
            return Err(CosignKeyError(format!(
                "{} keys are not read here",
                scheme.name()
            )));
        }
        Ok(Self(Arc::new(key), Digest::of(der.as_bytes())))
    }

    /// By what people tell keys apart: the first 16 hexadecimal digits of the sha256 of its SPKI.
    pub(crate) fn id(&self) -> String {
        self.1.hex().chars().take(16).collect()
    }

    /// Whether the signature is this key's, of the message.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = SignatureBytes::new(signature.to_vec());
        self.0.verify(message, &signature).is_ok()
    }

    /// Whether the signature is this key's, of the artifact's bytes.
    pub(crate) fn signed_blob(&self, subject: &Subject<'_>, signature: &[u8]) -> bool {
        self.verifies(subject.bytes(), signature)
    }

    /// Whether the signature is this key's, of the manifest that held the artifact.
    pub(crate) fn signed_manifest(&self, signature: &ManifestSignature) -> bool {
        self.verifies(&signature.payload, &signature.signature)
    }
}

impl fmt::Debug for CosignKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "CosignKey({})", self.0.scheme().name())
    }
}

/// What `cosign sign --key` leaves in a registry: a text that names a manifest, and its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestSignature {
    /// The manifest that the artifact was found in.
    pub(crate) manifest: Digest,
    /// The artifact that was found in it.
    pub(crate) artifact: Digest,
    /// The signed text: "simple signing" JSON.
    pub(crate) payload: Vec<u8>,
    /// Over the text.
    pub(crate) signature: Vec<u8>,
}

impl ManifestSignature {
    /// Whether its text is about the manifest, and the manifest's artifact is the subject.
    pub(crate) fn is_about(&self, subject: &Subject<'_>) -> Result<(), Flaw> {
        let payload = serde_json::from_slice::<Payload>(&self.payload).ok();
        let named = payload
            .filter(|payload| payload.critical.kind == PAYLOAD_TYPE)
            .map(|payload| payload.critical.image.digest);
        if named != Some(self.manifest) {
            let named = named.map_or_else(|| "(none)".to_owned(), |digest| digest.to_string());
            return Err(Flaw::OtherManifest(named));
        }
        if self.artifact != subject.digest() {
            return Err(Flaw::OtherArtifact("cosign".to_owned(), self.artifact));
        }
        Ok(())
    }
}

/// The parts of the signed text that count. Its image reference does not: it says where the image lay when it was signed, and
/// registries are mirrored.
#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    #[serde(rename = "type")]
    kind: String,
    image: Image,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: Digest,
}

#[cfg(test)]
mod tests {
    use super::{CosignKey, ManifestSignature};
    use crate::signature::Flaw;
    use crate::{Digest, Subject};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD as BASE64;

    /// A key, and what cosign itself made with it for an image: the vector of sigstore's own tests.
    const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENptdY/l3nB0yqkXLBWkZWQwo6+cu
OSWS1X9vPavpiQOoTTGC0xX57OojUadxF1cdQmrsiReWg2Wn4FneJfa8xw==
-----END PUBLIC KEY-----";
    const MANIFEST: &str =
        "sha256:f3cfc9d0dbf931d3db4685ec659b7ac68e2a578219da4aae65427886e649b06b";
    const PAYLOAD: &str = r#"{"critical":{"identity":{"docker-reference":"registry-testing.svc.lan/busybox"},"image":{"docker-manifest-digest":"MANIFEST"},"type":"cosign container image signature"},"optional":null}"#;
    const SIGNATURE: &str = "MEUCIQD6q/COgzOyW0YH1Dk+CCYSt4uAhm3FDHUwvPI55zwnlwIgE0ZK58ZOWpZw8YVmBapJhBqCfdPekIknimuO0xH8Jh8=";

    fn of_cosign() -> ManifestSignature {
        ManifestSignature {
            manifest: MANIFEST.parse().unwrap(),
            artifact: Digest::of(b"artifact"),
            payload: PAYLOAD.replace("MANIFEST", MANIFEST).into_bytes(),
            signature: BASE64.decode(SIGNATURE).unwrap(),
        }
    }

    #[test]
    fn what_cosign_signed_verifies() {
        let key = CosignKey::from_pem(KEY).unwrap();
        let signature = of_cosign();
        assert!(key.signed_manifest(&signature));
        for at in 0..signature.payload.len() {
            let mut changed = signature.clone();
            changed.payload[at] ^= 1;
            assert!(!key.signed_manifest(&changed), "byte {at}");
        }
    }

    #[test]
    fn it_is_about_one_manifest_and_one_artifact() {
        let subject = Subject::new("loyalty", "1.0.0", b"artifact").unwrap();
        assert_eq!(of_cosign().is_about(&subject), Ok(()));
        let elsewhere = ManifestSignature {
            manifest: Digest::of(b"another manifest"),
            ..of_cosign()
        };
        let flaw = elsewhere.is_about(&subject).unwrap_err();
        assert_eq!(flaw, Flaw::OtherManifest(MANIFEST.to_owned()));
        let other = Subject::new("loyalty", "1.0.0", b"other").unwrap();
        let flaw = of_cosign().is_about(&other).unwrap_err();
        assert!(matches!(flaw, Flaw::OtherArtifact(..)), "{flaw}");
    }

    #[test]
    fn odd_texts_are_about_nothing() {
        let subject = Subject::new("loyalty", "1.0.0", b"artifact").unwrap();
        let whole = String::from_utf8(of_cosign().payload).unwrap();
        let odd = [
            String::new(),
            "{}".to_owned(),
            "null".to_owned(),
            "[".repeat(60_000),
            whole.replace("cosign container", "atomic container"),
            whole.replace("sha256:", "sha512:"),
            whole.replace("docker-manifest-digest", "digest"),
            format!("{whole}{whole}"),
            whole.replace("\"image\":", "\"image\":{},\"image\":"),
        ];
        for payload in odd {
            let signature = ManifestSignature {
                payload: payload.clone().into_bytes(),
                ..of_cosign()
            };
            assert!(signature.is_about(&subject).is_err(), "{payload}");
        }
    }
}
