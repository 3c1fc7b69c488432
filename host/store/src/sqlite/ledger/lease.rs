//! Leases: taken by a conditional update in the store's time, void as soon as somebody else has taken over.

use dispatch::{Held, Holder, IntentState, Lease};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Fault, Word, by_id};

/// States that a process may take an intent up in.
pub(super) const OPEN: &str = "('reserved', 'sent', 'unknown')";

/// Takes an open intent, unless somebody else holds it now.
pub(super) fn take(
    db: &Connection,
    intent: &str,
    by: &Holder,
    now: i64,
) -> Result<Option<Held>, Fault> {
    let sql = format!(
        "UPDATE intents SET holder = ?2, leased_until = ?3, epoch = epoch + 1 \
         WHERE id = ?1 AND state IN {OPEN} AND (leased_until <= ?4 OR holder = ?2) RETURNING epoch"
    );
    let until = now + i64::from(by.seconds);
    let epoch = db
        .prepare_cached(&sql)?
        .query_row(params![intent, by.name, until, now], |row| row.get(0))
        .optional()?;
    let Some(epoch) = epoch else { return Ok(None) };
    let lease = Lease {
        intent: intent.to_owned(),
        epoch,
    };
    Ok(by_id(db, intent)?.map(|intent| Held { lease, intent }))
}

/// Holds on; false where the lease is void.
pub(super) fn renew(db: &Connection, lease: &Lease, seconds: u32, now: i64) -> Result<bool, Fault> {
    let sql = format!(
        "UPDATE intents SET leased_until = ? WHERE id = ? AND epoch = ? AND state IN {OPEN}"
    );
    let until = now + i64::from(seconds);
    let renewed = db
        .prepare_cached(&sql)?
        .execute(params![until, lease.intent, lease.epoch])?;
    Ok(renewed == 1)
}

/// The state of the intent, where the lease is still the one that counts.
pub(super) fn state_under(db: &Connection, lease: &Lease) -> Result<Option<IntentState>, Fault> {
    let state = db
        .prepare_cached("SELECT state FROM intents WHERE id = ? AND epoch = ?")?
        .query_row(params![lease.intent, lease.epoch], |row| row.get(0))
        .optional()?;
    Ok(state.map(|Word(state)| state))
}

/// The folder's lock is ours, so every process that ever held a lease in it is gone.
pub(in super::super) fn void_all(db: &Connection) -> rusqlite::Result<()> {
    let sql = format!(
        "UPDATE intents SET leased_until = 0, epoch = epoch + 1 WHERE leased_until > 0 AND state IN {OPEN}"
    );
    db.execute(&sql, []).map(drop)
}
