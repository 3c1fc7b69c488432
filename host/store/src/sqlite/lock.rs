//! The lock that keeps a second host out of a data folder.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use super::OpenError;

const FILE_NAME: &str = "switchboard.lock";

/// Holds the folder until it is dropped; the operating system lets go of it when the process dies.
pub(super) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock, or says who has it. Never waits.
    pub(super) fn take(folder: &Path) -> Result<Self, OpenError> {
        let failed = |error| OpenError::from_io(folder, &error);
        let path = folder.join(FILE_NAME);
        let mut options = File::options();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(folder, &mut file)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        sign(&mut file).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// Leaves our process id for the message that another opener shows.
fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    write!(file, "{}", std::process::id())
}

fn held(folder: &Path, file: &mut File) -> OpenError {
    let mut process = String::new();
    // The id is a courtesy: some systems let nobody read a locked file.
    let _ = file.read_to_string(&mut process);
    OpenError::Held {
        folder: folder.to_owned(),
        process: process.trim().parse().ok(),
    }
}
