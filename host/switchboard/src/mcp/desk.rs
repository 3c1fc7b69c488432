//! What all peers of one tenant share: its live tools, its open cases, and the way to the dispatcher.

use std::sync::Arc;

use async_trait::async_trait;
use dispatch::{CallRequest, DispatchError, Outcome};
use futures::StreamExt;
use futures::stream::BoxStream;
use policy::{Actor, Channel};
use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, JsonObject, RequestStateCodec, ServerCapabilities,
    Tool,
};
use serde_json::Value;
use store::Clock;
use time::OffsetDateTime;

use super::McpParts;
use super::answer;
use super::cases::{OpenCases, Session};
use super::catalogue::Catalogues;
use super::provider::{Change, Offer, Provider};
use super::visit::Visit;

const INSTRUCTIONS: &str = "\
Tools of a customer support desk. The host decides every call by its own rules and keeps a case of what the conversation \
has established, so the order matters: find the customer first (get_customer), then the order (lookup_order), then act on \
it. A result with isError is an answer, not a crash: its `outcome` says what happened and what can be done next. \
`awaiting_consent` means that a person must say yes first: do not repeat the call. Writes are never done twice: the same \
write again returns the first result. Work on one customer at a time; ";

/// How several conversations are told apart where one principal's clients know each other.
const BY_NAME: &str =
    "for several conversations at once, name each of them in _meta \"switchboard/case\".";

/// How a conversation is told apart where the clients may be strangers to each other.
const BY_SESSION: &str = "open an MCP session (initialize, protocol 2025-11-25 or 2025-06-18) for each conversation: a \
request without one has a case of its own, and forgets it.";

/// What all peers of one tenant share.
pub(super) struct Desk {
    parts: McpParts,
    clock: Clock,
    catalogues: Arc<Catalogues>,
    cases: OpenCases,
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
        }
    }

    /// Whether there is such a tool now.
    pub(super) fn has_tool(&self, name: &str) -> bool {
        let catalogue = self.catalogues.now();
        catalogue.is_some_and(|catalogue| catalogue.tool(name).is_some())
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
        let outcome = self.dispatch(&visit.session, &request.name, arguments);
        let outcome = outcome.await;
        outcome.map_err(|error| answer::host_failed(&request.name, &error))
    }

    async fn dispatch(
        &self,
        session: &Session,
        tool: &str,
        arguments: JsonObject,
    ) -> Result<Outcome, DispatchError> {
        let McpParts {
            dispatcher, tenant, ..
        } = &self.parts;
        let store = dispatcher.store().as_ref();
        let case = self.cases.case(store, tenant, session, self.now()).await?;
        let request = CallRequest {
            tenant: tenant.clone(),
            case,
            actor: self.parts.actor.clone(),
            channel: Channel::Mcp,
            tool: tool.to_owned(),
            arguments: Value::Object(arguments),
        };
        dispatcher.call(request).await
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

#[async_trait]
impl Provider for Desk {
    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .build()
    }

    fn instructions(&self, stranger: bool) -> String {
        let conversations = if stranger { BY_SESSION } else { BY_NAME };
        format!("{INSTRUCTIONS}{conversations}")
    }

    fn tools(&self) -> Vec<Tool> {
        let catalogue = self.catalogues.now();
        catalogue.map_or_else(Vec::new, |catalogue| catalogue.tools().to_vec())
    }

    fn tool(&self, name: &str) -> Option<Tool> {
        self.catalogues.now()?.tool(name).cloned()
    }

    /// Runs to its end even if the client goes away: a write that has left the host must be settled.
    async fn call(
        &self,
        visit: Visit,
        request: CallToolRequestParams,
    ) -> Result<CallToolResponse, ErrorData> {
        if let Some(refusal) = self.keeps_back(&request.name) {
            return Err(answer::invalid_params(refusal));
        }
        if !self.has_tool(&request.name) {
            return Err(answer::unknown_tool(&request.name));
        }
        if let Some(sealed) = request.request_state.as_deref() {
            return self.answered(&visit, &request, sealed).await;
        }
        let outcome = self.run(&visit, &request).await?;
        self.ask(&visit, &request, outcome).await
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        let tools = Arc::clone(&self.catalogues).changes(self.parts.news.clone());
        tools.map(|()| Change::Tools).boxed()
    }
}
