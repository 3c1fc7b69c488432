//! The ledger switched off: every intent is new, and nothing is remembered of any.

use async_trait::async_trait;
use dispatch::{
    AuditEntry, ByHand, Held, Holder, Intent, IntentFilter, IntentHistory, Lease, Leave, Ledger,
    NewIntent, Reserved, SentRequest, Settlement, StoreError,
};

/// The ledger switched off.
pub(in super::super) struct Off;

#[async_trait]
impl Ledger for Off {
    async fn intent(&self, _: &str, _: &str) -> Result<Option<Intent>, StoreError> {
        Ok(None)
    }

    async fn reserve(
        &self,
        intent: NewIntent,
        _: &Holder,
        _: AuditEntry,
    ) -> Result<Reserved, StoreError> {
        let intent = intent.id;
        Ok(Reserved::New(Lease { intent, epoch: 1 }))
    }

    async fn take(&self, _: &str, _: &Holder) -> Result<Option<Held>, StoreError> {
        Ok(None)
    }

    async fn renew(&self, _: &Lease, _: u32) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn sent(&self, _: &Lease, _: SentRequest) -> Result<Leave, StoreError> {
        Ok(Leave::First)
    }

    async fn settle(&self, _: &Lease, _: Settlement, _: AuditEntry) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn settle_by_hand(
        &self,
        _: &str,
        _: &str,
        _: Settlement,
        _: AuditEntry,
    ) -> Result<ByHand, StoreError> {
        Ok(ByHand::Missing)
    }

    async fn spent(&self, _: &str, of: &[(String, String, i64)]) -> Result<Vec<i64>, StoreError> {
        Ok(vec![0; of.len()])
    }

    async fn open_intents(&self) -> Result<Vec<Intent>, StoreError> {
        Ok(vec![])
    }

    async fn intents(&self, _: &str, _: &IntentFilter) -> Result<Vec<Intent>, StoreError> {
        Ok(vec![])
    }

    async fn history(&self, _: &str, _: &str) -> Result<Option<IntentHistory>, StoreError> {
        Ok(None)
    }

    async fn now(&self) -> Result<i64, StoreError> {
        let message = "the victim's store has the clock".to_owned();
        Err(StoreError::Unavailable(message))
    }
}
