//! The reservation: key and budgets together, or neither.

use dispatch::{Holder, IntentState, Lease, NewIntent, Reserved};
use rusqlite::{Connection, params};

use super::super::statements::Savepoint;
use super::{Fault, Json, budgets, live};

/// The lease that comes with the reservation.
const FIRST_EPOCH: i64 = 1;

/// Takes the key and draws the charges, unless the key is taken or a budget has no room.
pub(super) fn reserve(
    db: &mut Savepoint<'_>,
    intent: NewIntent,
    by: &Holder,
    now: i64,
) -> Result<Reserved, Fault> {
    // Rolled back wherever it is dropped before its commit.
    let trial = db.savepoint()?;
    if let Some(taken) = live(&trial, &intent.tenant, &intent.key)? {
        let gives_way = taken.state == IntentState::Done && taken.terms != intent.terms;
        if !(intent.replaces && gives_way) {
            return Ok(Reserved::Taken(Box::new(taken)));
        }
        replace(&trial, &taken.id, now)?;
    }
    insert(&trial, &intent, by, now)?;
    for (charge, number) in intent.charges.into_iter().zip(1_u32..) {
        if !budgets::draw(&trial, &intent.tenant, &charge)? {
            return Ok(Reserved::OverBudget(charge));
        }
        budgets::note(&trial, &intent.id, number, &charge)?;
    }
    trial.commit()?;
    Ok(Reserved::New(Lease {
        intent: intent.id,
        epoch: FIRST_EPOCH,
    }))
}

fn replace(db: &Connection, id: &str, now: i64) -> Result<(), Fault> {
    db.prepare_cached("UPDATE intents SET state = 'replaced', updated_at = ? WHERE id = ?")?
        .execute(params![now, id])?;
    Ok(())
}

fn insert(db: &Connection, intent: &NewIntent, by: &Holder, now: i64) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO intents (id, tenant, key, terms, case_id, tool, arguments, plugin_digest, rulebook, state, \
         created_at, updated_at, holder, leased_until, epoch) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'reserved', ?10, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        intent.id,
        intent.tenant,
        intent.key,
        intent.terms,
        intent.case,
        intent.tool,
        Json(&intent.arguments),
        intent.plugin_digest,
        intent.rulebook,
        now,
        by.name,
        now + i64::from(by.seconds),
        FIRST_EPOCH
    ])?;
    Ok(())
}
