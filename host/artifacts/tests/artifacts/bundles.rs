//! Sigstore bundles, as cosign 3 leaves them beside a manifest: found where the registry lists them and where it cannot, and counted
//! only where they say of this manifest, by a key of the policy's, that it was signed.

mod made;

use artifacts::{
    Digest, FetchError, Fetched, Reference, Refusal, Registries, Signature, Subject, Trust,
    parse_signatures,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use made::{
    BUNDLE, IN_TOTO, INDEX, MANIFEST, entry, enveloped, good, index, over, referring, statement,
};
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, RegistryOperation};
use serde_json::{Value, json};

use crate::misbehaving::{at_tag, blob, manifest, root};
use crate::oci::{component, fetch, package};
use crate::registry::{Answer, Misbehaving, Registry};
use crate::vendor::{COMPONENT, CosignKey, NOW, subject};

/// The manifest of the artifact that these tests are about.
fn signed_manifest() -> Vec<u8> {
    let bytes = component(b"one");
    manifest(&bytes, bytes.len()).to_string().into_bytes()
}

fn listing() -> String {
    let digest = Digest::of(&signed_manifest());
    format!(
        "/v2/acme/loyalty/referrers/{digest}?artifactType=application%2Fvnd.dev.sigstore.bundle.v0.3%2Bjson"
    )
}

fn by_digest(bytes: &[u8]) -> (String, Answer) {
    let path = format!("/v2/acme/loyalty/manifests/{}", Digest::of(bytes));
    (path, Answer::ok(bytes))
}

/// A registry with the artifact, and with these bundles beside it; `list` says how it lists them.
fn holding(
    bundles: &[String],
    list: impl FnOnce(String) -> Vec<(String, Answer)>,
) -> Vec<(String, Answer)> {
    let (bytes, about) = (component(b"one"), signed_manifest());
    let referring = bundles.iter().map(|bundle| referring(bundle, &about));
    let referring: Vec<_> = referring.collect();
    let entries: Vec<_> = referring.iter().map(|one| entry(one)).collect();
    let mut answers = vec![
        root(),
        at_tag(about),
        blob(&bytes, Answer::ok(bytes.clone())),
    ];
    answers.extend(list(index(&entries)));
    answers.extend(referring.iter().map(|one| by_digest(one)));
    answers.extend(
        bundles
            .iter()
            .map(|text| blob(text.as_bytes(), Answer::ok(text.as_bytes()))),
    );
    answers
}

fn by_api(index: String) -> Vec<(String, Answer)> {
    vec![(listing(), Answer::ok(index))]
}

fn fallback() -> String {
    let tag = format!("sha256-{}", Digest::of(&signed_manifest()).hex());
    format!("/v2/acme/loyalty/manifests/{tag}")
}

async fn pulled(answers: Vec<(String, Answer)>) -> (Result<Fetched, FetchError>, Vec<String>) {
    let registry = Misbehaving::start(answers).await;
    let fetched = fetch(&registry.place("acme/loyalty:1")).await;
    (fetched, registry.asked())
}

/// Who vouches for what was fetched, or why nobody does.
fn signer(key: &CosignKey, fetched: &Fetched) -> Result<Option<String>, Refusal> {
    let trust = Trust::of_keys([("acme", key.public_pem().as_str())]).unwrap();
    let subject = Subject::new("loyalty", "1.0.0", &fetched.bytes).unwrap();
    let signer = trust.verify(&subject, &fetched.signatures, NOW);
    signer.map(|name| name.map(str::to_owned))
}

/// That the key vouches for what was fetched.
fn counts(key: &CosignKey, fetched: &Fetched) {
    assert_eq!(signer(key, fetched), Ok(Some("acme".to_owned())));
}

#[tokio::test]
async fn bundles_that_a_registry_lists_count() {
    let (key, about) = (CosignKey::generate(), signed_manifest());
    for bundle in [good(&key, &about), over(&key, &about).to_string()] {
        let (fetched, asked) = pulled(holding(&[bundle], by_api)).await;
        let fetched = fetched.unwrap();
        assert!(matches!(&fetched.signatures[..], [Signature::Bundle(_)]));
        counts(&key, &fetched);
        assert!(asked.contains(&listing()), "{asked:?}");
        assert!(!asked.contains(&fallback()), "{asked:?}");
        // What only a registry holds is not kept, and counts for no other artifact.
        assert_eq!(fetched.signatures[0].to_line(), None);
        let other = Fetched {
            bytes: component(b"two"),
            ..fetched
        };
        let refusal = signer(&key, &other).unwrap_err().to_string();
        assert!(refusal.contains("another artifact"), "{refusal}");
    }
}

