//! The ledger on SQLite: one row per business intent, with its requests, its charges and its end.

mod budgets;
mod reserve;
mod settle;

use async_trait::async_trait;
use dispatch::{
    Intent, IntentState, Ledger, NewIntent, Reserved, SentRequest, Settlement, StoreError,
};
use rusqlite::{Connection, OptionalExtension, Row};

use super::SqliteStore;
use super::columns::{Json, Word};
use super::fault::Fault;

#[async_trait]
impl Ledger for SqliteStore {
    async fn intent(&self, tenant: &str, key: &str) -> Result<Option<Intent>, StoreError> {
        self.writer.catch_up().await;
        self.look(|db| live(db, tenant, key))
    }

    async fn reserve(&self, intent: NewIntent) -> Result<Reserved, StoreError> {
        let clock = self.clock.clone();
        self.write_early(move |db| reserve::reserve(db, intent, clock.now()))
            .await
    }

    /// A settled intent sends nothing more: for it this is an error, whatever was recorded before.
    async fn sent(
        &self,
        intent: &str,
        request: SentRequest,
    ) -> Result<Option<SentRequest>, StoreError> {
        let (intent, clock) = (intent.to_owned(), self.clock.clone());
        self.write(move |db| settle::sent(db, &intent, &request, clock.now()))
            .await
    }

    /// An intent that is settled stays as it is: the same end again, or an end that nobody knows, changes nothing, and the
    /// opposite end is an error.
    async fn settle(&self, intent: &str, settlement: Settlement) -> Result<(), StoreError> {
        let (intent, clock) = (intent.to_owned(), self.clock.clone());
        self.write(move |db| settle::settle(db, &intent, settlement, clock.now()))
            .await
    }

    async fn spent(
        &self,
        tenant: &str,
        of: &[(String, String, i64)],
    ) -> Result<Vec<i64>, StoreError> {
        self.writer.catch_up().await;
        self.look(|db| budgets::spent(db, tenant, of))
    }

    async fn open_intents(&self) -> Result<Vec<Intent>, StoreError> {
        self.writer.catch_up().await;
        self.scan(open).await
    }

    async fn now(&self) -> Result<i64, StoreError> {
        Ok(self.clock.now())
    }
}

const COLUMNS: &str = "SELECT id, tenant, key, terms, case_id, tool, arguments, plugin_digest, state, outcome, \
     created_at, updated_at FROM intents";

/// The intent that holds a key.
fn live(db: &Connection, tenant: &str, key: &str) -> Result<Option<Intent>, Fault> {
    let sql =
        format!("{COLUMNS} WHERE tenant = ? AND key = ? AND state NOT IN ('failed', 'replaced')");
    Ok(db
        .prepare_cached(&sql)?
        .query_row([tenant, key], intent)
        .optional()?)
}

fn open(db: &Connection) -> Result<Vec<Intent>, Fault> {
    let sql = format!("{COLUMNS} WHERE state IN ('reserved', 'sent', 'unknown') ORDER BY number");
    let mut statement = db.prepare_cached(&sql)?;
    let intents = statement.query_map([], intent)?;
    Ok(intents.collect::<Result<_, _>>()?)
}

fn state(db: &Connection, id: &str) -> Result<IntentState, Fault> {
    let state = db
        .prepare_cached("SELECT state FROM intents WHERE id = ?")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let Word(state) = state.ok_or_else(|| Fault::Misfit(format!("there is no intent {id}")))?;
    Ok(state)
}

fn intent(row: &Row<'_>) -> rusqlite::Result<Intent> {
    Ok(Intent {
        id: row.get(0)?,
        tenant: row.get(1)?,
        key: row.get(2)?,
        terms: row.get(3)?,
        case: row.get(4)?,
        tool: row.get(5)?,
        arguments: row.get::<_, Json<_>>(6)?.0,
        plugin_digest: row.get(7)?,
        state: row.get::<_, Word<_>>(8)?.0,
        outcome: row.get::<_, Option<Json<_>>>(9)?.map(|json| json.0),
        created_at: row.get(10)?,
        updated_at: row.get(11)?,
    })
}
