//! A version and its digest in two columns, both or neither.

use dispatch::Pinned;
use rusqlite::Row;

/// Reads them from this column and the next.
pub(super) fn read(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Pinned>> {
    let version: Option<String> = row.get(column)?;
    let digest: Option<String> = row.get(column + 1)?;
    let both = version.zip(digest);
    Ok(both.map(|(version, digest)| Pinned { version, digest }))
}

/// What to write into the two.
pub(super) fn columns(pinned: Option<&Pinned>) -> (Option<&str>, Option<&str>) {
    pinned
        .map(|pinned| (pinned.version.as_str(), pinned.digest.as_str()))
        .unzip()
}
