//! The port to the ledger: one row per business intent, durable before any effect.

mod by_hand;
mod intent;
mod lease;

use async_trait::async_trait;

use crate::{AuditEntry, StoreError};

pub use by_hand::{Word, settle_on_word};
pub use intent::{
    Charge, Intent, IntentFilter, IntentHistory, IntentState, NewIntent, Reserved, SentRequest,
    Settlement,
};
pub use lease::{ByHand, Held, Holder, Lease, Leave};

/// The ledger. Whatever changes an intent is one transaction with its audit entry, and asks for the lease in that transaction.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// The live intent (neither failed nor replaced) under a key.
    async fn intent(&self, tenant: &str, key: &str) -> Result<Option<Intent>, StoreError>;

    /// Takes the key and makes the charges, atomically, if the key is free and every budget has room; `entry` is recorded with
    /// it. Every reader sees it at once; it is durable no later than what the same caller writes next, so before any request
    /// leaves.
    async fn reserve(
        &self,
        intent: NewIntent,
        by: &Holder,
        entry: AuditEntry,
    ) -> Result<Reserved, StoreError>;

    /// Takes an open intent that nobody else holds; none where somebody does, or where it has ended.
    async fn take(&self, intent: &str, by: &Holder) -> Result<Option<Held>, StoreError>;

    /// Holds on for so many seconds from now; false where the lease is void.
    async fn renew(&self, lease: &Lease, seconds: u32) -> Result<bool, StoreError>;

    /// Records an unsafe request durably and moves the intent to `Sent`, under a valid lease only. Of an ordinal that was
    /// recorded before, the earlier record comes back and stays.
    async fn sent(&self, lease: &Lease, request: SentRequest) -> Result<Leave, StoreError>;

    /// Ends the intent, or notes that its end is not known, and gives the lease back. False where the lease is void: then
    /// nothing has changed, and `entry` is not recorded. An unknown end stays as old as it is.
    async fn settle(
        &self,
        lease: &Lease,
        settlement: Settlement,
        entry: AuditEntry,
    ) -> Result<bool, StoreError>;

    /// Ends an open intent that no process runs, on a person's word. A process that wakes up late finds its lease void.
    async fn settle_by_hand(
        &self,
        tenant: &str,
        intent: &str,
        settlement: Settlement,
        entry: AuditEntry,
    ) -> Result<ByHand, StoreError>;

    /// What is spent and reserved: one sum per (budget, subject, window start), in the order asked.
    async fn spent(
        &self,
        tenant: &str,
        of: &[(String, String, i64)],
    ) -> Result<Vec<i64>, StoreError>;

    /// Every intent whose end is open, oldest first.
    async fn open_intents(&self) -> Result<Vec<Intent>, StoreError>;

    /// A tenant's intents, newest first.
    async fn intents(&self, tenant: &str, of: &IntentFilter) -> Result<Vec<Intent>, StoreError>;

    /// All that is known of one intent.
    async fn history(
        &self,
        tenant: &str,
        intent: &str,
    ) -> Result<Option<IntentHistory>, StoreError>;

    /// Unix seconds by the store's clock.
    async fn now(&self) -> Result<i64, StoreError>;
}
