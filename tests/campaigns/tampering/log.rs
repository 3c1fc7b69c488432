//! The audit log as somebody sees it who can write its file: rows to change at will, and hashes that anyone can compute.

use std::fmt::Write;
use std::path::Path;

use rusqlite::{Connection, Row, params};
use sha2::{Digest, Sha256};

const FILE: &str = "switchboard.sqlite";
/// What the host's own schema puts in the way.
const NO_GUARDS: &str = "PRAGMA synchronous = OFF; DROP TRIGGER audit_no_update; \
     DROP TRIGGER audit_no_delete; DROP TRIGGER audit_no_gap;";
/// What the first record follows.
const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) seq: i64,
    pub(super) at_ms: i64,
    pub(super) entry: String,
    pub(super) previous: String,
    pub(super) hash: String,
}

/// All rows of a folder's log.
pub(super) fn read(folder: &Path) -> Vec<Record> {
    let db = Connection::open(folder.join(FILE)).unwrap();
    let sql = "SELECT seq, at_ms, entry, previous, hash FROM audit ORDER BY seq";
    let mut rows = db.prepare(sql).unwrap();
    let records = rows.query_map([], record).unwrap();
    records.map(Result::unwrap).collect()
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        seq: row.get(0)?,
        at_ms: row.get(1)?,
        entry: row.get(2)?,
        previous: row.get(3)?,
        hash: row.get(4)?,
    })
}

/// Puts a copy of the folder, with these rows in the place of its own, into `copy`.
pub(super) fn forge(folder: &Path, copy: &Path, records: &[Record]) {
    for file in [FILE, "audit.head"] {
        std::fs::copy(folder.join(file), copy.join(file)).unwrap();
    }
    let mut db = Connection::open(copy.join(FILE)).unwrap();
    db.execute_batch(NO_GUARDS).unwrap();
    let forgery = db.transaction().unwrap();
    forgery.execute("DELETE FROM audit", []).unwrap();
    let sql = "INSERT INTO audit (seq, at_ms, entry, previous, hash) VALUES (?, ?, ?, ?, ?)";
    for record in records {
        let Record {
            seq,
            at_ms,
            entry,
            previous,
            hash,
        } = record;
        let mut insert = forgery.prepare_cached(sql).unwrap();
        insert
            .execute(params![seq, at_ms, entry, previous, hash])
            .unwrap();
    }
    forgery.commit().unwrap();
}

/// Numbers the rows without gaps.
pub(super) fn renumber(records: &mut [Record]) {
    for (record, seq) in records.iter_mut().zip(1..) {
        record.seq = seq;
    }
}

/// Chains the rows from `first` on: every hash fits again.
pub(super) fn rehash(records: &mut [Record], first: usize) {
    for place in first..records.len() {
        let before = place.checked_sub(1);
        records[place].previous =
            before.map_or_else(|| START.to_owned(), |before| records[before].hash.clone());
        rehash_one(&mut records[place]);
    }
}

/// Makes one row fit itself.
pub(super) fn rehash_one(record: &mut Record) {
    let Record {
        seq,
        at_ms,
        entry,
        previous,
        ..
    } = record;
    let digest = Sha256::digest(format!("{previous}\n{seq}\n{at_ms}\n{entry}"));
    record.hash.clear();
    for byte in digest {
        write!(record.hash, "{byte:02x}").unwrap();
    }
}
