//! A tenant's policy on signatures: whose count, and whether there must be one.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::signature::cosign::{CosignKey, CosignKeyError};
use crate::signature::{Flaw, Signature};
use crate::{Envelope, KeyError, PublicKey, Subject};

/// The longest key file, in bytes.
const MAX_KEY_FILE: u64 = 16 << 10;

/// The `[trust]` of a tenant's settings, as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrustSettings {
    /// Nothing is installed without a signature that counts.
    pub required: bool,
    /// Whose signatures count.
    pub keys: Vec<TrustedKey>,
}

impl TrustSettings {
    /// The key files that they name, in `folder`.
    pub fn files(&self, folder: &Path) -> Vec<PathBuf> {
        let named = self.keys.iter().flat_map(|key| [&key.file, &key.sigstore]);
        named.flatten().map(|file| folder.join(file)).collect()
    }
}

/// One key; exactly one of the three says which.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKey {
    /// Whose it is, as people shall read it.
    pub name: String,
    /// A file with a public ed25519 key in PEM, relative to the settings' folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The 32 bytes of a public ed25519 key in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ed25519: Option<String>,
    /// A file with cosign's public key (`cosign.pub`), relative to the settings' folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigstore: Option<PathBuf>,
}

/// Why settings cannot be followed.
#[derive(Debug, Error)]
pub enum TrustError {
    /// Signatures are required, of nobody.
    #[error(
        "trust.required without trust.keys would refuse everything: name a key, or set required = false"
    )]
    NoKeys,
    /// Two keys with one name.
    #[error("two keys of trust.keys are called {0:?}: give each its own name")]
    Twice(String),
    /// Not one of the three.
    #[error("the key {0:?} of trust.keys needs exactly one of `file`, `ed25519` and `sigstore`")]
    NotOne(String),
    /// A file that cannot be read.
    #[error("the key {name:?} of trust.keys: {}: {source}", file.display())]
    Unreadable {
        /// Whose.
        name: String,
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something that is no ed25519 key.
    #[error("the key {name:?} of trust.keys: {source}")]
    Ed25519 {
        /// Whose.
        name: String,
        /// What is wrong.
        source: KeyError,
    },
    /// Something that is no cosign key.
    #[error("the key {name:?} of trust.keys: {source}")]
    Sigstore {
        /// Whose.
        name: String,
        /// What is wrong.
        source: CosignKeyError,
    },
}

/// A policy with its keys at hand.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    settings: TrustSettings,
    keys: Vec<(String, Key)>,
}

#[derive(Clone, Debug)]
enum Key {
    Ed25519(PublicKey),
    Sigstore(CosignKey),
}

/// Why an artifact is not to be installed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Nobody signed it.
    #[error("{what} is not signed, and must be: signatures are accepted of {accepted}")]
    Unsigned {
        /// Plugin, version and digest.
        what: String,
        /// The names of the keys.
        accepted: String,
    },
    /// Nobody signed it who counts.
    #[error("no signature of {what} counts ({}): signatures are accepted of {accepted}", .flaws.join("; "))]
    NoneCounts {
        /// Plugin, version and digest.
        what: String,
        /// What is wrong with each.
        flaws: Vec<String>,
        /// The names of the keys.
        accepted: String,
    },
}

impl Trust {
    /// Reads the keys that settings name; `folder` is where the settings lie. Blocks.
    pub fn load(settings: &TrustSettings, folder: &Path) -> Result<Self, TrustError> {
        if settings.required && settings.keys.is_empty() {
            return Err(TrustError::NoKeys);
        }
        let mut names = BTreeSet::new();
        let twice = settings.keys.iter().find(|key| !names.insert(&key.name));
        if let Some(key) = twice {
            return Err(TrustError::Twice(key.name.clone()));
        }
        let keys = settings.keys.iter();
        let keys = keys.map(|key| Ok((key.name.clone(), load(key, folder)?)));
        Ok(Self {
            settings: settings.clone(),
            keys: keys.collect::<Result<_, TrustError>>()?,
        })
    }

    /// A policy that requires a signature of one of these keys, given as name and PEM: ours, or cosign's.
    pub fn of_keys<'a>(
        keys: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, TrustError> {
        let keys = keys.into_iter().map(|(name, pem)| {
            let key = match PublicKey::parse(pem) {
                Ok(key) => Key::Ed25519(key),
                Err(_) => Key::Sigstore(sigstore(name, pem)?),
            };
            Ok((name.to_owned(), key))
        });
        let settings = TrustSettings {
            required: true,
            ..TrustSettings::default()
        };
        Ok(Self {
            settings,
            keys: keys.collect::<Result<_, TrustError>>()?,
        })
    }

    /// Whether nothing is installed without a signature.
    pub fn is_required(&self) -> bool {
        self.settings.required
    }

    /// What it was loaded from.
    pub fn settings(&self) -> &TrustSettings {
        &self.settings
    }

