//! Whose signatures count: a name for what a trusted key signed, a refusal that says what would have counted for the rest.

use artifacts::{
    Refusal, Signature, SigningKey, Subject, Trust, TrustError, TrustSettings, TrustedKey,
    parse_signatures,
};

use crate::vendor::{COMPONENT, CosignKey, NOW, raw_base64, signed, subject, trust};

fn key() -> SigningKey {
    SigningKey::generate().unwrap()
}

fn flaws(refusal: Refusal) -> Vec<String> {
    match refusal {
        Refusal::NoneCounts { flaws, .. } => flaws,
        Refusal::Unsigned { .. } => vec![],
    }
}

#[test]
fn a_trusted_signature_names_its_signer() {
    let (acme, other) = (key(), key());
    let trust = trust(true, &[("other", &other), ("acme", &acme)]);
    let subject = subject(COMPONENT);
    let signature = signed(&subject, &acme, None);
    let found = trust.verify(&subject, std::slice::from_ref(&signature), NOW);
    assert_eq!(found, Ok(Some("acme")));
    // One that counts is enough, wherever it stands.
    let stranger = signed(&subject, &key(), None);
    let found = trust.verify(&subject, &[stranger, signature], NOW);
    assert_eq!(found, Ok(Some("acme")));
}

#[test]
fn what_is_not_signed_is_refused_with_the_names_of_the_keys() {
    let acme = key();
    let trust = trust(true, &[("acme", &acme)]);
    let refusal = trust.verify(&subject(COMPONENT), &[], NOW).unwrap_err();
    let digest = subject(COMPONENT).digest();
    assert_eq!(
        refusal.to_string(),
        format!(
            "loyalty 1.0.0 ({digest}) is not signed, and must be: signatures are accepted of acme (ed25519 {})",
            acme.public().id()
        )
    );
}

#[test]
fn a_signature_fits_nothing_but_what_was_signed() {
    let acme = key();
    let trust = trust(true, &[("acme", &acme)]);
    let signature = signed(&subject(COMPONENT), &acme, Some(NOW));
    let refused = |subject: Subject<'_>, now| {
        let refused = trust.verify(&subject, std::slice::from_ref(&signature), now);
        flaws(refused.unwrap_err()).remove(0)
    };
    let digest = subject(COMPONENT).digest();
    assert_eq!(
        refused(subject(b"\0asm another"), NOW),
        format!("acme signed {digest}, which is another artifact")
    );
    let name = Subject::new("loyalty-2", "1.0.0", COMPONENT).unwrap();
    assert_eq!(refused(name, NOW), "acme signed it as loyalty 1.0.0");
    let version = Subject::new("loyalty", "1.0.1", COMPONENT).unwrap();
    assert_eq!(refused(version, NOW), "acme signed it as loyalty 1.0.0");
    assert!(
        refused(subject(COMPONENT), NOW + 1).starts_with("the signature of acme was good until")
    );
    let found = trust.verify(&subject(COMPONENT), std::slice::from_ref(&signature), NOW);
    assert_eq!(found, Ok(Some("acme")));
}

#[test]
fn strangers_and_forgers_count_for_nothing() {
    let (acme, stranger) = (key(), key());
    let trust = trust(true, &[("acme", &acme)]);
    let subject = subject(COMPONENT);
    let strange = signed(&subject, &stranger, None);
    let line = |signature: &Signature| match signature {
        Signature::Own(envelope) => envelope.to_line().unwrap(),
        _ => unreachable!(),
    };
    let forged = line(&strange).replace(&stranger.public().id(), &acme.public().id());
    let forged = parse_signatures(&forged).unwrap().remove(0);
    let refused = trust.verify(&subject, &[strange, forged], NOW);
    assert_eq!(
        flaws(refused.unwrap_err()),
        [
            format!("the key {} is not among them", stranger.public().id()),
            "the signature that names the key of acme does not verify".to_owned(),
        ]
    );
}

/// Whatever single character of a signature is changed, it does not count any more.
#[test]
fn no_changed_signature_counts() {
    let acme = key();
    let trust = trust(true, &[("acme", &acme)]);
    let subject = subject(COMPONENT);
    let Signature::Own(envelope) = signed(&subject, &acme, Some(NOW)) else {
        unreachable!()
    };
    let line = envelope.to_line().unwrap();
    let mut read = 0;
    for at in 0..line.len() {
        for other in ['0', 'A', ' ', '"'] {
            let mut changed = line.clone();
            changed.replace_range(at..=at, &other.to_string());
            if changed == line {
                continue;
            }
            if let Ok(signatures) = parse_signatures(&changed) {
                read += 1;
                let found = trust.verify(&subject, &signatures, NOW);
                assert!(found.is_err(), "{changed}");
            }
        }
    }
    assert!(read > 100, "only {read} changes could be read at all");
    let whole = parse_signatures(&line).unwrap();
    assert!(trust.verify(&subject, &whole, NOW).is_ok());
}

