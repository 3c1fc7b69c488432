//! The store that the victim's dispatcher sees: the real one, under a ledger that may be a mutant, with a point of doom.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use dispatch::{
    Answered, Audit, AuditBreak, AuditEntry, AuditRecord, ByHand, Case, CaseNews, CaseStatus,
    Cases, Charge, Consents, Counters, Event, Held, Holder, Intent, IntentFilter, IntentHistory,
    KeyValueWrite, KeyValues, Lease, Leave, Ledger, NewIntent, PendingConsent, Reserved,
    SentRequest, Settlement, StoreError, StoredEvent,
};
use policy::{Entity, Fact, Level};
use store::SqliteStore;
use tokio::sync::broadcast;

use super::doom::{Doom, Point, Step};

pub(super) struct Rigged {
    ledger: Arc<dyn Ledger>,
    store: Arc<SqliteStore>,
    doom: Doom,
}

impl Rigged {
    pub(super) fn new(
        ledger: Arc<dyn Ledger>,
        store: Arc<SqliteStore>,
        point: Option<Point>,
    ) -> Self {
        Self {
            ledger,
            store,
            doom: Doom::new(point),
        }
    }
}

#[async_trait]
impl Ledger for Rigged {
    async fn intent(&self, tenant: &str, key: &str) -> Result<Option<Intent>, StoreError> {
        self.ledger.intent(tenant, key).await
    }

    async fn reserve(
        &self,
        intent: NewIntent,
        by: &Holder,
        entry: AuditEntry,
    ) -> Result<Reserved, StoreError> {
        let reserving = self.ledger.reserve(intent, by, entry);
        self.doom.around(Step::Reserve, reserving).await
    }

    async fn take(&self, intent: &str, by: &Holder) -> Result<Option<Held>, StoreError> {
        let taking = self.ledger.take(intent, by);
        self.doom.around(Step::Take, taking).await
    }

    async fn renew(&self, lease: &Lease, seconds: u32) -> Result<bool, StoreError> {
        self.ledger.renew(lease, seconds).await
    }

    async fn sent(&self, lease: &Lease, request: SentRequest) -> Result<Leave, StoreError> {
        let sending = self.ledger.sent(lease, request);
        self.doom.around(Step::Sent, sending).await
    }

    async fn settle(
        &self,
        lease: &Lease,
        settlement: Settlement,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        let settling = self.ledger.settle(lease, settlement, entry);
        self.doom.around(Step::Settle, settling).await
    }

    async fn settle_by_hand(
        &self,
        tenant: &str,
        intent: &str,
        settlement: Settlement,
        entry: AuditEntry,
    ) -> Result<ByHand, StoreError> {
        let settling = self
            .ledger
            .settle_by_hand(tenant, intent, settlement, entry);
        settling.await
    }

    async fn spent(
        &self,
        tenant: &str,
        of: &[(String, String, i64)],
    ) -> Result<Vec<i64>, StoreError> {
        self.ledger.spent(tenant, of).await
    }

    async fn open_intents(&self) -> Result<Vec<Intent>, StoreError> {
        self.ledger.open_intents().await
    }

    async fn intents(&self, tenant: &str, of: &IntentFilter) -> Result<Vec<Intent>, StoreError> {
        self.ledger.intents(tenant, of).await
    }

    async fn history(
        &self,
        tenant: &str,
        intent: &str,
    ) -> Result<Option<IntentHistory>, StoreError> {
        self.ledger.history(tenant, intent).await
    }

    async fn now(&self) -> Result<i64, StoreError> {
        self.store.now().await
    }
}

#[async_trait]
impl KeyValues for Rigged {
    async fn value(
        &self,
        tenant: &str,
        plugin: &str,
        key: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.value(tenant, plugin, key).await
    }

    async fn keys(&self, tenant: &str, plugin: &str) -> Result<Vec<String>, StoreError> {
        self.store.keys(tenant, plugin).await
    }

    async fn stage(
        &self,
        lease: &Lease,
        plugin: &str,
        writes: Vec<KeyValueWrite>,
    ) -> Result<bool, StoreError> {
        self.store.stage(lease, plugin, writes).await
    }
}

#[async_trait]
impl Counters for Rigged {
    async fn draw(&self, tenant: &str, charges: Vec<Charge>) -> Result<Option<Charge>, StoreError> {
        self.store.draw(tenant, charges).await
    }

    async fn give_back(&self, tenant: &str, charges: Vec<Charge>) -> Result<(), StoreError> {
        self.store.give_back(tenant, charges).await
    }
}

#[async_trait]
impl Audit for Rigged {
    async fn record(&self, entry: AuditEntry) -> Result<(), StoreError> {
        let recording = self.store.record(entry);
        self.doom.around(Step::Record, recording).await
    }

    async fn record_decision(&self, entry: AuditEntry, input: String) -> Result<(), StoreError> {
        let recording = self.store.record_decision(entry, input);
        self.doom.around(Step::Record, recording).await
    }

    fn news(&self) -> broadcast::Receiver<CaseNews> {
        self.store.news()
    }

    async fn records(
        &self,
        case: Option<&str>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        self.store.records(case, limit).await
    }

    async fn verify(&self) -> Result<Result<(i64, String), AuditBreak>, StoreError> {
        self.store.verify().await
    }
}

#[async_trait]
impl Cases for Rigged {
    async fn case_of_session(&self, tenant: &str, session: &str) -> Result<Case, StoreError> {
        self.store.case_of_session(tenant, session).await
    }

    async fn reset_session(&self, tenant: &str, session: &str) -> Result<bool, StoreError> {
        self.store.reset_session(tenant, session).await
    }

    async fn case(&self, tenant: &str, id: &str) -> Result<Option<Case>, StoreError> {
        self.store.case(tenant, id).await
    }

    async fn identify(&self, case: &str, customer: &str, level: Level) -> Result<bool, StoreError> {
        self.store.identify(case, customer, level).await
    }

    async fn set_status(&self, case: &str, status: CaseStatus) -> Result<(), StoreError> {
        self.store.set_status(case, status).await
    }

    async fn establish(&self, case: &str, facts: Vec<(Entity, Fact)>) -> Result<(), StoreError> {
        self.store.establish(case, facts).await
    }

    async fn facts(&self, case: &str) -> Result<BTreeMap<Entity, Fact>, StoreError> {
        self.store.facts(case).await
    }

    async fn append(&self, case: &str, event: Event) -> Result<i64, StoreError> {
        self.store.append(case, event).await
    }

    async fn events(&self, case: &str) -> Result<Vec<StoredEvent>, StoreError> {
        self.store.events(case).await
    }
}

#[async_trait]
impl Consents for Rigged {
    async fn ask(&self, consent: PendingConsent) -> Result<PendingConsent, StoreError> {
        self.store.ask(consent).await
    }

    async fn consent(&self, tenant: &str, id: &str) -> Result<Option<PendingConsent>, StoreError> {
        self.store.consent(tenant, id).await
    }

    async fn pending(
        &self,
        tenant: &str,
        case: Option<&str>,
    ) -> Result<Vec<PendingConsent>, StoreError> {
        self.store.pending(tenant, case).await
    }

    async fn answer(&self, id: &str, answered: Answered) -> Result<bool, StoreError> {
        self.store.answer(id, answered).await
    }

    async fn unfinished(&self) -> Result<Vec<PendingConsent>, StoreError> {
        self.store.unfinished().await
    }

    async fn finish(&self, id: &str) -> Result<(), StoreError> {
        self.store.finish(id).await
    }
}
