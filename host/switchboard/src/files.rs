//! The file system, as far as this crate touches it.

use std::io;
use std::path::Path;

/// The whole text of a file.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path)
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

/// There is a folder here.
pub(crate) fn is_folder(path: &Path) -> bool {
    path.is_dir()
}
