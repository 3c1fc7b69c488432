//! Who vouches for a component: a tenant's trust, held against what came with it.

use artifacts::{Fetched, Refusal, SignatureError, Subject, Trust};
use thiserror::Error;
use time::OffsetDateTime;

use crate::{Manifest, ManifestError};

/// The version of a component that carries no manifest, and so does not say.
const NO_VERSION: &str = "0.0.0";

/// A component that may be loaded, as far as trust goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vouched {
    /// Its version, by its manifest; `file` where it carries none.
    pub(crate) version: String,
    /// The key whose signature counts, by its name and what it is; none where nobody signed it who must.
    pub(crate) signer: Option<String>,
}

/// Why nobody vouches for a component.
#[derive(Debug, Error)]
pub enum NotVouched {
    /// What it says of itself does not read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// What it calls itself cannot be signed.
    #[error(transparent)]
    Name(#[from] SignatureError),
    /// No signature counts, and one must.
    #[error(transparent)]
    Trust(#[from] Refusal),
    /// It was installed when none had to.
    #[error(
        "version {0} was installed without the signature of a key that the tenant trusts now: install it again, with one"
    )]
    Since(String),
}

/// Holds a component and its signatures against `trust`. Signed are the name and the version that it carries in its manifest,
/// whatever the tenant calls it; `called` stands in where it carries none.
pub(crate) fn vouched(
    fetched: &Fetched,
    trust: &Trust,
    called: &str,
) -> Result<Vouched, NotVouched> {
    let manifest = Manifest::of_component(&fetched.bytes, fetched.source.as_ref())?;
    let version = manifest
        .as_ref()
        .map(|manifest| manifest.version.to_string());
    let name = manifest
        .as_ref()
        .map_or(called, |manifest| manifest.name.as_str());
    let subject = Subject::new(
        name,
        version.as_deref().unwrap_or(NO_VERSION),
        &fetched.bytes,
    )?;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let signer = trust.verify(&subject, &fetched.signatures, now)?;
    Ok(Vouched {
        signer: signer.and_then(|name| trust.recorded(name)),
        version: version.unwrap_or_else(|| "file".to_owned()),
    })
}
