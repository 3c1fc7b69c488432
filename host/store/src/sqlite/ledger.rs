//! The ledger on SQLite: one row per business intent, with its requests, its charges and its end.

pub(super) mod budgets;
mod lease;
mod look;
mod reserve;
mod settle;

use async_trait::async_trait;
use dispatch::{
    AuditEntry, ByHand, Held, Holder, Intent, IntentFilter, IntentHistory, Lease, Leave, Ledger,
    NewIntent, Reserved, SentRequest, Settlement, StoreError,
};
use rusqlite::Row;

use super::SqliteStore;
use super::audit::Draft;
use super::columns::{Json, Word};
use super::fault::Fault;
pub(super) use lease::void_all;
use look::{by_id, live};

pub(super) use settle::is_open_under;

#[async_trait]
impl Ledger for SqliteStore {
    async fn intent(&self, tenant: &str, key: &str) -> Result<Option<Intent>, StoreError> {
        self.writer.catch_up().await;
        self.look(|db| live(db, tenant, key))
    }

    async fn reserve(
        &self,
        intent: NewIntent,
        by: &Holder,
        entry: AuditEntry,
    ) -> Result<Reserved, StoreError> {
        let (by, entry, clock) = (by.clone(), Draft::of(&entry)?, self.clock.clone());
        self.write_early(move |db| {
            let reserved = reserve::reserve(db, intent, &by, clock.now())?;
            if matches!(reserved, Reserved::New(_)) {
                entry.append(db, &clock)?;
            }
            Ok(reserved)
        })
        .await
    }

    async fn take(&self, intent: &str, by: &Holder) -> Result<Option<Held>, StoreError> {
        let (intent, by, clock) = (intent.to_owned(), by.clone(), self.clock.clone());
        self.write(move |db| lease::take(db, &intent, &by, clock.now()))
            .await
    }

    async fn renew(&self, lease: &Lease, seconds: u32) -> Result<bool, StoreError> {
        let (lease, clock) = (lease.clone(), self.clock.clone());
        self.write(move |db| lease::renew(db, &lease, seconds, clock.now()))
            .await
    }

    async fn sent(&self, lease: &Lease, request: SentRequest) -> Result<Leave, StoreError> {
        let (lease, clock) = (lease.clone(), self.clock.clone());
        self.write(move |db| settle::sent(db, &lease, &request, clock.now()))
            .await
    }

    async fn settle(
        &self,
        lease: &Lease,
        settlement: Settlement,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        let (lease, entry, clock) = (lease.clone(), Draft::of(&entry)?, self.clock.clone());
        self.write(move |db| {
            let settled = settle::settle(db, &lease, settlement, clock.now())?;
            if settled == settle::Settled::Now {
                entry.append(db, &clock)?;
            }
            Ok(settled != settle::Settled::Void)
        })
        .await
    }

    async fn settle_by_hand(
        &self,
        tenant: &str,
        intent: &str,
        settlement: Settlement,
        entry: AuditEntry,
    ) -> Result<ByHand, StoreError> {
        let (tenant, intent) = (tenant.to_owned(), intent.to_owned());
        let (entry, clock) = (Draft::of(&entry)?, self.clock.clone());
        self.write(move |db| {
            let settled = settle::by_hand(db, &tenant, &intent, settlement, clock.now())?;
            if settled == ByHand::Settled {
                entry.append(db, &clock)?;
            }
            Ok(settled)
        })
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
        self.scan(look::open).await
    }

    async fn intents(&self, tenant: &str, of: &IntentFilter) -> Result<Vec<Intent>, StoreError> {
        self.writer.catch_up().await;
        let (tenant, of) = (tenant.to_owned(), of.clone());
        self.scan(move |db| look::list(db, &tenant, &of)).await
    }

    async fn history(
        &self,
        tenant: &str,
        intent: &str,
    ) -> Result<Option<IntentHistory>, StoreError> {
        self.writer.catch_up().await;
        self.look(|db| look::history(db, tenant, intent))
    }

    async fn now(&self) -> Result<i64, StoreError> {
        Ok(self.clock.now())
    }
}

const COLUMNS: &str = "SELECT id, tenant, key, terms, case_id, tool, arguments, plugin_digest, state, outcome, \
     holder, leased_until, created_at, updated_at FROM intents";

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
        holder: row.get(10)?,
        leased_until: row.get(11)?,
        created_at: row.get(12)?,
        updated_at: row.get(13)?,
    })
}
