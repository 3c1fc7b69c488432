//! What all peers of one tenant share: its live tools, its open cases, and the way to the dispatcher.

use std::sync::Arc;

use dispatch::{CallRequest, DispatchError, Outcome, Store, StoreError, Waiting};
use policy::{Actor, Channel, Rulebook};
use rmcp::ErrorData;
use rmcp::model::{CallToolRequestParams, RequestStateCodec, Tool};
use serde_json::Value;
use store::Clock;
use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::McpParts;
use super::answer;
use super::cases::{OpenCases, Session};
use super::catalogue::{Catalogue, Catalogues};
use super::provider::Offer;
use super::resources::Articles;
use super::visit::Visit;

/// How many reports of progress may wait to be told; beyond that some are left out.
const REPORTS_AT_ONCE: usize = 16;

/// What all peers of one tenant share.
pub(super) struct Desk {
    parts: McpParts,
    clock: Clock,
    catalogues: Arc<Catalogues>,
    cases: OpenCases,
    articles: Articles,
}

impl Desk {
    pub(super) fn new(parts: McpParts) -> Self {
        Self::with_clock(
            parts,
            Arc::new(|| OffsetDateTime::now_utc().unix_timestamp()),
        )
    }

    pub(super) fn with_clock(parts: McpParts, clock: Clock) -> Self {
        let catalogues = Catalogues::new(
            parts.dispatcher.clone(),
            parts.tenant.clone(),
            parts.tools.clone(),
        );
        Self {
            parts,
            clock,
            catalogues: Arc::new(catalogues),
            cases: OpenCases::default(),
            articles: Articles::default(),
        }
    }

    /// Whether there is such a tool now, on trial or not.
    pub(super) async fn has_tool(&self, session: &Session, name: &str) -> Result<bool, StoreError> {
        let catalogue = self.catalogue(session).await?;
        Ok(catalogue.is_some_and(|catalogue| catalogue.tool(name).is_some()))
    }

    /// The tools that the session's next call can be of; none where the tenant is gone. While a version is on trial that is the
    /// session's case to say, which is opened for it, but that no other request finds the case of a request without a session again.
    pub(super) async fn catalogue(
        &self,
        session: &Session,
    ) -> Result<Option<Arc<Catalogue>>, StoreError> {
        if session.handle().is_none() || !self.catalogues.differ() {
            return Ok(self.catalogues.now(None));
        }
        // To look at what there is keeps no case from ending.
        let case = match self.cases.current(session, self.now()) {
            Some(case) => case,
            None => self.case_of(session).await?,
        };
        Ok(self.catalogues.now(Some(&case)))
    }

    /// Whether a tool is kept from whoever calls, and what they hear then.
    pub(super) fn keeps_back(&self, name: &str) -> Option<String> {
        let McpParts {
            tools, principal, ..
        } = &self.parts;
        (!tools.admits(name))
            .then(|| format!("{principal} may not call {name}; tools/list shows what it may call"))
    }

    /// As it is offered to clients.
    pub(super) fn offered(self) -> Offer {
        Offer {
            principal: self.parts.principal.clone(),
            strangers: self.parts.strangers,
            tasks: self.parts.tasks.clone(),
            provider: Arc::new(self),
        }
    }

    /// Runs a call in the case of its session.
    pub(super) async fn run(
        &self,
        visit: &Visit,
        request: &CallToolRequestParams,
    ) -> Result<Outcome, ErrorData> {
        let arguments = request.arguments.clone().unwrap_or_default();
        self.run_with(visit, &request.name, Value::Object(arguments))
            .await
    }

    /// The same for a call that this surface makes for the client.
    pub(super) async fn run_with(
        &self,
        visit: &Visit,
        tool: &str,
        arguments: Value,
    ) -> Result<Outcome, ErrorData> {
        let gone = visit.gone().clone();
        let outcome = if visit.wants_progress() {
            self.run_telling(visit, tool, arguments, gone).await
        } else {
            let progress = None;
            let waiting = Waiting { gone, progress };
            self.dispatch(&visit.session, tool, arguments, waiting)
                .await
        };
        outcome.map_err(|error| answer::host_failed(tool, &error))
    }

