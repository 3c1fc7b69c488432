//! The bytes of a layer: as many as there may be, and none but those of its digest.

use super::Reference;
use super::asking::Asking;
use super::manifest::unfit;
use crate::Digest;
use crate::source::FetchError;

/// A layer's bytes, as many as there may be. By its digest alone: the other addresses that a descriptor may name are not the
/// operator's registry.
pub(super) async fn blob(
    to: &Asking,
    reference: &Reference,
    digest: Digest,
    most: usize,
) -> Result<Vec<u8>, FetchError> {
    let pulled = to.get(&format!("blobs/{digest}"), "*/*", most).await;
    let bytes = pulled.map_err(|error| {
        let too_long = format!("it sends more than the {most} bytes there may be");
        error.explained(reference, too_long)
    })?;
    match Digest::of(&bytes) {
        found if found == digest => Ok(bytes),
        found => Err(unfit(
            reference,
            format!("the registry sent {found} for {digest}"),
        )),
    }
}
