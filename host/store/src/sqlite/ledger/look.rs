//! What people and recovery read of the ledger: lists, and the whole of one intent.

use std::fmt::Write as _;

use dispatch::{Charge, Intent, IntentFilter, IntentHistory, SentRequest};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::lease::OPEN;
use super::{COLUMNS, Fault, Word, intent};

/// The intent that holds a key.
pub(super) fn live(db: &Connection, tenant: &str, key: &str) -> Result<Option<Intent>, Fault> {
    let sql =
        format!("{COLUMNS} WHERE tenant = ? AND key = ? AND state NOT IN ('failed', 'replaced')");
    Ok(db
        .prepare_cached(&sql)?
        .query_row([tenant, key], intent)
        .optional()?)
}

pub(super) fn by_id(db: &Connection, id: &str) -> Result<Option<Intent>, Fault> {
    let found = db
        .prepare_cached(&format!("{COLUMNS} WHERE id = ?"))?
        .query_row([id], intent)
        .optional()?;
    Ok(found)
}

/// Every open intent, oldest first.
pub(super) fn open(db: &Connection) -> Result<Vec<Intent>, Fault> {
    let sql = format!("{COLUMNS} WHERE state IN {OPEN} ORDER BY number");
    let mut statement = db.prepare_cached(&sql)?;
    let intents = statement.query_map([], intent)?;
    Ok(intents.collect::<Result<_, _>>()?)
}

/// A tenant's intents, newest first.
pub(super) fn list(db: &Connection, tenant: &str, of: &IntentFilter) -> Result<Vec<Intent>, Fault> {
    let mut sql = format!("{COLUMNS} WHERE tenant = ? AND updated_at >= ?");
    let mut values: Vec<Value> = vec![tenant.to_owned().into(), of.since.into()];
    if let Some(tool) = &of.tool {
        sql.push_str(" AND tool = ?");
        values.push(tool.clone().into());
    }
    if !of.states.is_empty() {
        let places = vec!["?"; of.states.len()].join(", ");
        let _ = write!(sql, " AND state IN ({places})");
        for state in &of.states {
            values.push(word(*state)?);
        }
    }
    sql.push_str(" ORDER BY number DESC LIMIT ?");
    values.push(of.limit.into());
    let mut statement = db.prepare_cached(&sql)?;
    let intents = statement.query_map(params_from_iter(values), intent)?;
    Ok(intents.collect::<Result<_, _>>()?)
}

/// All that is known of one intent.
pub(super) fn history(
    db: &Connection,
    tenant: &str,
    id: &str,
) -> Result<Option<IntentHistory>, Fault> {
    let Some(intent) = by_id(db, id)?.filter(|intent| intent.tenant == tenant) else {
        return Ok(None);
    };
    let rulebook = db
        .prepare_cached("SELECT rulebook FROM intents WHERE id = ?")?
        .query_row([id], |row| row.get(0))?;
    let charges = db
        .prepare_cached(
            "SELECT budget, subject, window_start, amount FROM charges WHERE intent = ? ORDER BY number",
        )?
        .query_map([id], charge)?
        .collect::<Result<_, _>>()?;
    let requests = db
        .prepare_cached(
            "SELECT sent_at, ordinal, method, url, body_digest, body FROM sent_requests WHERE intent = ? ORDER BY ordinal",
        )?
        .query_map([id], |row| Ok((row.get(0)?, request(row, 1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(Some(IntentHistory {
        intent,
        rulebook,
        charges,
        requests,
    }))
}

/// A request whose columns begin at `first`.
pub(super) fn request(row: &Row<'_>, first: usize) -> rusqlite::Result<SentRequest> {
    Ok(SentRequest {
        ordinal: row.get(first)?,
        method: row.get(first + 1)?,
        url: row.get(first + 2)?,
        body_digest: row.get(first + 3)?,
        body: row.get(first + 4)?,
    })
}

fn charge(row: &Row<'_>) -> rusqlite::Result<Charge> {
    Ok(Charge {
        budget: row.get(0)?,
        subject: row.get(1)?,
        window_start: row.get(2)?,
        amount: row.get(3)?,
        limit: 0,
    })
}

fn word(state: dispatch::IntentState) -> Result<Value, Fault> {
    use rusqlite::types::{ToSql, ToSqlOutput};
    match Word(state).to_sql()? {
        ToSqlOutput::Owned(value) => Ok(value),
        other => Err(Fault::Misfit(format!("a state is a word, not {other:?}"))),
    }
}
