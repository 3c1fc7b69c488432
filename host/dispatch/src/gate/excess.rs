//! Refusals past a limit: the first is decided and recorded like any other, the rest is counted, and the end of the call says how
//! many they were. A plugin that asks in a loop would else fill the log, and the one queue of all tenants to it.

use std::sync::atomic::{AtomicU64, Ordering};

use policy::Refusal;
use serde_json::{Value, json};

use super::CallGate;

/// What was refused past a limit of one invocation, and is on record nowhere else.
#[derive(Default)]
pub(super) struct Excess {
    pub(super) requests: Count,
    pub(super) uses_of_keys: Count,
    pub(super) completions: Count,
}

#[derive(Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn so_far(&self) -> Option<u64> {
        let count = self.0.load(Ordering::Relaxed);
        (count > 0).then_some(count)
    }
}

impl CallGate {
    /// The invocation is over: records how much more of each capability was refused. What cannot be recorded is no reason to
    /// lose what the call has done.
    pub(crate) async fn close(&self) {
        let excess = &self.excess;
        if let Some(more) = excess.requests.so_far() {
            let last = self.trace().shut.clone();
            let (code, rules) = last.map_or_else(Default::default, of_requests);
            self.record_more("http", &code, json!(rules), more).await;
        }
        let others = [
            ("keyvalue", super::key_value::BUDGET, &excess.uses_of_keys),
            ("model", super::model::BUDGET, &excess.completions),
        ];
        for (capability, code, count) in others {
            if let Some(more) = count.so_far() {
                self.record_more(capability, code, json!(["gate"]), more)
                    .await;
            }
        }
    }

    async fn record_more(&self, capability: &str, code: &str, rules: Value, more: u64) {
        let detail = json!({
            "capability": capability,
            "decision": "deny",
            "code": code,
            "rules": rules,
            "refused_more": more,
            "intent": self.lease.as_ref().map(|lease| &lease.intent),
        });
        if let Err(error) = self.record(detail).await {
            tracing::error!(%error, capability, more, "what was refused past a limit is not on record");
        }
    }
}

fn of_requests(refusal: Refusal) -> (String, Vec<String>) {
    (refusal.code, refusal.rules)
}
