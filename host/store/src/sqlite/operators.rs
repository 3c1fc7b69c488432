//! The operators on SQLite: added and revoked once each, with the audit record in the same transaction.

use async_trait::async_trait;
use dispatch::{AuditEntry, AuditKind, KeyDigest, Operator, Operators, Revoked, StoreError};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::SqliteStore;
use super::audit::Draft;
use super::clock::StoreClock;
use super::fault::Fault;

#[async_trait]
impl Operators for SqliteStore {
    async fn operators(&self) -> Result<Vec<Operator>, StoreError> {
        self.scan(list).await
    }

    async fn add_operator(
        &self,
        name: &str,
        key_digest: KeyDigest,
        by: &str,
    ) -> Result<Option<Operator>, StoreError> {
        let clock = self.clock.clone();
        let [name, by] = [name, by].map(str::to_owned);
        self.write(move |db| add(db, &name, &key_digest, &by, &clock))
            .await
    }

    async fn revoke_operator(&self, name: &str, by: &str) -> Result<Option<Operator>, StoreError> {
        let clock = self.clock.clone();
        let [name, by] = [name, by].map(str::to_owned);
        self.write(move |db| revoke(db, &name, &by, &clock)).await
    }
}

fn list(db: &Connection) -> Result<Vec<Operator>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT name, key_digest, added_by, added_at_ms, revoked_by, revoked_at_ms FROM operators ORDER BY name",
    )?;
    let operators = statement.query_map([], read)?;
    Ok(operators.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Operator> {
    let (by, at_ms): (Option<String>, Option<i64>) = (row.get(4)?, row.get(5)?);
    Ok(Operator {
        name: row.get(0)?,
        key_digest: row.get(1)?,
        added_by: row.get(2)?,
        added_at_ms: row.get(3)?,
        revoked: by.zip(at_ms).map(|(by, at_ms)| Revoked { by, at_ms }),
    })
}

fn add(
    db: &Connection,
    name: &str,
    key_digest: &KeyDigest,
    by: &str,
    clock: &StoreClock,
) -> Result<Option<Operator>, Fault> {
    let added = db
        .prepare_cached(
            "INSERT INTO operators (name, key_digest, added_by, added_at_ms) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING \
             RETURNING name, key_digest, added_by, added_at_ms, revoked_by, revoked_at_ms",
        )?
        .query_row(params![name, key_digest, by, clock.now_ms()], read)
        .optional()?;
    told(db, "operator_added", added, by, clock)
}

fn revoke(
    db: &Connection,
    name: &str,
    by: &str,
    clock: &StoreClock,
) -> Result<Option<Operator>, Fault> {
    let revoked = db
        .prepare_cached(
            "UPDATE operators SET revoked_by = ?2, revoked_at_ms = ?3 \
             WHERE name = ?1 COLLATE BINARY AND revoked_at_ms IS NULL \
             RETURNING name, key_digest, added_by, added_at_ms, revoked_by, revoked_at_ms",
        )?
        .query_row(params![name, by, clock.now_ms()], read)
        .optional()?;
    told(db, "operator_revoked", revoked, by, clock)
}

/// Tells the audit log of whoever was changed, in the transaction that does it.
fn told(
    db: &Connection,
    event: &str,
    changed: Option<Operator>,
    by: &str,
    clock: &StoreClock,
) -> Result<Option<Operator>, Fault> {
    let Some(operator) = changed else {
        return Ok(None);
    };
    let entry = AuditEntry {
        kind: AuditKind::Host,
        tenant: String::new(),
        case: None,
        actor: by.to_owned(),
        tool: None,
        detail: json!({ "event": event, "operator": operator.name }),
    };
    let draft = Draft::of(&entry).map_err(|error| Fault::Unavailable(error.to_string()))?;
    draft.append(db, clock)?;
    Ok(Some(operator))
}
