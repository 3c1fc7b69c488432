//! The records of one case: a list that is put together from the entries a while after they are written.
//!
//! A list that is kept with every record touches a page per case with every commit. So records are listed many at a
//! time, in the order of their cases; those after the last one that is listed are looked through.

use dispatch::AuditRecord;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Deserializer;

use super::super::fault::Fault;
use super::record;

/// Records that gather before they are listed. Others wait meanwhile for the writer, and for the core that it has: for 2,048 records
/// a trace showed 1.6 ms.
const LIST_AT: i64 = 512;
/// Records that are looked through sooner than they are listed, when somebody asks for those of a case.
const LOOK_THROUGH: i64 = 64;

/// Lists what is not listed yet, if so much has gathered that it costs little.
pub(in super::super) fn list_many(db: &Connection) -> Result<(), Fault> {
    list_from(db, LIST_AT)
}

/// Lists what is not listed yet, if it is more than a reader should look through.
pub(super) fn list_for_a_reader(db: &Connection) -> Result<(), Fault> {
    list_from(db, LOOK_THROUGH)
}

fn list_from(db: &Connection, count: i64) -> Result<(), Fault> {
    let last = db
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM audit")?
        .query_row([], |row| row.get::<_, i64>(0))?;
    let listed = listed(db)?;
    if last - listed >= count {
        list(db, listed)?;
    }
    Ok(())
}

/// Lists what comes after the record `last`.
fn list(db: &Connection, mut last: i64) -> Result<(), Fault> {
    let mut found = Vec::new();
    let mut entries =
        db.prepare_cached("SELECT seq, entry FROM audit WHERE seq > ? ORDER BY seq")?;
    let mut rows = entries.query([last])?;
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        if let Some(case) = row.get_ref(1)?.as_str().ok().and_then(case_of) {
            found.push((case, last));
        }
    }
    found.sort_unstable();
    let mut insert =
        db.prepare_cached("INSERT OR IGNORE INTO audit_cases (case_id, seq) VALUES (?, ?)")?;
    for (case, seq) in found {
        insert.execute(params![case, seq])?;
    }
    db.prepare_cached("UPDATE audit_listed SET seq = ?1 WHERE seq < ?1")?
        .execute([last])?;
    Ok(())
}

/// The last record that is listed.
pub(super) fn listed(db: &Connection) -> rusqlite::Result<i64> {
    let listed = db
        .prepare_cached("SELECT seq FROM audit_listed")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(listed.unwrap_or(0))
}

/// The newest records of a case, newest first. A list is believed as far as the entries say the same.
pub(super) fn select(
    db: &Connection,
    case: &str,
    limit: u32,
) -> rusqlite::Result<Vec<AuditRecord>> {
    let mut statement = db.prepare_cached(
        "SELECT * FROM (SELECT audit.seq, at_ms, entry, previous, hash FROM audit_cases JOIN audit USING (seq) \
                        WHERE case_id = ?1 AND CASE WHEN json_valid(entry) THEN entry ->> 'case' END = ?1 ORDER BY audit_cases.seq DESC LIMIT ?2) \
         UNION ALL \
         SELECT * FROM (SELECT seq, at_ms, entry, previous, hash FROM audit \
                        WHERE seq > coalesce((SELECT seq FROM audit_listed), 0) \
                          AND CASE WHEN json_valid(entry) THEN entry ->> 'case' END = ?1 \
                        ORDER BY seq DESC LIMIT ?2) \
         ORDER BY seq DESC LIMIT ?2",
    )?;
    let records = statement.query_map(params![case, limit], record)?;
    records.collect()
}

/// The case that an entry is of. In a canonical text it comes second, so that the rest need not be read.
fn case_of(entry: &str) -> Option<String> {
    let of = second(entry).or_else(|| serde_json::from_str(entry).ok());
    of.and_then(|Of { case }| case)
}

/// What is read of an entry.
#[derive(Debug, PartialEq, Deserialize)]
struct Of {
    case: Option<String>,
}

/// The case of a text that begins as canonical ones do.
fn second(entry: &str) -> Option<Of> {
    let rest = entry.strip_prefix("{\"actor\":")?;
    let mut actor = Deserializer::from_str(rest).into_iter::<IgnoredAny>();
    actor.next()?.ok()?;
    let rest = rest[actor.byte_offset()..].strip_prefix(",\"case\":")?;
    let case = Deserializer::from_str(rest).into_iter().next()?.ok()?;
    Some(Of { case })
}

/// Holds the list against the entries that a walk through the log comes by.
pub(super) struct Held<'a> {
    db: &'a Connection,
    listed: i64,
    /// Records that have to be in the list.
    count: i64,
}

impl<'a> Held<'a> {
    pub(super) fn new(db: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            db,
            listed: listed(db)?,
            count: 0,
        })
    }

    /// Whether the record is where it belongs.
    pub(super) fn step(&mut self, seq: i64, entry: &str) -> rusqlite::Result<bool> {
        let Some(case) = case_of(entry).filter(|_| seq <= self.listed) else {
            return Ok(true);
        };
        self.count += 1;
        self.db
            .prepare_cached("SELECT 1 FROM audit_cases WHERE case_id = ? AND seq = ?")?
            .exists(params![case, seq])
    }

    /// The first record that is in a list where it does not belong.
    pub(super) fn stray(&self) -> rusqlite::Result<Option<i64>> {
        let count: i64 = self
            .db
            .query_row("SELECT count(*) FROM audit_cases", [], |row| row.get(0))?;
        if count == self.count {
            return Ok(None);
        }
        self.db.query_row(
            "SELECT coalesce(min(c.seq), 0) FROM audit_cases c LEFT JOIN audit a USING (seq) \
             WHERE a.seq IS NULL OR c.seq > ? OR CASE WHEN json_valid(a.entry) THEN a.entry ->> 'case' END IS NOT c.case_id",
            [self.listed],
            |row| row.get(0),
        )
    }
}

#[cfg(test)]
mod tests {
    use dispatch::{AuditEntry, AuditKind};
    use serde_json::json;

    use super::{case_of, second};
    use crate::chain;

    #[test]
    fn the_case_of_any_text_is_found() {
        for case in [None, Some("c"), Some(""), Some("\",\"case\":\"\\ é\n")] {
            let entry = AuditEntry {
                kind: AuditKind::Decision,
                tenant: "demo".into(),
                case: case.map(str::to_owned),
                actor: "a\",\"case\":\"x\\".into(),
                tool: None,
                detail: json!({ "case": "another" }),
            };
            let text = chain::text(&entry).unwrap();
            assert_eq!(second(&text).unwrap().case.as_deref(), case);
            let other = serde_json::to_string(&entry).unwrap();
            assert_eq!((second(&other), case_of(&other).as_deref()), (None, case));
        }
        assert_eq!(case_of("no entry"), None);
    }
}
