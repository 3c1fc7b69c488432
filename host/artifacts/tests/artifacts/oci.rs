//! Artifacts in a real registry: published, pulled by tag and by digest, signed, moved, damaged, missing and guarded.

use artifacts::{
    Credentials, Digest, Envelope, FetchError, Fetched, Package, Published, Reference, Refusal,
    Registries, Signature, SigningKey, Source, Subject, Trust,
};
use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::manifest::OciImageManifest;
use oci_client::secrets::RegistryAuth;
use time::OffsetDateTime;

use crate::registry::Registry;
use crate::vendor::{CosignKey, NOW};

/// A component with nothing in it but these bytes.
pub(crate) fn component(content: &[u8]) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    let size = u8::try_from(content.len() + 2).unwrap();
    bytes.extend([0, size, 1, b'x']);
    bytes.extend(content);
    bytes
}

pub(crate) fn package(content: &[u8], signatures: &str) -> Package {
    Package {
        bytes: component(content),
        plugin: "loyalty".into(),
        version: "1.0.0".into(),
        signatures: signatures.into(),
        created: OffsetDateTime::from_unix_timestamp(NOW).unwrap(),
    }
}

async fn publish(content: &[u8], to: &Reference) -> Published {
    let package = package(content, "");
    package.publish(&Registries::default(), to).await.unwrap()
}

pub(crate) async fn fetch(from: &Reference) -> Result<Fetched, FetchError> {
    let source = Source::Oci(from.clone());
    source.fetch(&Registries::default()).await
}

#[tokio::test]
async fn what_is_published_is_pulled_by_tag_and_by_digest() {
    let Some(registry) = Registry::start("pulling by tag and by digest").await else {
        return;
    };
    let place = registry.place("acme/loyalty:1.0.0");
    let published = publish(b"one", &place).await;
    assert_eq!(published.digest, Digest::of(&component(b"one")));
    assert_eq!(published.reference.tag(), Some("1.0.0"));
    let by_digest = format!(
        "{}/acme/loyalty@{}",
        registry.host(),
        published.reference.digest().unwrap()
    );
    for place in [
        place,
        published.reference.clone(),
        by_digest.parse().unwrap(),
    ] {
        let fetched = fetch(&place).await.unwrap();
        assert_eq!(fetched.bytes, component(b"one"), "{place}");
        assert_eq!(fetched.digest, published.digest);
        assert!(fetched.signatures.is_empty());
        assert_eq!(fetched.tag_moved, None);
        let source: Reference = fetched.source.parse().unwrap();
        assert_eq!(source.digest(), published.reference.digest());
    }
    // The same again is the same manifest: what is published does not depend on when.
    let again = publish(b"one", &registry.place("acme/loyalty:1.0.0")).await;
    assert_eq!(again, published);
}

