//! Where an artifact comes from: a file with its signatures beside it, or a registry.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use crate::signature::MAX_FILE;
use crate::{
    Credentials, Digest, MAX_ARTIFACT_BYTES, Reference, ReferenceError, Signature, SignatureError,
    TagMoved, oci, parse_signatures,
};

/// What a signature file's name has behind its artifact's.
pub const SIGNATURE_ENDING: &str = ".sig";
/// How long a registry may take over one artifact.
const PATIENCE: Duration = Duration::from_mins(2);

/// Where an artifact is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file; its signatures, if any, are in the file `NAME.sig` beside it.
    File(PathBuf),
    /// A registry.
    Oci(Reference),
}

/// Neither.
pub type SourceError = ReferenceError;

impl FromStr for Source {
    type Err = SourceError;

    /// `oci://…` is a place in a registry; anything else is a file.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("oci://") {
            return text.parse().map(Self::Oci);
        }
        Ok(Self::File(text.into()))
    }
}

/// How registries are reached.
#[derive(Clone, Debug)]
pub struct Registries {
    /// Who we are to them.
    pub credentials: Credentials,
    /// Those that are reached without TLS, by host and port, beside the ones on this machine.
    pub insecure: BTreeSet<String>,
    /// How long one artifact may take.
    pub patience: Duration,
}

impl Default for Registries {
    fn default() -> Self {
        Self {
            credentials: Credentials::default(),
            insecure: BTreeSet::new(),
            patience: PATIENCE,
        }
    }
}

impl Registries {
    /// What `act` comes to, if it does within the time that there is.
    pub(crate) async fn in_time<T>(
        &self,
        reference: &Reference,
        act: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        let ended = tokio::time::timeout(self.patience, act).await;
        ended.unwrap_or_else(|_| {
            Err(FetchError::Unreachable {
                what: reference.to_string(),
                message: format!("it took longer than {} s", self.patience.as_secs()),
            })
        })
    }
}

/// An artifact with all that came with it; nothing of it is verified but that the bytes are the digest's.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The component.
    pub bytes: Vec<u8>,
    /// Its digest.
    pub digest: Digest,
    /// Where it came from, for people: the file, or the place in the registry with the manifest's digest.
    pub source: String,
    /// What was signed.
    pub signatures: Vec<Signature>,
    /// The reference's tag leads elsewhere by now.
    pub tag_moved: Option<TagMoved>,
}

/// Why an artifact was not to be had.
#[derive(Debug, Error)]
pub enum FetchError {
    /// There is none: name another one.
    #[error("{what}: there is no such artifact")]
    Missing {
        /// What was asked for.
        what: String,
    },
    /// The registry does not let us: give it credentials.
    #[error(
        "{what}: the registry refuses us; put credentials for {registry:?} into DOCKER_AUTH_CONFIG, as {{\"auths\": {{\"{registry}\": {{\"username\": …, \"password\": …}}}}}}"
    )]
    Unauthorized {
        /// What was asked for.
        what: String,
        /// Whose credentials are missing or wrong.
        registry: String,
    },
    /// It does not answer, or not to the end: try again.
    #[error("{what}: the registry cannot be reached now: {message}")]
    Unreachable {
        /// What was asked for.
        what: String,
        /// What went wrong.
        message: String,
    },
    /// What is there is not what was asked for, or no component.
    #[error("{what}: {message}")]
    Unfit {
        /// What was asked for.
        what: String,
        /// What does not fit.
        message: String,
    },
    /// Its signatures cannot be read.
    #[error("{what}: its signatures cannot be read: {source}")]
    Signatures {
        /// What was asked for.
        what: String,
        /// Why.
        source: SignatureError,
    },
    /// A file that cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Source {
    /// Gets the artifact. A registry has the time that `registries` gives it; the size is bounded everywhere.
    pub async fn fetch(&self, registries: &Registries) -> Result<Fetched, FetchError> {
        match self {
            Self::Oci(reference) => oci::pull(registries, reference).await,
            Self::File(path) => {
                let file = path.clone();
                let read = tokio::task::spawn_blocking(move || read(&file)).await;
                read.unwrap_or_else(|_| Err(failed(path, io::ErrorKind::Interrupted.into())))
            }
        }
    }
}

/// The signature file beside an artifact.
pub fn signature_file(artifact: &Path) -> PathBuf {
    let mut name = OsString::from(artifact);
    name.push(SIGNATURE_ENDING);
    name.into()
}

/// A file and what lies beside it. Blocks.
pub(crate) fn read(path: &Path) -> Result<Fetched, FetchError> {
    let bytes = bounded(path, MAX_ARTIFACT_BYTES)?;
    Ok(Fetched {
        digest: Digest::of(&bytes),
        bytes,
        source: path.display().to_string(),
        signatures: read_signatures(&signature_file(path))?,
        tag_moved: None,
    })
}

fn read_signatures(path: &Path) -> Result<Vec<Signature>, FetchError> {
    let bytes = match bounded(path, MAX_FILE) {
        Err(FetchError::Missing { .. }) => return Ok(vec![]),
        read => read?,
    };
    let text = String::from_utf8(bytes);
    let text =
        text.map_err(|error| failed(path, io::Error::new(io::ErrorKind::InvalidData, error)))?;
    parse_signatures(&text).map_err(|source| FetchError::Signatures {
        what: path.display().to_string(),
        source,
    })
}

/// A file's bytes; a file that is longer is an error, however long it turns out to be.
fn bounded(path: &Path, most: usize) -> Result<Vec<u8>, FetchError> {
    let mut bytes = vec![];
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let opened = is_file(path).and_then(|()| File::open(path));
    let read = opened.and_then(|file| file.take(limit).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() <= most => Ok(bytes),
        Ok(_) => Err(FetchError::Unfit {
            what: path.display().to_string(),
            message: format!("it has more than {most} bytes"),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(FetchError::Missing {
            what: path.display().to_string(),
        }),
        Err(error) => Err(failed(path, error)),
    }
}

/// A pipe would keep whoever opens it waiting for as long as nobody writes.
fn is_file(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.is_file() {
        return Ok(());
    }
    let message = "this is no file that can be read to an end";
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

fn failed(path: &Path, source: io::Error) -> FetchError {
    FetchError::File {
        path: path.to_owned(),
        source,
    }
}
