//! Artifacts in OCI registries, in the layout of the CNCF's wasm artifacts: one component in one layer.

mod asking;
mod blob;
mod component;
mod connect;
mod credentials;
mod look;
mod manifest;
mod pass;
mod pull;
mod push;
mod reference;
mod referrers;

pub use credentials::{Credentials, CredentialsError};
pub use pull::TagMoved;
pub(crate) use pull::pull;
pub use push::{Package, Published};
pub use reference::{Reference, ReferenceError};

/// The media type of a component.
const LAYER: &str = "application/wasm";
/// The media type of what is said about it.
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// Where our signatures travel: an annotation of the manifest, with the text of a signature file.
const SIGNATURES: &str = "switchboard.signatures";
/// The largest manifest, in bytes.
const MAX_MANIFEST: usize = 1 << 20;
