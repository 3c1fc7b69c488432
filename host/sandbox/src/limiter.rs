//! Memory and table limits of one call, and what all calls of its tenant hold; they also remember what was reached.

use std::sync::Arc;

use wasmtime::{ResourceLimiter, Result};

use crate::Limits;
use crate::share::Account;

pub(crate) struct Limiter {
    memory_bytes: usize,
    table_elements: usize,
    instances: usize,
    account: Arc<Account>,
    /// Bytes of all memories of the call.
    held: usize,
    /// Those of them that are only asked for.
    growing: usize,
    /// What was refused, for the error that the plugin's failure becomes.
    pub(crate) passed: Option<String>,
    /// Likewise, where other calls of the tenant have it.
    pub(crate) crowded: Option<String>,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits, account: Arc<Account>) -> Self {
        Self {
            memory_bytes: limits.memory_bytes,
            table_elements: limits.table_elements,
            instances: limits.instances,
            account,
            held: 0,
            growing: 0,
            passed: None,
            crowded: None,
        }
    }

    fn allow(&mut self, desired: usize, limit: usize, what: &str) -> bool {
        if desired > limit {
            self.passed = Some(format!("{what}: {limit} at most, {desired} asked for"));
        }
        desired <= limit
    }

    fn give_back(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
        self.account.release_memory(bytes);
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, now: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let more = desired.saturating_sub(now);
        self.growing = 0;
        if !self.allow(
            self.held.saturating_add(more),
            self.memory_bytes,
            "bytes of memory",
        ) {
            return Ok(false);
        }
        if let Err(told) = self.account.take_memory(more) {
            self.crowded = Some(told);
            return Ok(false);
        }
        self.held = self.held.saturating_add(more);
        self.growing = more;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> Result<()> {
        let growing = std::mem::take(&mut self.growing);
        self.give_back(growing);
        Ok(())
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(self.allow(desired, self.table_elements, "table elements"))
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        self.instances
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.give_back(self.held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Capacity;
    use crate::share::{Accounts, Share};

    const MIB: usize = 1 << 20;

    #[test]
    fn all_memories_of_all_calls_of_a_tenant_count() {
        let accounts = Accounts::new(&Capacity::default());
        let share = Share {
            memory_bytes: 3 << 20,
            ..Share::default()
        };
        accounts.set("acme", share);
        let limits = Limits {
            memory_bytes: 2 * MIB,
            ..Limits::default()
        };
        let limiter = |tenant| Limiter::new(&limits, accounts.of(tenant));
        let mut first = limiter("acme");
        assert!(first.memory_growing(0, MIB, None).unwrap());
        assert!(first.memory_growing(0, MIB, None).unwrap());
        assert!(!first.memory_growing(MIB, MIB + 1, None).unwrap());
        assert!(first.passed.is_some() && first.crowded.is_none());

        let mut second = limiter("acme");
        assert!(second.memory_growing(0, MIB, None).unwrap());
        assert!(!second.memory_growing(MIB, MIB + 1, None).unwrap());
        let told = second.crowded.take().unwrap();
        assert!(told.contains("acme") && second.passed.is_none(), "{told}");
        assert!(limiter("other").memory_growing(0, 2 * MIB, None).unwrap());

        drop(first);
        assert!(second.memory_growing(MIB, 2 * MIB, None).unwrap());
        // What was allowed and not to be had counts no more.
        second
            .memory_grow_failed(wasmtime::Error::msg("no"))
            .unwrap();
        assert!(limiter("acme").memory_growing(0, 2 * MIB, None).unwrap());
    }
}
