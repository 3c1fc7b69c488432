//! The MCP surface: the tenant's live tools over Streamable HTTP and stdio, in both revisions of the protocol.
//!
//! Nothing is decided here. A listing is what the live snapshot holds; a call goes through [`Dispatcher::call`] like every
//! other caller's, and what comes back is its outcome in MCP's words. What this surface does own is the question which
//! case a call belongs to, because the newer revision has no sessions ([`cases`]).

mod answer;
mod cases;
mod catalogue;
mod changes;
mod conformance;
mod consent;
mod desk;
mod direct;
mod endpoints;
mod handler;
mod http;
mod line;
mod offered;
mod paging;
mod prompts;
mod provider;
mod resources;
mod rounds;
mod sessions;
#[cfg(test)]
mod tests;
mod visit;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use dispatch::Dispatcher;
use policy::{Actor, Role};
use rmcp::model::{RequestStateCodec, Tool};
use rmcp::service::ServerInitializeError;
use thiserror::Error;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::host::{Host, demo};
use crate::tenants::{Identity, ToolSet};
pub(crate) use conformance::Suite;
use desk::Desk;
pub(crate) use endpoints::{Client, Endpoints};
use handler::Handler;
use http::Endpoint;
use provider::Offer;

/// What one tenant's MCP surface is made of.
#[derive(Clone)]
pub(crate) struct McpParts {
    /// The way to the tools.
    pub(crate) dispatcher: Dispatcher,
    /// Whose tools.
    pub(crate) tenant: String,
    /// Who calls, for the implicit case.
    pub(crate) principal: String,
    /// As whom they call.
    pub(crate) actor: Actor,
    /// Which tools they see.
    pub(crate) tools: ToolSet,
    /// People who do not know each other reach the HTTP server under that one principal, so no two of them may share a case.
    pub(crate) strangers: bool,
    /// Where the HTTP server listens: requests must name this address or loopback as their host.
    pub(crate) listen: SocketAddr,
    /// Further names (`tools.example.com`, `tools.example.com:8443`) under which clients reach this server.
    pub(crate) hosts: Vec<String>,
    /// How the tenants speak: their prompts.
    pub(crate) speaks: agent::Tenants,
    /// Seals what clients of the revision without sessions keep between two rounds of a call.
    pub(crate) states: Arc<RequestStateCodec>,
    /// What is offered in the place of the built-in tenant's tools while this server is being tested.
    pub(crate) suite: Option<Arc<Suite>>,
    /// Wakes whenever tools or rules of some tenant may have changed.
    pub(crate) news: watch::Receiver<()>,
    /// Calls that go on without their caller; the program waits for them before it ends.
    pub(crate) tasks: TaskTracker,
    /// Ends the open event streams, which would otherwise keep a server that is stopping from ending.
    pub(crate) stop: CancellationToken,
}

/// Why the stdio server ended other than by its client closing the connection.
#[derive(Debug, Error)]
pub(crate) enum StdioError {
    /// The first messages were no MCP.
    #[error("the client did not open an MCP connection: {0}")]
    Opening(#[from] Box<ServerInitializeError>),
    /// The serving task broke.
    #[error("the MCP connection broke: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

impl McpParts {
    /// For whoever reaches this program without a key.
    pub(crate) fn of_anybody(
        host: &Host,
        tenant: &str,
        listen: SocketAddr,
        hosts: Vec<String>,
    ) -> Self {
        Self {
            dispatcher: Dispatcher::clone(&host.dispatcher),
            tenant: tenant.to_owned(),
            principal: "local".to_owned(),
            actor: Actor {
                role: Role::Agent,
                subject: "mcp:local".to_owned(),
            },
            tools: ToolSet::default(),
            strangers: !host.is_local,
            listen,
            hosts,
            speaks: host.speaks.clone(),
            states: Arc::new(consent::states(&host.state_key)),
            suite: None,
            news: host.roster.publishing().news(),
            tasks: host.tasks.clone(),
            stop: CancellationToken::new(),
        }
    }

    /// What clients are offered.
    fn offered(mut self) -> Offer {
        match self.suite.take().filter(|_| self.tenant == demo::TENANT) {
            Some(suite) => suite.offered(self),
            None => Desk::new(self).offered(),
        }
    }

    /// For whoever shows this identity's key.
    fn of(self, identity: &Identity) -> Self {
        Self {
            principal: identity.actor.subject.clone(),
            actor: identity.actor.clone(),
            tools: identity.tools.clone(),
            strangers: false,
            ..self
        }
    }
}

/// Serves `/mcp` over HTTP, for one tenant and one principal.
pub(crate) fn router(mcp: McpParts) -> Router {
    Endpoint::new(mcp).router()
}

/// The tools as a client sees them now.
pub(crate) fn tools(mcp: &McpParts) -> Vec<Tool> {
    Desk::new(mcp.clone()).seen()
}

/// Serves one client on standard input and output, until it closes them. Whoever calls this keeps logs off stdout.
pub(crate) async fn stdio(mcp: McpParts) -> Result<(), StdioError> {
    serve(Desk::new(mcp), rmcp::transport::stdio_pipes()).await
}

/// Serves one client on a pair of byte streams, a case of its own for as long as it stays.
async fn serve<R, W>(desk: Desk, streams: (R, W)) -> Result<(), StdioError>
where
    R: tokio::io::AsyncRead + Send + Unpin + 'static,
    W: tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let handler = Handler::for_connection(desk.offered());
    match rmcp::serve_server(handler, streams).await {
        Ok(running) => running.waiting().await.map(drop).map_err(Into::into),
        Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(StdioError::Opening(Box::new(error))),
    }
}