#[test]
fn without_the_requirement_a_signer_is_named_where_there_is_one() {
    let acme = key();
    let trust = trust(false, &[("acme", &acme)]);
    let subject = subject(COMPONENT);
    let strange = signed(&subject, &key(), None);
    assert_eq!(trust.verify(&subject, &[], NOW), Ok(None));
    assert_eq!(
        trust.verify(&subject, std::slice::from_ref(&strange), NOW),
        Ok(None)
    );
    let own = signed(&subject, &acme, None);
    assert_eq!(
        trust.verify(&subject, &[strange, own], NOW),
        Ok(Some("acme"))
    );
    assert_eq!(Trust::default().verify(&subject, &[], NOW), Ok(None));
}

#[test]
fn cosign_keys_vouch_for_files() {
    let folder = tempfile::tempdir().unwrap();
    let (acme, other) = (CosignKey::generate(), CosignKey::generate());
    std::fs::write(folder.path().join("cosign.pub"), acme.public_pem()).unwrap();
    let settings = TrustSettings {
        required: true,
        keys: vec![TrustedKey {
            name: "acme".into(),
            sigstore: Some("cosign.pub".into()),
            ..TrustedKey::default()
        }],
    };
    let trust = Trust::load(&settings, folder.path()).unwrap();
    let subject = subject(COMPONENT);
    let signature = parse_signatures(&acme.sign(COMPONENT)).unwrap();
    assert_eq!(trust.verify(&subject, &signature, NOW), Ok(Some("acme")));
    for line in [other.sign(COMPONENT), acme.sign(b"another"), "A".repeat(96)] {
        let signature = parse_signatures(&line).unwrap();
        let refused = trust.verify(&subject, &signature, NOW).unwrap_err();
        assert!(refused.to_string().contains("acme (sigstore "), "{refused}");
    }
}

#[test]
fn one_key_can_be_asked_for() {
    let (own, cosign) = (key(), CosignKey::generate());
    let subject = subject(COMPONENT);
    let trust = Trust::of_keys([("acme.pub", own.public().to_pem().unwrap().as_str())]).unwrap();
    let signature = signed(&subject, &own, None);
    assert_eq!(
        trust.verify(&subject, &[signature], NOW),
        Ok(Some("acme.pub"))
    );
    let trust = Trust::of_keys([("cosign.pub", cosign.public_pem().as_str())]).unwrap();
    let signature = parse_signatures(&cosign.sign(COMPONENT)).unwrap();
    assert_eq!(
        trust.verify(&subject, &signature, NOW),
        Ok(Some("cosign.pub"))
    );
    assert!(trust.verify(&subject, &[], NOW).is_err());
    assert!(Trust::of_keys([("junk", "junk")]).is_err());
}

#[test]
fn settings_that_cannot_be_followed_say_why() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("junk.pub"), "junk").unwrap();
    let raw = raw_base64(&key());
    let cases = [
        ("required = true", "name a key"),
        ("keys = [{ name = \"a\" }]", "exactly one of"),
        (
            "keys = [{ name = \"a\", ed25519 = \"RAW\", file = \"junk.pub\" }]",
            "exactly one of",
        ),
        (
            "keys = [{ name = \"a\", ed25519 = \"RAW\" }, { name = \"a\", ed25519 = \"RAW\" }]",
            "two keys",
        ),
        (
            "keys = [{ name = \"a\", ed25519 = \"junk\" }]",
            "no public ed25519 key",
        ),
        (
            "keys = [{ name = \"a\", file = \"junk.pub\" }]",
            "no public ed25519 key",
        ),
        (
            "keys = [{ name = \"a\", sigstore = \"junk.pub\" }]",
            "no public key in PEM",
        ),
        ("keys = [{ name = \"a\", file = \"none.pub\" }]", "none.pub"),
    ];
    for (settings, says) in cases {
        let settings = toml::from_str(&settings.replace("RAW", &raw)).unwrap();
        let error: TrustError = Trust::load(&settings, folder.path()).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    for unknown in ["require = true", "keys = [{ nam = \"a\" }]", "keys = [{}]"] {
        assert!(
            toml::from_str::<TrustSettings>(unknown).is_err(),
            "{unknown}"
        );
    }
    let whole =
        "required = true\nkeys = [{ name = \"a\", ed25519 = \"RAW\" }]".replace("RAW", &raw);
    let trust = Trust::load(&toml::from_str(&whole).unwrap(), folder.path()).unwrap();
    assert!(trust.is_required());
}