    async fn run_telling(
        &self,
        visit: &Visit,
        tool: &str,
        arguments: Value,
        gone: CancellationToken,
    ) -> Result<Outcome, DispatchError> {
        let (progress, mut heard) = mpsc::channel(REPORTS_AT_ONCE);
        let progress = Some(progress);
        let waiting = Waiting { gone, progress };
        let ended = CancellationToken::new();
        let call = async {
            let outcome = self.dispatch(&visit.session, tool, arguments, waiting);
            let outcome = outcome.await;
            ended.cancel();
            outcome
        };
        // Beside the call, which a client that is slow to listen must not hold up. What was reported comes before the end, and
        // what is being told is told to its end: cut off in between, it might come after the result.
        let telling = async {
            loop {
                tokio::select! {
                    biased;
                    reported = heard.recv() => match reported {
                        Some(progress) => visit.report(progress).await,
                        None => break,
                    },
                    () = ended.cancelled() => break,
                }
            }
        };
        tokio::join!(call, telling).0
    }

    async fn dispatch(
        &self,
        session: &Session,
        tool: &str,
        arguments: Value,
        waiting: Waiting,
    ) -> Result<Outcome, DispatchError> {
        let request = CallRequest {
            tenant: self.parts.tenant.clone(),
            case: self.case_of(session).await?,
            actor: self.parts.actor.clone(),
            channel: Channel::Mcp,
            tool: tool.to_owned(),
            arguments,
        };
        self.parts.dispatcher.call_for(request, waiting).await
    }

    /// The case of a session; opened where there is none.
    pub(super) async fn case_of(&self, session: &Session) -> Result<String, StoreError> {
        let (store, tenant) = (self.store().as_ref(), &self.parts.tenant);
        self.cases.case(store, tenant, session, self.now()).await
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        self.parts.dispatcher.store()
    }

    /// The rules as they are now; none where the tenant is gone.
    pub(super) fn rulebook(&self) -> Option<Arc<Rulebook>> {
        self.parts.dispatcher.rulebook(&self.parts.tenant)
    }

    /// How the tenant speaks; none where it is gone.
    pub(super) fn tenant(&self) -> Option<Arc<agent::Tenant>> {
        (self.parts.speaks)(&self.parts.tenant)
    }

    /// The articles that were found before.
    pub(super) fn articles(&self) -> &Articles {
        &self.articles
    }

    /// The tools that there are now, for whoever calls, by case.
    pub(super) fn catalogues(&self) -> &Arc<Catalogues> {
        &self.catalogues
    }

    /// Wakes whenever tools or rules may have changed.
    pub(super) fn news(&self) -> watch::Receiver<()> {
        self.parts.news.clone()
    }

    /// The case that a session has had its last call in, as far as this process remembers.
    pub(super) fn known_case(&self, session: &Session) -> Option<String> {
        self.cases.known(session)
    }

    /// The tools that whoever calls can see, in most cases.
    pub(super) fn seen(&self) -> Vec<Tool> {
        let catalogue = self.catalogues.now(None);
        catalogue.map_or_else(Vec::new, |catalogue| catalogue.tools().to_vec())
    }

    /// Their names.
    pub(super) fn seen_tools(&self) -> Vec<String> {
        let tools = self.seen().into_iter();
        tools.map(|tool| tool.name.into_owned()).collect()
    }

    /// Passes on what was said to a pending question, as whoever calls.
    pub(super) async fn answer_consent(
        &self,
        consent: &str,
        granted: bool,
    ) -> Result<Option<Outcome>, DispatchError> {
        let McpParts {
            dispatcher,
            tenant,
            actor,
            ..
        } = &self.parts;
        dispatcher
            .answer_consent(tenant, consent, granted, actor)
            .await
    }

    /// As whom calls are made.
    pub(super) fn actor(&self) -> &Actor {
        &self.parts.actor
    }

    /// Whose desk it is, and the name of who calls.
    pub(super) fn caller(&self) -> (&str, &str) {
        (&self.parts.tenant, &self.parts.principal)
    }

    /// Seals what a client keeps between two rounds.
    pub(super) fn states(&self) -> &RequestStateCodec {
        &self.parts.states
    }

    /// Unix seconds.
    pub(super) fn now(&self) -> i64 {
        (self.clock)()
    }
}