    /// Who vouches for the subject at `now` (Unix seconds): the name of the first key whose signature counts. None where nobody
    /// does and nobody must.
    pub fn verify(
        &self,
        subject: &Subject<'_>,
        signatures: &[Signature],
        now: i64,
    ) -> Result<Option<&str>, Refusal> {
        let mut flaws = vec![];
        for signature in signatures {
            match self.signer(subject, signature, now) {
                Ok(name) => return Ok(Some(name)),
                Err(flaw) => flaws.push(flaw.to_string()),
            }
        }
        let what = format!(
            "{} {} ({})",
            subject.plugin(),
            subject.version(),
            subject.digest()
        );
        if !self.settings.required {
            if !flaws.is_empty() && !self.keys.is_empty() {
                tracing::warn!(%what, flaws = flaws.join("; "), "no signature counts, and none must");
            }
            return Ok(None);
        }
        let accepted = self.accepted();
        Err(if signatures.is_empty() {
            Refusal::Unsigned { what, accepted }
        } else {
            Refusal::NoneCounts {
                what,
                flaws,
                accepted,
            }
        })
    }

    fn signer(&self, subject: &Subject<'_>, signature: &Signature, now: i64) -> Result<&str, Flaw> {
        match signature {
            Signature::Own(envelope) => self.own_signer(subject, envelope, now),
            Signature::Blob(bytes) => self.sigstore_signer(|key| key.signed_blob(subject, bytes)),
            Signature::Manifest(signature) => {
                signature.is_about(subject)?;
                self.sigstore_signer(|key| key.signed_manifest(signature))
            }
            Signature::Bundle(bundle) => {
                let signed = bundle.signed(subject)?;
                let of_key = |key: &CosignKey| key.verifies(&signed.message, &signed.signature);
                let vouching = self.sigstore_signer(of_key);
                vouching.map_err(|_| bundle.flaw("it verifies with none of the sigstore keys"))
            }
        }
    }

    fn own_signer<'a>(
        &'a self,
        subject: &Subject<'_>,
        envelope: &Envelope,
        now: i64,
    ) -> Result<&'a str, Flaw> {
        let of_id = |(name, key): &'a (String, Key)| match key {
            Key::Ed25519(key) if key.id() == envelope.key => Some((name.as_str(), key)),
            _ => None,
        };
        let Some((name, key)) = self.keys.iter().find_map(of_id) else {
            return Err(Flaw::UnknownKey(envelope.key.clone()));
        };
        envelope.check(subject, key, name, now)?;
        Ok(name)
    }

    fn sigstore_signer(&self, vouches: impl Fn(&CosignKey) -> bool) -> Result<&str, Flaw> {
        let signer = self.keys.iter().find(|(_, key)| match key {
            Key::Sigstore(key) => vouches(key),
            Key::Ed25519(_) => false,
        });
        let signer = signer.map(|(name, _)| name.as_str());
        signer.ok_or(Flaw::NoSigstoreKey)
    }

    /// A key by its name and what it is, as it is recorded: under the same name there may be another one later.
    pub fn recorded(&self, name: &str) -> Option<String> {
        let mut keys = self.keys.iter();
        keys.find(|(known, _)| known == name).map(written)
    }

    /// Whether this is one of the keys, as it was recorded.
    pub fn has(&self, recorded: &str) -> bool {
        self.keys.iter().any(|key| written(key) == recorded)
    }

    /// The keys, for people.
    fn accepted(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(written).collect();
        keys.join(", ")
    }
}

fn written((name, key): &(String, Key)) -> String {
    match key {
        Key::Ed25519(key) => format!("{name} (ed25519 {})", key.id()),
        Key::Sigstore(key) => format!("{name} (sigstore {})", key.id()),
    }
}

fn load(key: &TrustedKey, folder: &Path) -> Result<Key, TrustError> {
    let ed25519 = |text: &str| {
        PublicKey::parse(text).map_err(|source| TrustError::Ed25519 {
            name: key.name.clone(),
            source,
        })
    };
    match (&key.file, &key.ed25519, &key.sigstore) {
        (Some(file), None, None) => ed25519(&read(key, &folder.join(file))?).map(Key::Ed25519),
        (None, Some(text), None) => ed25519(text).map(Key::Ed25519),
        (None, None, Some(file)) => {
            sigstore(&key.name, &read(key, &folder.join(file))?).map(Key::Sigstore)
        }
        _ => Err(TrustError::NotOne(key.name.clone())),
    }
}

fn sigstore(name: &str, pem: &str) -> Result<CosignKey, TrustError> {
    CosignKey::from_pem(pem).map_err(|source| TrustError::Sigstore {
        name: name.to_owned(),
        source,
    })
}

fn read(key: &TrustedKey, file: &Path) -> Result<String, TrustError> {
    let mut text = String::new();
    let read = File::open(file).and_then(|open| open.take(MAX_KEY_FILE).read_to_string(&mut text));
    match read {
        Ok(_) => Ok(text),
        Err(source) => Err(TrustError::Unreadable {
            name: key.name.clone(),
            file: file.to_owned(),
            source,
        }),
    }
}
