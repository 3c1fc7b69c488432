//! The manifest of an artifact: which of its parts is the component, and whether it is laid out as components are.

use oci_client::manifest::{OciDescriptor, OciImageManifest};

use super::asking::{Asking, Place};
use super::{CONFIG, LAYER, MAX_MANIFEST, Reference};
use crate::source::FetchError;
use crate::{Digest, MAX_ARTIFACT_BYTES};

/// The manifests that are asked for.
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/// A manifest as it was received.
pub(super) struct Received {
    pub(super) digest: Digest,
    pub(super) bytes: Vec<u8>,
    pub(super) manifest: OciImageManifest,
}

/// Asks for the manifest at `place`, of the repository of `reference`.
pub(super) async fn receive(
    to: &Asking,
    reference: &Reference,
    place: &Place,
) -> Result<Received, FetchError> {
    let path = format!("manifests/{place}");
    let received = to.get(&path, ACCEPTED, MAX_MANIFEST).await;
    let bytes = received.map_err(|error| {
        let too_long = format!("its manifest has more than {MAX_MANIFEST} bytes");
        error.explained(reference, too_long)
    })?;
    let digest = Digest::of(&bytes);
    if matches!(place, Place::Digest(pinned) if *pinned != digest) {
        return Err(unfit(
            reference,
            format!("its manifest has the digest {digest}"),
        ));
    }
    let manifest = serde_json::from_slice(&bytes).map_err(|error| {
        unfit(
            reference,
            format!("its manifest is no image manifest: {error}"),
        )
    })?;
    Ok(Received {
        digest,
        bytes,
        manifest,
    })
}

/// The component, by what it should be and how large it says it is.
pub(super) fn component(
    reference: &Reference,
    manifest: &OciImageManifest,
) -> Result<Digest, FetchError> {
    let config = &manifest.config.media_type;
    if config != CONFIG {
        return Err(unfit(
            reference,
            format!(
                "it is no wasm artifact: its config is {config:?}, not {CONFIG}; publish it with `switchboard plugin publish` or wkg"
            ),
        ));
    }
    let [layer] = &manifest.layers[..] else {
        let count = manifest.layers.len();
        return Err(unfit(
            reference,
            format!("it has {count} layers, and a component is one"),
        ));
    };
    if layer.media_type != LAYER {
        let found = &layer.media_type;
        return Err(unfit(
            reference,
            format!("its layer is {found:?}, not {LAYER}"),
        ));
    }
    let digest = digest_of(reference, layer)?;
    if !usize::try_from(layer.size).is_ok_and(|size| size <= MAX_ARTIFACT_BYTES) {
        let size = layer.size;
        return Err(unfit(
            reference,
            format!("it has {size} bytes, and a component may have {MAX_ARTIFACT_BYTES}"),
        ));
    }
    Ok(digest)
}

pub(super) fn digest_of(
    reference: &Reference,
    layer: &OciDescriptor,
) -> Result<Digest, FetchError> {
    let digest = layer.digest.parse();
    digest.map_err(|error| unfit(reference, format!("a layer's digest: {error}")))
}

pub(super) fn unfit(reference: &Reference, message: String) -> FetchError {
    FetchError::Unfit {
        what: reference.to_string(),
        message,
    }
}
