//! Who vouches for a component: a tenant's trust, held against what came with it.

use artifacts::{
    Digest, Fetched, Refusal, Signature, SignatureError, Subject, Trust, parse_signatures,
};
use dispatch::PluginVersion;
use thiserror::Error;
use time::OffsetDateTime;

use crate::{Manifest, ManifestError};

/// The version of a component that carries no manifest, and so does not say.
const NO_VERSION: &str = "0.0.0";

/// A component that may be loaded, as far as trust goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vouched {
    /// Its version, by its manifest; `file` where it carries none.
    pub(crate) version: String,
    /// The key whose signature counts, by its name and what it is; none where nobody signed it who must.
    pub(crate) signer: Option<String>,
}

/// Why nobody vouches for a component.
#[derive(Debug, Error)]
pub enum NotVouched {
    /// What it says of itself does not read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// What it calls itself cannot be signed.
    #[error(transparent)]
    Name(#[from] SignatureError),
    /// No signature counts, and one must.
    #[error(transparent)]
    Trust(#[from] Refusal),
    /// It was installed when none had to, or one that counted then does not any more.
    #[error(
        "version {version} was installed without the signature of a key that the tenant trusts now{}: install it again, with one", .why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default()
    )]
    Since {
        /// Which one.
        version: String,
        /// What the signatures that came with it do not say; none where none are kept.
        why: Option<Box<NotVouched>>,
    },
}

/// Holds a component and its signatures against `trust`. Signed are the name and the version that it carries in its manifest,
/// whatever the tenant calls it; `called` stands in where it carries none.
pub(crate) fn vouched(
    fetched: &Fetched,
    trust: &Trust,
    called: &str,
) -> Result<Vouched, NotVouched> {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    vouched_at(now, fetched, trust, called)
}

/// The signatures that are kept with an installed version, held against `trust` as it is now. A signature that was good until
/// some day is good for what was installed by then.
pub(crate) fn still_vouched(
    version: &PluginVersion,
    bytes: &[u8],
    trust: &Trust,
) -> Result<(), NotVouched> {
    let since = |why| NotVouched::Since {
        version: version.version.clone(),
        why,
    };
    let Some(signatures) = &version.signatures else {
        let signer = version.signed_by.as_ref();
        let is_known = signer.is_some_and(|by| trust.has(by));
        return if is_known { Ok(()) } else { Err(since(None)) };
    };
    let held = parse_signatures(signatures).map_err(NotVouched::from);
    let held = held.and_then(|signatures| {
        let kept = Fetched {
            digest: Digest::of(bytes),
            bytes: bytes.to_vec(),
            source: version.source.clone(),
            signatures,
            tag_moved: None,
        };
        vouched_at(version.installed_at, &kept, trust, &version.plugin)
    });
    held.map(drop).map_err(|why| since(Some(Box::new(why))))
}

/// What is kept of the signatures that came with a component.
pub(crate) fn kept(signatures: &[Signature]) -> Option<String> {
    let lines: Option<Vec<String>> = signatures.iter().map(Signature::to_line).collect();
    // One that cannot be verified again leaves the key that was recorded as all that there is.
    let lines = lines.filter(|lines| !lines.is_empty())?;
    Some(lines.join("\n"))
}

fn vouched_at(
    now: i64,
    fetched: &Fetched,
    trust: &Trust,
    called: &str,
) -> Result<Vouched, NotVouched> {
    let manifest = Manifest::of_component(&fetched.bytes, fetched.source.as_ref())?;
    let version = manifest
        .as_ref()
        .map(|manifest| manifest.version.to_string());
    let name = manifest
        .as_ref()
        .map_or(called, |manifest| manifest.name.as_str());
    let subject = Subject::new(
        name,
        version.as_deref().unwrap_or(NO_VERSION),
        &fetched.bytes,
    )?;
    let signer = trust.verify(&subject, &fetched.signatures, now)?;
    Ok(Vouched {
        signer: signer.and_then(|name| trust.recorded(name)),
        version: version.unwrap_or_else(|| "file".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use artifacts::{Envelope, SigningKey};
    use time::Duration;

    use super::*;

    const DAY: OffsetDateTime = time::macros::datetime!(2026-03-01 12:00 UTC);

    fn signature(version: &str, key: &SigningKey, bytes: &[u8]) -> Option<String> {
        let subject = Subject::new("loyalty", version, bytes).unwrap();
        kept(&[Signature::Own(Box::new(Envelope::sign(
            &subject,
            key,
            Some(DAY),
        )))])
    }

    /// Recorded as signed by `key`, with these signatures, a day before or after they end.
    fn known(key: &Trust, signatures: Option<String>, days: i64) -> PluginVersion {
        PluginVersion {
            tenant: "acme".to_owned(),
            plugin: "loyalty".to_owned(),
            version: "1.0.0".to_owned(),
            digest: String::new(),
            source: String::new(),
            signed_by: key.recorded("vendor"),
            signatures,
            accepted: serde_json::Value::Null,
            installed_by: String::new(),
            installed_at: (DAY + Duration::days(days)).unix_timestamp(),
        }
    }

    /// Whoever is recorded to have signed it: what is kept of that must say the same.
    #[test]
    fn what_is_kept_is_verified_and_not_believed() {
        let manifest = "name = \"loyalty\"\nversion = \"1.0.0\"\n";
        let bytes = Manifest::embed(manifest, b"\0asm\x0d\0\x01\0", "x".as_ref()).unwrap();
        let [vendor, other] = [(); 2].map(|()| SigningKey::generate().unwrap());
        let pem = vendor.public().to_pem().unwrap();
        let trust = Trust::of_keys([("vendor", pem.as_str())]).unwrap();
        let good = signature("1.0.0", &vendor, &bytes);
        let two = Some(format!(
            "{}\n{}",
            signature("1.0.0", &other, &bytes).unwrap(),
            good.clone().unwrap()
        ));
        for (signatures, days, refused) in [
            (good.clone(), -1, None),
            (two, -1, None),
            (None, -1, None),
            (good, 1, Some("was good until")),
            (
                signature("1.0.0", &other, &bytes),
                -1,
                Some("is not among them"),
            ),
            (
                signature("0.9.0", &vendor, &bytes),
                -1,
                Some("signed it as loyalty 0.9.0"),
            ),
            (
                signature("1.0.0", &vendor, b"other"),
                -1,
                Some("another artifact"),
            ),
            (Some(String::new()), -1, Some("is not signed")),
            (Some("no signature".to_owned()), -1, Some("line 1")),
        ] {
            let said = still_vouched(&known(&trust, signatures, days), &bytes, &trust);
            let said = said.err().map(|error| error.to_string());
            match refused {
                None => assert_eq!(said, None),
                Some(words) => assert!(
                    said.as_ref().is_some_and(|said| said.contains(words)),
                    "{words}: {said:?}"
                ),
            }
        }
    }
}
