//! Records: typed JSON documents, found by their id or by the one thing that lists of their kind are filtered by.

use rusqlite::{Connection, OptionalExtension, Params, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::{Date, OffsetDateTime};

use crate::moment::Moment;
use crate::refusal::Refusal;

/// One kind of document in the store.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// What a person calls it; also its name in the store.
    const KIND: &'static str;

    /// Its id, unique within its kind.
    fn id(&self) -> &str;

    /// What lists of this kind are filtered by, if by anything: a refund by its order, a customer by the e-mail.
    fn listed_under(&self) -> Option<String> {
        None
    }

    /// Every point in time it holds, for settling seeded ages.
    fn moments(&mut self) -> Vec<&mut Moment>;

    /// The record as it is shown today: every time a real one.
    fn shown(mut self) -> Self {
        let today = today();
        for moment in self.moments() {
            *moment = Moment::At(moment.settled(today));
        }
        self
    }
}

/// The current day (UTC).
pub(crate) fn today() -> Date {
    OffsetDateTime::now_utc().date()
}

/// The record with this id, or the refusal that says there is none.
pub(crate) fn get<R: Record>(db: &Connection, id: &str) -> Result<R, Refusal> {
    let body: Option<String> = db
        .prepare_cached("SELECT body FROM records WHERE kind = ?1 AND id = ?2")?
        .query_row([R::KIND, id], |row| row.get(0))
        .optional()?;
    let body = body.ok_or(Refusal::NotFound(R::KIND))?;
    Ok(serde_json::from_str(&body)?)
}

/// All records of a kind, in the order in which they were made.
pub(crate) fn all<R: Record>(db: &Connection) -> Result<Vec<R>, Refusal> {
    list(
        db,
        "SELECT body FROM records WHERE kind = ?1 ORDER BY position",
        [R::KIND],
    )
}

/// The records of a kind that are listed under `name`, in the order in which they were made.
pub(crate) fn listed<R: Record>(db: &Connection, name: &str) -> Result<Vec<R>, Refusal> {
    const SQL: &str =
        "SELECT body FROM records WHERE kind = ?1 AND listed_under = ?2 ORDER BY position";
    list(db, SQL, [R::KIND, name])
}

fn list<R: Record>(db: &Connection, sql: &str, params: impl Params) -> Result<Vec<R>, Refusal> {
    let mut statement = db.prepare_cached(sql)?;
    let bodies = statement.query_map(params, |row| row.get::<_, String>(0))?;
    bodies
        .map(|body| Ok(serde_json::from_str(&body?)?))
        .collect()
}

/// Puts a new record in.
pub(crate) fn insert<R: Record>(db: &Connection, record: &R) -> Result<(), Refusal> {
    db.prepare_cached(
        "INSERT INTO records (kind, id, listed_under, body) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        R::KIND,
        record.id(),
        record.listed_under(),
        serde_json::to_string(record)?
    ])?;
    Ok(())
}

/// Writes a changed record back.
pub(crate) fn update<R: Record>(db: &Connection, record: &R) -> Result<(), Refusal> {
    db.prepare_cached(
        "UPDATE records SET listed_under = ?3, body = ?4 WHERE kind = ?1 AND id = ?2",
    )?
    .execute(params![
        R::KIND,
        record.id(),
        record.listed_under(),
        serde_json::to_string(record)?
    ])?;
    Ok(())
}

/// The next id of a kind, `prefix` and a number from 1001 on. Seeded ids stay below.
pub(crate) fn next_id<R: Record>(db: &Connection, prefix: &str) -> Result<String, Refusal> {
    const SQL: &str = "INSERT INTO numbers (kind, last) VALUES (?1, 1001)
        ON CONFLICT (kind) DO UPDATE SET last = last + 1 RETURNING last";
    let number: i64 = db
        .prepare_cached(SQL)?
        .query_row([R::KIND], |row| row.get(0))?;
    Ok(format!("{prefix}-{number}"))
}
