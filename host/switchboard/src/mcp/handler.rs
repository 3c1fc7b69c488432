//! One MCP peer: how the protocol is spoken with it. What it is offered, its [`super::provider::Provider`] says.

#![expect(
    deprecated,
    reason = "the older revisions have log levels, and a client of theirs may set one"
)]

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ::http::request::Parts;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CancelTaskMethod, CancelTaskParams,
    CompleteRequestParams, CompleteResult, ConstString, CustomRequest, CustomResult, ErrorCode,
    Extensions, GetPromptRequestParams, GetPromptResponse, GetTaskMethod, GetTaskParams,
    GetTaskResult, Implementation, InitializeRequestParams, InitializeResult, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, ServerConfig,
    SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool,
    UnsubscribeRequestParams, UpdateTaskMethod, UpdateTaskParams,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::task_manager::TaskManager;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::answer;
use super::cases::{CASE, Session};
use super::changes::{self, Subscribed};
use super::paging::page;
use super::provider::Offer;
use super::visit::{Visit, is_newest};

/// How long a client may keep a list, in milliseconds.
const LIST_TTL_MS: u64 = 60_000;

/// The header that names a session of the older revisions.
const SESSION_HEADER: &str = "mcp-session-id";

/// The revisions that this server speaks: those with structured output.
static REVISIONS: [ProtocolVersion; 3] = [
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];

/// One peer. Over HTTP there is one for every session of the older revisions, and one for every request of the newer.
pub(super) struct Handler {
    offer: Offer,
    /// The peer has no session id but stays: one case for as long as it does.
    connection: Option<String>,
    /// It has shaken hands, so the session that its requests name is its own.
    has_session: AtomicBool,
    /// The resources whose changes it wants to hear, by the older revisions' way.
    subscribed: Subscribed,
    /// It is told of changes already.
    is_told: AtomicBool,
    /// When it last asked for something.
    asked_at: Arc<Mutex<Instant>>,
    /// Ends what is told to it, with it.
    ends: CancellationToken,
    _ends: DropGuard,
}

impl Handler {
    /// For a session, or for one request without a session.
    pub(super) fn new(offer: Offer) -> Self {
        let ends = CancellationToken::new();
        Self {
            offer,
            connection: None,
            has_session: AtomicBool::new(false),
            subscribed: Arc::new(Mutex::new(BTreeSet::new())),
            is_told: AtomicBool::new(false),
            asked_at: Arc::new(Mutex::new(Instant::now())),
            _ends: ends.clone().drop_guard(),
            ends,
        }
    }

    /// For a connection that is one client from beginning to end, such as stdio.
    pub(super) fn for_connection(offer: Offer) -> Self {
        Self {
            connection: Some(Uuid::new_v4().to_string()),
            ..Self::new(offer)
        }
    }

    /// Whether whoever is at the other end may be somebody else than last time. A connection is one client to its end.
    fn may_be_a_stranger(&self) -> bool {
        self.connection.is_none() && self.offer.strangers
    }

    /// The case's session: named by the client, else that of the MCP session or the connection, else the principal's.
    fn session(&self, context: &RequestContext<RoleServer>) -> Result<Session, ErrorData> {
        if self.may_be_a_stranger() {
            return self.session_of_stranger(context);
        }
        if context.meta.contains_key(CASE) {
            let named = Session::of_principal(&self.offer.principal, &context.meta);
            return named.ok_or_else(|| answer::invalid_params(BAD_CASE));
        }
        Ok(self.session_of(&context.extensions))
    }

    /// The session by how the peer is connected alone.
    fn session_of(&self, extensions: &Extensions) -> Session {
        let own = self.connection.as_deref();
        match own.or_else(|| self.session_id(extensions)) {
            Some(id) => Session::of_session(id),
            None if self.may_be_a_stranger() => Session::fresh(),
            None => Session::implicit(&self.offer.principal),
        }
    }

    /// The request, as the provider sees it.
    fn visit(&self, context: RequestContext<RoleServer>) -> Result<Visit, ErrorData> {
        let session = self.session(&context)?;
        *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        Ok(Visit::new(session, context))
    }

    /// The principal's tasks: nobody else's can be found here.
    fn tasks<M: ConstString>(&self) -> Result<&TaskManager, ErrorData> {
        let tasks = self.offer.provider.tasks();
        tasks.ok_or_else(ErrorData::method_not_found::<M>)
    }

    /// A stranger's only handle on a case is a session, whose id nobody can guess.
    fn session_of_stranger(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<Session, ErrorData> {
        if context.meta.contains_key(CASE) {
            return Err(answer::invalid_params(NO_NAMES));
        }
        Ok(self.session_of(&context.extensions))
    }

    /// The session id that the transport has checked. Without a handshake the header is only what somebody claims.
    fn session_id<'a>(&self, extensions: &'a Extensions) -> Option<&'a str> {
        if !self.has_session.load(Ordering::Acquire) {
            return None;
        }
        let parts = extensions.get::<Parts>()?;
        parts.headers.get(SESSION_HEADER)?.to_str().ok()
    }
}

const OTHER_CASE: &str = "a subscription hears of its session's own case: leave _meta \"switchboard/case\" out, and open a session for each case";

const BAD_CASE: &str = "_meta \"switchboard/case\" must be a name of 1 to 128 printable ASCII characters without spaces and colons";

