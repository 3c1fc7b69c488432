//! The pending consents on SQLite: asked once, answered once, expired by the store's clock.

use async_trait::async_trait;
use dispatch::{Answered, ConsentState, Consents, PendingConsent, StoreError, Verdict};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::SqliteStore;
use super::columns::{Json, Word};
use super::fault::Fault;

#[async_trait]
impl Consents for SqliteStore {
    async fn ask(&self, consent: PendingConsent) -> Result<PendingConsent, StoreError> {
        let clock = self.clock.clone();
        self.write(move |db| ask(db, consent, clock.now())).await
    }

    async fn consent(&self, tenant: &str, id: &str) -> Result<Option<PendingConsent>, StoreError> {
        self.look(|db| by_id(db, tenant, id))
    }

    async fn pending(
        &self,
        tenant: &str,
        case: Option<&str>,
    ) -> Result<Vec<PendingConsent>, StoreError> {
        let (tenant, case, now) = (tenant.to_owned(), case.map(str::to_owned), self.clock.now());
        self.scan(move |db| pending(db, &tenant, case.as_deref(), now))
            .await
    }

    async fn answer(&self, id: &str, answered: Answered) -> Result<bool, StoreError> {
        let (id, clock) = (id.to_owned(), self.clock.clone());
        self.write(move |db| answer(db, &id, &answered, clock.now()))
            .await
    }

    async fn unfinished(&self) -> Result<Vec<PendingConsent>, StoreError> {
        self.scan(unfinished).await
    }

    async fn finish(&self, id: &str) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write(move |db| finish(db, &id)).await
    }
}

const COLUMNS: &str = "SELECT id, asked_of, call, binding, question, state, created_at, expires_at, answered_by \
     FROM consents";

fn ask(db: &Connection, consent: PendingConsent, now: i64) -> Result<PendingConsent, Fault> {
    let sql = format!("{COLUMNS} WHERE binding = ? AND state = 'pending' AND expires_at > ?");
    let asked = db
        .prepare_cached(&sql)?
        .query_row(params![consent.binding, now], read)
        .optional()?;
    if let Some(asked) = asked {
        return Ok(asked);
    }
    insert(db, &consent)?;
    Ok(consent)
}

fn insert(db: &Connection, consent: &PendingConsent) -> Result<(), Fault> {
    if consent.state != ConsentState::Pending {
        return Err(Fault::Misfit(format!(
            "the consent {} is answered before it was asked",
            consent.id
        )));
    }
    db.prepare_cached(
        "INSERT INTO consents (id, tenant, case_id, asked_of, call, binding, question, state, created_at, expires_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)",
    )?
    .execute(params![
        consent.id,
        consent.call.tenant,
        consent.call.case,
        Word(consent.from),
        Json(&consent.call),
        consent.binding,
        consent.question,
        consent.created_at,
        consent.expires_at
    ])?;
    Ok(())
}

fn by_id(db: &Connection, tenant: &str, id: &str) -> Result<Option<PendingConsent>, Fault> {
    let sql = format!("{COLUMNS} WHERE tenant = ? AND id = ?");
    Ok(db
        .prepare_cached(&sql)?
        .query_row([tenant, id], read)
        .optional()?)
}

fn pending(
    db: &Connection,
    tenant: &str,
    case: Option<&str>,
    now: i64,
) -> Result<Vec<PendingConsent>, Fault> {
    let sql = format!(
        "{COLUMNS} WHERE tenant = ?1 AND state = 'pending' AND expires_at > ?3 AND (?2 IS NULL OR case_id = ?2) \
         ORDER BY number"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let consents = statement.query_map(params![tenant, case, now], read)?;
    Ok(consents.collect::<Result<_, _>>()?)
}

/// Compares and sets in one statement: of many answers, one finds it pending.
fn answer(db: &Connection, id: &str, answered: &Answered, now: i64) -> Result<bool, Fault> {
    let (state, amended) = match &answered.verdict {
        Verdict::Grant => (ConsentState::Granted, None),
        Verdict::Amend { call, binding } => (ConsentState::Granted, Some((call, binding))),
        Verdict::Deny => (ConsentState::Denied, None),
    };
    let changed = db
        .prepare_cached(
            "UPDATE consents SET state = ?, answered_by = ?, unfinished = ?, call = coalesce(?, call), \
                 binding = coalesce(?, binding) \
             WHERE id = ? AND state = 'pending' AND expires_at > ?",
        )?
        .execute(params![
            Word(state),
            answered.by,
            state == ConsentState::Granted,
            amended.map(|(call, _)| Json(call)),
            amended.map(|(_, binding)| binding),
            id,
            now
        ])?;
    Ok(changed == 1)
}

fn unfinished(db: &Connection) -> Result<Vec<PendingConsent>, Fault> {
    let sql = format!("{COLUMNS} WHERE unfinished = 1 ORDER BY number");
    let mut statement = db.prepare_cached(&sql)?;
    let consents = statement.query_map([], read)?;
    Ok(consents.collect::<Result<_, _>>()?)
}

fn finish(db: &Connection, id: &str) -> Result<(), Fault> {
    db.prepare_cached("UPDATE consents SET unfinished = 0 WHERE id = ?")?
        .execute([id])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<PendingConsent> {
    Ok(PendingConsent {
        id: row.get(0)?,
        from: row.get::<_, Word<_>>(1)?.0,
        call: row.get::<_, Json<_>>(2)?.0,
        binding: row.get(3)?,
        question: row.get(4)?,
        state: row.get::<_, Word<_>>(5)?.0,
        created_at: row.get(6)?,
        expires_at: row.get(7)?,
        answered_by: row.get(8)?,
    })
}
