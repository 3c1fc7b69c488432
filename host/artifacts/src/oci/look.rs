//! Where a tag leads by now, as the registry says it: asked for by a HEAD request, with nothing pulled.

use oci_client::RegistryOperation;

use super::Reference;
use super::connect::{self, explain};
use crate::Digest;
use crate::source::{FetchError, Registries};

impl Reference {
    /// The manifest that the tag leads to now; none where it leads to nothing, or to nothing that has a sha256. It is the
    /// registry's word, and good for telling people alone: what is fetched is fetched by a digest, and held against it.
    /// A place without a tag leads where it is pinned to, and nobody is asked.
    pub async fn leads_to(&self, registries: &Registries) -> Result<Option<Digest>, FetchError> {
        let Some(tag) = self.tag() else {
            return Ok(self.digest());
        };
        let look = async {
            let to = connect::to(registries, self)?;
            to.sign_in(self, RegistryOperation::Pull).await?;
            let place = self.by_tag(tag);
            let told = to.client.fetch_manifest_digest(&place, &to.auth).await;
            told.map_err(|error| explain(error, self))
        };
        match registries.in_time(self, look).await {
            Ok(digest) => Ok(digest.parse().ok()),
            Err(FetchError::Missing { .. } | FetchError::Unfit { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
