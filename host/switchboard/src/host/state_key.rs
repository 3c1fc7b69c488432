//! The key that seals what MCP clients keep for this host: made once, and kept in the data folder, so that a question asked before
//! a restart can be answered after it.

use std::io;
use std::path::Path;

use crate::{Secret, files};

const FILE: &str = "request-state.key";

/// The data folder's key; made where there is none.
pub(super) fn of(folder: &Path) -> io::Result<Vec<u8>> {
    let path = folder.join(FILE);
    let fresh = Secret::random();
    match files::write_new_private(&path, fresh.expose()) {
        Ok(()) => Ok(fresh.expose().as_bytes().to_vec()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => kept(&path),
        Err(error) => Err(error),
    }
}

/// A key that was cut short guards nothing.
fn kept(path: &Path) -> io::Result<Vec<u8>> {
    let key = files::read_bytes(path)?;
    if key.len() < rmcp::model::RequestStateCodec::MIN_KEY_LENGTH {
        let text = format!(
            "{} holds no whole key: delete it, and questions that are open must be asked again",
            path.display()
        );
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stays_and_a_cut_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let made = of(folder.path()).unwrap();
        assert_eq!(of(folder.path()).unwrap(), made);
        files::write_text(&folder.path().join(FILE), "short").unwrap();
        assert_eq!(
            of(folder.path()).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
    }
}
