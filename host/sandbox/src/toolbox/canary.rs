//! A version on trial: a share of the cases uses it, and it ends by itself when it does worse than the version it is to replace.

mod noted;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use dispatch::{Gate, InvokeError, Tolerance, Tool, ToolSpec, Violation};
use policy::Permit;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::sync::broadcast;

use crate::Plugin;
use noted::Noted;

/// A version to be tried.
#[derive(Clone)]
pub struct Canary {
    /// The version, which takes the place of the tenant's plugin of the same name.
    pub plugin: Arc<Plugin>,
    /// Cases of a thousand that use it. A case that uses it goes on doing so while the share grows.
    pub per_mille: u16,
    /// How much worse it may do.
    pub tolerance: Tolerance,
}

/// A trial that ended by itself; nobody uses the version any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanaryEnded {
    /// Whose.
    pub tenant: String,
    /// The plugin's name.
    pub plugin: String,
    /// sha256 (hex) of the version on trial.
    pub digest: String,
    /// The terms that it did not meet: the version may be on trial again by now, on others.
    pub per_mille: u16,
    /// The same.
    pub tolerance: Tolerance,
    /// `6 of 20 calls trapped, against 0 of 180`.
    pub reason: String,
}

/// How the calls of one side went.
#[derive(Debug, Default)]
struct Tally {
    calls: AtomicU64,
    traps: AtomicU64,
    errors: AtomicU64,
    denials: AtomicU64,
}

impl Tally {
    /// `refused`: the gate refused it something, whatever it made of that.
    fn count(&self, outcome: Result<&Value, &InvokeError>, refused: bool) {
        match outcome {
            // No place was free, or nobody waited for the end: that says nothing about the version.
            Err(InvokeError::Busy(_) | InvokeError::Abandoned) => return,
            Err(InvokeError::Trapped(_) | InvokeError::Deadline(_) | InvokeError::Limit(_)) => {
                self.traps.fetch_add(1, Ordering::Relaxed);
            }
            Err(InvokeError::Refused(_)) => _ = self.denials.fetch_add(1, Ordering::Relaxed),
            _ if refused => _ = self.denials.fetch_add(1, Ordering::Relaxed),
            Err(InvokeError::Tool(_)) => _ = self.errors.fetch_add(1, Ordering::Relaxed),
            Ok(_) => {}
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
    }
}

/// What is counted in a trial, however often the tenant's other plugins change meanwhile.
#[derive(Debug, Default)]
struct Tallies {
    tried: Tally,
    beside: Tally,
    ended: AtomicBool,
}

/// A trial under way.
pub(super) struct Trial {
    tenant: String,
    canary: Canary,
    tallies: Arc<Tallies>,
    tell: broadcast::Sender<CanaryEnded>,
}

impl Trial {
    pub(super) fn new(
        tenant: &str,
        canary: Canary,
        tell: broadcast::Sender<CanaryEnded>,
        before: Option<&Self>,
    ) -> Arc<Self> {
        let before = before.filter(|before| before.is_of(&canary));
        Arc::new(Self {
            tenant: tenant.to_owned(),
            tallies: before
                .map(|before| Arc::clone(&before.tallies))
                .unwrap_or_default(),
            canary,
            tell,
        })
    }

    /// The same trial: of the same version, on the same terms. Others begin to count anew.
    fn is_of(&self, canary: &Canary) -> bool {
        let own = &self.canary;
        own.plugin.digest() == canary.plugin.digest()
            && own.plugin.name() == canary.plugin.name()
            && own.per_mille == canary.per_mille
            && own.tolerance == canary.tolerance
    }

    pub(super) fn plugin(&self) -> &Arc<Plugin> {
        &self.canary.plugin
    }

    /// Whether it has not ended by itself.
    pub(super) fn is_under_way(&self) -> bool {
        !self.tallies.ended.load(Ordering::Acquire)
    }