/// Pushes as cosign does where the registry cannot list what refers to a manifest.
async fn cosign_sign(registry: &Registry, at: &Reference, about: &[u8], bundles: &[String]) {
    let client = Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        ..ClientConfig::default()
    });
    let place = |digest: &Digest| {
        let (host, repository) = (registry.host(), at.repository().to_owned());
        oci_client::Reference::with_digest(host, repository, digest.to_string())
    };
    let subject = place(&Digest::of(about));
    let (anonymous, push) = (RegistryAuth::Anonymous, RegistryOperation::Push);
    client.auth(&subject, &anonymous, push).await.unwrap();
    let mut entries = vec![];
    for bundle in bundles {
        for blob in ["{}", bundle] {
            let digest = Digest::of(blob.as_bytes()).to_string();
            let blob = blob.as_bytes().to_vec();
            client.push_blob(&subject, blob, &digest).await.unwrap();
        }
        let referring = referring(bundle, about);
        entries.push(entry(&referring));
        let to = place(&Digest::of(&referring));
        let kind = MANIFEST.parse().unwrap();
        client
            .push_manifest_raw(&to, referring, kind)
            .await
            .unwrap();
    }
    let tag = format!("sha256-{}", Digest::of(about).hex());
    let tag = oci_client::Reference::with_tag(registry.host(), at.repository().to_owned(), tag);
    let kind = INDEX.parse().unwrap();
    let index = index(&entries).into_bytes();
    client.push_manifest_raw(&tag, index, kind).await.unwrap();
}

#[tokio::test]
async fn a_real_registry_without_lists_has_them_under_a_tag() {
    let Some(registry) = Registry::start("cosign's bundles").await else {
        return;
    };
    let (key, other) = (CosignKey::generate(), CosignKey::generate());
    let place = registry.place("acme/loyalty:1");
    let registries = Registries::default();
    let one = package(b"one", "");
    let published = one.publish(&registries, &place);
    let published = published.await.unwrap().reference;
    let digest = published.digest().unwrap();
    let about = std::fs::read(registry.blob_file(&digest.hex())).unwrap();
    let unsigned = signer(&key, &fetch(&published).await.unwrap());
    assert!(
        matches!(unsigned, Err(Refusal::Unsigned { .. })),
        "{unsigned:?}"
    );

    let strange = good(&other, &about);
    cosign_sign(
        &registry,
        &published,
        &about,
        std::slice::from_ref(&strange),
    )
    .await;
    let refusal = signer(&key, &fetch(&published).await.unwrap()).unwrap_err();
    let named = Digest::of(&referring(&strange, &about)).to_string();
    assert!(refusal.to_string().contains(&named), "{refusal}");

    for bundle in [good(&key, &about), over(&key, &about).to_string()] {
        cosign_sign(&registry, &published, &about, &[strange.clone(), bundle]).await;
        for place in [&published, &place] {
            counts(&key, &fetch(place).await.unwrap());
        }
    }
    // The same words beside another manifest.
    let two = package(b"two", "");
    let second = two.publish(&registries, &place);
    let second = second.await.unwrap().reference;
    let beside = second.digest().unwrap().hex();
    let beside = std::fs::read(registry.blob_file(&beside)).unwrap();
    cosign_sign(&registry, &second, &beside, &[good(&key, &about)]).await;
    let refusal = signer(&key, &fetch(&second).await.unwrap()).unwrap_err();
    assert!(
        refusal.to_string().contains("about something else"),
        "{refusal}"
    );
}

