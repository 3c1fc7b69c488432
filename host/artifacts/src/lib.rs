//! Plugins as files: where their bytes come from, where they are kept, and whose word there is for them.
//!
//! An artifact is known by its [`Digest`]. [`Source`] says where one comes from, [`Artifacts`] keeps it, and [`Trust`] is a
//! tenant's policy on who must have signed it. Nothing here knows what a plugin does.

mod digest;
mod folder;
mod inbox;
mod key;
mod names;
mod oci;
mod signature;
mod source;
mod trust;

pub use digest::{Digest, DigestError};
pub use folder::{ArtifactError, Artifacts};
pub use inbox::{Arrival, Inbox, REFUSED_ENDING};
pub use key::{KeyError, PublicKey, SigningKey};
pub use oci::{
    Credentials, CredentialsError, Package, Published, Reference, ReferenceError, TagMoved,
};
pub use signature::{
    Envelope, MAX_SIGNATURES, Signature, SignatureError, Subject, parse_signatures,
};
pub use source::{
    FetchError, Fetched, Registries, SIGNATURE_ENDING, Source, SourceError, signature_file,
};
pub use trust::{Refusal, Trust, TrustError, TrustSettings, TrustedKey};

/// The largest artifact, in bytes.
pub const MAX_ARTIFACT_BYTES: usize = 64 << 20;
