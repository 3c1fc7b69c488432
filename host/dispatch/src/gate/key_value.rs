//! Keys and values as a capability: scoped to tenant and plugin, and written only by a call that settles.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::call_gate::STOPPED;
use super::{CallGate, Gate};
use crate::{KeyValueError, KeyValueWrite, StoreError};

/// The code of every refusal past the limit of uses.
pub(super) const BUDGET: &str = "KEY_VALUE_BUDGET";
/// Bytes of a key at most.
const LONGEST_KEY: usize = 256;
/// Bytes of a value at most.
const LARGEST_VALUE: usize = 64 * 1024;
/// Bytes of all values that one invocation changes, at most: they are in memory until it settles, and one transaction then.
const MOST_BYTES: usize = 1024 * 1024;
/// Uses in one invocation at most.
const MOST_USES: u32 = 200;
/// Keys of one plugin at most.
const MOST_KEYS: usize = 10_000;
/// Keys on one page of a list.
const PAGE: usize = 100;

/// What one invocation has done with its keys.
#[derive(Default)]
pub(super) struct Memory {
    uses: u32,
    /// Changed and not settled; none is a key that it deleted.
    changed: BTreeMap<String, Option<Vec<u8>>>,
    /// All keys as the invocation would leave them, once it had to know: read from the store once, however often it asks.
    keys: Option<BTreeSet<String>>,
}

impl Memory {
    fn change(&mut self, key: &str, value: Option<Vec<u8>>) {
        match (&mut self.keys, &value) {
            (Some(keys), Some(_)) => {
                keys.insert(key.to_owned());
            }
            (Some(keys), None) => {
                keys.remove(key);
            }
            (None, _) => {}
        }
        self.changed.insert(key.to_owned(), value);
    }

    /// Bytes of the values that were changed, but for this key's.
    fn bytes_but(&self, key: &str) -> usize {
        let others = self.changed.iter().filter(|(other, _)| *other != key);
        others
            .filter_map(|(_, value)| value.as_ref())
            .map(Vec::len)
            .sum()
    }
}

impl CallGate {
    /// What the invocation changed, in the order of the keys.
    pub(crate) fn key_value_writes(&self) -> Vec<KeyValueWrite> {
        let changed = self.trace().memory.changed.clone();
        changed
            .into_iter()
            .map(|(key, value)| KeyValueWrite { key, value })
            .collect()
    }

    /// The plugin's name, under which its keys are kept.
    pub(crate) fn plugin(&self) -> &str {
        &self.tool.spec().plugin
    }

    pub(super) async fn value_of(&self, key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        self.use_key("get", Some(key), false).await?;
        if let Some(changed) = self.trace().memory.changed.get(key) {
            return Ok(changed.clone());
        }
        let store = &self.parts.store;
        let value = store.value(&self.call.tenant, self.plugin(), key).await;
        value.map_err(|error| unavailable(&error))
    }

    pub(super) async fn change(
        &self,
        key: &str,
        value: Option<Vec<u8>>,
    ) -> Result<(), KeyValueError> {
        let name = if value.is_some() { "set" } else { "delete" };
        self.use_key(name, Some(key), true).await?;
        if let Some(value) = &value {
            let bytes = value.len();
            if bytes > LARGEST_VALUE {
                let message = format!("a value has at most {LARGEST_VALUE} bytes, not {bytes}");
                return Err(KeyValueError::Limit(message));
            }
            if self.trace().memory.bytes_but(key).saturating_add(bytes) > MOST_BYTES {
                let message = format!("a call changes at most {MOST_BYTES} bytes of values");
                return Err(KeyValueError::Limit(message));
            }
            let is_one_too_many =
                |keys: &BTreeSet<String>| !keys.contains(key) && keys.len() >= MOST_KEYS;
            if self.of_all_keys(is_one_too_many).await? {
                let message = format!("a plugin has at most {MOST_KEYS} keys");
                return Err(KeyValueError::Limit(message));
            }
        }
        self.trace().memory.change(key, value);
        Ok(())
    }

