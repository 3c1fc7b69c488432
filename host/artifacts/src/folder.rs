//! The artifacts on disk: one file per digest, written once, checked on every read.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;
use uuid::Uuid;

use crate::Digest;

/// A file that is being written; what a crash leaves of one is cleared away at the next start.
const PART: &str = "part";

/// The artifacts in a data folder: `artifacts/`, a file per digest. All calls block.
#[derive(Clone, Debug)]
pub struct Artifacts {
    folder: PathBuf,
}

/// Why an artifact cannot be had or kept.
#[derive(Debug, Error)]
pub enum ArtifactError {
    /// It is not here: fetch it again.
    #[error("the artifact {0} is not in the data folder: install it again")]
    Missing(Digest),
    /// The file is not what its name says: a bad disk, or somebody's hand.
    #[error(
        "{} is damaged: its sha256 is {found}, not what its name says; move it away as evidence and install it again", file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is in it.
        found: Digest,
    },
    /// The system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl Artifacts {
    /// The artifacts under `data`, whose holder this process must be: half-written files are cleared away.
    pub fn open(data: &Path) -> Result<Self, ArtifactError> {
        let folder = data.join("artifacts");
        make_folder(&folder).map_err(at(&folder))?;
        let files = Self { folder };
        files.clear_parts().map_err(at(&files.folder))?;
        Ok(files)
    }

    /// Keeps these bytes; durable when it returns. What is here already is not written again, unless it is damaged.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, ArtifactError> {
        let digest = Digest::of(bytes);
        if self.get(&digest).is_err() {
            self.write(&self.file(&digest), bytes)?;
        }
        Ok(digest)
    }

    /// The bytes of an artifact; never others.
    pub fn get(&self, digest: &Digest) -> Result<Vec<u8>, ArtifactError> {
        let file = self.file(digest);
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ArtifactError::Missing(*digest));
            }
            Err(source) => return Err(ArtifactError::Io { path: file, source }),
        };
        match Digest::of(&bytes) {
            found if found == *digest => Ok(bytes),
            found => Err(ArtifactError::Damaged { file, found }),
        }
    }

    /// The artifacts that are here, with their sizes in bytes; files of other names are nobody's concern.
    pub fn all(&self) -> Result<Vec<(Digest, u64)>, ArtifactError> {
        let listed = || -> io::Result<Vec<(Digest, u64)>> {
            let mut all = Vec::new();
            for entry in fs::read_dir(&self.folder)? {
                let entry = entry?;
                if let Some(digest) = named(&entry.path()) {
                    all.push((digest, entry.metadata()?.len()));
                }
            }
            all.sort_unstable();
            Ok(all)
        };
        listed().map_err(at(&self.folder))
    }

    /// Deletes an artifact that is here; durable when it returns. Whoever reads it at the moment has all of it.
    pub fn remove(&self, digest: &Digest) -> Result<(), ArtifactError> {
        let file = self.file(digest);
        fs::remove_file(&file).map_err(at(&file))?;
        sync_folder(&self.folder).map_err(at(&self.folder))
    }

    /// Where an artifact lies, or would.
    pub fn file(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{}.wasm", digest.hex()))
    }

    /// A new file first, then its name: whoever sees the name sees all of it, whatever crashes.
    fn write(&self, file: &Path, bytes: &[u8]) -> Result<(), ArtifactError> {
        let part = self.folder.join(format!("{}.{PART}", Uuid::new_v4()));
        let written = write_through(&part, bytes).and_then(|()| fs::rename(&part, file));
        if let Err(source) = written {
            // The error says more than whether the rest of it could be cleared away.
            let _ = fs::remove_file(&part);
            return Err(at(file)(source));
        }
        sync_folder(&self.folder).map_err(at(&self.folder))
    }

    fn clear_parts(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == PART) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// Whose file it is, by its name.
fn named(file: &Path) -> Option<Digest> {
    let name = file.file_name()?.to_str()?;
    format!("sha256:{}", name.strip_suffix(".wasm")?)
        .parse()
        .ok()
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ArtifactError {
    let path = path.to_owned();
    |source| ArtifactError::Io { path, source }
}

/// What vendors give to one operator is nobody else's on the machine.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A name is durable once its folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{ArtifactError, Artifacts};
    use crate::Digest;

    #[test]
    fn what_is_kept_is_there_after_a_restart() {
        let data = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::open(data.path()).unwrap();
        let digest = artifacts.put(b"component").unwrap();
        assert_eq!(digest, Digest::of(b"component"));
        assert_eq!(artifacts.put(b"component").unwrap(), digest);
        let again = Artifacts::open(data.path()).unwrap();
        assert_eq!(again.get(&digest).unwrap(), b"component");
        let files = fs::read_dir(data.path().join("artifacts")).unwrap();
        assert_eq!(files.count(), 1);
        let other = Digest::of(b"other");
        assert!(matches!(
            again.get(&other),
            Err(ArtifactError::Missing(missing)) if missing == other
        ));
    }

    #[test]
    fn a_damaged_file_is_named_until_it_is_installed_again() {
        let data = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::open(data.path()).unwrap();
        let digest = artifacts.put(b"component").unwrap();
        for damage in [&b"componenT"[..], b"component ", b"compo", b""] {
            fs::write(artifacts.file(&digest), damage).unwrap();
            let error = artifacts.get(&digest).unwrap_err();
            assert!(matches!(error, ArtifactError::Damaged { .. }), "{error}");
            let name = artifacts.file(&digest).display().to_string();
            assert!(error.to_string().contains(&name), "{error}");
            artifacts.put(b"component").unwrap();
            assert_eq!(artifacts.get(&digest).unwrap(), b"component");
        }
    }

    #[test]
    fn only_artifacts_are_listed_and_removed() {
        let data = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::open(data.path()).unwrap();
        let [one, two] = [&b"one"[..], b"two, longer"].map(|bytes| artifacts.put(bytes).unwrap());
        let folder = data.path().join("artifacts");
        for name in ["notes.txt", "x.wasm", &format!("{}.WASM", one.hex())] {
            fs::write(folder.join(name), "a person's").unwrap();
        }
        let mut all = vec![(one, 3), (two, 11)];
        all.sort_unstable();
        assert_eq!(artifacts.all().unwrap(), all);
        artifacts.remove(&one).unwrap();
        assert_eq!(artifacts.all().unwrap(), [(two, 11)]);
        assert!(matches!(
            artifacts.get(&one),
            Err(ArtifactError::Missing(_))
        ));
        assert!(artifacts.remove(&one).is_err());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 4);
    }

    #[test]
    fn what_a_crash_left_half_written_is_cleared_away() {
        let data = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::open(data.path()).unwrap();
        let digest = artifacts.put(b"component").unwrap();
        let part = data.path().join("artifacts/half.part");
        fs::write(&part, b"compo").unwrap();
        let again = Artifacts::open(data.path()).unwrap();
        assert!(!part.exists());
        assert!(again.get(&digest).is_ok());
    }
}
