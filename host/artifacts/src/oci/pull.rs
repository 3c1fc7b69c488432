//! An artifact from a registry: by digest where one is pinned, with a word about a tag that has moved, and with its signatures.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use oci_client::RegistryOperation;
use oci_client::errors::OciDistributionError;
use oci_client::manifest::OciDescriptor;
use tokio::io::AsyncWrite;

use super::connect::{self, Connection, explain};
use super::manifest::{self, Received, digest_of, unfit};
use super::{Reference, SIGNATURES};
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
    let to = connect::to(registries, reference)?;
    to.sign_in(reference, RegistryOperation::Pull).await?;
    let received = manifest::receive(&to, reference, &place(reference)).await?;
    let tag_moved = tag_moved(&to, reference).await?;
    let (layer, digest) = manifest::component(reference, &received.manifest)?;
    let bytes = blob(&to, reference, layer, digest, MAX_ARTIFACT_BYTES).await?;
    let mut signatures = own_signatures(reference, &received)?;
    signatures.extend(cosign_signatures(&to, reference, received.digest, digest).await?);
    Ok(Fetched {
        bytes,
        digest,
        source: reference.at(received.digest).to_string(),
        signatures,
        tag_moved,
    })
}

/// By digest where there is one: a tag may lead elsewhere by now.
fn place(reference: &Reference) -> oci_client::Reference {
    match (reference.digest(), reference.tag()) {
        (Some(digest), _) => reference.by_digest(&digest),
        (None, tag) => reference.by_tag(tag.unwrap_or("latest")),
    }
}

async fn tag_moved(to: &Connection, reference: &Reference) -> Result<Option<TagMoved>, FetchError> {
    let (Some(pinned), Some(tag)) = (reference.digest(), reference.tag()) else {
        return Ok(None);
    };
    let now = match manifest::receive(to, reference, &reference.by_tag(tag)).await {
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

/// A layer's bytes, as many as there may be.
async fn blob(
    to: &Connection,
    reference: &Reference,
    layer: &OciDescriptor,
    digest: Digest,
    most: usize,
) -> Result<Vec<u8>, FetchError> {
    let mut bounded = Bounded {
        bytes: vec![],
        most,
        overflowed: false,
    };
    let place = reference.by_digest(&digest);
    // By its digest alone: the other addresses that a descriptor may name are not the operator's registry.
    let pulled = to
        .client
        .pull_blob(&place, layer.digest.as_str(), &mut bounded);
    let pulled = pulled.await;
    if bounded.overflowed {
        return Err(unfit(
            reference,
            format!("it sends more than the {most} bytes there may be"),
        ));
    }
    match pulled {
        Ok(()) => {}
        Err(OciDistributionError::DigestError(error)) => {
            return Err(unfit(
                reference,
                format!("the registry sent something else: {error}"),
            ));
        }
        Err(error) => return Err(explain(error, reference)),
    }
    match Digest::of(&bounded.bytes) {
        found if found == digest => Ok(bounded.bytes),
        found => Err(unfit(
            reference,
            format!("the registry sent {found} for {digest}"),
        )),
    }
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

/// What `cosign sign --key` left beside a manifest: under a tag that is made of its digest.
async fn cosign_signatures(
    to: &Connection,
    reference: &Reference,
    manifest: Digest,
    artifact: Digest,
) -> Result<Vec<Signature>, FetchError> {
    let tag = reference.by_tag(&format!("sha256-{}.sig", manifest.hex()));
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
            payload: blob(to, reference, layer, digest, MAX_SIGNED_TEXT).await?,
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

/// Takes bytes up to a limit, and nothing of what would pass it.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
    overflowed: bool,
}

impl AsyncWrite for Bounded {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        more: &[u8],
    ) -> Poll<io::Result<usize>> {
        let bounded = self.get_mut();
        if bounded.bytes.len() + more.len() > bounded.most {
            bounded.overflowed = true;
            return Poll::Ready(Err(io::Error::other("too many bytes")));
        }
        bounded.bytes.extend_from_slice(more);
        Poll::Ready(Ok(more.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
