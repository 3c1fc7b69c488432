//! Registries that misbehave: whatever they send, it is bounded, checked, and refused in words.

use std::time::Duration;

use artifacts::{
    Credentials, Digest, FetchError, MAX_ARTIFACT_BYTES, Reference, Registries, Source,
};
use serde_json::{Value, json};

use crate::oci::{component, fetch};
use crate::registry::{Answer, FLOOD, Misbehaving};

/// A manifest for these bytes, of this declared size.
pub(crate) fn manifest(bytes: &[u8], size: usize) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.wasm.config.v0+json",
            "digest": Digest::of(b"{}"),
            "size": 2,
        },
        "layers": [{ "mediaType": "application/wasm", "digest": Digest::of(bytes), "size": size }],
    })
}

pub(crate) fn at_tag(manifest: impl Into<Vec<u8>>) -> (String, Answer) {
    ("/v2/acme/loyalty/manifests/1".into(), Answer::ok(manifest))
}

pub(crate) fn blob(of: &[u8], answer: Answer) -> (String, Answer) {
    (format!("/v2/acme/loyalty/blobs/{}", Digest::of(of)), answer)
}

pub(crate) fn root() -> (String, Answer) {
    ("/v2/".into(), Answer::ok(""))
}

async fn refused(answers: Vec<(String, Answer)>) -> (FetchError, Vec<String>) {
    let registry = Misbehaving::start([vec![root()], answers].concat()).await;
    let error = fetch(&registry.place("acme/loyalty:1")).await.unwrap_err();
    (error, registry.asked())
}

#[tokio::test]
async fn one_that_behaves_is_believed() {
    let bytes = component(b"one");
    let registry = Misbehaving::start(vec![
        root(),
        at_tag(manifest(&bytes, bytes.len()).to_string()),
        blob(&bytes, Answer::ok(bytes.clone())),
    ])
    .await;
    let fetched = fetch(&registry.place("acme/loyalty:1")).await.unwrap();
    assert_eq!(fetched.bytes, bytes);
}

