//! The ledger that looks up and then resends: where the outcome is not known, it asks the backend at once. What is listed was
//! done; what is not listed is called failed, so that the next who asks sends it again, under another key. A refund that is
//! still on its way is then paid twice.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use dispatch::{
    AuditEntry, AuditKind, ByHand, Held, Holder, Intent, IntentFilter, IntentHistory, IntentState,
    Lease, Leave, Ledger, NewIntent, Reserved, SentRequest, Settlement, StoreError, ToolError,
};
use serde_json::{Value, json};
use store::SqliteStore;

use super::super::plugin;

/// The ledger that looks up and then resends.
pub(in super::super) struct LookUpThenResend {
    store: Arc<SqliteStore>,
    backend: SocketAddr,
}

impl LookUpThenResend {
    pub(in super::super) fn new(store: &Arc<SqliteStore>, backend: SocketAddr) -> Self {
        Self {
            store: Arc::clone(store),
            backend,
        }
    }

    /// How the intent stands after a look at the backend; none where it is called failed.
    async fn look_up(&self, intent: Intent) -> Result<Option<Intent>, StoreError> {
        let order = intent.arguments.get("order_id").and_then(Value::as_str);
        let Some(order) = order.filter(|_| intent.tool == plugin::REFUND) else {
            return Ok(Some(intent));
        };
        let Some(found) = plugin::listed(self.backend, order).await else {
            return Ok(Some(intent));
        };
        let me = Holder {
            name: "mutant".to_owned(),
            seconds: 30,
        };
        let Some(held) = self.store.take(&intent.id, &me).await? else {
            return Ok(Some(intent));
        };
        let settlement = found.map_or_else(not_found, Settlement::Done);
        let entry = entry(&intent);
        self.store.settle(&held.lease, settlement, entry).await?;
        self.store.intent(&intent.tenant, &intent.key).await
    }
}

fn not_found() -> Settlement {
    let message = "the backend does not list it".to_owned();
    Settlement::Failed(ToolError::NotFound { message })
}

fn entry(intent: &Intent) -> AuditEntry {
    AuditEntry {
        kind: AuditKind::Ledger,
        tenant: intent.tenant.clone(),
        case: Some(intent.case.clone()),
        actor: "mutant".to_owned(),
        tool: Some(intent.tool.clone()),
        detail: json!({ "intent": intent.id, "state": "looked up" }),
    }
}

#[async_trait]
impl Ledger for LookUpThenResend {
    async fn intent(&self, tenant: &str, key: &str) -> Result<Option<Intent>, StoreError> {
        match self.store.intent(tenant, key).await? {
            Some(intent) if intent.state == IntentState::Unknown => self.look_up(intent).await,
            known => Ok(known),
        }
    }

    async fn open_intents(&self) -> Result<Vec<Intent>, StoreError> {
        let mut open = vec![];
        for intent in self.store.open_intents().await? {
            if intent.state == IntentState::Reserved {
                open.push(intent);
            } else if let Some(intent) = self.look_up(intent).await?
                && intent.state != IntentState::Done
            {
                open.push(intent);
            }
        }
        Ok(open)
    }

    async fn reserve(
        &self,
        intent: NewIntent,
        by: &Holder,
        entry: AuditEntry,
    ) -> Result<Reserved, StoreError> {
        self.store.reserve(intent, by, entry).await
    }

    async fn take(&self, intent: &str, by: &Holder) -> Result<Option<Held>, StoreError> {
        self.store.take(intent, by).await
    }

    async fn renew(&self, lease: &Lease, seconds: u32) -> Result<bool, StoreError> {
        self.store.renew(lease, seconds).await
    }

    async fn sent(&self, lease: &Lease, request: SentRequest) -> Result<Leave, StoreError> {
        self.store.sent(lease, request).await
    }

    async fn settle(
        &self,
        lease: &Lease,
        settlement: Settlement,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        self.store.settle(lease, settlement, entry).await
    }

    async fn settle_by_hand(
        &self,
        tenant: &str,
        intent: &str,
        settlement: Settlement,
        entry: AuditEntry,
    ) -> Result<ByHand, StoreError> {
        let settling = self.store.settle_by_hand(tenant, intent, settlement, entry);
        settling.await
    }

    async fn spent(
        &self,
        tenant: &str,
        of: &[(String, String, i64)],
    ) -> Result<Vec<i64>, StoreError> {
        self.store.spent(tenant, of).await
    }

    async fn intents(&self, tenant: &str, of: &IntentFilter) -> Result<Vec<Intent>, StoreError> {
        self.store.intents(tenant, of).await
    }

    async fn history(
        &self,
        tenant: &str,
        intent: &str,
    ) -> Result<Option<IntentHistory>, StoreError> {
        self.store.history(tenant, intent).await
    }

    async fn now(&self) -> Result<i64, StoreError> {
        self.store.now().await
    }
}
