//! An artifact into a registry, for authors: the component, what is said of it, and its signatures.

use std::collections::BTreeMap;

use oci_client::client::{Config, ImageLayer};
use oci_client::manifest::OciImageManifest;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::connect::{self, explain};
use super::manifest::unfit;
use super::{CONFIG, LAYER, Reference, SIGNATURES, component};
use crate::source::{FetchError, Registries};
use crate::{Digest, MAX_ARTIFACT_BYTES, parse_signatures};

/// The media type of the manifest that is pushed.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What is published.
#[derive(Clone, Debug)]
pub struct Package {
    /// The component.
    pub bytes: Vec<u8>,
    /// Its plugin's name, for people who browse the registry.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The text of its signature file; empty where it is not signed.
    pub signatures: String,
    /// When it was made.
    pub created: OffsetDateTime,
}

/// Where it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The place, pinned: this is what operators install.
    pub reference: Reference,
    /// The component's digest.
    pub digest: Digest,
}

impl Package {
    /// Puts it into a registry, under the reference's tag.
    pub async fn publish(
        self,
        registries: &Registries,
        reference: &Reference,
    ) -> Result<Published, FetchError> {
        let Some(tag) = reference.tag().filter(|_| reference.digest().is_none()) else {
            let message = "publish under a tag; the digest follows from what is published";
            return Err(unfit(reference, message.to_owned()));
        };
        let put = self.put(registries, reference, tag);
        registries.in_time(reference, put).await
    }

    async fn put(
        self,
        registries: &Registries,
        reference: &Reference,
        tag: &str,
    ) -> Result<Published, FetchError> {
        let digest = Digest::of(&self.bytes);
        let (config, annotations) = self.describe(reference, &digest)?;
        let layer = ImageLayer::new(self.bytes, LAYER.to_owned(), None);
        let mut manifest =
            OciImageManifest::build(std::slice::from_ref(&layer), &config, Some(annotations));
        manifest.media_type = Some(MANIFEST.to_owned());
        let manifest =
            serde_json::to_vec(&manifest).map_err(|error| unfit(reference, error.to_string()))?;
        let at = Digest::of(&manifest);

        let to = connect::to(registries, reference)?;
        to.sign_in(reference).await?;
        let place = reference.by_tag(tag);
        let failed = |error| explain(error, reference);
        to.client
            .push_blob(&place, layer.data, &digest.to_string())
            .await
            .map_err(failed)?;
        let config_digest = Digest::of(&config.data).to_string();
        to.client
            .push_blob(&place, config.data, &config_digest)
            .await
            .map_err(failed)?;
        let kind = http::HeaderValue::from_static(MANIFEST);
        to.client
            .push_manifest_raw(&place, manifest, kind)
            .await
            .map_err(failed)?;
        Ok(Published {
            reference: reference.at(at),
            digest,
        })
    }

    /// What lies beside the component: the config that the layout asks for, and words for people and for us.
    fn describe(
        &self,
        reference: &Reference,
        digest: &Digest,
    ) -> Result<(Config, BTreeMap<String, String>), FetchError> {
        if self.bytes.len() > MAX_ARTIFACT_BYTES {
            let message = format!("a component may have {MAX_ARTIFACT_BYTES} bytes");
            return Err(unfit(reference, message));
        }
        parse_signatures(&self.signatures).map_err(|source| FetchError::Signatures {
            what: reference.to_string(),
            source,
        })?;
        let edge = component::edge(&self.bytes).map_err(|message| unfit(reference, message))?;
        let created = self
            .created
            .format(&Rfc3339)
            .map_err(|error| unfit(reference, error.to_string()))?;
        let config = json!({
            "created": created,
            "author": null,
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [digest],
            "component": { "exports": edge.exports, "imports": edge.imports, "target": null },
        });
        let config = Config::new(config.to_string(), CONFIG.to_owned(), None);
        Ok((config, self.annotations(created)))
    }

    fn annotations(&self, created: String) -> BTreeMap<String, String> {
        let said = [
            ("org.opencontainers.image.title", self.plugin.clone()),
            ("org.opencontainers.image.version", self.version.clone()),
            ("org.opencontainers.image.created", created),
            (SIGNATURES, self.signatures.trim().to_owned()),
        ];
        let said = said.into_iter().filter(|(_, text)| !text.is_empty());
        said.map(|(key, text)| (key.to_owned(), text)).collect()
    }
}
