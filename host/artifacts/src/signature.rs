//! Signatures of artifacts: our own, which name plugin and version, and those of cosign keys.
//!
//! A signature file lies beside its artifact, `x.wasm.sig` by `x.wasm`, with one signature in each line: ours is a JSON object
//! ([`Envelope`]), cosign's is the base64 that `cosign sign-blob --key` prints, or the bundle that it writes since version 3.

mod bundle;
pub(crate) mod cosign;
mod envelope;
mod provider;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use thiserror::Error;

use crate::{Digest, names};
pub(crate) use bundle::{BundleSignature, COSIGN_SIGN, MAX_BUNDLE};
pub(crate) use cosign::ManifestSignature;
pub use envelope::Envelope;
pub(crate) use envelope::Flaw;

/// Signatures of one artifact, at most.
pub const MAX_SIGNATURES: usize = 16;
/// The longest signature file, in bytes.
pub(crate) const MAX_FILE: usize = 64 << 10;
/// What a bundle's text names itself, and no line of ours does.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// Cosign's signatures in bytes: from ed25519 and ECDSA to RSA with 8192 bits.
const BLOB_SIGNATURE: std::ops::RangeInclusive<usize> = 32..=1024;

/// One signature, not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// Ours.
    Own(Box<Envelope>),
    /// `cosign sign-blob --key`: over the artifact's bytes.
    Blob(Vec<u8>),
    /// `cosign sign --key` of version 2: over a text that names the OCI manifest which holds the artifact.
    Manifest(ManifestSignature),
    /// `cosign sign --key` and `cosign sign-blob --key --bundle` since version 3: a Sigstore bundle.
    Bundle(Box<BundleSignature>),
}

/// What a key must have signed, and the signature.
pub(crate) struct Signed {
    pub(crate) message: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl Signature {
    /// The line of a signature file; none for what only a registry holds, with the manifest that it is about.
    pub fn to_line(&self) -> Option<String> {
        match self {
            Self::Own(envelope) => envelope.to_line().ok(),
            Self::Blob(bytes) => Some(BASE64.encode(bytes)),
            Self::Manifest(_) => None,
            Self::Bundle(bundle) => bundle.to_line(),
        }
    }
}

/// What is signed: a version of a plugin, and its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    plugin: &'a str,
    version: &'a str,
    bytes: &'a [u8],
    digest: Digest,
}

impl<'a> Subject<'a> {
    /// A version of a plugin that is to be signed or verified.
    pub fn new(plugin: &'a str, version: &'a str, bytes: &'a [u8]) -> Result<Self, SignatureError> {
        check_names(plugin, version)?;
        Ok(Self {
            plugin,
            version,
            bytes,
            digest: Digest::of(bytes),
        })
    }

    /// The artifact.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) fn plugin(&self) -> &'a str {
        self.plugin
    }

    pub(crate) fn version(&self) -> &'a str {
        self.version
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// Why a signature cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// No plugin has this name.
    #[error("{0:?} is no plugin's name: expected a-z, 0-9, - and _, at most 63 characters")]
    Name(String),
    /// Not semver.
    #[error("{0:?} is no version: expected semantic versioning, such as 1.0.0")]
    Version(String),
    /// A line that is no signature.
    #[error("line {line}: {message}")]
    Line {
        /// From 1.
        line: usize,
        /// What does not fit.
        message: String,
    },
    /// More than anybody needs.
    #[error("a signature file has at most {MAX_SIGNATURES} signatures and {MAX_FILE} bytes")]
    TooMuch,
}

/// Reads the signatures of a signature file. Empty lines count for nothing.
pub fn parse_signatures(text: &str) -> Result<Vec<Signature>, SignatureError> {
    if text.len() > MAX_FILE {
        return Err(SignatureError::TooMuch);
    }
    let lines = text.lines().map(str::trim).enumerate();
    let signatures = lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(index, line)| {
            signature(line).map_err(|message| SignatureError::Line {
                line: index + 1,
                message,
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    if signatures.len() > MAX_SIGNATURES {
        return Err(SignatureError::TooMuch);
    }
    Ok(signatures)
}

fn signature(line: &str) -> Result<Signature, String> {
    if line.starts_with('{') && line.contains(BUNDLE) {
        return Ok(Signature::Bundle(Box::new(BundleSignature::of_file(line))));
    }
    if line.starts_with('{') {
        return Envelope::parse(line).map(|envelope| Signature::Own(Box::new(envelope)));
    }
    match BASE64.decode(line) {
        Ok(bytes) if BLOB_SIGNATURE.contains(&bytes.len()) => Ok(Signature::Blob(bytes)),
        _ => Err(
            "expected a signature that `switchboard plugin sign` or `cosign sign-blob --key` wrote"
                .to_owned(),
        ),
    }
}

fn check_names(plugin: &str, version: &str) -> Result<(), SignatureError> {
    let shown = |text: &str| text.chars().take(80).collect();
    if !names::is_plugin(plugin) {
        return Err(SignatureError::Name(shown(plugin)));
    }
    if !names::is_version(version) {
        return Err(SignatureError::Version(shown(version)));
    }
    Ok(())
}
