//! What is read from outside: every odd form is refused in words, and none makes the host fall over.

use artifacts::{
    Credentials, Digest, FetchError, MAX_ARTIFACT_BYTES, MAX_SIGNATURES, Reference, Registries,
    Signature, SigningKey, Source, Subject, parse_signatures, signature_file,
};

use crate::vendor::{COMPONENT, CosignKey, signed, subject};

fn line() -> String {
    let key = SigningKey::generate().unwrap();
    match signed(&subject(COMPONENT), &key, Some(1_900_000_000)) {
        Signature::Own(envelope) => envelope.to_line().unwrap(),
        _ => unreachable!(),
    }
}

#[test]
fn a_file_holds_a_signature_in_each_line() {
    let (own, cosign) = (line(), CosignKey::generate().sign(COMPONENT));
    let file = format!("\n{own}\r\n\n  {cosign}  \n");
    let signatures = parse_signatures(&file).unwrap();
    assert!(matches!(
        &signatures[..],
        [Signature::Own(_), Signature::Blob(_)]
    ));
    assert_eq!(parse_signatures(""), Ok(vec![]));
    assert_eq!(parse_signatures("\n \n"), Ok(vec![]));
}

#[test]
fn an_odd_line_is_named() {
    let line = line();
    let without = |field: &str| {
        let mut json: serde_json::Value = serde_json::from_str(&line).unwrap();
        json.as_object_mut().unwrap().remove(field);
        json.to_string()
    };
    let with = |field: &str, value: serde_json::Value| {
        let mut json: serde_json::Value = serde_json::from_str(&line).unwrap();
        json[field] = value;
        json.to_string()
    };
    let odd = [
        "{".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "not base64!".to_owned(),
        "====".to_owned(),
        "AAA".to_owned(),
        format!("{line}{line}"),
        line.replace('}', ", }"),
        without("switchboard_signature"),
        without("algorithm"),
        without("plugin"),
        without("digest"),
        without("signature"),
        with("switchboard_signature", 2.into()),
        with("switchboard_signature", (-1).into()),
        with("algorithm", "none".into()),
        with("algorithm", "rsa".into()),
        with("key", "../../../etc/pass".into()),
        with("key", "\u{1b}[31m0123456789".into()),
        with("plugin", "Loyalty".into()),
        with("plugin", "loyalty\nversion 9.9.9".into()),
        with("plugin", "".into()),
        with("plugin", "a".repeat(64).into()),
        with("version", "1".into()),
        with("version", "1.0.0\n".into()),
        with("version", "١.0.0".into()),
        with("digest", "sha256:00".into()),
        with("not_after", "tomorrow".into()),
        with("not_after", 5.into()),
        with("signature", "AAAA".into()),
        with("signature", "!".into()),
        with("comment", "more".into()),
        with("not_after", "2030-03-17 17:46:40Z".into()),
        line.replace(':', ": "),
        line.replace(",\"algorithm\"", ",\"version\":\"9.9.9\",\"algorithm\""),
    ];
    for odd in odd {
        let error = parse_signatures(&format!("{line}\n{odd}")).unwrap_err();
        assert!(error.to_string().starts_with("line 2: "), "{odd}: {error}");
    }
}

#[test]
fn a_file_has_its_limits() {
    let many = |count| parse_signatures(&vec!["A".repeat(88); count].join("\n"));
    assert_eq!(many(MAX_SIGNATURES).unwrap().len(), MAX_SIGNATURES);
    assert!(many(MAX_SIGNATURES + 1).is_err());
    assert!(parse_signatures(&" ".repeat(1 << 20)).is_err());
    assert!(parse_signatures(&"A".repeat(4096)).is_err());
    // Depth costs a parser its stack: JSON ends where nobody needs it.
    assert!(parse_signatures(&format!("{{\"a\":{}", "[".repeat(60_000))).is_err());
}

#[test]
fn only_names_that_leave_no_doubt_are_signed() {
    for name in ["loyalty", "0", "a-b_c", &"a".repeat(63)] {
        assert!(
            Subject::new(name, "1.0.0-rc.1+build", b"").is_ok(),
            "{name}"
        );
    }
    for name in [
        "",
        "-a",
        "_a",
        "A",
        "ä",
        "a b",
        "a\n",
        "a/b",
        &"a".repeat(64),
    ] {
        assert!(Subject::new(name, "1.0.0", b"").is_err(), "{name:?}");
    }
    let long = format!("1.0.0-{}", "a".repeat(200));
    for version in ["", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0 ", &long] {
        assert!(
            Subject::new("loyalty", version, b"").is_err(),
            "{version:?}"
        );
    }
}

#[test]
fn places_are_read_as_they_are_written() {
    let digest = Digest::of(b"");
    let places = [
        "ghcr.io/acme/loyalty:1.0.0".to_owned(),
        format!("ghcr.io/acme/loyalty@{digest}"),
        format!("localhost/a:b@{digest}"),
        "127.0.0.1:5000/a/b-c/d_e/f.g:_1".to_owned(),
        "registry:443/x:1".to_owned(),
    ];
    for place in places {
        let reference: Reference = place.parse().unwrap();
        assert_eq!(reference.to_string(), place);
        assert_eq!(format!("oci://{place}").parse(), Ok(reference));
    }
    let both: Reference = format!("ghcr.io/acme/loyalty:1@{digest}").parse().unwrap();
    assert_eq!(
        (both.registry(), both.repository()),
        ("ghcr.io", "acme/loyalty")
    );
    assert_eq!((both.tag(), both.digest()), (Some("1"), Some(digest)));
}

