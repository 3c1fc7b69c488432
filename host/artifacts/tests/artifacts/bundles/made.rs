//! Bundles as cosign 3 writes them, and the manifests and indexes by which they are found.

use artifacts::Digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::vendor::CosignKey;

pub(crate) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const IN_TOTO: &str = "application/vnd.in-toto+json";
pub(crate) const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

/// What `cosign sign --key` of version 3 says of these bytes.
pub(crate) fn statement(about: &[u8]) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": Digest::of(about).hex() }, "annotations": {} }],
        "predicateType": SIGN,
        "predicate": {},
    })
}

/// The bundle of an envelope, signed as DSSE has it.
pub(crate) fn enveloped(key: &CosignKey, kind: &str, statement: &str) -> Value {
    let pae = format!(
        "DSSEv1 {} {kind} {} {statement}",
        kind.len(),
        statement.len()
    );
    bundled(
        "dsseEnvelope",
        &json!({
            "payload": BASE64.encode(statement),
            "payloadType": kind,
            "signatures": [{ "sig": key.sign(pae.as_bytes()) }],
        }),
    )
}

/// The bundle of a signature over these very bytes.
pub(crate) fn over(key: &CosignKey, about: &[u8]) -> Value {
    let digest = hex::decode(Digest::of(about).hex()).unwrap();
    bundled(
        "messageSignature",
        &json!({
            "messageDigest": { "algorithm": "SHA2_256", "digest": BASE64.encode(digest) },
            "signature": key.sign(about),
        }),
    )
}

fn bundled(kind: &str, content: &Value) -> Value {
    json!({
        "mediaType": BUNDLE,
        "verificationMaterial": {
            "publicKey": { "hint": "a hint that nobody believes" },
            "tlogEntries": [{
                "logIndex": "7",
                "logId": { "keyId": "dGVzdA==" },
                "kindVersion": { "kind": "dsse", "version": "0.0.1" },
                "integratedTime": "1800000000",
                "canonicalizedBody": "e30=",
            }],
        },
        kind: content,
    })
}

pub(crate) fn good(key: &CosignKey, about: &[u8]) -> String {
    enveloped(key, IN_TOTO, &statement(about).to_string()).to_string()
}

/// The manifest by which a bundle refers to the one that it is about.
pub(crate) fn referring(bundle: &str, about: &[u8]) -> Vec<u8> {
    let referring = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": BUNDLE,
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": Digest::of(b"{}"), "size": 2 },
        "layers": [{ "mediaType": BUNDLE, "digest": Digest::of(bundle.as_bytes()), "size": bundle.len() }],
        "subject": { "mediaType": MANIFEST, "digest": Digest::of(about), "size": about.len() },
        "annotations": { "dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": SIGN },
    });
    referring.to_string().into_bytes()
}

/// How an index names it.
pub(crate) fn entry(referring: &[u8]) -> Value {
    let annotations: Value = serde_json::from_slice(referring).unwrap();
    json!({
        "mediaType": MANIFEST,
        "artifactType": BUNDLE,
        "digest": Digest::of(referring),
        "size": referring.len(),
        "annotations": annotations["annotations"],
    })
}

pub(crate) fn index(entries: &[Value]) -> String {
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }).to_string()
}
