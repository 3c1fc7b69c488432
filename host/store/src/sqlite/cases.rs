//! The cases on SQLite: sessions, identity, status and events.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dispatch::policy::{Entity, Fact, Identity, Level};
use dispatch::{Case, CaseStatus, Cases, Event, StoreError, StoredEvent};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::columns::{Json, Word};
use super::fault::Fault;
use super::statements::Savepoint;
use super::{SqliteStore, facts};

#[async_trait]
impl Cases for SqliteStore {
    async fn case_of_session(&self, tenant: &str, session: &str) -> Result<Case, StoreError> {
        if let Some(case) = self.look(|db| current(db, tenant, session))? {
            return Ok(case);
        }
        let (tenant, session, clock) = (tenant.to_owned(), session.to_owned(), self.clock.clone());
        self.write(move |db| match current(db, &tenant, &session)? {
            Some(case) => Ok(case),
            None => open(db, tenant, &session, clock.now()),
        })
        .await
    }

    async fn reset_session(&self, tenant: &str, session: &str) -> Result<bool, StoreError> {
        let (tenant, session, clock) = (tenant.to_owned(), session.to_owned(), self.clock.clone());
        self.write(move |db| end(db, &tenant, &session, clock.now()))
            .await
    }

    async fn case(&self, tenant: &str, id: &str) -> Result<Option<Case>, StoreError> {
        self.known_cases
            .find(tenant, id, || self.look(|db| by_id(db, tenant, id)))
    }

    async fn identify(&self, case: &str, customer: &str, level: Level) -> Result<bool, StoreError> {
        let (id, customer) = (case.to_owned(), customer.to_owned());
        self.write_case(case, move |db| identify(db, &id, &customer, level))
            .await
    }

    async fn set_status(&self, case: &str, status: CaseStatus) -> Result<(), StoreError> {
        let id = case.to_owned();
        self.write_case(case, move |db| set_status(db, &id, status))
            .await
    }

    async fn establish(&self, case: &str, facts: Vec<(Entity, Fact)>) -> Result<(), StoreError> {
        let case = case.to_owned();
        self.write(move |db| {
            exists(db, &case)?;
            facts::establish(db, &case, facts)
        })
        .await
    }

    async fn facts(&self, case: &str) -> Result<BTreeMap<Entity, Fact>, StoreError> {
        self.look(|db| facts::facts(db, case))
    }

    async fn append(&self, case: &str, event: Event) -> Result<i64, StoreError> {
        let (of_case, clock) = (case.to_owned(), self.clock.clone());
        let appending = move |db: &mut Savepoint<'_>| append(db, &of_case, &event, clock.now());
        let place = self.write(appending).await?;
        if self.has_listeners() {
            let tenant = self.look(|db| tenant(db, case))?;
            self.tell(tenant, Some(case.to_owned()));
        }
        Ok(place)
    }

    async fn events(&self, case: &str) -> Result<Vec<StoredEvent>, StoreError> {
        let case = case.to_owned();
        self.scan(move |db| events(db, &case)).await
    }
}

const COLUMNS: &str =
    "SELECT c.id, c.tenant, c.level, c.customer, c.status, c.created_at FROM cases c";

fn tenant(db: &Connection, case: &str) -> Result<String, Fault> {
    let mut query = db.prepare_cached("SELECT tenant FROM cases WHERE id = ?")?;
    Ok(query.query_row([case], |row| row.get(0))?)
}

fn current(db: &Connection, tenant: &str, session: &str) -> Result<Option<Case>, Fault> {
    let sql = format!(
        "{COLUMNS} JOIN sessions s ON s.case_id = c.id WHERE s.tenant = ? AND s.session = ? AND s.ended_at IS NULL"
    );
    Ok(db
        .prepare_cached(&sql)?
        .query_row([tenant, session], case)
        .optional()?)
}

fn by_id(db: &Connection, tenant: &str, id: &str) -> Result<Option<Case>, Fault> {
    let sql = format!("{COLUMNS} WHERE c.tenant = ? AND c.id = ?");
    Ok(db
        .prepare_cached(&sql)?
        .query_row([tenant, id], case)
        .optional()?)
}

