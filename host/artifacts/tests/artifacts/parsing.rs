//! What is read from outside: every odd form is refused in words, and none makes the host fall over.

use artifacts::{MAX_SIGNATURES, Signature, SigningKey, Subject, parse_signatures};

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