#[tokio::test]
async fn one_that_goes_away_in_the_middle_can_be_tried_again() {
    let bytes = component(b"one");
    let half = Answer {
        withheld: 5,
        ..Answer::ok(bytes[..bytes.len() - 5].to_vec())
    };
    let manifest = manifest(&bytes, bytes.len()).to_string();
    let (error, _) = refused(vec![at_tag(manifest.clone()), blob(&bytes, half)]).await;
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    let cut = Answer {
        withheld: 5,
        ..Answer::ok(manifest[..40].to_owned())
    };
    let cut = ("/v2/acme/loyalty/manifests/1".into(), cut);
    let (error, _) = refused(vec![cut]).await;
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn one_that_sends_something_else_is_found_out() {
    let bytes = component(b"one");
    let manifest = manifest(&bytes, bytes.len()).to_string();
    let other = Answer::ok(component(b"two"));
    let (error, _) = refused(vec![at_tag(manifest.clone()), blob(&bytes, other)]).await;
    assert!(matches!(error, FetchError::Unfit { .. }), "{error}");

    // Another manifest than the pinned one, whatever its header claims.
    let pinned = Digest::of(b"what was pinned");
    let lie = Answer {
        headers: vec![("docker-content-digest", pinned.to_string())],
        ..Answer::ok(manifest)
    };
    for answer in [
        lie.clone(),
        Answer {
            headers: vec![],
            ..lie
        },
    ] {
        let place = format!("/v2/acme/loyalty/manifests/{pinned}");
        let registry = Misbehaving::start(vec![root(), (place, answer)]).await;
        let error = fetch(&registry.place(&format!("acme/loyalty@{pinned}"))).await;
        let error = error.unwrap_err();
        assert!(matches!(error, FetchError::Unfit { .. }), "{error}");
        assert!(!registry.asked().iter().any(|path| path.contains("blobs")));
    }
}

#[tokio::test]
async fn more_than_there_may_be_is_not_taken() {
    let bytes = component(b"one");
    // What says that it is too large is not even asked for.
    let declared = manifest(&bytes, MAX_ARTIFACT_BYTES + 1).to_string();
    let (error, asked) = refused(vec![at_tag(declared)]).await;
    assert!(error.to_string().contains("bytes"), "{error}");
    assert!(
        !asked.iter().any(|path| path.contains("blobs")),
        "{asked:?}"
    );
    // What lies about its size ends at the limit.
    let large = vec![0; MAX_ARTIFACT_BYTES + 1];
    let declared = manifest(&bytes, 1).to_string();
    let (error, _) = refused(vec![at_tag(declared), blob(&bytes, Answer::ok(large))]).await;
    assert!(error.to_string().contains("sends more than"), "{error}");
    let (error, _) = refused(vec![at_tag(vec![b' '; 2 << 20])]).await;
    assert!(
        error.to_string().contains("manifest has more than"),
        "{error}"
    );
}

/// A registry that wants a token from itself, whose tokens are this.
fn guarded(token: Answer) -> Vec<(String, Answer)> {
    let wanted = r#"Bearer realm="http://HERE/token?a=b",service="acme""#;
    let guard = Answer {
        status: "401 Unauthorized",
        headers: vec![("www-authenticate", wanted.to_owned())],
        ..Answer::ok("")
    };
    let place = "/token?a=b&scope=repository%3Aacme%2Floyalty%3Apull&service=acme";
    vec![("/v2/".into(), guard), (place.into(), token)]
}

/// Whatever is asked, the answer never ends: the host reads as much as there may be, and goes.
#[tokio::test]
async fn an_answer_without_an_end_is_not_read_to_it() {
    let bytes = component(b"one");
    let manifest = manifest(&bytes, bytes.len()).to_string();
    let referrers = format!(
        "/v2/acme/loyalty/referrers/{}?artifactType=application%2Fvnd.dev.sigstore.bundle.v0.3%2Bjson",
        Digest::of(manifest.as_bytes())
    );
    let (tag, _) = at_tag("");
    let broken = Answer {
        status: "500 Internal Server Error",
        ..Answer::ok("broken")
    };
    let behaving = vec![
        root(),
        at_tag(manifest.clone()),
        blob(&bytes, Answer::ok(bytes.clone())),
    ];
    let floods = [
        vec![root(), (tag.clone(), Answer::ok(manifest).flood())],
        vec![root(), (tag, broken.clone().flood())],
        [vec![blob(&bytes, broken.flood())], behaving.clone()].concat(),
        [vec![(referrers, Answer::ok("").flood())], behaving].concat(),
        guarded(Answer::ok("{").flood()),
        guarded(Answer {
            status: "403 Forbidden",
            ..Answer::ok("no").flood()
        }),
    ];
    for (flood, answers) in floods.into_iter().enumerate() {
        let registry = Misbehaving::start(answers).await;
        let place = registry.place("acme/loyalty:1");
        let fetched = fetch(&place).await;
        // What nobody could read is no signature, and none is asked for here.
        let signatures = fetched.map(|fetched| fetched.signatures.len());
        assert!(
            matches!(signatures, Err(_) | Ok(1)),
            "{flood}: {signatures:?}"
        );
        let taken = registry.flooded();
        assert!(taken < FLOOD / 2, "{flood}: {taken} bytes were taken");
        let _ = place.leads_to(&Registries::default()).await;
        let taken = registry.flooded();
        assert!(taken < FLOOD / 2, "{flood}: {taken} bytes were taken");
    }
}

#[tokio::test]
async fn a_token_is_shown_to_the_registry_and_the_password_where_tokens_are() {
    let bytes = component(b"one");
    let manifest = manifest(&bytes, bytes.len()).to_string();
    for name in ["token", "access_token"] {
        let token = Answer::ok(format!(r#"{{"{name}": "t0ken", "expires_in": 300}}"#));
        let (tag, found) = at_tag(manifest.clone());
        let (layer, component) = blob(&bytes, Answer::ok(bytes.clone()));
        let answers = vec![(tag.clone(), found), (layer.clone(), component)];
        let registry = Misbehaving::start([guarded(token), answers].concat()).await;
        let place = registry.place("acme/loyalty:1");
        let known = format!(
            r#"{{"auths": {{"{}": {{"username": "vendor", "password": "secret"}}}}}}"#,
            place.registry()
        );
        let registries = Registries {
            credentials: Credentials::parse(&known).unwrap(),
            ..Registries::default()
        };
        let source = Source::Oci(place);
        assert_eq!(source.fetch(&registries).await.unwrap().bytes, bytes);
        let shown = registry.shown();
        let (password, tokens) = shown.split_first().unwrap();
        assert!(password.starts_with("/token?a=b"), "{password}");
        assert!(
            password.ends_with(" Basic dmVuZG9yOnNlY3JldA=="),
            "{password}"
        );
        assert!(
            tokens.contains(&format!("{tag} Bearer t0ken")),
            "{tokens:?}"
        );
        assert!(
            tokens.contains(&format!("{layer} Bearer t0ken")),
            "{tokens:?}"
        );
        assert!(
            !tokens.iter().any(|one| one.contains("Basic")),
            "{tokens:?}"
        );
    }
}

#[tokio::test]
async fn one_that_is_silent_has_its_time() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place: Reference = format!("{}/acme/loyalty:1", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let registries = Registries {
        patience: Duration::from_millis(50),
        ..Registries::default()
    };
    let error = Source::Oci(place).fetch(&registries).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("longer than"), "{error}");
}

#[tokio::test]
async fn odd_manifests_are_refused() {
    let bytes = component(b"one");
    let whole = manifest(&bytes, bytes.len());
    let with = |pointer: &str, value: Value| {
        let mut odd = whole.clone();
        *odd.pointer_mut(pointer).unwrap() = value;
        odd.to_string()
    };
    let odd = [
        String::new(),
        "null".into(),
        "{}".into(),
        "[".repeat(100_000),
        json!({ "schemaVersion": 2, "manifests": [] }).to_string(),
        with("/layers", json!([])),
        with("/layers", json!([whole["layers"][0], whole["layers"][0]])),
        with("/layers/0/digest", json!("sha256:00")),
        with("/layers/0/digest", json!("../../secret")),
        with(
            "/layers/0/digest",
            json!(format!("sha512:{}", "0".repeat(128))),
        ),
        with("/layers/0/size", json!(-1)),
        with("/layers/0/mediaType", json!("text/plain")),
        with("/config/mediaType", json!("application/json")),
    ];
    for odd in odd {
        let (error, asked) = refused(vec![at_tag(odd.clone())]).await;
        let shown = odd.chars().take(200).collect::<String>();
        assert!(
            matches!(error, FetchError::Unfit { .. }),
            "{shown}: {error}"
        );
        assert!(!asked.iter().any(|path| path.contains("blobs")), "{shown}");
    }
}

/// A registry that fails to say whether there are signatures has not said that there are none.
#[tokio::test]
async fn signatures_that_cannot_be_asked_for_are_not_absent() {
    let bytes = component(b"one");
    let manifest = manifest(&bytes, bytes.len()).to_string();
    let tag = format!("sha256-{}.sig", Digest::of(manifest.as_bytes()).hex());
    let broken = Answer {
        status: "500 Internal Server Error",
        ..Answer::ok("\u{1b}[31mbroken\n")
    };
    let (error, _) = refused(vec![
        at_tag(manifest),
        blob(&bytes, Answer::ok(bytes.clone())),
        (format!("/v2/acme/loyalty/manifests/{tag}"), broken),
    ])
    .await;
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    assert!(!error.to_string().contains(['\u{1b}', '\n']), "{error:?}");
}

/// Where a tag leads is asked for by HEAD alone, and believed of nobody who does not say it as a sha256.
#[tokio::test]
async fn where_a_tag_leads_is_told_without_anything_being_pulled() {
    let bytes = component(b"one");
    let body = manifest(&bytes, bytes.len()).to_string();
    let (now, other) = (
        Digest::of(body.as_bytes()),
        "sha512:".to_owned() + &"0".repeat(128),
    );
    let registries = Registries::default();
    for (said, expected) in [(now.to_string(), Some(now)), (other, None)] {
        let (path, answer) = at_tag("");
        let headers = vec![("docker-content-digest", said)];
        let answer = Answer { headers, ..answer };
        let registry = Misbehaving::start(vec![root(), (path.clone(), answer)]).await;
        let place = registry.place("acme/loyalty:1").at(Digest::of(b"pinned"));
        assert_eq!(place.leads_to(&registries).await.unwrap(), expected);
        let mut asked = registry.asked();
        asked.retain(|path| path != "/v2/");
        assert_eq!(asked, [format!("HEAD {path}")]);
    }
    let nobody: Reference = "127.0.0.1:9/acme/loyalty:1".parse().unwrap();
    let error = nobody.leads_to(&registries).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
}
