//! A tenant's share of the machine, and what of it is used: places for calls, computing time, memory, and bytes over the network.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use dispatch::InvokeError;
use serde::{Deserialize, Serialize};

use crate::Capacity;
use crate::bucket::Bucket;
use crate::lane;
use crate::places::{Place, Places, Seat};
use crate::turns::{Turn, Turns};

/// What one tenant's plugins may use together. Past its places a call waits, and is then told whose places they are; past its
/// memory it is told so at once; past its time or its bytes it is slowed down, up to its deadline. The defaults suit a machine with two cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Share {
    /// Calls that run at a time. Where others run too, it may be fewer: see [`Capacity::calls`].
    pub calls: u32,
    /// Milliseconds of computing in each second: 1,000 is one core. What is left over keeps for one second.
    pub cpu_ms_per_second: u32,
    /// Bytes that requests and their answers may have in each second, heads included. What is left over keeps for one second.
    pub egress_bytes_per_second: u64,
    /// Bytes that the memories of all calls that run may have together.
    pub memory_bytes: usize,
}

impl Default for Share {
    fn default() -> Self {
        Self {
            calls: 96,
            cpu_ms_per_second: 1_000,
            egress_bytes_per_second: 16 << 20,
            memory_bytes: 2 << 30,
        }
    }
}

/// What one tenant has used of its share.
pub(crate) struct Account {
    tenant: String,
    seat: Seat,
    /// Of its calls that compute long.
    turns: Arc<Turns>,
    /// In nanoseconds.
    cpu: Bucket,
    /// In bytes.
    egress: Bucket,
    /// Bytes of memory that calls hold now, and how many they may.
    memory: AtomicUsize,
    most_memory: AtomicUsize,
}

impl Account {
    /// Whose it is.
    pub(crate) fn tenant(&self) -> &str {
        &self.tenant
    }

    /// A place in the line of its calls that compute long.
    pub(crate) fn turn(&self) -> Turn {
        Turn::of(self.turns.clone())
    }

    /// Takes computing time, and says how long to stand back for it.
    pub(crate) fn computed(&self, time: Duration) -> Duration {
        self.cpu
            .take(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Takes bytes, and says how long to stand back for them.
    pub(crate) fn transferred(&self, bytes: usize) -> Duration {
        self.egress.take(u64::try_from(bytes).unwrap_or(u64::MAX))
    }

    /// Takes memory; says whose it is where there is no more.
    pub(crate) fn take_memory(&self, bytes: usize) -> Result<(), String> {
        let most = self.most_memory.load(Ordering::Relaxed);
        let taken = |held: usize| held.checked_add(bytes).filter(|held| *held <= most);
        let ordering = Ordering::Relaxed;
        let took = self.memory.fetch_update(ordering, ordering, taken);
        took.map(drop).map_err(|held| {
            format!(
                "calls of tenant {} that run have {held} bytes of memory, and its share is {most}",
                self.tenant
            )
        })
    }

    /// Gives it back.
    pub(crate) fn release_memory(&self, bytes: usize) {
        self.memory.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn set(&self, share: Share) {
        self.most_memory
            .store(share.memory_bytes, Ordering::Relaxed);
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
            turns: Turns::new(lane::turns()),
            cpu: Bucket::default(),
            egress: Bucket::default(),
            memory: AtomicUsize::default(),
            most_memory: AtomicUsize::default(),
        };
        account.set(share);
        account
    }
}
