//! What a tenant offers to MCP clients, apart from how the protocol is spoken: the seam between [`super::handler`] and the desk.

#![expect(
    deprecated,
    reason = "the older revisions have log levels, and a client of theirs may set one"
)]

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
    GetPromptRequestParams, GetPromptResponse, LoggingLevel, Prompt, ReadResourceRequestParams,
    ReadResourceResult, Resource, ResourceTemplate, ServerCapabilities, SetLevelRequestMethod,
    Tool,
};
use rmcp::task_manager::TaskManager;
use rmcp::{ErrorData, RoleServer};
use tokio_util::task::TaskTracker;

use super::answer;
use super::cases::Session;
use super::visit::Visit;

/// Something that clients were told, and that is not so any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The list of resources.
    Resources,
    /// What a resource holds, by its URI.
    Resource(String),
    /// Too much has happened to say what: anything that was subscribed to may hold something else.
    Missed,
}

/// What one principal of a tenant is offered.
#[async_trait]
pub(super) trait Provider: Send + Sync + 'static {
    /// What clients may ask for at all.
    fn capabilities(&self) -> ServerCapabilities;

    /// What a model is told of the tools as a whole. `stranger`: whoever calls may be somebody else than last time.
    fn instructions(&self, stranger: bool) -> String;

    /// All tools that a call in this session can be of, in the order of their names.
    async fn tools(&self, session: &Session) -> Result<Vec<Tool>, ErrorData>;

    /// One tool by its name, as most cases have it.
    fn tool(&self, name: &str) -> Option<Tool>;

    /// Runs a tool, through the dispatcher.
    async fn call(
        &self,
        visit: Visit,
        request: CallToolRequestParams,
    ) -> Result<CallToolResponse, ErrorData>;

    /// Whether a call of this tool, in the revision without sessions, says nothing to its client before the result.
    fn is_direct(&self, tool: &str) -> bool {
        let _ = tool;
        false
    }

    /// The calls that go on as tasks, where there are any.
    fn tasks(&self) -> Option<&TaskManager> {
        None
    }

    /// All prompts, in the order of their names.
    fn prompts(&self) -> Vec<Prompt> {
        Vec::new()
    }

    /// One prompt, filled in.
    async fn prompt(
        &self,
        visit: Visit,
        request: GetPromptRequestParams,
    ) -> Result<GetPromptResponse, ErrorData> {
        let _ = visit;
        Err(answer::unknown("prompt", &request.name, "prompts/list"))
    }

    /// Suggestions for an argument of a prompt or of a resource template.
    async fn complete(
        &self,
        visit: Visit,
        request: CompleteRequestParams,
    ) -> Result<CompleteResult, ErrorData> {
        let _ = (visit, request);
        Ok(CompleteResult::default())
    }

    /// The resources that can be listed, in the order of their URIs.
    async fn resources(&self, visit: &Visit) -> Result<Vec<Resource>, ErrorData> {
        let _ = visit;
        Ok(Vec::new())
    }

    /// The shapes of further resources, in the order of their URI templates.
    fn templates(&self) -> Vec<ResourceTemplate> {
        Vec::new()
    }

    /// What a resource holds now.
    async fn read(
        &self,
        visit: Visit,
        request: ReadResourceRequestParams,
    ) -> Result<ReadResourceResult, ErrorData> {
        let _ = visit;
        Err(answer::unknown_resource(&request.uri))
    }

    /// Every change from now on that concerns a client in this session, for as long as somebody listens.
    fn changes(self: Arc<Self>, session: Session) -> BoxStream<'static, Change>;

    /// From which level on a client wants to hear log messages.
    async fn set_level(&self, visit: Visit, level: LoggingLevel) -> Result<(), ErrorData> {
        let _ = (visit, level);
        Err(ErrorData::method_not_found::<SetLevelRequestMethod>())
    }
}

/// One request of a client, beside its parameters.
pub(super) type Context = rmcp::service::RequestContext<RoleServer>;

/// A provider, and to whom it is offered.
#[derive(Clone)]
pub(super) struct Offer {
    /// What is offered.
    pub(super) provider: Arc<dyn Provider>,
    /// To whom: the name under which their implicit case is kept.
    pub(super) principal: String,
    /// Peers over HTTP may be strangers to each other.
    pub(super) strangers: bool,
    /// What the program waits for before it ends.
    pub(super) tasks: TaskTracker,
}
