//! Shadow: a version that is not live replays the calls that were recorded. Nothing leaves the host: whatever it asks for is
//! answered from the recording, or not at all.

mod call;
mod compare;
mod exchange;
mod moment;
mod recordings;
mod replay;
mod report;
mod tape;

use std::sync::Arc;
use std::time::Duration;

use dispatch::{InvokeError, Violation};
use serde_json::{Map, Value};
use tokio::time::Instant;
use wasmtime::component::Val;

use crate::invocation::Invocation;
use crate::invoke::Function;
use crate::reach::Reach;
use crate::share::Account;
use crate::{Plugin, Toolbox};
use call::Ended;
use compare::shortened;
use replay::Played;

pub(crate) use call::RecordedCall;
pub(crate) use exchange::{Answered, Asked, Recordable};
pub(crate) use moment::Source;
pub(crate) use recordings::Recordings;
pub(crate) use replay::Replay;
pub use report::{
    CallDifference, CapabilityDifference, Change, Changes, Difference, Recorded, Shadow, ToolShadow,
};
pub(crate) use tape::Tape;

/// How long replays are begun. Each of them has its own deadline, as a call has.
const LONGEST: Duration = Duration::from_mins(1);

/// How one replay ended.
enum Replayed {
    /// The version cannot take the call.
    Unfit(String),
    /// There was no place for it, or no time.
    Skipped,
    /// It ran.
    Ran(Ended, Played),
}

impl Toolbox {
    /// Lets a loaded version of a plugin run the tenant's last calls of the plugin of its name, one after the other, and says what
    /// it does otherwise than the versions that ran them. It needs no permit, for it reaches nothing: no gate, no connection, no
    /// key and no model, only what was recorded. So it may be one that is stopped. It takes a place of the tenant's and computes on
    /// its account; after a minute no further call is begun. Its clock shows what the recorded
    /// call's showed, and its random numbers come from the same seed.
    pub async fn shadow(&self, tenant: &str, candidate: &Arc<Plugin>) -> Shadow {
        let recording = self.runtime.recordings.of(tenant, candidate.name());
        let account = self.runtime.accounts.of(tenant);
        let mut shadow = Shadow {
            plugin: candidate.name().to_owned(),
            version: candidate.version().to_owned(),
            digest: candidate.digest().to_owned(),
            recorded: Recorded {
                calls: recording.calls.len(),
                too_long: recording.too_long,
                cut_short: recording.cut_short,
            },
            ..Shadow::default()
        };
        let end = Instant::now() + LONGEST;
        for call in &recording.calls {
            let replayed = if Instant::now() < end {
                replay(call, candidate, &account).await
            } else {
                Replayed::Skipped
            };
            shadow.count(call, replayed);
        }
        shadow
    }
}

impl Shadow {
    fn count(&mut self, call: &RecordedCall, replayed: Replayed) {
        let tool = self.tools.entry(call.tool.clone()).or_default();
        let mut difference = CallDifference {
            tool: call.tool.clone(),
            arguments: shortened(&call.arguments),
            recorded: call.digest.clone(),
            unfit: None,
            result: Changes::default(),
            capabilities: Vec::new(),
            more_capabilities: 0,
        };
        match replayed {
            Replayed::Skipped => return tool.skipped += 1,
            Replayed::Unfit(why) => difference.unfit = Some(shortened(&why)),
            Replayed::Ran(ended, played) => {
                tool.replayed += 1;
                difference.result = compare::ends(&call.ended, &ended);
                let (found, more) = compare::asks(&call.exchanges, &played.asked);
                difference.capabilities = found;
                difference.more_capabilities = more + played.beyond;
            }
        }
        if difference.is_none() {
            tool.same += 1;
        } else {
            tool.different += 1;
            self.differs(difference);
        }
    }
}

/// Runs one call in a fresh instance that reaches nothing but the recording.
async fn replay(call: &Arc<RecordedCall>, candidate: &Plugin, account: &Arc<Account>) -> Replayed {
    let Some(function) = candidate.function(&call.tool) else {
        return Replayed::Unfit("the tool is gone".to_owned());
    };
    let (judged, arguments) = match fitted(&function, &call.arguments) {
        Ok(fitted) => fitted,
        Err(violations) => return Replayed::Unfit(told(&violations)),
    };
    let Ok(place) = function.runtime().accounts.admit(account).await else {
        return Replayed::Skipped;
    };
    let world = Arc::new(Replay::of(call.clone()));
    let reach = Reach::Replay(world.clone());
    let invocation = Invocation::new(reach, function.limits().clone(), account.clone());
    // Whoever does not wait for it stops it.
    let _stop = invocation.stop.clone().drop_guard();
    let outcome = function.run(judged, arguments, &invocation, place).await;
    match outcome {
        Err(InvokeError::Busy(_)) => Replayed::Skipped,
        outcome => Replayed::Ran(Ended::of(&outcome), world.unwind()),
    }
}

/// The arguments in the candidate's form, as JSON and as its function takes them.
#[expect(clippy::type_complexity, reason = "one value in two forms")]
fn fitted(
    function: &Function,
    arguments: &str,
) -> Result<(Arc<Map<String, Value>>, Vec<Val>), Vec<Violation>> {
    let arguments = serde_json::from_str(arguments).unwrap_or_default();
    let judged = function.check(&arguments)?;
    let lowered = function.lower(&judged)?;
    Ok((Arc::new(judged), lowered))
}

fn told(violations: &[Violation]) -> String {
    let told = violations
        .iter()
        .map(|one| format!("{}: {}", one.field, one.message));
    let told: Vec<_> = told.collect();
    format!("its arguments do not fit any more: {}", told.join("; "))
}
