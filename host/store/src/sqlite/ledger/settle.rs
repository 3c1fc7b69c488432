//! The way of an intent after its reservation: what it sends, and how it ends.

use dispatch::{IntentState, SentRequest, Settlement};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::{Fault, Json, Word, budgets, state};

/// Records a request, or gives back what was recorded under its ordinal before.
pub(super) fn sent(
    db: &Connection,
    intent: &str,
    request: &SentRequest,
    now: i64,
) -> Result<Option<SentRequest>, Fault> {
    let state = state(db, intent)?;
    if is_settled(state) {
        let message = format!("the intent {intent} is settled ({state:?}) and sends nothing more");
        return Err(Fault::Misfit(message));
    }
    if let Some(earlier) = recorded(db, intent, request.ordinal)? {
        return Ok(Some(earlier));
    }
    insert(db, intent, request, now)?;
    db.prepare_cached("UPDATE intents SET state = 'sent', updated_at = ? WHERE id = ?")?
        .execute(params![now, intent])?;
    Ok(None)
}

/// Ends an intent, or notes that its end is not known.
pub(super) fn settle(
    db: &Connection,
    intent: &str,
    settlement: Settlement,
    now: i64,
) -> Result<(), Fault> {
    let (from, to) = (state(db, intent)?, target(&settlement));
    if is_settled(from) {
        return after_the_end(intent, from, to);
    }
    if to == IntentState::Failed {
        budgets::release(db, intent)?;
    }
    db.prepare_cached("UPDATE intents SET state = ?, outcome = ?, updated_at = ? WHERE id = ?")?
        .execute(params![
            Word(to),
            outcome(settlement)?.map(Json),
            now,
            intent
        ])?;
    Ok(())
}

/// A late word about a settled intent: harmless where it agrees or knows nothing.
fn after_the_end(intent: &str, from: IntentState, to: IntentState) -> Result<(), Fault> {
    if to == from || to == IntentState::Unknown {
        return Ok(());
    }
    let message = format!("the intent {intent} is settled ({from:?}) and cannot become {to:?}");
    Err(Fault::Misfit(message))
}

fn is_settled(state: IntentState) -> bool {
    matches!(
        state,
        IntentState::Done | IntentState::Failed | IntentState::Replaced
    )
}

fn target(settlement: &Settlement) -> IntentState {
    match settlement {
        Settlement::Done(_) => IntentState::Done,
        Settlement::Failed(_) => IntentState::Failed,
        Settlement::Unknown => IntentState::Unknown,
    }
}

fn outcome(settlement: Settlement) -> Result<Option<Value>, Fault> {
    match settlement {
        Settlement::Done(output) => Ok(Some(output)),
        Settlement::Failed(error) => serde_json::to_value(error)
            .map(Some)
            .map_err(|error| Fault::Misfit(error.to_string())),
        Settlement::Unknown => Ok(None),
    }
}

fn recorded(db: &Connection, intent: &str, ordinal: u32) -> Result<Option<SentRequest>, Fault> {
    let sql = "SELECT ordinal, method, url, body_digest, body FROM sent_requests WHERE intent = ? AND ordinal = ?";
    let request = db
        .prepare_cached(sql)?
        .query_row(params![intent, ordinal], |row| {
            Ok(SentRequest {
                ordinal: row.get(0)?,
                method: row.get(1)?,
                url: row.get(2)?,
                body_digest: row.get(3)?,
                body: row.get(4)?,
            })
        });
    Ok(request.optional()?)
}

fn insert(db: &Connection, intent: &str, request: &SentRequest, now: i64) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO sent_requests (intent, ordinal, method, url, body_digest, body, sent_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        intent,
        request.ordinal,
        request.method,
        request.url,
        request.body_digest,
        request.body,
        now
    ])?;
    Ok(())
}