type Case = (String, &'static str);

/// Envelopes that do not count, each with words of why.
fn bad_envelopes(key: &CosignKey, about: &[u8]) -> Vec<Case> {
    let said = statement(about).to_string();
    let say = |member: &str, value: Value| {
        let mut said = statement(about);
        said[member] = value;
        enveloped(key, IN_TOTO, &said.to_string()).to_string()
    };
    let slsa = "https://slsa.dev/provenance/v1";
    let old = "https://in-toto.io/Statement/v0.1";
    let plain = enveloped(key, "text/plain", &said).to_string();
    let empty = enveloped(key, IN_TOTO, "[]").to_string();
    vec![
        (good(&CosignKey::generate(), about), NO_KEY),
        (good(key, b"another manifest"), "about something else"),
        (say("subject", json!([])), "about something else"),
        (say("predicateType", json!(slsa)), slsa),
        (say("_type", json!(old)), old),
        (plain, "\"text/plain\""),
        (empty, "its statement does not read"),
    ]
}

/// Bundles that were changed after they were made, likewise.
fn changed_bundles(key: &CosignKey, about: &[u8]) -> Vec<Case> {
    let change = |pointer: &str, value: Value| {
        let mut bundle: Value = serde_json::from_str(&good(key, about)).unwrap();
        *bundle.pointer_mut(pointer).unwrap() = value;
        bundle.to_string()
    };
    let payload = json!(BASE64.encode(statement(about).to_string() + " "));
    let certificate = json!({ "certificate": { "rawBytes": "dGVzdA==" } });
    let older = json!("application/vnd.dev.sigstore.bundle+json;version=0.2");
    let twice = json!([{ "sig": "c2ln" }, { "sig": "c2ln" }]);
    let signature = "/dsseEnvelope/signatures/0/sig";
    vec![
        (change(signature, json!("c2ln")), NO_KEY),
        (change("/dsseEnvelope/payload", payload), NO_KEY),
        (change("/verificationMaterial", certificate), "keyless"),
        (change("/mediaType", older), "sign it with cosign 3"),
        (change("/dsseEnvelope/signatures", twice), "does not read"),
    ]
}

/// Signatures over bytes that do not count, and what is no bundle.
fn others(key: &CosignKey, about: &[u8]) -> Vec<Case> {
    let mut digestless = over(key, about);
    let signature = digestless["messageSignature"].as_object_mut().unwrap();
    signature.remove("messageDigest");
    let other = over(&CosignKey::generate(), about).to_string();
    let elsewhere = over(key, b"another manifest").to_string();
    vec![
        (other, NO_KEY),
        (elsewhere, "about something else"),
        (digestless.to_string(), "names no digest"),
        ("{}".to_owned(), "does not read"),
        ("[".repeat(60_000), "does not read"),
        (" ".repeat(200_000), "and a bundle may have"),
    ]
}

const NO_KEY: &str = "verifies with none of the sigstore keys";

#[tokio::test]
async fn what_no_bundle_must_be_is_refused_by_its_name() {
    let (key, about) = (CosignKey::generate(), signed_manifest());
    let kinds = [
        bad_envelopes(&key, &about),
        changed_bundles(&key, &about),
        others(&key, &about),
    ];
    for cases in kinds {
        for (bundle, words) in &cases {
            let (fetched, _) = pulled(holding(std::slice::from_ref(bundle), by_api)).await;
            let refusal = signer(&key, &fetched.unwrap()).unwrap_err().to_string();
            let named = Digest::of(&referring(bundle, &about)).to_string();
            let says = refusal.contains(&named) && refusal.contains(words);
            assert!(says, "{words}: {refusal}");
        }
        // One that counts is enough, whatever lies beside it.
        let mut bundles: Vec<_> = cases.into_iter().map(|(bundle, _)| bundle).collect();
        bundles.push(good(&key, &about));
        let (fetched, _) = pulled(holding(&bundles, by_api)).await;
        counts(&key, &fetched.unwrap());
    }
}

#[tokio::test]
async fn no_more_are_read_than_anybody_needs() {
    let (key, about) = (CosignKey::generate(), signed_manifest());
    let strange: Vec<_> = (0..20)
        .map(|_| good(&CosignKey::generate(), &about))
        .collect();
    let (fetched, asked) = pulled(holding(&strange, by_api)).await;
    let referring: Vec<_> = strange
        .iter()
        .map(|bundle| by_digest(&referring(bundle, &about)).0)
        .collect();
    let read = asked.iter().filter(|path| referring.contains(path)).count();
    assert_eq!(read, artifacts::MAX_SIGNATURES);
    let refusal = signer(&key, &fetched.unwrap()).unwrap_err().to_string();
    assert!(refusal.contains("4 more were not read"), "{refusal}");
}

/// Attestations, and whatever else refers to a manifest, is no signature, and nobody reads it.
#[tokio::test]
async fn what_else_refers_to_a_manifest_is_left_alone() {
    let (key, about) = (CosignKey::generate(), signed_manifest());
    let bundle = good(&key, &about);
    let others = [
        ("/artifactType", "application/spdx+json"),
        (
            "/annotations/dev.sigstore.bundle.predicateType",
            "https://slsa.dev/provenance/v1",
        ),
    ];
    for (pointer, value) in others {
        let mut entry = entry(&referring(&bundle, &about));
        *entry.pointer_mut(pointer).unwrap() = json!(value);
        let (fetched, asked) = pulled(holding(std::slice::from_ref(&bundle), |_| {
            by_api(index(&[entry]))
        }))
        .await;
        let refusal = signer(&key, &fetched.unwrap());
        assert!(
            matches!(refusal, Err(Refusal::Unsigned { .. })),
            "{refusal:?}"
        );
        assert!(
            !asked.contains(&by_digest(&referring(&bundle, &about)).0),
            "{asked:?}"
        );
    }
}

#[tokio::test]
async fn registries_that_do_not_know_the_question_are_asked_for_the_tag() {
    let (key, about) = (CosignKey::generate(), signed_manifest());
    let answer = |status, body: &str| Answer {
        status,
        ..Answer::ok(body)
    };
    for odd in [
        answer("404 Not Found", "404 page not found"),
        answer("400 Bad Request", "{}"),
        answer("405 Method Not Allowed", ""),
        answer("501 Not Implemented", ""),
        answer("200 OK", "<html>welcome</html>"),
    ] {
        let list = |index: String| vec![(listing(), odd.clone()), (fallback(), Answer::ok(index))];
        let (fetched, _) = pulled(holding(&[good(&key, &about)], list)).await;
        counts(&key, &fetched.unwrap());
        let (fetched, _) = pulled_without(odd).await;
        assert!(fetched.unwrap().signatures.is_empty());
    }
    let no_index = |_| {
        vec![
            (listing(), answer("400 Bad Request", "{}")),
            (fallback(), Answer::ok("[]")),
        ]
    };
    let (fetched, _) = pulled(holding(&[], no_index)).await;
    let refusal = signer(&key, &fetched.unwrap()).unwrap_err().to_string();
    assert!(refusal.contains("no index of what refers"), "{refusal}");
    // One that is ill may have some, and says so another time.
    let ill = |_| vec![(listing(), answer("503 Service Unavailable", ""))];
    let (fetched, _) = pulled(holding(&[], ill)).await;
    let error = fetched.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
}

async fn pulled_without(odd: Answer) -> (Result<Fetched, FetchError>, Vec<String>) {
    pulled(holding(&[], |_| vec![(listing(), odd)])).await
}

/// What is listed and cannot be had keeps nobody from what counts.
#[tokio::test]
async fn a_bundle_that_is_not_there_is_named() {
    let (key, about) = (CosignKey::generate(), signed_manifest());
    let (bundle, gone) = (good(&key, &about), good(&key, &about));
    let (there, missing) = (referring(&bundle, &about), referring(&gone, &about));
    let odd = json!({ "mediaType": MANIFEST, "artifactType": BUNDLE, "digest": "sha512:\u{1b}[31m0", "size": 1 });
    for (entries, counts) in [
        (vec![entry(&missing), odd.clone()], false),
        (vec![entry(&missing), odd, entry(&there)], true),
    ] {
        let list = |_| by_api(index(&entries));
        let (fetched, _) = pulled(holding(std::slice::from_ref(&bundle), list)).await;
        match signer(&key, &fetched.unwrap()) {
            Ok(_) => assert!(counts),
            Err(refusal) => {
                assert!(!counts, "{refusal}");
                let refusal = refusal.to_string();
                for words in [
                    &Digest::of(&missing).to_string(),
                    "listed, and not there",
                    "sha512:[31m0",
                ] {
                    assert!(refusal.contains(words), "{words}: {refusal}");
                }
            }
        }
    }
}

#[test]
fn a_bundle_in_a_signature_file_vouches_for_the_file() {
    let key = CosignKey::generate();
    let trust = Trust::of_keys([("acme", key.public_pem().as_str())]).unwrap();
    let subject = subject(COMPONENT);
    for line in [over(&key, COMPONENT).to_string(), good(&key, COMPONENT)] {
        let signatures = parse_signatures(&line).unwrap();
        assert_eq!(trust.verify(&subject, &signatures, NOW), Ok(Some("acme")));
        assert_eq!(signatures[0].to_line(), Some(line));
    }
    let line = over(&key, b"another").to_string();
    let signatures = parse_signatures(&line).unwrap();
    let refusal = trust.verify(&subject, &signatures, NOW).unwrap_err();
    let words = "the bundle in the signature file: it is about something else";
    assert!(refusal.to_string().contains(words), "{refusal}");
}
