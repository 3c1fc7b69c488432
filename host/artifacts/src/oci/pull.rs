//! An artifact from a registry: by digest where one is pinned, with a word about a tag that has moved, and with its signatures.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use oci_client::manifest::OciDescriptor;

use super::asking::{Asking, Place};
use super::blob::blob;
use super::manifest::{self, Received, digest_of};
use super::{Reference, SIGNATURES, referrers};
use crate::signature::{ManifestSignature, Signature};
use crate::source::{FetchError, Fetched, Registries};
use crate::{Digest, MAX_ARTIFACT_BYTES, MAX_SIGNATURES, parse_signatures};

/// What cosign calls a signed text in a registry.
const SIGNED_TEXT: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Where it leaves the text's signature.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The longest signed text, in bytes.
const MAX_SIGNED_TEXT: usize = 64 << 10;

/// A tag does not lead any more where it led when it was pinned. The pinned artifact was taken all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagMoved {
    /// The place, with tag and digest.
    pub reference: Reference,
    /// The manifest that was pinned.
    pub pinned: Digest,
    /// The manifest that the tag leads to now; none where the tag is gone.
    pub now: Option<Digest>,
}

impl fmt::Display for TagMoved {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "the tag of {} has moved: it leads to ", self.reference)?;
        match &self.now {
            Some(digest) => write!(to, "{digest} by now"),
            None => to.write_str("nothing by now"),
        }
    }
}

/// Takes an artifact from a registry, within the time that there is for it.
pub(crate) async fn pull(
    registries: &Registries,
    reference: &Reference,
) -> Result<Fetched, FetchError> {
    registries
        .in_time(reference, take(registries, reference))
        .await
}

async fn take(registries: &Registries, reference: &Reference) -> Result<Fetched, FetchError> {
    let to = Asking::sign_in(registries, reference).await?;
    let received = manifest::receive(&to, reference, &place(reference)).await?;
    let tag_moved = tag_moved(&to, reference).await?;
    let digest = manifest::component(reference, &received.manifest)?;
    let bytes = blob(&to, reference, digest, MAX_ARTIFACT_BYTES).await?;
    let mut signatures = own_signatures(reference, &received)?;
    signatures.extend(cosign_signatures(&to, reference, received.digest, digest).await?);
    signatures.extend(referrers::bundles(&to, reference, &received, digest).await?);
    Ok(Fetched {
        bytes,
        digest,
        source: reference.at(received.digest).to_string(),
        signatures,
        tag_moved,
    })
}

/// By digest where there is one: a tag may lead elsewhere by now.
fn place(reference: &Reference) -> Place {
    match (reference.digest(), reference.tag()) {
        (Some(digest), _) => Place::Digest(digest),
        (None, tag) => Place::Tag(tag.unwrap_or("latest").to_owned()),
    }
}

async fn tag_moved(to: &Asking, reference: &Reference) -> Result<Option<TagMoved>, FetchError> {
    let (Some(pinned), Some(tag)) = (reference.digest(), reference.tag()) else {
        return Ok(None);
    };
    let now = match manifest::receive(to, reference, &Place::Tag(tag.to_owned())).await {
        Ok(received) => Some(received.digest),
        // A tag that leads to something else than an artifact has moved as well; to what, nobody needs to know.
        Err(FetchError::Missing { .. } | FetchError::Unfit { .. }) => None,
        Err(error) => return Err(error),
    };
    let reference = reference.clone();
    Ok((now != Some(pinned)).then_some(TagMoved {
        reference,
        pinned,
        now,
    }))
}

fn own_signatures(
    reference: &Reference,
    received: &Received,
) -> Result<Vec<Signature>, FetchError> {
    let annotations = received.manifest.annotations.as_ref();
    let text = annotations.and_then(|annotations| annotations.get(SIGNATURES));
    let text = text.map_or("", String::as_str);
    parse_signatures(text).map_err(|source| FetchError::Signatures {
        what: reference.to_string(),
        source,
    })
}

/// What `cosign sign --key` of version 2 left beside a manifest: under a tag that is made of its digest.
async fn cosign_signatures(
    to: &Asking,
    reference: &Reference,
    manifest: Digest,
    artifact: Digest,
) -> Result<Vec<Signature>, FetchError> {
    let tag = Place::Tag(format!("sha256-{}.sig", manifest.hex()));
    let received = match manifest::receive(to, reference, &tag).await {
        Ok(received) => received.manifest,
        Err(FetchError::Missing { .. }) => return Ok(vec![]),
        Err(error) => return Err(error),
    };
    let mut signatures = vec![];
    let layers = received.layers.iter();
    let texts = layers.filter(|layer| layer.media_type == SIGNED_TEXT);
    for layer in texts.take(MAX_SIGNATURES) {
        let Some(signature) = signature_of(layer) else {
            continue;
        };
        let digest = digest_of(reference, layer)?;
        signatures.push(Signature::Manifest(ManifestSignature {
            manifest,
            artifact,
            payload: blob(to, reference, digest, MAX_SIGNED_TEXT).await?,
            signature,
        }));
    }
    Ok(signatures)
}

fn signature_of(layer: &OciDescriptor) -> Option<Vec<u8>> {
    BASE64
        .decode(layer.annotations.as_ref()?.get(SIGNATURE)?)
        .ok()
}
