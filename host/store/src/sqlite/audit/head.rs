//! The exported head: a chain alone does not show that its end was cut off, a note of where it ended does.
//!
//! `audit.head` holds one line of fixed length, `<seq> <hash>`. It names the last record after every commit, so that a host
//! that is killed leaves the whole of its log behind it, and is replaced and flushed to the disk every now and then. It lies
//! beside the database, so it shows mistakes and careless hands; against somebody who may write the folder, copy it elsewhere.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use dispatch::{AuditEntry, AuditKind};
use rusqlite::{Connection, OptionalExtension};
use serde_json::json;

use super::super::{OpenError, StoreClock, fault::Fault};
use super::{Tail, append, tail};
use crate::chain;

const FILE_NAME: &str = "audit.head";

/// Where the head is exported to.
pub(in super::super) struct HeadFile {
    path: PathBuf,
    /// What was last put in its place.
    file: Option<File>,
    /// The record that is flushed to the disk.
    exported: Option<i64>,
    /// The record that the file names; a reader sees this one.
    noted: Option<i64>,
}

/// What lies in the folder.
pub(super) enum Exported {
    /// No such file.
    Missing,
    /// A file that we did not write.
    Unreadable,
    /// The chain ended here, or went on.
    At(Tail),
}

/// A head that cannot be exported.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum ExportError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

impl HeadFile {
    pub(in super::super) fn new(folder: &Path) -> Self {
        Self {
            path: folder.join(FILE_NAME),
            file: None,
            exported: None,
            noted: None,
        }
    }

    /// Names the last record in the file as it lies there, which costs no flush: for whoever reads the file after this process
    /// has died. After a power cut it may name an earlier record, and never one that is not on the disk.
    pub(in super::super) fn note(&mut self, db: &Connection) -> Result<(), ExportError> {
        let tail = tail(db)?;
        if let Some(file) = &mut self.file
            && self.noted != Some(tail.seq)
        {
            file.rewind()?;
            file.write_all(line(&tail).as_bytes())?;
            self.noted = Some(tail.seq);
        }
        Ok(())
    }

    /// Replaces the file, if the log has grown.
    pub(in super::super) fn export(&mut self, db: &Connection) -> Result<(), ExportError> {
        let tail = tail(db)?;
        if self.exported != Some(tail.seq) {
            self.file = Some(replace(&self.path, &line(&tail))?);
            self.exported = Some(tail.seq);
            self.noted = self.exported;
        }
        Ok(())
    }
}

/// Reads the head of a folder.
pub(super) fn read(folder: &Path) -> io::Result<Exported> {
    let path = folder.join(FILE_NAME);
    let text = match read_still(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Exported::Missing),
        Err(error) => return Err(error),
    };
    Ok(parse(&text).map_or(Exported::Unreadable, Exported::At))
}

/// A host that is running may be writing the line: what was read twice alike was whole.
fn read_still(path: &Path) -> io::Result<Vec<u8>> {
    let mut before = fs::read(path)?;
    loop {
        let now = fs::read(path)?;
        if now == before {
            return Ok(now);
        }
        before = now;
    }
}

/// Holds the log against the exported head before anything is appended: a log that was cut off must not grow over the
/// place. A head that somebody moved away, knowingly, is missing; then the log itself says so from now on.
pub(in super::super) fn meet_head(
    db: &mut Connection,
    head: &mut HeadFile,
    clock: &StoreClock,
    folder: &Path,
) -> Result<(), OpenError> {
    let refused = |message| OpenError::AuditTail {
        folder: folder.to_owned(),
        message,
    };
    let sqlite = |error| OpenError::from_sqlite(folder, &error);
    match read(folder).map_err(|error| OpenError::from_io(folder, &error))? {
        Exported::Unreadable => return Err(refused("audit.head is unreadable".to_owned())),
        Exported::At(at) => {
            if hash_at(db, at.seq).map_err(sqlite)?.as_ref() != Some(&at.hash) {
                let message = format!("record {} is missing or another one", at.seq);
                return Err(refused(message));
            }
        }
        Exported::Missing if tail(db).map_err(sqlite)?.seq > 0 => {
            note_missing(db, clock).map_err(|fault| OpenError::from_fault(folder, fault))?;
        }
        Exported::Missing => {}
    }
    head.export(db).map_err(|error| match error {
        ExportError::Io(error) => OpenError::from_io(folder, &error),
        ExportError::Sqlite(error) => OpenError::from_sqlite(folder, &error),
    })
}

/// The hash of one record; that of the start for 0.
fn hash_at(db: &Connection, seq: i64) -> rusqlite::Result<Option<String>> {
    if seq == 0 {
        return Ok(Some(chain::START.to_owned()));
    }
    db.query_row("SELECT hash FROM audit WHERE seq = ?", [seq], |row| {
        row.get(0)
    })
    .optional()
}

fn note_missing(db: &mut Connection, clock: &StoreClock) -> Result<(), Fault> {
    let entry = AuditEntry {
        kind: AuditKind::Host,
        tenant: String::new(),
        case: None,
        actor: "host".to_owned(),
        tool: None,
        detail: json!({ "audit_head": "missing", "records": tail(db)?.seq }),
    };
    tracing::warn!("audit.head is missing: the audit log goes on from where it ends now");
    let text = chain::text(&entry).map_err(|error| Fault::Misfit(error.to_string()))?;
    let transaction = db.transaction()?;
    append(&transaction, clock.now_ms(), &text)?;
    Ok(transaction.commit()?)
}

fn parse(text: &[u8]) -> Option<Tail> {
    let (seq, hash) = str::from_utf8(text)
        .ok()?
        .strip_suffix('\n')?
        .split_once(' ')?;
    let seq = seq.parse().ok().filter(|seq| *seq >= 0)?;
    Some(Tail {
        seq,
        hash: hash.to_owned(),
    })
}

/// Every line is as long as any other: one that is written over leaves nothing of it behind.
fn line(tail: &Tail) -> String {
    format!("{:020} {}\n", tail.seq, tail.hash)
}

/// Writes beside, then renames: a reader sees the old line or the new one, after a power cut too.
fn replace(path: &Path, line: &str) -> io::Result<File> {
    let beside = path.with_extension("head.new");
    let mut file = File::create(&beside)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    Ok(file)
}
