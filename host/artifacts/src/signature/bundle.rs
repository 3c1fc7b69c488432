//! Sigstore bundles, as cosign writes them since its version 3: a signature with what is needed to verify it, in one JSON text.
//!
//! Those of keys count; what a transparency log or a timestamp authority adds is not looked at. A bundle that a certificate
//! vouches for (cosign's keyless signing) is refused by that: a policy names keys.

use std::sync::Arc;

use sha2::{Digest as _, Sha256, Sha384, Sha512};
use sigstore_types::{
    Bundle, DsseEnvelope, HashAlgorithm, MediaType, MessageSignature, Sha256Hash, SignatureContent,
    Statement, VerificationMaterialContent,
};

use super::envelope::Flaw;
use super::{Signed, Subject};
use crate::Digest;

/// The longest bundle, in bytes.
pub(crate) const MAX_BUNDLE: usize = 128 << 10;
/// As much of what is wrong with one as people need, in characters.
const MAX_WORDS: usize = 300;
/// What cosign says by a signature: that it was signed, and nothing else.
pub(crate) const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
/// What its envelopes hold.
const STATEMENT: &str = "application/vnd.in-toto+json";

/// A bundle as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleSignature {
    /// By what people find it.
    place: String,
    about: About,
    /// In words why there is none.
    text: Result<String, String>,
}

/// What a bundle must be about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum About {
    /// The artifact itself.
    Artifact,
    /// The OCI manifest that it was found in.
    Manifest { bytes: Arc<[u8]>, artifact: Digest },
}

impl BundleSignature {
    /// Out of a signature file.
    pub(super) fn of_file(text: &str) -> Self {
        Self {
            place: "the signature file".to_owned(),
            about: About::Artifact,
            text: Ok(text.to_owned()),
        }
    }

    /// Found beside the manifest that `artifact` was found in.
    pub(crate) fn of_manifest(
        place: String,
        bytes: Arc<[u8]>,
        artifact: Digest,
        text: Result<String, String>,
    ) -> Self {
        let about = About::Manifest { bytes, artifact };
        Self { place, about, text }
    }

    /// The line of a signature file that says the same; none of what only a registry holds.
    pub(super) fn to_line(&self) -> Option<String> {
        match self.about {
            About::Artifact => self.text.clone().ok(),
            About::Manifest { .. } => None,
        }
    }

    /// What its key must have signed, and the signature, where it is about the subject.
    pub(crate) fn signed(&self, subject: &Subject<'_>) -> Result<Signed, Flaw> {
        let about = match &self.about {
            About::Artifact => subject.bytes(),
            About::Manifest { artifact, .. } if *artifact != subject.digest() => {
                return Err(Flaw::OtherArtifact("cosign".to_owned(), *artifact));
            }
            About::Manifest { bytes, .. } => bytes,
        };
        let text = self.text.as_ref().map_err(|message| self.flaw(message))?;
        signed(text, about).map_err(|message| self.flaw(&message))
    }

    /// Why it counts for nothing, with where it is. Whoever made it may have had a hand in the words.
    pub(crate) fn flaw(&self, message: &str) -> Flaw {
        let plain = message.chars().filter(|one| !one.is_control());
        Flaw::Bundle(self.place.clone(), plain.take(MAX_WORDS).collect())
    }
}

fn signed(text: &str, about: &[u8]) -> Result<Signed, String> {
    let bundle = Bundle::from_json(text);
    let bundle = bundle.map_err(|error| format!("it does not read: {error}"))?;
    if bundle.media_type != MediaType::Bundle0_3 {
        let found = bundle.media_type;
        return Err(format!("its form is {found}: sign it with cosign 3"));
    }
    if !matches!(
        bundle.verification_material.content,
        VerificationMaterialContent::PublicKey(_)
    ) {
        return Err(KEYLESS.to_owned());
    }
    match bundle.content {
        SignatureContent::MessageSignature(signature) => of_message(signature, about),
        SignatureContent::DsseEnvelope(envelope) => of_envelope(&envelope, about),
        _ => Err("it holds a signature of an unknown kind".to_owned()),
    }
}

const KEYLESS: &str = "it is signed with a certificate (keyless), and only keys count: sign it with `cosign sign --key`";

/// A signature over the very bytes. The digest beside it is signed by nobody, and must fit all the same.
fn of_message(signature: MessageSignature, about: &[u8]) -> Result<Signed, String> {
    let named = signature.message_digest.ok_or("it names no digest")?;
    let digest = match named.algorithm {
        HashAlgorithm::Sha2256 => Sha256::digest(about).to_vec(),
        HashAlgorithm::Sha2384 => Sha384::digest(about).to_vec(),
        HashAlgorithm::Sha2512 => Sha512::digest(about).to_vec(),
        other => return Err(format!("its digest is of an unknown kind: {other:?}")),
    };
    if named.digest.as_bytes() != digest {
        return Err("it is about something else".to_owned());
    }
    Ok(Signed {
        message: about.to_vec(),
        signature: signature.signature.as_bytes().to_vec(),
    })
}

/// A signature over a statement, which must say of these bytes that they were signed.
fn of_envelope(envelope: &DsseEnvelope, about: &[u8]) -> Result<Signed, String> {
    if envelope.payload_type != STATEMENT {
        let found = &envelope.payload_type;
        return Err(format!("it holds {found:?}, not {STATEMENT}"));
    }
    let statement: Statement = serde_json::from_slice(envelope.payload.as_bytes())
        .map_err(|error| format!("its statement does not read: {error}"))?;
    if statement.type_ != Statement::TYPE_V1 {
        let found = &statement.type_;
        return Err(format!(
            "its statement is {found:?}, not {}",
            Statement::TYPE_V1
        ));
    }
    if statement.predicate_type != COSIGN_SIGN {
        let found = &statement.predicate_type;
        return Err(format!(
            "it says {found:?}, and a signature says {COSIGN_SIGN}"
        ));
    }
    let digest = Sha256Hash::new(Sha256::digest(about).into());
    if !statement.matches_sha256(&digest) {
        return Err("it is about something else".to_owned());
    }
    Ok(Signed {
        message: envelope.pae(),
        signature: envelope.signature.sig.as_bytes().to_vec(),
    })
}
