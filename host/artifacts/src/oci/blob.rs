//! The bytes of a layer: as many as there may be, and none but those of its digest.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use oci_client::errors::OciDistributionError;
use oci_client::manifest::OciDescriptor;
use tokio::io::AsyncWrite;

use super::Reference;
use super::connect::{Connection, explain};
use super::manifest::unfit;
use crate::Digest;
use crate::source::FetchError;

/// A layer's bytes, as many as there may be.
pub(super) async fn blob(
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