#[test]
fn odd_places_are_refused() {
    let digest = Digest::of(b"");
    let long = "a".repeat(256);
    let odd = [
        String::new(),
        "/".into(),
        "loyalty".into(),
        "loyalty:1".into(),
        "acme/loyalty:1".into(),
        "ghcr.io/loyalty".into(),
        "ghcr.io/:1".into(),
        "ghcr.io//loyalty:1".into(),
        "ghcr.io/../loyalty:1".into(),
        "ghcr.io/acme/..:1".into(),
        "ghcr.io/a..b:1".into(),
        "ghcr.io/Acme:1".into(),
        "ghcr.io/acme-:1".into(),
        "ghcr.io/a b:1".into(),
        "ghcr.io/a?x=1:1".into(),
        "ghcr.io/a#x:1".into(),
        "ghcr.io/a%2e:1".into(),
        "ghcr.io/a:".into(),
        "ghcr.io/a:.1".into(),
        "ghcr.io/a:1/2".into(),
        "ghcr.io/a:1:2".into(),
        "ghcr.io/a:1\n".into(),
        format!("ghcr.io/a:{}", &long[..129]),
        format!("ghcr.io/{long}:1"),
        "ghcr.io/a@".into(),
        "ghcr.io/a@sha256:00".into(),
        format!("ghcr.io/a@{}", digest.hex()),
        format!("ghcr.io/a@{digest}@{digest}"),
        format!("ghcr.io/a@{}", digest.to_string().to_uppercase()),
        "user@ghcr.io/a:1".into(),
        "https://ghcr.io/a:1".into(),
        "ghcr.io:0/a:1".into(),
        "ghcr.io:x/a:1".into(),
        "ghcr.io:+80/a:1".into(),
        "ghcr.io:65536/a:1".into(),
        ".io/a:1".into(),
        "-ghcr.io/a:1".into(),
        "ghcr..io/a:1".into(),
        "ghcr.io\\evil.example/a:1".into(),
        "[::1]:5000/a:1".into(),
        "oci://oci://ghcr.io/a:1".into(),
    ];
    for odd in odd {
        assert!(odd.parse::<Reference>().is_err(), "{odd:?}");
    }
}

#[test]
fn only_this_machine_needs_no_tls() {
    for near in [
        "localhost/a:1",
        "localhost:5000/a:1",
        "127.0.0.1:5000/a:1",
        "127.9.9.9/a:1",
    ] {
        assert!(near.parse::<Reference>().unwrap().is_loopback(), "{near}");
    }
    for far in [
        "ghcr.io/a:1",
        "127.0.0.1.example/a:1",
        "localhost.example/a:1",
        "10.0.0.1:80/a:1",
    ] {
        assert!(!far.parse::<Reference>().unwrap().is_loopback(), "{far}");
    }
}

#[test]
fn a_source_is_a_file_unless_it_says_otherwise() {
    let file: Source = "ghcr.io/acme/loyalty:1".parse().unwrap();
    assert_eq!(file, Source::File("ghcr.io/acme/loyalty:1".into()));
    let place: Source = "oci://ghcr.io/acme/loyalty:1".parse().unwrap();
    assert!(matches!(place, Source::Oci(_)));
    assert!("oci://loyalty".parse::<Source>().is_err());
}

#[test]
fn credentials_are_read_in_dockers_form_and_shown_nowhere() {
    let whole = r#"{"auths": {
        "ghcr.io": {"username": "me", "password": "hidden"},
        "https://index.docker.io/v1/": {"auth": "bWU6aGlkZGVu"}
    }, "credsStore": "desktop"}"#;
    let credentials = Credentials::parse(whole).unwrap();
    assert_eq!(
        format!("{credentials:?}"),
        r#"{"ghcr.io", "index.docker.io"}"#
    );
    assert!(Credentials::parse("{}").is_ok());
    let odd = [
        "",
        "hidden",
        r#"{"auths": []}"#,
        r#"{"auths": {"a": {}}}"#,
        r#"{"auths": {"a": {"username": "hidden"}}}"#,
        r#"{"auths": {"a": {"auth": "hidden"}}}"#,
        r#"{"auths": {"a": {"auth": "aGlkZGVu"}}}"#,
        r#"{"auths": {"a": "hidden"}}"#,
    ];
    for odd in odd {
        let error = Credentials::parse(odd).unwrap_err().to_string();
        assert!(!error.contains("hidden"), "{error}");
    }
}

#[tokio::test]
async fn a_file_comes_with_the_signatures_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("loyalty.wasm");
    let fetch = async || {
        Source::File(file.clone())
            .fetch(&Registries::default())
            .await
    };
    assert!(matches!(fetch().await, Err(FetchError::Missing { .. })));
    std::fs::write(&file, COMPONENT).unwrap();
    let fetched = fetch().await.unwrap();
    assert_eq!(
        (fetched.bytes.as_slice(), fetched.signatures.len()),
        (COMPONENT, 0)
    );
    assert_eq!(fetched.digest, Digest::of(COMPONENT));
    std::fs::write(signature_file(&file), line()).unwrap();
    assert_eq!(fetch().await.unwrap().signatures.len(), 1);
    std::fs::write(signature_file(&file), [0xff, 0xfe]).unwrap();
    assert!(fetch().await.is_err());
    std::fs::write(signature_file(&file), "junk!").unwrap();
    let error = fetch().await.unwrap_err().to_string();
    assert!(error.contains("loyalty.wasm.sig"), "{error}");
    std::fs::remove_file(signature_file(&file)).unwrap();
    // Sparse: nobody writes these bytes.
    let large = std::fs::File::create(&file).unwrap();
    large.set_len(MAX_ARTIFACT_BYTES as u64 + 1).unwrap();
    let error = fetch().await.unwrap_err().to_string();
    assert!(error.contains("more than"), "{error}");
}
