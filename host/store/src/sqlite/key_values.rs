//! What plugins remember, on SQLite: staged by a write, and settled with its intent or forgotten.

use async_trait::async_trait;
use dispatch::{KeyValueWrite, KeyValues, Lease, StoreError};
use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteStore;
use super::fault::Fault;
use super::ledger::is_open_under;

#[async_trait]
impl KeyValues for SqliteStore {
    async fn value(
        &self,
        tenant: &str,
        plugin: &str,
        key: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.look(|db| value(db, tenant, plugin, key))
    }

    async fn keys(&self, tenant: &str, plugin: &str) -> Result<Vec<String>, StoreError> {
        let (tenant, plugin) = (tenant.to_owned(), plugin.to_owned());
        self.scan(move |db| keys(db, &tenant, &plugin)).await
    }

    async fn stage(
        &self,
        lease: &Lease,
        plugin: &str,
        writes: Vec<KeyValueWrite>,
    ) -> Result<bool, StoreError> {
        let (lease, plugin) = (lease.clone(), plugin.to_owned());
        self.write_early(move |db| {
            if !is_open_under(db, &lease)? {
                return Ok(false);
            }
            forget(db, &lease.intent)?;
            writes
                .iter()
                .try_for_each(|write| stage(db, &lease.intent, &plugin, write))?;
            Ok(true)
        })
        .await
    }
}

fn value(db: &Connection, tenant: &str, plugin: &str, key: &str) -> Result<Option<Vec<u8>>, Fault> {
    Ok(db
        .prepare_cached("SELECT value FROM key_values WHERE tenant = ? AND plugin = ? AND key = ?")?
        .query_row([tenant, plugin, key], |row| row.get(0))
        .optional()?)
}

fn keys(db: &Connection, tenant: &str, plugin: &str) -> Result<Vec<String>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT key FROM key_values WHERE tenant = ? AND plugin = ? ORDER BY key",
    )?;
    let keys = statement.query_map([tenant, plugin], |row| row.get(0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

fn stage(db: &Connection, intent: &str, plugin: &str, write: &KeyValueWrite) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO staged_key_values (intent, plugin, key, value) VALUES (?, ?, ?, ?)",
    )?
    .execute(params![intent, plugin, write.key, write.value])?;
    Ok(())
}

/// The intent is done: what it changed counts from this transaction on.
pub(super) fn apply(db: &Connection, intent: &str) -> Result<(), Fault> {
    db.prepare_cached(
        "DELETE FROM key_values WHERE (tenant, plugin, key) IN \
             (SELECT i.tenant, s.plugin, s.key FROM staged_key_values s JOIN intents i ON i.id = s.intent \
              WHERE s.intent = ?)",
    )?
    .execute([intent])?;
    db.prepare_cached(
        "INSERT INTO key_values (tenant, plugin, key, value) \
         SELECT i.tenant, s.plugin, s.key, s.value FROM staged_key_values s JOIN intents i ON i.id = s.intent \
         WHERE s.intent = ? AND s.value IS NOT NULL",
    )?
    .execute([intent])?;
    Ok(())
}

/// Whatever an intent has staged is gone.
pub(super) fn forget(db: &Connection, intent: &str) -> Result<(), Fault> {
    db.prepare_cached("DELETE FROM staged_key_values WHERE intent = ?")?
        .execute([intent])?;
    Ok(())
}