    /// Whether this case is in the share. The same digest and case give the same answer in every process.
    pub(super) fn includes(&self, case: &str) -> bool {
        if !self.is_under_way() {
            return false;
        }
        let hash = Sha256::new()
            .chain_update(self.canary.plugin.digest())
            .chain_update(case)
            .finalize();
        let drawn = hash
            .iter()
            .take(8)
            .fold(0_u64, |drawn, byte| drawn << 8 | u64::from(*byte));
        drawn % 1000 < u64::from(self.canary.per_mille)
    }

    /// The tool, its calls counted for the version on trial, or for the one beside it.
    pub(super) fn counted(self: &Arc<Self>, tool: &Arc<dyn Tool>, tried: bool) -> Arc<dyn Tool> {
        Arc::new(Counted {
            tool: Arc::clone(tool),
            trial: Arc::clone(self),
            tried,
        })
    }

    fn count(&self, tried: bool, outcome: Result<&Value, &InvokeError>, refused: bool) {
        let side = if tried {
            &self.tallies.tried
        } else {
            &self.tallies.beside
        };
        side.count(outcome, refused);
        if let Some(reason) = self.too_bad()
            && !self.tallies.ended.swap(true, Ordering::AcqRel)
        {
            let told = CanaryEnded {
                tenant: self.tenant.clone(),
                plugin: self.canary.plugin.name().to_owned(),
                digest: self.canary.plugin.digest().to_owned(),
                per_mille: self.canary.per_mille,
                tolerance: self.canary.tolerance,
                reason,
            };
            // Without a listener it has ended all the same.
            let _ = self.tell.send(told);
        }
    }

    /// Why it should end, if it should.
    fn too_bad(&self) -> Option<String> {
        let tolerance = &self.canary.tolerance;
        let calls = self.tallies.tried.calls.load(Ordering::Relaxed);
        if calls < tolerance.min_calls.max(1) {
            return None;
        }
        let beside = self.tallies.beside.calls.load(Ordering::Relaxed);
        let kinds = [
            (
                "trapped or passed a limit",
                &self.tallies.tried.traps,
                &self.tallies.beside.traps,
                tolerance.traps_per_mille,
            ),
            (
                "ended in an error",
                &self.tallies.tried.errors,
                &self.tallies.beside.errors,
                tolerance.errors_per_mille,
            ),
            (
                "were refused a capability",
                &self.tallies.tried.denials,
                &self.tallies.beside.denials,
                tolerance.denials_per_mille,
            ),
        ];
        kinds.into_iter().find_map(|(what, tried, usual, allowed)| {
            let (tried, usual) = (tried.load(Ordering::Relaxed), usual.load(Ordering::Relaxed));
            let excess = share(tried, calls).saturating_sub(share(usual, beside));
            (excess > allowed)
                .then(|| format!("{tried} of {calls} calls {what}, against {usual} of {beside}"))
        })
    }
}

fn share(part: u64, whole: u64) -> u64 {
    // Other calls end while this is read: of more than all of them there is no share.
    let part = part.min(whole);
    part.saturating_mul(1000).checked_div(whole).unwrap_or(0)
}

/// A tool of either side of a trial.
struct Counted {
    tool: Arc<dyn Tool>,
    trial: Arc<Trial>,
    tried: bool,
}

#[async_trait]
impl Tool for Counted {
    fn spec(&self) -> &ToolSpec {
        self.tool.spec()
    }

    fn check(&self, arguments: &Value) -> Result<Map<String, Value>, Vec<Violation>> {
        self.tool.check(arguments)
    }

    fn is_stopped(&self) -> bool {
        self.tool.is_stopped()
    }

    async fn invoke(&self, permit: Permit, gate: Arc<dyn Gate>) -> Result<Value, InvokeError> {
        let gate = Arc::new(Noted::new(gate));
        let outcome = self.tool.invoke(permit, Arc::clone(&gate) as _).await;
        let refused = gate.has_refused();
        self.trial.count(self.tried, outcome.as_ref(), refused);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn a_share_is_at_most_all() {
        assert_eq!([share(0, 0), share(1, 3), share(31, 30)], [0, 333, 1000]);
    }
}
