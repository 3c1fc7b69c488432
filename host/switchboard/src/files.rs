//! The file system, as far as this crate touches it.

use std::io;
use std::path::{Path, PathBuf};

/// The whole text of a file.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path)
}

/// All of a file.
pub(crate) fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(path)
}

/// The files of a folder whose names end in `.ending`, as (path, text), in the order of their names.
pub(crate) fn texts_in(folder: &Path, ending: &str) -> io::Result<Vec<(PathBuf, String)>> {
    let entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    let mut paths: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == ending));
    paths.sort();
    let named = |path: PathBuf| match read_text(&path) {
        Ok(text) => Ok((path, text)),
        Err(error) => Err(io::Error::new(
            error.kind(),
            format!("{}: {error}", path.display()),
        )),
    };
    paths.into_iter().map(named).collect()
}

/// The names of the folders in a folder, those that begin with a dot left out.
pub(crate) fn folders_in(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The names of the files in a folder.
pub(crate) fn files_in(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// What tells one state of a file from another without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    len: u64,
    written: std::time::SystemTime,
    /// Which file it is, and when it, its name or who may read it was last changed: what is put in a file's place may have its
    /// length, and say that it was written when that was.
    #[cfg(unix)]
    changed: (u64, i64, i64),
}

/// None where there is no such file, and where it is none whose state lasts, such as a pipe.
pub(crate) fn stamp(path: &Path) -> Option<Stamp> {
    let data = std::fs::metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_file)?;
    Some(Stamp {
        len: data.len(),
        written: data.modified().ok()?,
        #[cfg(unix)]
        changed: {
            use std::os::unix::fs::MetadataExt as _;
            (data.ino(), data.ctime(), data.ctime_nsec())
        },
    })
}

/// Writes a text as a file in place of what was there, whole or not at all. Folders above it are made.
pub(crate) fn replace_text(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let draft = folder.join(format!(".draft-{}", uuid::Uuid::new_v4()));
    let written = std::fs::File::create(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let placed = written.and_then(|()| std::fs::rename(&draft, path));
    if placed.is_err() {
        // What is left of a draft is in nobody's way, and its name begins with a dot.
        let _ = std::fs::remove_file(&draft);
    }
    placed.and_then(|()| settle(folder))
}

/// Removes a file.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)?;
    settle(path.parent().unwrap_or(Path::new(".")))
}

/// What was named and removed in a folder stays so when the power fails, before anything later is.
fn settle(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Removes a folder with all that is in it: gone at once for whoever looks, whatever time the deleting takes.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    let aside = path.with_file_name(format!(".removed-{}", uuid::Uuid::new_v4()));
    std::fs::rename(path, &aside)?;
    std::fs::remove_dir_all(&aside)
}

/// Makes a folder with all folders above it, and proves that it can be written to.
pub(crate) fn make_writable_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)?;
    let probe = path.join(format!(".probe-{}", uuid::Uuid::new_v4()));
    std::fs::write(&probe, b"")?;
    std::fs::remove_file(&probe)
}

/// Writes a text as a file.
pub(crate) fn write_text(path: &Path, text: &str) -> io::Result<()> {
    std::fs::write(path, text)
}

/// Writes a file.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    std::fs::write(path, bytes)
}

/// Writes a file that nothing stands in the place of, with the folders above it.
pub(crate) fn write_new(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::File::create_new(path)?;
    io::Write::write_all(&mut file, text.as_bytes())
}

/// As [`write_new`], for its owner alone.
pub(crate) fn write_new_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::Write::write_all(&mut options.open(path)?, text.as_bytes())
}

/// There is something here, whatever it is.
pub(crate) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// There is a folder here.
pub(crate) fn is_folder(path: &Path) -> bool {
    path.is_dir()
}