#[tokio::test]
async fn a_tag_that_moved_is_told_and_the_pinned_artifact_taken() {
    let Some(registry) = Registry::start("a tag that moved").await else {
        return;
    };
    let tag = registry.place("acme/loyalty:1");
    let first = publish(b"one", &tag).await;
    let second = publish(b"two", &tag).await;
    let fetched = fetch(&first.reference).await.unwrap();
    assert_eq!(fetched.bytes, component(b"one"));
    let moved = fetched.tag_moved.unwrap();
    assert_eq!(moved.reference, first.reference);
    assert_eq!(Some(moved.pinned), first.reference.digest());
    assert_eq!(moved.now, second.reference.digest());
    let registries = Registries::default();
    for place in [&first.reference, &second.reference, &tag] {
        assert_eq!(place.leads_to(&registries).await.unwrap(), moved.now);
    }
    assert_eq!(fetch(&second.reference).await.unwrap().tag_moved, None);
    let gone: Reference = format!("{}/acme/loyalty:2@{}", registry.host(), moved.pinned)
        .parse()
        .unwrap();
    let fetched = fetch(&gone).await.unwrap();
    assert_eq!(fetched.tag_moved.unwrap().now, None);
    assert_eq!(gone.leads_to(&registries).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_not_there_is_missing() {
    let Some(registry) = Registry::start("what is missing").await else {
        return;
    };
    publish(b"one", &registry.place("acme/loyalty:1")).await;
    let digest = Digest::of(b"nothing");
    let places = [
        "acme/loyalty:2".to_owned(),
        "acme/other:1".to_owned(),
        format!("acme/loyalty@{digest}"),
        format!("acme/loyalty:1@{digest}"),
    ];
    for place in places {
        let error = fetch(&registry.place(&place)).await.unwrap_err();
        assert!(
            matches!(error, FetchError::Missing { .. }),
            "{place}: {error}"
        );
    }
}

#[tokio::test]
async fn a_blob_that_was_changed_in_the_registry_is_not_taken() {
    let Some(registry) = Registry::start("a damaged blob").await else {
        return;
    };
    let published = publish(b"one", &registry.place("acme/loyalty:1")).await;
    let file = registry.blob_file(&published.digest.hex());
    assert!(file.starts_with(registry.data()));
    std::fs::write(file, component(b"owt")).unwrap();
    let error = fetch(&published.reference).await.unwrap_err();
    assert!(matches!(error, FetchError::Unfit { .. }), "{error}");
}

#[tokio::test]
async fn a_registry_with_a_guard_wants_credentials() {
    let Some(registry) = Registry::guarded("a guarded registry").await else {
        return;
    };
    let place = registry.place("acme/loyalty:1");
    let known = |host: &str, password: &str| Registries {
        credentials: Credentials::parse(&format!(
            r#"{{"auths": {{"{host}": {{"username": "vendor", "password": "{password}"}}}}}}"#
        ))
        .unwrap(),
        ..Registries::default()
    };
    let host = registry.host();
    // Without them, with wrong ones, and with those of another registry, which this one must not see.
    for refused in [
        Registries::default(),
        known(&host, "wrong"),
        known("registry.example", "secret"),
    ] {
        let error = package(b"one", "")
            .publish(&refused, &place)
            .await
            .unwrap_err();
        assert!(matches!(error, FetchError::Unauthorized { .. }), "{error}");
        let error = Source::Oci(place.clone())
            .fetch(&refused)
            .await
            .unwrap_err();
        assert!(matches!(error, FetchError::Unauthorized { .. }), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let welcome = known(&host, "secret");
    package(b"one", "").publish(&welcome, &place).await.unwrap();
    let fetched = Source::Oci(place).fetch(&welcome).await.unwrap();
    assert_eq!(fetched.bytes, component(b"one"));
}

#[tokio::test]
async fn our_signatures_travel_with_the_artifact() {
    let Some(registry) = Registry::start("our signatures in a registry").await else {
        return;
    };
    let key = SigningKey::generate().unwrap();
    let bytes = component(b"one");
    let subject = Subject::new("loyalty", "1.0.0", &bytes).unwrap();
    let line = Envelope::sign(&subject, &key, None).to_line().unwrap();
    let place = registry.place("acme/loyalty:1");
    let package = package(b"one", &format!("{line}\n"));
    let published = package.publish(&Registries::default(), &place).await;
    published.unwrap();
    let fetched = fetch(&place).await.unwrap();
    let trust = Trust::of_keys([("acme", key.public().to_pem().unwrap().as_str())]).unwrap();
    let signer = trust.verify(&subject, &fetched.signatures, NOW);
    assert_eq!(signer, Ok(Some("acme")));
}

/// Puts what `cosign sign --key` would put beside a manifest.
async fn cosign(registry: &Registry, at: &Published, key: &CosignKey) {
    let manifest = at.reference.digest().unwrap();
    let payload = format!(
        r#"{{"critical":{{"identity":{{"docker-reference":"{}/acme/loyalty"}},"image":{{"docker-manifest-digest":"{manifest}"}},"type":"cosign container image signature"}},"optional":null}}"#,
        registry.host()
    );
    let signature = key.sign(payload.as_bytes());
    let annotation = [("dev.cosignproject.cosign/signature".to_owned(), signature)];
    put(
        registry,
        &format!("sha256-{}.sig", manifest.hex()),
        "application/vnd.oci.image.config.v1+json",
        ImageLayer::new(
            payload,
            "application/vnd.dev.cosign.simplesigning.v1+json".to_owned(),
            Some(annotation.into_iter().collect()),
        ),
    )
    .await;
}

/// Puts one layer under a tag of acme/loyalty.
async fn put(registry: &Registry, tag: &str, config: &str, layer: ImageLayer) {
    let client = oci_client::Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        ..ClientConfig::default()
    });
    let place = oci_client::Reference::with_tag(registry.host(), "acme/loyalty".into(), tag.into());
    let config = Config::new("{}", config.to_owned(), None);
    let mut manifest = OciImageManifest::build(std::slice::from_ref(&layer), &config, None);
    manifest.media_type = Some("application/vnd.oci.image.manifest.v1+json".into());
    let auth = RegistryAuth::Anonymous;
    let layers = [layer];
    let pushed = client.push(&place, &layers, config, &auth, Some(manifest));
    pushed.await.unwrap();
}

#[tokio::test]
async fn cosign_keys_vouch_for_manifests() {
    let Some(registry) = Registry::start("cosign's signature tag").await else {
        return;
    };
    let (acme, other) = (CosignKey::generate(), CosignKey::generate());
    let trust = Trust::of_keys([("acme", acme.public_pem().as_str())]).unwrap();
    let bytes = component(b"one");
    let subject = Subject::new("loyalty", "1.0.0", &bytes).unwrap();
    let published = publish(b"one", &registry.place("acme/loyalty:1")).await;

    let fetched = fetch(&published.reference).await.unwrap();
    let refused = trust.verify(&subject, &fetched.signatures, NOW);
    assert!(matches!(refused, Err(Refusal::Unsigned { .. })));

    cosign(&registry, &published, &other).await;
    let fetched = fetch(&published.reference).await.unwrap();
    let refused = trust.verify(&subject, &fetched.signatures, NOW);
    assert!(matches!(refused, Err(Refusal::NoneCounts { .. })));

    cosign(&registry, &published, &acme).await;
    let fetched = fetch(&published.reference).await.unwrap();
    assert!(matches!(&fetched.signatures[..], [Signature::Manifest(_)]));
    let signer = trust.verify(&subject, &fetched.signatures, NOW);
    assert_eq!(signer, Ok(Some("acme")));
    // The same words about another artifact.
    let another = Subject::new("loyalty", "1.0.0", b"another").unwrap();
    assert!(trust.verify(&another, &fetched.signatures, NOW).is_err());
}

#[tokio::test]
async fn a_signature_of_another_manifest_counts_for_nothing() {
    let Some(registry) = Registry::start("a signature that was copied").await else {
        return;
    };
    let acme = CosignKey::generate();
    let trust = Trust::of_keys([("acme", acme.public_pem().as_str())]).unwrap();
    let good = publish(b"good", &registry.place("acme/loyalty:1")).await;
    let bad = publish(b"bad", &registry.place("acme/loyalty:2")).await;
    // Signed for the good one, and laid under the bad one's tag.
    let manifest = good.reference.digest().unwrap();
    let payload = format!(
        r#"{{"critical":{{"identity":{{"docker-reference":""}},"image":{{"docker-manifest-digest":"{manifest}"}},"type":"cosign container image signature"}},"optional":null}}"#
    );
    let signature = acme.sign(payload.as_bytes());
    let annotation = [("dev.cosignproject.cosign/signature".to_owned(), signature)];
    let kind = "application/vnd.dev.cosign.simplesigning.v1+json".to_owned();
    let layer = ImageLayer::new(payload, kind, Some(annotation.into_iter().collect()));
    let tag = format!("sha256-{}.sig", bad.reference.digest().unwrap().hex());
    put(
        &registry,
        &tag,
        "application/vnd.oci.image.config.v1+json",
        layer,
    )
    .await;
    let fetched = fetch(&bad.reference).await.unwrap();
    let subject = Subject::new("loyalty", "1.0.0", &fetched.bytes).unwrap();
    let refusal = trust
        .verify(&subject, &fetched.signatures, NOW)
        .unwrap_err();
    assert!(refusal.to_string().contains("another one"), "{refusal}");
}

#[tokio::test]
async fn what_is_no_wasm_artifact_is_refused_by_its_kind() {
    let Some(registry) = Registry::start("other media types").await else {
        return;
    };
    let wasm = "application/vnd.wasm.config.v0+json";
    let image = "application/vnd.oci.image.config.v1+json";
    let layer = |kind: &str| ImageLayer::new(component(b"x"), kind.to_owned(), None);
    put(&registry, "image", image, layer("application/wasm")).await;
    put(
        &registry,
        "layer",
        wasm,
        layer("application/vnd.oci.image.layer.v1.tar"),
    )
    .await;
    for (tag, says) in [
        ("image", "no wasm artifact"),
        ("layer", "not application/wasm"),
    ] {
        let place = registry.place(&format!("acme/loyalty:{tag}"));
        let error = fetch(&place).await.unwrap_err();
        assert!(matches!(error, FetchError::Unfit { .. }), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn only_components_are_published_and_only_under_tags() {
    let nowhere: Reference = "127.0.0.1:1/acme/loyalty:1".parse().unwrap();
    let registries = Registries::default();
    let module = Package {
        bytes: b"\0asm\x01\0\0\0".to_vec(),
        ..package(b"", "")
    };
    let junk = Package {
        bytes: b"junk".to_vec(),
        ..package(b"", "")
    };
    for wrong in [module, junk, package(b"", "junk!")] {
        let error = wrong.publish(&registries, &nowhere).await.unwrap_err();
        let said = matches!(
            error,
            FetchError::Unfit { .. } | FetchError::Signatures { .. }
        );
        assert!(said, "{error}");
    }
    let pinned = nowhere.at(Digest::of(b""));
    let error = package(b"", "")
        .publish(&registries, &pinned)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("under a tag"), "{error}");
    // Nobody is there: whatever is fit gets as far as that.
    let error = package(b"", "")
        .publish(&registries, &nowhere)
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
}