    /// One page of the keys, and where the next one starts.
    pub(super) async fn page_of_keys(
        &self,
        from: u64,
    ) -> Result<(Vec<String>, Option<u64>), KeyValueError> {
        self.use_key("list-keys", None, false).await?;
        let start = usize::try_from(from).unwrap_or(usize::MAX);
        self.of_all_keys(|keys| {
            let page: Vec<String> = keys.iter().skip(start).take(PAGE).cloned().collect();
            let end = start.saturating_add(page.len());
            let next = (end < keys.len()).then(|| u64::try_from(end).unwrap_or(u64::MAX));
            (page, next)
        })
        .await
    }

    async fn of_all_keys<T>(
        &self,
        look: impl FnOnce(&BTreeSet<String>) -> T,
    ) -> Result<T, KeyValueError> {
        if let Some(keys) = &self.trace().memory.keys {
            return Ok(look(keys));
        }
        let store = &self.parts.store;
        let settled = store.keys(&self.call.tenant, self.plugin()).await;
        let settled = settled.map_err(|error| unavailable(&error))?;
        let mut keys = BTreeSet::from_iter(settled);
        let memory = &mut self.trace().memory;
        for (key, value) in &memory.changed {
            match value {
                Some(_) => keys.insert(key.clone()),
                None => keys.remove(key),
            };
        }
        Ok(look(memory.keys.insert(keys)))
    }

    /// Decides one use, and records what was decided; of those past the limit, the first.
    async fn use_key(
        &self,
        operation: &str,
        key: Option<&str>,
        writes: bool,
    ) -> Result<(), KeyValueError> {
        let uses = self.count_use();
        let refusal = self.refuse_use(uses, key, writes);
        if uses > MOST_USES + 1
            && let Some((_, error)) = refusal
        {
            self.excess.uses_of_keys.one_more();
            return Err(error);
        }
        let detail = json!({
            "capability": "keyvalue",
            "operation": operation,
            "key": key.map(|key| self.scrub(&key.chars().take(LONGEST_KEY).collect::<String>())),
            "decision": if refusal.is_some() { "deny" } else { "allow" },
            "code": refusal.as_ref().map(|(code, _)| code),
            "rules": ["gate"],
            "intent": self.lease.as_ref().map(|lease| &lease.intent),
        });
        let recorded = self.record(detail).await;
        recorded.map_err(|error| unavailable(&error))?;
        refusal.map_or(Ok(()), |(_, error)| Err(error))
    }

    fn count_use(&self) -> u32 {
        let memory = &mut self.trace().memory;
        memory.uses = memory.uses.saturating_add(1);
        memory.uses
    }

    fn refuse_use(
        &self,
        uses: u32,
        key: Option<&str>,
        writes: bool,
    ) -> Option<(&'static str, KeyValueError)> {
        if self.tool.is_stopped() {
            let message = "an operator has stopped this plugin".to_owned();
            return Some((STOPPED, KeyValueError::Denied(message)));
        }
        if uses > MOST_USES {
            let message = format!("a call has at most {MOST_USES} uses of its keys");
            return Some((BUDGET, KeyValueError::Limit(message)));
        }
        if writes && self.lease.is_none() {
            let message = "a tool that reads changes nothing".to_owned();
            return Some(("READ_CANNOT_WRITE", KeyValueError::Denied(message)));
        }
        let fits = |key: &str| {
            (1..=LONGEST_KEY).contains(&key.len()) && !key.chars().any(char::is_control)
        };
        if key.is_some_and(|key| !fits(key)) {
            let message = format!("a key has 1 to {LONGEST_KEY} bytes, and no control characters");
            return Some(("KEY_INVALID", KeyValueError::Limit(message)));
        }
        None
    }
}

fn unavailable(error: &StoreError) -> KeyValueError {
    tracing::error!(%error, "the store failed under a plugin's keys");
    KeyValueError::Unavailable
}
