//! What cosign leaves beside a manifest since its version 3: Sigstore bundles, each in a manifest of its own that refers to the
//! signed one. The registry lists those; where it cannot, an index under a tag made of the signed manifest's digest does.

use std::collections::BTreeSet;
use std::sync::Arc;

use oci_client::errors::OciDistributionError;
use oci_client::manifest::{ImageIndexEntry, OciImageIndex};

use super::asking::{Asking, Place, Unanswered};
use super::blob::blob;
use super::connect::explain;
use super::manifest::{self, Received, digest_of, unfit};
use super::{MAX_MANIFEST, Reference};
use crate::signature::{BundleSignature, COSIGN_SIGN, MAX_BUNDLE, Signature};
use crate::source::FetchError;
use crate::{Digest, MAX_SIGNATURES};

/// What a bundle in a registry is called; a version may follow.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// The form of bundles that cosign 3 writes, `application/vnd.dev.sigstore.bundle.v0.3+json`, as registries are asked for it.
const BUNDLE_QUERY: &str = "application%2Fvnd.dev.sigstore.bundle.v0.3%2Bjson";
/// Says of a bundle what its statement says. Nobody's word: it saves reading attestations that are no signatures.
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The bundles beside a manifest, verified by nobody yet. One that cannot be read is told of where nothing else counts. Whoever may
/// push beside a manifest may crowd the places of those that are read, and it is refused then.
pub(super) async fn bundles(
    to: &Asking,
    reference: &Reference,
    received: &Received,
    artifact: Digest,
) -> Result<Vec<Signature>, FetchError> {
    let manifest: Arc<[u8]> = received.bytes.as_slice().into();
    let found = |place: String, text: Result<String, String>| {
        let bundle = BundleSignature::of_manifest(place, Arc::clone(&manifest), artifact, text);
        Signature::Bundle(Box::new(bundle))
    };
    let listed = match listed(to, reference, &received.digest).await? {
        Ok(listed) => listed,
        Err(message) => return Ok(vec![found(tag_of(&received.digest), Err(message))]),
    };
    let signatures = listed.iter().filter(|entry| is_signature(entry));
    let places: BTreeSet<&str> = signatures.map(|entry| entry.digest.as_str()).collect();
    let mut signatures = vec![];
    for place in places.iter().take(MAX_SIGNATURES) {
        let text = read(to, reference, place).await?;
        signatures.push(found(shown(place), text));
    }
    let unread = places.len().saturating_sub(MAX_SIGNATURES);
    if unread > 0 {
        let message = format!("{unread} more were not read: of one manifest, {MAX_SIGNATURES} are");
        let first = places.iter().nth(MAX_SIGNATURES).unwrap_or(&"");
        signatures.push(found(shown(first), Err(message)));
    }
    Ok(signatures)
}

/// A bundle, unless it says itself that it is about something else than who signed.
fn is_signature(entry: &ImageIndexEntry) -> bool {
    let kind = entry.artifact_type.as_deref().unwrap_or_default();
    let annotations = entry.annotations.as_ref();
    let predicate = annotations.and_then(|annotations| annotations.get(PREDICATE_TYPE));
    kind.starts_with(BUNDLE) && predicate.is_none_or(|kind| kind == COSIGN_SIGN)
}

/// What refers to the manifest; in words what is wrong with the list.
async fn listed(
    to: &Asking,
    reference: &Reference,
    manifest: &Digest,
) -> Result<Result<Vec<ImageIndexEntry>, String>, FetchError> {
    use OciDistributionError as Oci;
    let path = format!("referrers/{manifest}?artifactType={BUNDLE_QUERY}");
    let asked = to.get(&path, INDEX, MAX_MANIFEST).await;
    let failed = match asked.map(|bytes| index(&bytes)) {
        Ok(Ok(listed)) => return Ok(Ok(listed)),
        Err(Unanswered::TooLong) => return Ok(Err(too_long())),
        Ok(Err(_)) => None,
        Err(Unanswered::Failed(error)) => Some(error),
    };
    match failed {
        Some(error @ Oci::RequestError(_)) => Err(explain(error, reference)),
        Some(error @ Oci::ServerError { code, .. }) if code >= 500 && code != 501 => {
            Err(explain(error, reference))
        }
        // Registries that do not know the question answer in many ways, not with 404 alone.
        _ => tagged(to, reference, manifest).await,
    }
}

/// The index that stands in where a registry cannot list what refers to a manifest.
async fn tagged(
    to: &Asking,
    reference: &Reference,
    manifest: &Digest,
) -> Result<Result<Vec<ImageIndexEntry>, String>, FetchError> {
    let path = format!("manifests/{}", tag_of(manifest));
    let received = to.get(&path, INDEX, MAX_MANIFEST).await;
    let bytes = match received.map_err(|error| error.explained(reference, too_long())) {
        Ok(bytes) => bytes,
        Err(FetchError::Missing { .. }) => return Ok(Ok(vec![])),
        Err(FetchError::Unfit { message, .. }) => return Ok(Err(message)),
        Err(error) => return Err(error),
    };
    Ok(index(&bytes)
        .map_err(|error| format!("it is no index of what refers to the manifest: {error}")))
}

fn index(bytes: &[u8]) -> serde_json::Result<Vec<ImageIndexEntry>> {
    let index = serde_json::from_slice::<OciImageIndex>(bytes);
    index.map(|index| index.manifests)
}

fn too_long() -> String {
    format!("it has more than {MAX_MANIFEST} bytes")
}

fn tag_of(manifest: &Digest) -> String {
    format!("sha256-{}", manifest.hex())
}

/// The text of a bundle; in words what is wrong with it.
async fn read(
    to: &Asking,
    reference: &Reference,
    place: &str,
) -> Result<Result<String, String>, FetchError> {
    let Ok(digest) = place.parse() else {
        return Ok(Err("only what has a sha256 is read".to_owned()));
    };
    match text(to, reference, &digest).await {
        Ok(text) => Ok(Ok(text)),
        Err(FetchError::Missing { .. }) => Ok(Err("it is listed, and not there".to_owned())),
        Err(FetchError::Unfit { message, .. }) => Ok(Err(message)),
        Err(error) => Err(error),
    }
}

async fn text(to: &Asking, reference: &Reference, digest: &Digest) -> Result<String, FetchError> {
    let received = manifest::receive(to, reference, &Place::Digest(*digest)).await?;
    let [layer] = &received.manifest.layers[..] else {
        let count = received.manifest.layers.len();
        let message = format!("it has {count} layers, and a bundle is one");
        return Err(unfit(reference, message));
    };
    if !layer.media_type.starts_with(BUNDLE) {
        let found = &layer.media_type;
        return Err(unfit(
            reference,
            format!("its layer is {found:?}, no bundle"),
        ));
    }
    if !usize::try_from(layer.size).is_ok_and(|size| size <= MAX_BUNDLE) {
        let size = layer.size;
        let message = format!("it has {size} bytes, and a bundle may have {MAX_BUNDLE}");
        return Err(unfit(reference, message));
    }
    let digest = digest_of(reference, layer)?;
    let bytes = blob(to, reference, digest, MAX_BUNDLE).await?;
    let text = String::from_utf8(bytes);
    text.map_err(|_| unfit(reference, "it is no text".to_owned()))
}

/// A digest as the registry wrote it, which may be anything.
fn shown(place: &str) -> String {
    let plain = place.chars().filter(char::is_ascii_graphic);
    plain.take(80).collect()
}
