//! The ledger as people see it, over HTTP and on a data folder alike: what is open, all of one intent, and settling by hand.

use dispatch::{Intent, IntentFilter, IntentState, Store, StoreError};
use serde_json::{Value, json};

/// Intents in one list, at most.
const LONGEST_LIST: u32 = 200;
/// Why somebody settles by hand, in characters at most.
pub(crate) const LONGEST_NOTE: usize = 1_000;

/// Which intents somebody asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shown {
    /// Those without an end
    #[default]
    Open,
    /// Durable, and nothing sent yet
    Reserved,
    /// Sent, and being worked on
    Sent,
    /// Nobody knows whether it happened
    Unknown,
    /// It happened
    Done,
    /// It did not happen
    Failed,
    /// It happened, and a later one took its place
    Replaced,
    /// Every one
    All,
}

impl Shown {
    fn states(self) -> Vec<IntentState> {
        use IntentState::{Done, Failed, Replaced, Reserved, Sent, Unknown};
        match self {
            Self::Open => vec![Reserved, Sent, Unknown],
            Self::Reserved => vec![Reserved],
            Self::Sent => vec![Sent],
            Self::Unknown => vec![Unknown],
            Self::Done => vec![Done],
            Self::Failed => vec![Failed],
            Self::Replaced => vec![Replaced],
            Self::All => vec![],
        }
    }

    /// As a query parameter.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Reserved => "reserved",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Replaced => "replaced",
            Self::All => "all",
        }
    }
}

/// `{"intents": […]}`, newest first.
pub(crate) async fn list(
    store: &dyn Store,
    tenant: &str,
    shown: Shown,
) -> Result<Value, StoreError> {
    let wanted = IntentFilter {
        states: shown.states(),
        limit: LONGEST_LIST,
        ..IntentFilter::default()
    };
    let now = store.now().await?;
    let intents = store.intents(tenant, &wanted).await?;
    let summaries: Vec<Value> = intents.iter().map(|intent| summary(intent, now)).collect();
    Ok(json!({ "intents": summaries }))
}

/// All that is known of one intent; none where the tenant has no such intent.
pub(crate) async fn show(
    store: &dyn Store,
    tenant: &str,
    id: &str,
) -> Result<Option<Value>, StoreError> {
    let Some(history) = store.history(tenant, id).await? else {
        return Ok(None);
    };
    let intent = &history.intent;
    let mut shown = summary(intent, store.now().await?);
    shown["key"] = intent.key.as_str().into();
    shown["plugin_digest"] = intent.plugin_digest.as_str().into();
    shown["rulebook"] = history.rulebook.as_str().into();
    shown["outcome"] = json!(intent.outcome);
    let charges = history.charges.iter().map(|charge| {
        json!({ "budget": charge.budget, "subject": charge.subject, "window_start": charge.window_start,
            "amount": charge.amount })
    });
    shown["charges"] = charges.collect();
    let requests = history.requests.iter().map(|(at, request)| {
        json!({ "at": at, "idempotency_key": format!("{}-{}", intent.id, request.ordinal), "method": request.method,
            "url": request.url, "body": String::from_utf8_lossy(&request.body), "body_digest": request.body_digest })
    });
    shown["requests"] = requests.collect();
    Ok(Some(shown))
}

fn summary(intent: &Intent, now: i64) -> Value {
    let running_until = (intent.leased_until > now).then_some(intent.leased_until);
    json!({
        "id": intent.id,
        "state": intent.state,
        "tool": intent.tool,
        "case": intent.case,
        "arguments": intent.arguments,
        "created_at": intent.created_at,
        "updated_at": intent.updated_at,
        "running_until": running_until,
    })
}
