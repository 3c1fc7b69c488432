//! A tenant's share of the machine, and what of it is used: places for calls, computing time, and bytes over the network.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use dispatch::InvokeError;
use serde::{Deserialize, Serialize};

use crate::Capacity;
use crate::bucket::Bucket;
use crate::places::{Place, Places, Seat};

/// What one tenant's plugins may use together. Past its places a call waits, and is then told whose places they are; past its
/// time or its bytes a call is slowed down, up to its deadline. The defaults suit a machine with two cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Share {
    /// Calls that run at a time. Where others run too, it may be fewer: see [`Capacity::calls`].
    pub calls: u32,
    /// Milliseconds of computing in each second: 1,000 is one core. What is left over keeps for one second.
    pub cpu_ms_per_second: u32,
    /// Bytes that requests and their answers may have in each second, heads included. What is left over keeps for one second.
    pub egress_bytes_per_second: u64,
}

impl Default for Share {
    fn default() -> Self {
        Self {
            calls: 96,
            cpu_ms_per_second: 1_000,
            egress_bytes_per_second: 16 << 20,
        }
    }
}

/// What one tenant has used of its share.
pub(crate) struct Account {
    tenant: String,
    seat: Seat,
    /// In nanoseconds.
    cpu: Bucket,
    /// In bytes.
    egress: Bucket,
}

impl Account {
    /// Takes computing time, and says how long to stand back for it.
    pub(crate) fn computed(&self, time: Duration) -> Duration {
        self.cpu
            .take(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Takes bytes, and says how long to stand back for them.
    pub(crate) fn transferred(&self, bytes: usize) -> Duration {
        self.egress.take(u64::try_from(bytes).unwrap_or(u64::MAX))
    }

    fn set(&self, share: Share) {
        self.cpu
            .refill(u64::from(share.cpu_ms_per_second) * 1_000_000);
        self.egress.refill(share.egress_bytes_per_second);
    }
}

/// Every tenant's account.
pub(crate) struct Accounts {
    places: Arc<Places>,
    wait: Duration,
    known: RwLock<HashMap<String, Arc<Account>>>,
}

impl Accounts {
    pub(crate) fn new(capacity: &Capacity) -> Self {
        Self {
            places: Places::new(capacity.calls, capacity.waiting),
            wait: Duration::from_millis(capacity.wait_ms),
            known: RwLock::default(),
        }
    }

    /// The tenant's account; with the default share where none was set.
    pub(crate) fn of(&self, tenant: &str) -> Arc<Account> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = known.get(tenant) {
            return account.clone();
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let open = || Arc::new(self.open(tenant, Share::default()));
        known.entry(tenant.to_owned()).or_insert_with(open).clone()
    }

    /// Calls that run keep what they have; everything from now on goes by the new share.
    pub(crate) fn set(&self, tenant: &str, share: Share) {
        let account = self.of(tenant);
        account.set(share);
        self.places.set_most(account.seat, share.calls);
    }

    /// A place among the calls that run; waits a little for one.
    pub(crate) async fn admit(&self, account: &Account) -> Result<Place, InvokeError> {
        let admitted = self.places.take(account.seat, self.wait).await;
        admitted.map_err(|full| InvokeError::Busy(full.told(&account.tenant)))
    }

    fn open(&self, tenant: &str, share: Share) -> Account {
        let account = Account {
            tenant: tenant.to_owned(),
            seat: self.places.seat(share.calls),
            cpu: Bucket::default(),
            egress: Bucket::default(),
        };
        account.set(share);
        account
    }
}
