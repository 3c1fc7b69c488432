//! Keys and values as a capability: scoped to tenant and plugin, and written only by a call that settles.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::call_gate::STOPPED;
use super::{CallGate, Gate};
use crate::{KeyValueError, KeyValueWrite, StoreError};

/// Bytes of a key at most.
const LONGEST_KEY: usize = 256;
/// Bytes of a value at most.
const LARGEST_VALUE: usize = 64 * 1024;
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
            let keys = self.all_keys().await?;
            if !keys.contains(key) && keys.len() >= MOST_KEYS {
                let message = format!("a plugin has at most {MOST_KEYS} keys");
                return Err(KeyValueError::Limit(message));
            }
        }
        self.trace().memory.changed.insert(key.to_owned(), value);
        Ok(())
    }

    /// One page of the keys, and where the next one starts.
    pub(super) async fn page_of_keys(
        &self,
        from: u64,
    ) -> Result<(Vec<String>, Option<u64>), KeyValueError> {
        self.use_key("list-keys", None, false).await?;
        let keys = self.all_keys().await?;
        let start = usize::try_from(from).unwrap_or(usize::MAX);
        let page: Vec<String> = keys.iter().skip(start).take(PAGE).cloned().collect();
        let end = start.saturating_add(page.len());
        let next = (end < keys.len()).then(|| u64::try_from(end).unwrap_or(u64::MAX));
        Ok((page, next))
    }

    async fn all_keys(&self) -> Result<BTreeSet<String>, KeyValueError> {
        let store = &self.parts.store;
        let settled = store.keys(&self.call.tenant, self.plugin()).await;
        let settled = settled.map_err(|error| unavailable(&error))?;
        let mut keys = BTreeSet::from_iter(settled);
        for (key, value) in &self.trace().memory.changed {
            match value {
                Some(_) => keys.insert(key.clone()),
                None => keys.remove(key),
            };
        }
        Ok(keys)
    }

    /// Decides one use, and records what was decided.
    async fn use_key(
        &self,
        operation: &str,
        key: Option<&str>,
        writes: bool,
    ) -> Result<(), KeyValueError> {
        let refusal = self.refuse_use(key, writes);
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

    fn refuse_use(&self, key: Option<&str>, writes: bool) -> Option<(&'static str, KeyValueError)> {
        let uses = {
            let memory = &mut self.trace().memory;
            memory.uses = memory.uses.saturating_add(1);
            memory.uses
        };
        if self.tool.is_stopped() {
            let message = "an operator has stopped this plugin".to_owned();
            return Some((STOPPED, KeyValueError::Denied(message)));
        }
        if uses > MOST_USES {
            let message = format!("a call has at most {MOST_USES} uses of its keys");
            return Some(("KEY_VALUE_BUDGET", KeyValueError::Limit(message)));
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
