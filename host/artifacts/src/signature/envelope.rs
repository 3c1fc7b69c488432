//! Our own signatures: ed25519 over a text that names the plugin, its version, its digest and how long the signature is good.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;

use super::{SignatureError, Subject, check_names};
use crate::key::SIGNATURE_BYTES;
use crate::{Digest, PublicKey, SigningKey};

/// The form that is written and read; another one gets another number.
const FORM: u32 = 1;

/// A signature as it lies in a file: one line of JSON. What is signed is not the JSON but five lines of text that
/// begin with what they are for, so that no signature made for another purpose, plugin, version or artifact fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    switchboard_signature: u32,
    algorithm: Algorithm,
    /// The key's id ([`PublicKey::id`]): says which key to try.
    pub key: String,
    /// The plugin that it is good for.
    pub plugin: String,
    /// The version that it is good for.
    pub version: String,
    /// The artifact that it is good for.
    pub digest: Digest,
    /// The last second at which an installation may rely on it; none for ever.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub not_after: Option<OffsetDateTime>,
    signature: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Algorithm {
    Ed25519,
}

/// Why a signature counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Flaw {
    #[error("the key {0} is not among them")]
    UnknownKey(String),
    #[error("{0} signed {1}, which is another artifact")]
    OtherArtifact(String, Digest),
    #[error("{0} signed it as {1} {2}")]
    OtherName(String, String, String),
    #[error("the signature of {0} was good until {1}")]
    Expired(String, OffsetDateTime),
    #[error("the signature that names the key of {0} does not verify")]
    Forged(String),
    #[error("a signature of cosign's verifies with none of the sigstore keys")]
    NoSigstoreKey,
    #[error("cosign's signature is of the OCI manifest {0}, which is another one")]
    OtherManifest(String),
    #[error("the bundle in {0}: {1}")]
    Bundle(String, String),
}

impl Envelope {
    /// Signs a version of a plugin.
    pub fn sign(
        subject: &Subject<'_>,
        key: &SigningKey,
        not_after: Option<OffsetDateTime>,
    ) -> Self {
        let mut envelope = Self {
            switchboard_signature: FORM,
            algorithm: Algorithm::Ed25519,
            key: key.public().id(),
            plugin: subject.plugin.to_owned(),
            version: subject.version.to_owned(),
            digest: subject.digest(),
            not_after: not_after.and_then(whole_seconds),
            signature: String::new(),
        };
        envelope.signature = BASE64.encode(key.sign(message(&envelope).as_bytes()));
        envelope
    }

    /// The line of a signature file, without its end.
    pub fn to_line(&self) -> Result<String, SignatureError> {
        serde_json::to_string(self).map_err(|error| SignatureError::Line {
            line: 1,
            message: error.to_string(),
        })
    }

    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let envelope: Self = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if envelope.switchboard_signature != FORM {
            let form = envelope.switchboard_signature;
            return Err(format!(
                "this Switchboard reads signatures of the form {FORM}, not {form}"
            ));
        }
        check_names(&envelope.plugin, &envelope.version).map_err(|error| error.to_string())?;
        if !is_key_id(&envelope.key) {
            return Err("`key` is not 16 hexadecimal digits".to_owned());
        }
        envelope.signature_bytes()?;
        // One signature has one form: nobody can make another line of it that says the same.
        if envelope.to_line().ok().as_deref() != Some(line) {
            return Err("it was changed after it was written".to_owned());
        }
        Ok(envelope)
    }

    /// Whether it was made with `key` (of `signer`), for this subject, and is still good at `now`, Unix seconds.
    pub(crate) fn check(
        &self,
        subject: &Subject<'_>,
        key: &PublicKey,
        signer: &str,
        now: i64,
    ) -> Result<(), Flaw> {
        let signature = self.signature_bytes().ok();
        if !signature.is_some_and(|signature| key.verifies(message(self).as_bytes(), &signature)) {
            return Err(Flaw::Forged(signer.to_owned()));
        }
        if self.digest != subject.digest() {
            return Err(Flaw::OtherArtifact(signer.to_owned(), self.digest));
        }
        if (self.plugin.as_str(), self.version.as_str()) != (subject.plugin, subject.version) {
            let (plugin, version) = (self.plugin.clone(), self.version.clone());
            return Err(Flaw::OtherName(signer.to_owned(), plugin, version));
        }
        match self.not_after {
            Some(end) if end.unix_timestamp() < now => Err(Flaw::Expired(signer.to_owned(), end)),
            _ => Ok(()),
        }
    }

    fn signature_bytes(&self) -> Result<[u8; SIGNATURE_BYTES], String> {
        let bytes = BASE64.decode(&self.signature).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| format!("`signature` is not {SIGNATURE_BYTES} bytes in base64"))
    }
}

/// In UTC, as it is written and signed.
fn whole_seconds(time: OffsetDateTime) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(time.unix_timestamp()).ok()
}

fn is_key_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What is signed. Neither names nor versions hold a line's end, so it reads in one way only.
fn message(envelope: &Envelope) -> String {
    let not_after = envelope.not_after.map_or_else(
        || "never".to_owned(),
        |end| end.unix_timestamp().to_string(),
    );
    format!(
        "switchboard plugin signature {FORM}\nplugin {}\nversion {}\ndigest {}\nnot-after {not_after}\n",
        envelope.plugin, envelope.version, envelope.digest
    )
}
