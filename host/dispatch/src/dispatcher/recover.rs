//! Open intents are seen through at the start and from then on, each as soon and as often as that may help.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use policy::{Actor, Channel, Nature, Priority, Role};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::act::{Act, Admission};
use super::open::{RECOVERY, nature};
use super::{CallRequest, Dispatcher, EscalationRequest};
use crate::{
    AuditEntry, AuditKind, DispatchError, Intent, IntentState, Outcome, Settlement, StoreError,
};

/// Between two looks at what is open.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Before an intent that a call of this process left open is tried again; doubled with every try.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// Intents that are seen through at a time: a slow backend must not hold up those of the others.
const AT_ONCE: usize = 8;

/// What became of the open intents in one round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recovery {
    /// Seen through to an end.
    pub settled: u32,
    /// Left for a person: nobody else can say whether they happened.
    pub parked: u32,
    /// Tried again later.
    pub waiting: u32,
}

/// How far one open intent has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Settled,
    Parked,
    Waiting,
}

/// When an intent is looked at again, and how often it was.
#[derive(Clone, Copy, Debug)]
struct Next {
    at: Option<Instant>,
    tries: u32,
}

/// The rounds that see open intents through.
pub struct Settling {
    dispatcher: Dispatcher,
    next: HashMap<String, Next>,
    has_begun: bool,
}

impl Dispatcher {
    /// Takes up every open intent that nobody runs, once, now.
    pub async fn recover(&self) -> Result<Recovery, DispatchError> {
        self.settling().round().await
    }

    /// Begins to see open intents through.
    pub fn settling(&self) -> Settling {
        Settling {
            dispatcher: self.clone(),
            next: HashMap::new(),
            has_begun: false,
        }
    }
}

impl Settling {
    /// Goes on until `stop`; a round that is under way is ended first.
    pub async fn keep_on(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if let Err(error) = self.round().await {
                tracing::error!(%error, "open intents could not be looked at");
            }
        }
    }

    /// Takes up whatever is due. The first round takes up everything that is open.
    pub async fn round(&mut self) -> Result<Recovery, DispatchError> {
        self.dispatcher.resume_granted().await?;
        let open = self.dispatcher.parts.store.open_intents().await?;
        self.next
            .retain(|id, _| open.iter().any(|intent| intent.id == *id));
        let now = Instant::now();
        let due: Vec<Intent> = open
            .into_iter()
            .filter(|intent| self.is_due(intent, now))
            .collect();
        self.has_begun = true;
        let mut recovery = Recovery::default();
        let mut running = JoinSet::new();
        for intent in due {
            if running.len() >= AT_ONCE {
                self.note(running.join_next().await, &mut recovery);
            }
            let dispatcher = self.dispatcher.clone();
            running.spawn(async move {
                let progress = dispatcher.recover_one(&intent).await;
                (intent.id, progress)
            });
        }
        while let Some(ended) = running.join_next().await {
            self.note(Some(ended), &mut recovery);
        }
        Ok(recovery)
    }

    /// What a call of this process has left open a moment ago is left alone for a while.
    fn is_due(&mut self, intent: &Intent, now: Instant) -> bool {
        if self.dispatcher.running.holds(&intent.id) {
            return false;
        }
        let first = Next {
            at: now
                .checked_add(FIRST_PAUSE)
                .filter(|_| self.has_begun)
                .or(Some(now)),
            tries: 0,
        };
        let next = self.next.entry(intent.id.clone()).or_insert(first);
        next.at.is_some_and(|at| at <= now)
    }

    fn note(&mut self, ended: Option<Ended>, recovery: &mut Recovery) {
        let Some(Ok((id, progress))) = ended else {
            return;
        };
        let progress = progress.unwrap_or_else(|error| {
            tracing::error!(%error, intent = id, "an open intent could not be taken up");
            Progress::Waiting
        });
        match progress {
            Progress::Settled => recovery.settled += 1,
            Progress::Parked => recovery.parked += 1,
            Progress::Waiting => recovery.waiting += 1,
        }
        if let Some(next) = self.next.get_mut(&id) {
            next.tries = next.tries.saturating_add(1);
            next.at = (progress != Progress::Parked).then(|| Instant::now() + pause(next.tries));
        }
    }
}

type Ended = Result<(String, Result<Progress, DispatchError>), tokio::task::JoinError>;

fn pause(tries: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << tries.saturating_sub(1).min(16));
    doubled.min(LONGEST_PAUSE)
}

impl Dispatcher {
    async fn recover_one(&self, intent: &Intent) -> Result<Progress, DispatchError> {
        let request = CallRequest {
            tenant: intent.tenant.clone(),
            case: intent.case.clone(),
            actor: Actor {
                role: Role::Agent,
                subject: RECOVERY.to_owned(),
            },
            channel: Channel::Host,
            tool: intent.tool.clone(),
            arguments: Value::Object(intent.arguments.clone()),
        };
        let act = match self.admit(request, None).await {
            Ok(Admission::Act(act)) => act,
            // It may come back as it was, when its folder does or fits again; until then nobody else may conclude anything.
            Err(DispatchError::UnknownTenant(_)) => return Ok(Progress::Waiting),
            Ok(Admission::Ended(_)) | Err(DispatchError::UnknownCase(_)) => {
                return self.set_aside(intent).await;
            }
            Err(error) => return Err(error),
        };
        let Ok(turnstile) = self.running.enter(&intent.id) else {
            return Ok(Progress::Waiting);
        };
        let outcome = self.take_up(&act, intent, turnstile).await?;
        self.record_outcome(&act, &outcome).await?;
        Ok(progress(&act, &outcome))
    }

    /// Its tool, its tenant or its customer is no longer what it was: nobody but a person can say what became of it.
    async fn set_aside(&self, intent: &Intent) -> Result<Progress, DispatchError> {
        if intent.state != IntentState::Unknown && !self.unknown_for_good(intent).await? {
            return Ok(Progress::Waiting);
        }
        let asked = EscalationRequest {
            tenant: intent.tenant.clone(),
            case: intent.case.clone(),
            priority: Priority::P2,
            team: "operations".to_owned(),
            reason: "a write without a known outcome".to_owned(),
            summary: format!(
                "{} was under way when the host stopped, and cannot be taken up again (intent {}).",
                intent.tool, intent.id
            ),
            order: None,
        };
        if let Err(error) = self.escalate(asked).await {
            tracing::error!(%error, intent = intent.id, "an intent was set aside, and nobody could be told");
        }
        Ok(Progress::Parked)
    }

    async fn unknown_for_good(&self, intent: &Intent) -> Result<bool, StoreError> {
        let store = &self.parts.store;
        let Some(held) = store.take(&intent.id, &self.holder()).await? else {
            return Ok(false);
        };
        let entry = AuditEntry {
            kind: AuditKind::Ledger,
            tenant: intent.tenant.clone(),
            case: Some(intent.case.clone()),
            actor: RECOVERY.to_owned(),
            tool: Some(intent.tool.clone()),
            detail: json!({ "intent": intent.id, "state": "unknown" }),
        };
        store.settle(&held.lease, Settlement::Unknown, entry).await
    }
}

/// Whether there is anything left for the host to do.
fn progress(act: &Act, outcome: &Outcome) -> Progress {
    match outcome {
        Outcome::Unknown { .. } if nature(act) == Nature::Neither => Progress::Parked,
        Outcome::Unknown { .. } | Outcome::InFlight => Progress::Waiting,
        _ => Progress::Settled,
    }
}
