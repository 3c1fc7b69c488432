//! The last good state of each tenant's folder, kept in the data folder: where the folder does not load at a start, that is
//! served. Its texts are kept, which hold no secret; secrets, and the keys of those whom it trusts, are read again from their places.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::files;
use crate::tenants::TenantFolder;

/// In the data folder.
const FOLDER: &str = "last-good";
const ENDING: &str = ".json";

/// Where they are kept: a file for each tenant, replaced as a whole.
pub(super) struct KeptStates {
    folder: PathBuf,
}

/// One of them.
#[derive(Deserialize, Serialize)]
pub(super) struct Kept {
    /// When it was first live, as RFC 3339 has it.
    pub(super) since: String,
    /// By their path in the folder.
    pub(super) texts: BTreeMap<String, String>,
}

impl KeptStates {
    pub(super) fn below(data: &Path) -> Self {
        Self {
            folder: data.join(FOLDER),
        }
    }

    /// What is kept of a tenant; none where its folder was never good.
    pub(super) fn of(&self, tenant: &str) -> io::Result<Option<Kept>> {
        match files::read_text(&self.path(tenant)) {
            Ok(text) => Ok(Some(serde_json::from_str(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps this state; where it is kept already, it goes on being from when it was.
    pub(super) fn keep(&self, folder: &TenantFolder) -> io::Result<()> {
        // What does not read is replaced.
        if let Ok(Some(kept)) = self.of(&folder.name)
            && kept.texts == folder.texts
        {
            return Ok(());
        }
        let now = OffsetDateTime::now_utc().replace_nanosecond(0);
        let since = now.map_err(io::Error::other)?.format(&Rfc3339);
        let kept = Kept {
            since: since.map_err(io::Error::other)?,
            texts: folder.texts.clone(),
        };
        files::replace_text(&self.path(&folder.name), &serde_json::to_string(&kept)?)
    }

    /// Keeps nothing of a tenant any more.
    pub(super) fn forget(&self, tenant: &str) -> io::Result<()> {
        match files::remove_file(&self.path(tenant)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Of whom something is kept.
    pub(super) fn tenants(&self) -> io::Result<Vec<String>> {
        let files = match files::files_in(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            files => files?,
        };
        let names = files.iter().filter_map(|file| file.strip_suffix(ENDING));
        Ok(names.map(str::to_owned).collect())
    }

    fn path(&self, tenant: &str) -> PathBuf {
        self.folder.join(format!("{tenant}{ENDING}"))
    }
}
