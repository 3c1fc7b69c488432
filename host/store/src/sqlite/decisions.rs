//! What decisions were taken on: written beside their audit records, read by a backtest, forgotten after a while.
//!
//! An input holds what customers said and own, so it is kept for as long as the operator wants and no longer. The audit
//! record stays, and with it the digest by which an input can be known.

use std::path::Path;

use dispatch::{AuditRecord, StoreError};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::SqliteStore;
use super::audit::record;
use super::fault::Fault;
use super::open::{FILE_NAME, OpenError};
use super::{readers, schema};

/// Rows that one transaction forgets: others who write should not wait long.
const FORGET_AT_ONCE: u32 = 2_000;

/// One decision as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedDecision {
    /// Its place in the audit log, with what was decided.
    pub record: AuditRecord,
    /// What it was taken on, as JSON.
    pub input: String,
    /// The input is what the audit record says it is.
    pub is_genuine: bool,
}

/// Which recorded decisions are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Those from this Unix millisecond on.
    Since(i64),
    /// The one at this place in the audit log.
    At(i64),
}

/// Hands every recorded decision that is asked for to `visit`, oldest first, without opening the folder as a store: a running
/// host does not mind. Blocks.
pub fn visit_decisions(
    folder: &Path,
    which: Recorded,
    visit: &mut dyn FnMut(RecordedDecision),
) -> Result<(), OpenError> {
    let db = readers::reader(&folder.join(FILE_NAME))
        .map_err(|error| OpenError::from_sqlite(folder, &error))?;
    schema::check(&db).map_err(|error| OpenError::from_schema(folder, error))?;
    select(&db, which, visit).map_err(|error| OpenError::from_sqlite(folder, &error))
}

impl SqliteStore {
    /// Forgets the inputs of decisions that were taken before this Unix second. How many it were.
    pub async fn forget_decision_inputs(&self, before: i64) -> Result<usize, StoreError> {
        let before_ms = before.saturating_mul(1000);
        let mut forgotten = 0;
        loop {
            let count = self.write(move |db| forget(db, before_ms)).await?;
            forgotten += count;
            if count < FORGET_AT_ONCE as usize {
                return Ok(forgotten);
            }
        }
    }
}

/// Puts an input beside the audit record that was appended last.
pub(super) fn append(db: &Connection, seq: i64, at_ms: i64, input: &str) -> Result<(), Fault> {
    db.prepare_cached("INSERT INTO decisions (seq, at_ms, input) VALUES (?, ?, ?)")?
        .execute(params![seq, at_ms, input])?;
    Ok(())
}

/// The oldest come first, so that it ends at the first one that is kept.
fn forget(db: &Connection, before_ms: i64) -> Result<usize, Fault> {
    let expired: Vec<i64> = db
        .prepare_cached("SELECT seq, at_ms FROM decisions ORDER BY seq LIMIT ?")?
        .query_map([FORGET_AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?)))?
        .map_while(|row: rusqlite::Result<(i64, i64)>| match row {
            Ok((_, at_ms)) if at_ms >= before_ms => None,
            Ok((seq, _)) => Some(Ok(seq)),
            Err(error) => Some(Err(error)),
        })
        .collect::<Result<_, _>>()?;
    let Some(last) = expired.last() else {
        return Ok(0);
    };
    Ok(db
        .prepare_cached("DELETE FROM decisions WHERE seq <= ?")?
        .execute([last])?)
}

fn select(
    db: &Connection,
    which: Recorded,
    visit: &mut dyn FnMut(RecordedDecision),
) -> rusqlite::Result<()> {
    let (from_ms, only) = match which {
        Recorded::Since(ms) => (ms, None),
        Recorded::At(seq) => (i64::MIN, Some(seq)),
    };
    let mut statement = db.prepare(
        "SELECT audit.seq, audit.at_ms, entry, previous, hash, input FROM decisions JOIN audit USING (seq) \
         WHERE decisions.at_ms >= ?1 AND (?2 IS NULL OR audit.seq = ?2) ORDER BY audit.seq",
    )?;
    let mut rows = statement.query(params![from_ms, only])?;
    while let Some(row) = rows.next()? {
        let record = record(row)?;
        let input: String = row.get(5)?;
        let digest = hex::encode(Sha256::digest(&input));
        visit(RecordedDecision {
            is_genuine: record.entry.detail["input"] == digest.as_str(),
            record,
            input,
        });
    }
    Ok(())
}
