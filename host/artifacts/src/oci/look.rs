//! Where a tag leads by now, as the registry says it: asked for by a HEAD request, with nothing pulled.

use super::Reference;
use super::asking::{Asking, Place};
use super::manifest::{self, ACCEPTED};
use crate::Digest;
use crate::source::{FetchError, Registries};

/// Where a registry says the digest of what it has.
const DIGEST: &str = "docker-content-digest";

impl Reference {
    /// The manifest that the tag leads to now; none where it leads to nothing, or to nothing that has a sha256. It is the
    /// registry's word, and good for telling people alone: what is fetched is fetched by a digest, and held against it.
    /// A place without a tag leads where it is pinned to, and nobody is asked.
    pub async fn leads_to(&self, registries: &Registries) -> Result<Option<Digest>, FetchError> {
        let Some(tag) = self.tag() else {
            return Ok(self.digest());
        };
        let look = async {
            let to = Asking::sign_in(registries, self).await?;
            let told = to.head(&format!("manifests/{tag}"), ACCEPTED).await;
            let told = told.map_err(|error| error.explained(self, String::new()))?;
            if let Some(digest) = told.get(DIGEST) {
                return Ok(digest.to_str().ok().and_then(|digest| digest.parse().ok()));
            }
            let place = Place::Tag(tag.to_owned());
            let received = manifest::receive(&to, self, &place).await?;
            Ok(Some(received.digest))
        };
        match registries.in_time(self, look).await {
            Ok(digest) => Ok(digest),
            Err(FetchError::Missing { .. } | FetchError::Unfit { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
