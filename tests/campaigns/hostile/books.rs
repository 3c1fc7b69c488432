//! What the host has on record of the attacks of one storm, read once: thousands of them are held against it.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::Connection;

/// What is on record, by case: each attack has one of its own.
#[derive(Default)]
pub(super) struct Booked(HashMap<String, OfCase>);

#[derive(Default)]
struct OfCase {
    outcome: String,
    failure: Option<String>,
    capabilities: usize,
    intent: Option<String>,
}

/// The host's store, while it serves.
pub(super) fn open(folder: &Path) -> Connection {
    Connection::open(folder.join("switchboard.sqlite")).unwrap()
}

/// The last record there is.
pub(super) fn last(db: &Connection) -> i64 {
    let sql = "SELECT COALESCE(MAX(seq), 0) FROM audit";
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

impl Booked {
    /// All that came after a record.
    pub(super) fn since(db: &Connection, record: i64) -> Self {
        let mut booked = Self::default();
        let sql = "SELECT json_extract(entry, '$.case'), json_extract(entry, '$.kind'), \
                   json_extract(entry, '$.detail.outcome'), json_extract(entry, '$.detail.failure') \
                   FROM audit WHERE seq > ? AND json_extract(entry, '$.case') IS NOT NULL ORDER BY seq";
        let mut statement = db.prepare(sql).unwrap();
        let mut rows = statement.query([record]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let of_case = booked.0.entry(row.get(0).unwrap()).or_default();
            match row.get_ref(1).unwrap().as_str().unwrap() {
                "outcome" => {
                    let outcome: Option<String> = row.get(2).unwrap();
                    of_case.outcome = outcome.unwrap_or_default();
                    of_case.failure = row.get(3).unwrap();
                }
                "capability" => of_case.capabilities += 1,
                _ => {}
            }
        }
        let sql = "SELECT case_id, state FROM intents ORDER BY rowid";
        let mut statement = db.prepare(sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let case: String = row.get(0).unwrap();
            if let Some(of_case) = booked.0.get_mut(&case) {
                of_case.intent = row.get(1).unwrap();
            }
        }
        booked
    }

    /// The recorded end of the case's last call, and why; an empty word where there is none.
    pub(super) fn outcome(&self, case: &str) -> (&str, Option<&str>) {
        let of_case = self.0.get(case);
        of_case.map_or(("", None), |one| (&one.outcome, one.failure.as_deref()))
    }

    /// Uses of capabilities, of the one call that the case has.
    pub(super) fn capabilities(&self, case: &str) -> usize {
        self.0.get(case).map_or(0, |one| one.capabilities)
    }

    /// How the ledger holds its last intent.
    pub(super) fn intent(&self, case: &str) -> Option<&str> {
        self.0.get(case)?.intent.as_deref()
    }
}
