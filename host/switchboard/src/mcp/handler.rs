//! One MCP peer: what the server says of itself, the tool list, and tool calls.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::http::request::Parts;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CustomRequest, CustomResult, ErrorCode,
    Implementation, InitializeRequestParams, InitializeResult, ListToolsResult,
    PaginatedRequestParams, ProtocolVersion, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use uuid::Uuid;

use super::answer;
use super::cases::Session;
use super::desk::Desk;

/// `_meta` key of a call: the client's own name for the case that the call belongs to.
const CASE: &str = "switchboard/case";

/// How long a client may keep a tool list, in milliseconds.
const LIST_TTL_MS: u64 = 60_000;

/// The header that names a session of the older revisions.
const SESSION_HEADER: &str = "mcp-session-id";

/// The revisions that this server speaks: those with structured output.
static REVISIONS: [ProtocolVersion; 3] = [
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];

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

/// One peer. Over HTTP there is one for every session of the older revisions, and one for every request of the newer.
pub(super) struct Handler {
    desk: Arc<Desk>,
    /// The peer has no session id but stays: one case for as long as it does.
    connection: Option<String>,
    /// It has shaken hands, so the session that its requests name is its own.
    has_session: AtomicBool,
}

impl Handler {
    /// For a session, or for one request without a session.
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        Self {
            desk,
            connection: None,
            has_session: AtomicBool::new(false),
        }
    }

    /// For a connection that is one client from beginning to end, such as stdio.
    pub(super) fn for_connection(desk: Arc<Desk>) -> Self {
        Self {
            connection: Some(Uuid::new_v4().to_string()),
            ..Self::new(desk)
        }
    }

    /// Whether whoever is at the other end may be somebody else than last time. A connection is one client to its end.
    fn may_be_a_stranger(&self) -> bool {
        self.connection.is_none() && self.desk.serves_strangers()
    }

    /// The case's session: named by the client, else that of the MCP session or the connection, else the principal's.
    fn session(&self, context: &RequestContext<RoleServer>) -> Result<Session, ErrorData> {
        if self.may_be_a_stranger() {
            return self.session_of_stranger(context);
        }
        let principal = self.desk.principal();
        if let Some(name) = context.meta.get(CASE) {
            let named = name
                .as_str()
                .and_then(|name| Session::named(principal, name));
            return named.ok_or_else(|| answer::invalid_params(BAD_CASE));
        }
        let own = self.connection.as_deref();
        let id = own.or_else(|| self.session_id(context));
        Ok(id.map_or_else(|| Session::implicit(principal), Session::of_session))
    }

    /// A stranger's only handle on a case is a session, whose id nobody can guess.
    fn session_of_stranger(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<Session, ErrorData> {
        if context.meta.contains_key(CASE) {
            return Err(answer::invalid_params(NO_NAMES));
        }
        let id = self.session_id(context);
        Ok(id.map_or_else(Session::fresh, Session::of_session))
    }

    /// The session id that the transport has checked. Without a handshake the header is only what somebody claims.
    fn session_id<'a>(&self, context: &'a RequestContext<RoleServer>) -> Option<&'a str> {
        if !self.has_session.load(Ordering::Acquire) {
            return None;
        }
        let parts = context.extensions.get::<Parts>()?;
        parts.headers.get(SESSION_HEADER)?.to_str().ok()
    }
}

const BAD_CASE: &str = "_meta \"switchboard/case\" must be a name of 1 to 128 printable ASCII characters without spaces and colons";

const NO_NAMES: &str = "_meta \"switchboard/case\" names a case only where the server is reached from its own machine alone: here somebody else could know the name; leave it out, and open an MCP session to stay in one case";

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let identity = Implementation::new("switchboard", env!("CARGO_PKG_VERSION"))
            .with_title("Switchboard")
            .with_description("Governed tools for customer support");
        let conversations = if self.may_be_a_stranger() {
            BY_SESSION
        } else {
            BY_NAME
        };
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(identity)
            .with_instructions(format!("{INSTRUCTIONS}{conversations}"))
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

    /// All tools at once, in the order of their names: a desk has dozens, not thousands.
    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = self.desk.catalogue().map(|c| c.tools().to_vec());
        let list = ListToolsResult::with_all_items(tools.unwrap_or_default());
        if !is_newest(&context) {
            return Ok(list);
        }
        let list = list.with_ttl_ms(LIST_TTL_MS);
        Ok(list.with_cache_scope(CacheScope::Private))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.desk.catalogue()?.tool(name).cloned()
    }

    /// Runs to its end even if the client goes away: a write that has left the host must be settled.
    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if let Some(refusal) = self.desk.keeps_back(&request.name) {
            return Err(answer::invalid_params(refusal));
        }
        if !self.desk.has_tool(&request.name) {
            return Err(answer::unknown_tool(&request.name));
        }
        let session = self.session(&context)?;
        let arguments = request.arguments.unwrap_or_default();
        let outcome = self.desk.call(&session, &request.name, arguments).await;
        let outcome = outcome.map_err(|error| answer::host_failed(&request.name, &error))?;
        Ok(answer::answer(&request.name, outcome)?.into())
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

/// Whether the request speaks the revision that has no sessions, and whose lists say how long they hold.
fn is_newest(context: &RequestContext<RoleServer>) -> bool {
    let newest = ProtocolVersion::V_2026_07_28;
    let revision = context.protocol_version();
    revision.is_some_and(|revision| revision.as_str() >= newest.as_str())
}