const NO_NAMES: &str = "_meta \"switchboard/case\" names a case only where the server is reached from its own machine alone: here somebody else could know the name; leave it out, and open an MCP session to stay in one case";

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let identity = Implementation::new("switchboard", env!("CARGO_PKG_VERSION"))
            .with_title("Switchboard")
            .with_description("Governed tools for customer support");
        let provider = &self.offer.provider;
        ServerConfig::new(provider.capabilities())
            .with_server_info(identity)
            .with_instructions(provider.instructions(self.may_be_a_stranger()))
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(&REVISIONS)
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        self.has_session.store(true, Ordering::Release);
        let answer = self.negotiate_initialize(&request)?;
        context.peer.set_peer_info(request);
        Ok(answer)
    }

    /// The older revisions' way of hearing of changes: for as long as the session lasts.
    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        if self.is_told.swap(true, Ordering::AcqRel) {
            return;
        }
        let provider = Arc::clone(&self.offer.provider);
        let changes = provider.changes(self.session_of(&context.extensions));
        let subscribed = Arc::clone(&self.subscribed);
        let asked_at = Arc::clone(&self.asked_at);
        let told = changes::tell_session(changes, context.peer, subscribed, asked_at);
        let ends = self.ends.clone();
        tokio::spawn(async move { ends.run_until_cancelled(told).await });
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let uri = request.uri.clone();
        let own = self.session_of(&context.extensions);
        let visit = self.visit(context)?;
        if visit.session != own {
            return Err(answer::invalid_params(OTHER_CASE));
        }
        let read = ReadResourceRequestParams::new(request.uri);
        // Whoever may not read it, or asks for what is not there, hears so now rather than never.
        self.offer.provider.read(visit, read).await?;
        changes::lock(&self.subscribed).insert(uri);
        Ok(())
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        changes::lock(&self.subscribed).remove(&request.uri);
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(requested.supported_by(&self.offer.provider.capabilities()))
    }

    /// The newer revision's way of hearing of changes: for as long as the client keeps its request open.
    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let provider = Arc::clone(&self.offer.provider);
        let session = self.session(context.request_context())?;
        let changes = provider.changes(session);
        tokio::select! {
            () = context.cancelled() => (),
            () = changes::tell_listener(changes, context.sink().clone()) => (),
        }
        Ok(())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let session = self.session(&context)?;
        let all = self.offer.provider.tools(&session).await?;
        let (tools, next) = page(all, |tool| tool.name.as_ref(), request.as_ref())?;
        let mut list = ListToolsResult::with_all_items(tools);
        list.next_cursor = next;
        if !is_newest(&context) {
            return Ok(list);
        }
        let list = list.with_ttl_ms(LIST_TTL_MS);
        Ok(list.with_cache_scope(CacheScope::Private))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.offer.provider.tool(name)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let visit = self.visit(context)?;
        self.offer.provider.call(visit, request).await
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let all = self.offer.provider.prompts();
        let (prompts, next) = page(all, |prompt| &prompt.name, request.as_ref())?;
        let mut list = ListPromptsResult::with_all_items(prompts);
        list.next_cursor = next;
        if !is_newest(&context) {
            return Ok(list);
        }
        let list = list.with_ttl_ms(LIST_TTL_MS);
        Ok(list.with_cache_scope(CacheScope::Private))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let visit = self.visit(context)?;
        self.offer.provider.prompt(visit, request).await
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let visit = self.visit(context)?;
        self.offer.provider.complete(visit, request).await
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let visit = self.visit(context)?;
        let all = self.offer.provider.resources(&visit).await?;
        let (resources, next) = page(all, |resource| &resource.uri, request.as_ref())?;
        let mut list = ListResourcesResult::with_all_items(resources);
        list.next_cursor = next;
        if !visit.is_newest() {
            return Ok(list);
        }
        let list = list.with_ttl_ms(LIST_TTL_MS);
        Ok(list.with_cache_scope(CacheScope::Private))
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let all = self.offer.provider.templates();
        let (templates, next) = page(all, |one| &one.uri_template, request.as_ref())?;
        let mut list = ListResourceTemplatesResult::with_all_items(templates);
        list.next_cursor = next;
        if !is_newest(&context) {
            return Ok(list);
        }
        let list = list.with_ttl_ms(LIST_TTL_MS);
        Ok(list.with_cache_scope(CacheScope::Private))
    }

    /// What a resource holds may change at any time: it is not to be kept, and never to be shared.
    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let visit = self.visit(context)?;
        let newest = visit.is_newest();
        let read = self.offer.provider.read(visit, request).await?;
        if !newest {
            return Ok(read.into());
        }
        let read = read.with_ttl_ms(0).with_cache_scope(CacheScope::Private);
        Ok(read.into())
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let visit = self.visit(context)?;
        self.offer.provider.set_level(visit, request.level).await
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        let tasks = self.tasks::<GetTaskMethod>()?;
        tasks.get_task(&request.task_id).map(GetTaskResult::new)
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let tasks = self.tasks::<UpdateTaskMethod>()?;
        tasks.update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let tasks = self.tasks::<CancelTaskMethod>()?;
        tasks.cancel_task(&request.task_id)
    }

    /// What no other method took: an unknown method, or `tools/call` with parameters that have not its shape.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        if request.method == "tools/call" {
            return Err(answer::invalid_params(BAD_CALL));
        }
        let message = format!("there is no method {}", request.method);
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None))
    }
}

const BAD_CALL: &str =
    "tools/call needs params with a `name` (a string) and `arguments` (an object)";
