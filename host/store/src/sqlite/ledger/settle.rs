//! The way of an intent after its reservation: what it sends, and how it ends.

use dispatch::{ByHand, IntentState, Lease, Leave, SentRequest, Settlement};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::lease::state_under;
use super::look::{by_id, request as read_request};
use super::{Fault, Json, Word, budgets};
use crate::sqlite::key_values;

/// Whether the lease is the one that counts, of an intent without an end.
pub(in crate::sqlite) fn is_open_under(db: &Connection, lease: &Lease) -> Result<bool, Fault> {
    Ok(state_under(db, lease)?.is_some_and(|state| !is_settled(state)))
}

/// How a settlement was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// The intent has changed its state.
    Now,
    /// It stood so already.
    Before,
    /// The lease is void.
    Void,
}

/// Records a request, or gives back what was recorded under its ordinal before.
pub(super) fn sent(
    db: &Connection,
    lease: &Lease,
    request: &SentRequest,
    now: i64,
) -> Result<Leave, Fault> {
    if state_under(db, lease)?.is_none_or(is_settled) {
        return Ok(Leave::Void);
    }
    if let Some(earlier) = recorded(db, &lease.intent, request.ordinal)? {
        if earlier == *request {
            leaves_again(db, &lease.intent, request.ordinal, now)?;
        }
        return Ok(Leave::Again(earlier));
    }
    insert(db, &lease.intent, request, now)?;
    db.prepare_cached("UPDATE intents SET state = 'sent', updated_at = ? WHERE id = ?")?
        .execute(params![now, lease.intent])?;
    Ok(Leave::First)
}

/// Ends an intent, or notes that its end is not known; either way the lease is given back.
pub(super) fn settle(
    db: &Connection,
    lease: &Lease,
    settlement: Settlement,
    now: i64,
) -> Result<Settled, Fault> {
    let Some(from) = state_under(db, lease)? else {
        return Ok(Settled::Void);
    };
    let to = target(&settlement);
    if is_settled(from) {
        return after_the_end(&lease.intent, from, to);
    }
    if from == IntentState::Unknown && to == IntentState::Unknown {
        give_back(db, &lease.intent)?;
        return Ok(Settled::Before);
    }
    end(db, &lease.intent, settlement, now)?;
    Ok(Settled::Now)
}

/// Ends an open intent that nobody runs; whoever ran it before holds a void lease from now on.
pub(super) fn by_hand(
    db: &Connection,
    tenant: &str,
    id: &str,
    settlement: Settlement,
    now: i64,
) -> Result<ByHand, Fault> {
    let Some(intent) = by_id(db, id)?.filter(|intent| intent.tenant == tenant) else {
        return Ok(ByHand::Missing);
    };
    if is_settled(intent.state) {
        return Ok(ByHand::Ended(intent.state));
    }
    if intent.leased_until > now {
        let until = intent.leased_until;
        return Ok(ByHand::Running { until });
    }
    db.prepare_cached("UPDATE intents SET epoch = epoch + 1 WHERE id = ?")?
        .execute([id])?;
    end(db, id, settlement, now)?;
    Ok(ByHand::Settled)
}

fn end(db: &Connection, id: &str, settlement: Settlement, now: i64) -> Result<(), Fault> {
    let to = target(&settlement);
    match to {
        IntentState::Failed => budgets::release(db, id)?,
        IntentState::Done => key_values::apply(db, id)?,
        _ => {}
    }
    if is_settled(to) {
        key_values::forget(db, id)?;
    }
    db.prepare_cached(
        "UPDATE intents SET state = ?, outcome = ?, updated_at = ?, leased_until = 0 WHERE id = ?",
    )?
    .execute(params![Word(to), outcome(settlement)?.map(Json), now, id])?;
    Ok(())
}

fn give_back(db: &Connection, id: &str) -> Result<(), Fault> {
    db.prepare_cached("UPDATE intents SET leased_until = 0 WHERE id = ?")?
        .execute([id])?;
    Ok(())
}

/// A late word about a settled intent: harmless where it agrees or knows nothing.
fn after_the_end(intent: &str, from: IntentState, to: IntentState) -> Result<Settled, Fault> {
    if to == from || to == IntentState::Unknown {
        return Ok(Settled::Before);
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
        .query_row(params![intent, ordinal], |row| read_request(row, 0));
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

/// Whoever asks the backend later counts from the last time that a request left.
fn leaves_again(db: &Connection, intent: &str, ordinal: u32, now: i64) -> Result<(), Fault> {
    db.prepare_cached("UPDATE sent_requests SET sent_at = ? WHERE intent = ? AND ordinal = ?")?
        .execute(params![now, intent, ordinal])?;
    Ok(())
}
