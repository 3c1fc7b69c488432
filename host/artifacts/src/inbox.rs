//! A folder that is watched: what appears in it, or is replaced there, is offered once it lies still.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs::{self, File, Metadata};
use std::future::Future;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::source::{FetchError, Fetched, read, signature_file};

/// What lies beside a component that was refused: the reason.
pub const REFUSED_ENDING: &str = ".refused";
/// Components in one folder, at most; what comes later by name is not looked at.
const MAX_FILES: usize = 1_000;

/// The components (`*.wasm`) of one folder, each with its signatures beside it. One that changes between two looks is still
/// being written, and waits for the next look. A file that goes away takes nothing back.
#[derive(Debug)]
pub struct Inbox {
    folder: PathBuf,
    seen: BTreeMap<PathBuf, Seen>,
}

/// A component that lies still, or why it could not even be read.
#[derive(Debug)]
pub struct Arrival {
    /// The file.
    pub file: PathBuf,
    /// What is in it.
    pub found: Result<Fetched, FetchError>,
}

#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    offered: bool,
}

/// What tells one state of a component and its signatures from another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp(Mark, Option<Mark>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    bytes: u64,
    modified: Option<SystemTime>,
    file: u64,
}

impl Inbox {
    /// The folder's components; all of them are new to it.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            seen: BTreeMap::new(),
        }
    }

    /// The components that came or changed, and have lain still since the last look, by name. Blocks.
    pub fn look(&mut self) -> io::Result<Vec<Arrival>> {
        let present = present(&self.folder)?;
        self.seen.retain(|file, _| present.contains_key(file));
        let mut still = vec![];
        for (file, stamp) in present {
            match self.seen.get_mut(&file) {
                Some(seen) if seen.stamp == stamp => {
                    if !std::mem::replace(&mut seen.offered, true) {
                        still.push(file);
                    }
                }
                _ => {
                    let offered = false;
                    self.seen.insert(file, Seen { stamp, offered });
                }
            }
        }
        let arrivals = still.into_iter().map(|file| Arrival {
            found: read(&file),
            file,
        });
        Ok(arrivals.collect())
    }

    /// Looks again and again, this far apart, and hands what arrives to `install`; never ends by itself. What is refused has
    /// its reason in the log, and in a file beside it: `x.wasm.refused`.
    pub async fn watch<I, F, E>(mut self, every: Duration, mut install: I)
    where
        I: FnMut(Fetched) -> F,
        F: Future<Output = Result<(), E>>,
        E: Display,
    {
        let mut folder_is_there = true;
        loop {
            let looked = tokio::task::spawn_blocking(move || {
                let arrivals = self.look();
                (self, arrivals)
            });
            // Only a host that stops does not finish a look.
            let Ok((inbox, arrivals)) = looked.await else {
                return;
            };
            self = inbox;
            match arrivals {
                Ok(arrivals) => {
                    folder_is_there = true;
                    for arrival in arrivals {
                        settle(arrival, &mut install).await;
                    }
                }
                Err(error) if folder_is_there => {
                    folder_is_there = false;
                    let folder = self.folder.display();
                    tracing::warn!(%error, %folder, "the watched folder of plugins cannot be read");
                }
                Err(_) => {}
            }
            tokio::time::sleep(every).await;
        }
    }
}

/// Installs what arrived, and leaves word where it was refused.
async fn settle<F, E>(arrival: Arrival, install: &mut impl FnMut(Fetched) -> F)
where
    F: Future<Output = Result<(), E>>,
    E: Display,
{
    let Arrival { file, found } = arrival;
    let refused = match found {
        Ok(fetched) => install(fetched).await.err().map(|error| error.to_string()),
        Err(error) => Some(error.to_string()),
    };
    if let Some(reason) = &refused {
        tracing::warn!(%reason, file = %file.display(), "a plugin in a watched folder was refused");
    }
    let left = tokio::task::spawn_blocking(move || leave_word(&file, refused.as_deref())).await;
    if let Ok(Err(error)) = left {
        tracing::debug!(%error, "a watched folder cannot be written to: refusals are in the log alone");
    }
}

/// The reason of a refusal beside its file, in the place of an earlier one; none takes that away. Always in a file of its own:
/// whoever may write here could have left a link to something that only the host may write.
fn leave_word(file: &Path, reason: Option<&str>) -> io::Result<()> {
    let mut beside = OsString::from(file);
    beside.push(REFUSED_ENDING);
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    match reason {
        Some(reason) => File::create_new(beside)?.write_all(format!("{reason}\n").as_bytes()),
        None => Ok(()),
    }
}

/// The folder's components as they lie there now.
fn present(folder: &Path) -> io::Result<BTreeMap<PathBuf, Stamp>> {
    let mut files = vec![];
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if is_component(&path) {
            files.push(path);
        }
    }
    files.sort();
    files.truncate(MAX_FILES);
    // What goes away in between was not there.
    let stamped = files.into_iter().filter_map(|file| {
        let component = fs::metadata(&file).ok().filter(Metadata::is_file)?;
        let signatures = fs::metadata(signature_file(&file)).ok();
        let stamp = Stamp(mark(&component), signatures.as_ref().map(mark));
        Some((file, stamp))
    });
    Ok(stamped.collect())
}

/// Hidden files are those that tools write before they rename them.
fn is_component(path: &Path) -> bool {
    let is_hidden = path
        .file_name()
        .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    !is_hidden && path.extension().is_some_and(|ending| ending == "wasm")
}

fn mark(metadata: &Metadata) -> Mark {
    #[cfg(unix)]
    let file = std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    let file = 0;
    Mark {
        bytes: metadata.len(),
        modified: metadata.modified().ok(),
        file,
    }
}