fn open(db: &Connection, tenant: String, session: &str, now: i64) -> Result<Case, Fault> {
    let case = Case {
        id: Uuid::now_v7().to_string(),
        tenant,
        identity: Identity::default(),
        status: CaseStatus::default(),
        created_at: now,
    };
    db.prepare_cached(
        "INSERT INTO cases (id, tenant, level, status, created_at) VALUES (?, ?, ?, ?, ?)",
    )?
    .execute(params![
        case.id,
        case.tenant,
        Rank(case.identity.level),
        Word(case.status),
        now
    ])?;
    db.prepare_cached("INSERT INTO sessions (tenant, session, case_id) VALUES (?, ?, ?)")?
        .execute(params![case.tenant, session, case.id])?;
    Ok(case)
}

fn end(db: &Connection, tenant: &str, session: &str, now: i64) -> Result<bool, Fault> {
    let ended = db
        .prepare_cached(
            "UPDATE sessions SET ended_at = ? WHERE tenant = ? AND session = ? AND ended_at IS NULL",
        )?
        .execute(params![now, tenant, session])?;
    Ok(ended > 0)
}

fn identify(db: &Connection, id: &str, customer: &str, level: Level) -> Result<bool, Fault> {
    exists(db, id)?;
    let changed = db
        .prepare_cached(
            "UPDATE cases SET customer = ?2, level = ?3 \
             WHERE id = ?1 AND level <= ?3 AND (level < ?4 OR customer = ?2)",
        )?
        .execute(params![id, customer, Rank(level), Rank(Level::Matched)])?;
    Ok(changed == 1)
}

fn set_status(db: &Connection, id: &str, status: CaseStatus) -> Result<(), Fault> {
    exists(db, id)?;
    db.prepare_cached("UPDATE cases SET status = ? WHERE id = ?")?
        .execute(params![Word(status), id])?;
    Ok(())
}

fn append(db: &Connection, case: &str, event: &Event, now: i64) -> Result<i64, Fault> {
    exists(db, case)?;
    let sql = "INSERT INTO events (case_id, seq, at, event) \
               SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3 FROM events WHERE case_id = ?1 RETURNING seq";
    let values = params![case, now, Json(event)];
    Ok(db
        .prepare_cached(sql)?
        .query_row(values, |row| row.get(0))?)
}

fn events(db: &Connection, case: &str) -> Result<Vec<StoredEvent>, Fault> {
    let sql = "SELECT seq, at, event FROM events WHERE case_id = ? ORDER BY seq";
    let mut statement = db.prepare_cached(sql)?;
    let events = statement.query_map([case], |row| {
        Ok(StoredEvent {
            seq: row.get(0)?,
            at: row.get(1)?,
            event: row.get::<_, Json<_>>(2)?.0,
        })
    })?;
    Ok(events.collect::<Result<_, _>>()?)
}

fn exists(db: &Connection, id: &str) -> Result<(), Fault> {
    let found = db
        .prepare_cached("SELECT 1 FROM cases WHERE id = ?")?
        .exists([id])?;
    found
        .then_some(())
        .ok_or_else(|| Fault::Misfit(format!("there is no case {id}")))
}

fn case(row: &Row<'_>) -> rusqlite::Result<Case> {
    Ok(Case {
        id: row.get(0)?,
        tenant: row.get(1)?,
        identity: Identity {
            level: row.get::<_, Rank>(2)?.0,
            customer: row.get(3)?,
        },
        status: row.get::<_, Word<_>>(4)?.0,
        created_at: row.get(5)?,
    })
}

/// An identity level as a number that SQL can compare.
struct Rank(Level);

impl ToSql for Rank {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok((self.0 as i64).into())
    }
}

impl FromSql for Rank {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        [
            Level::Anonymous,
            Level::Claimed,
            Level::Matched,
            Level::Verified,
        ]
        .into_iter()
        .find(|level| *level as i64 == number)
        .map(Self)
        .ok_or(FromSqlError::OutOfRange(number))
    }
}
