//! The world of the stories: a desk with four tools over a real store, the real rules engine and the real dispatcher.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use dispatch::{Dispatcher, DispatcherParts, RetryPolicy, Snapshot};
use policy::{Actor, Role, Rulebook, RulebookSource, ToolRule};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::client::{LEGACY, Legacy, modern};
use super::fakes::{Nothing, OneTenant, Seen, fake};
use crate::mcp::McpParts;
use crate::mcp::desk::Desk;
use crate::mcp::http::{Endpoint, Hosts};
use crate::tenants::ToolSet;

pub(super) const LISTEN: &str = "192.0.2.7:8080";

const RULES: &str = r#"
@id("test.reads") permit (principal, action == Action::"classify_inquiry", resource);
@id("test.writes") permit (principal, action == Action::"send_message", resource);
@id("test.refusal") @code("NOT_TODAY") @prio("1") @say("Not today.") @hint("try tomorrow")
forbid (principal, action == Action::"send_message", resource);
"#;

const CLASSIFICATION: &str = r#"
classify_inquiry = { effect = "read" }
send_message = { effect = "write" }
escalate_to_human = { effect = "escalation" }
"#;

/// One tenant's desk over a real store and the real dispatcher.
pub(super) struct World {
    parts: McpParts,
    router: Router,
    now: Arc<AtomicI64>,
    seen: Seen,
    _data: TempDir,
}

impl World {
    pub(super) fn new() -> Self {
        let data = TempDir::new().unwrap();
        let store = store::SqliteStore::open(data.path(), store::OpenOptions::default()).unwrap();
        let seen = Seen::default();
        let tools = [
            "send_message",
            "classify_inquiry",
            "unruled",
            "escalate_to_human",
        ];
        let tools = tools.map(|name| (name.to_owned(), fake(name, &seen)));
        let snapshot = Snapshot {
            generation: 1,
            tools: tools.into(),
        };
        let rulebook = Arc::new(rulebook());
        let dispatcher = Dispatcher::new(DispatcherParts {
            tools: Arc::new(OneTenant(Arc::new(snapshot))),
            store: Arc::new(store),
            secrets: Arc::new(Nothing),
            completions: Arc::new(Nothing),
            rulebooks: Arc::new(move |tenant| (tenant == "demo").then(|| rulebook.clone())),
            retry: RetryPolicy::default(),
        });
        let parts = McpParts {
            dispatcher,
            tenant: "demo".to_owned(),
            principal: "local".to_owned(),
            actor: Actor {
                role: Role::Agent,
                subject: "mcp:local".to_owned(),
            },
            tools: ToolSet::default(),
            strangers: false,
            listen: LISTEN.parse().unwrap(),
            hosts: vec!["tools.example.com".to_owned()],
            speaks: Arc::new(|_| None),
            states: Arc::new(crate::mcp::consent::states(&[7; 32])),
            suite: None,
            news: watch::Sender::new(()).subscribe(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        let now = Arc::new(AtomicI64::new(
            time::OffsetDateTime::now_utc().unix_timestamp(),
        ));
        let router = serve(&parts, &now);
        Self {
            parts,
            router,
            now,
            seen,
            _data: data,
        }
    }

    /// The same desk as another process would serve it to somebody else, or to the same principal again.
    pub(super) fn served_to(&self, principal: &str) -> Router {
        let parts = McpParts {
            principal: principal.to_owned(),
            ..self.parts.clone()
        };
        serve(&parts, &self.now)
    }

    /// The same desk as it is served where anybody may call.
    pub(super) fn served_to_strangers(&self) -> Router {
        let parts = McpParts {
            strangers: true,
            ..self.parts.clone()
        };
        serve(&parts, &self.now)
    }

    pub(super) fn desk(&self) -> Desk {
        Desk::new(self.parts.clone())
    }

    pub(super) fn router(&self) -> &Router {
        &self.router
    }

    /// The server begins to stop.
    pub(super) fn stops(&self) {
        self.parts.stop.cancel();
    }

    pub(super) fn minutes_pass(&self, minutes: i64) {
        self.now.fetch_add(60 * minutes, Ordering::SeqCst);
    }

    /// The tools that ran.
    pub(super) fn ran(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .map(|(tool, _)| tool.clone())
            .collect()
    }

    /// The case that the last tool ran in.
    pub(super) fn last_case(&self) -> String {
        self.seen.lock().unwrap().last().unwrap().1.clone()
    }

    pub(super) async fn modern(&self, method: &str, params: Value) -> Value {
        modern(&self.router, method, params).await
    }

    /// A legacy session, after its handshake.
    pub(super) async fn legacy(&self) -> Legacy {
        Legacy::open(&self.router, LEGACY).await
    }
}

fn serve(parts: &McpParts, now: &Arc<AtomicI64>) -> Router {
    let hosts = Hosts::new(parts.listen, &parts.hosts);
    let now = Arc::clone(now);
    let clock = Arc::new(move || now.load(Ordering::SeqCst));
    let desk = Desk::with_clock(parts.clone(), clock);
    Endpoint::of(desk.offered(), hosts, &parts.stop).router()
}

fn rulebook() -> Rulebook {
    let tools: BTreeMap<String, ToolRule> = toml::from_str(CLASSIFICATION).unwrap();
    let policies = vec![("test.cedar".to_owned(), RULES.to_owned())];
    Rulebook::load(RulebookSource {
        policies,
        tools,
        ..RulebookSource::default()
    })
    .unwrap()
}
