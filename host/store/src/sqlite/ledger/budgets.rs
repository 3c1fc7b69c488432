//! The budgets: drawn on while there is room, given back by what failed.

use dispatch::Charge;
use rusqlite::{Connection, OptionalExtension, params};

use super::Fault;

/// Draws one charge; false, and nothing drawn, where the window has no room for it.
pub(in crate::sqlite) fn draw(
    db: &Connection,
    tenant: &str,
    charge: &Charge,
) -> Result<bool, Fault> {
    if charge.amount < 0 {
        let message = format!("a charge of {} on {}", charge.amount, charge.budget);
        return Err(Fault::Misfit(message));
    }
    let Charge {
        budget,
        subject,
        window_start,
        amount,
        limit,
    } = charge;
    db.prepare_cached(
        "INSERT INTO budgets (tenant, budget, subject, window_start, spent) VALUES (?, ?, ?, ?, 0) \
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![tenant, budget, subject, window_start])?;
    // One statement compares and adds, so that calls which race cannot both find the last of the room. Compared with the
    // room that is left, because `spent + amount` could overflow.
    let drawn = db
        .prepare_cached(
            "UPDATE budgets SET spent = spent + ?5 \
             WHERE tenant = ?1 AND budget = ?2 AND subject = ?3 AND window_start = ?4 AND spent <= ?6",
        )?
        .execute(params![
            tenant,
            budget,
            subject,
            window_start,
            amount,
            limit.saturating_sub(*amount)
        ])?;
    Ok(drawn == 1)
}

/// Gives back one charge that no intent remembers.
pub(in crate::sqlite) fn give_back(
    db: &Connection,
    tenant: &str,
    charge: &Charge,
) -> Result<(), Fault> {
    db.prepare_cached(
        "UPDATE budgets SET spent = spent - ?5 \
         WHERE tenant = ?1 AND budget = ?2 AND subject = ?3 AND window_start = ?4",
    )?
    .execute(params![
        tenant,
        charge.budget,
        charge.subject,
        charge.window_start,
        charge.amount
    ])?;
    Ok(())
}

/// Remembers a charge that was drawn, so that it can be given back.
pub(super) fn note(
    db: &Connection,
    intent: &str,
    number: u32,
    charge: &Charge,
) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO charges (intent, number, budget, subject, window_start, amount) VALUES (?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        intent,
        number,
        charge.budget,
        charge.subject,
        charge.window_start,
        charge.amount
    ])?;
    Ok(())
}

/// Gives back all that an intent drew.
pub(super) fn release(db: &Connection, intent: &str) -> Result<(), Fault> {
    db.prepare_cached(
        "UPDATE budgets SET spent = spent - given.amount \
         FROM (SELECT i.tenant, c.budget, c.subject, c.window_start, sum(c.amount) AS amount \
               FROM charges c JOIN intents i ON i.id = c.intent WHERE c.intent = ? GROUP BY 1, 2, 3, 4) AS given \
         WHERE budgets.tenant = given.tenant AND budgets.budget = given.budget \
           AND budgets.subject = given.subject AND budgets.window_start = given.window_start",
    )?
    .execute([intent])?;
    Ok(())
}

/// One sum per (budget, subject, window start), in the order asked.
pub(super) fn spent(
    db: &Connection,
    tenant: &str,
    of: &[(String, String, i64)],
) -> Result<Vec<i64>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT spent FROM budgets WHERE tenant = ? AND budget = ? AND subject = ? AND window_start = ?",
    )?;
    of.iter()
        .map(|(budget, subject, window_start)| {
            let row = params![tenant, budget, subject, window_start];
            let sum = statement.query_row(row, |row| row.get(0)).optional()?;
            Ok(sum.unwrap_or(0))
        })
        .collect()
}
