//! A program that serves: taking connections, and stopping without cutting work short.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use dispatch::{Dispatcher, Recovery};
use policy::RulebookError;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Assembled, Host, Options, StartError, assemble, demo};
use crate::Secret;
use crate::http::{self, AllowedHosts, Front};
use crate::mcp::{Endpoints, McpParts, Suite};

/// How long a shutdown waits for requests that are under way.
const GRACE: Duration = Duration::from_secs(10);

/// A program that serves. Dropping it stops it, without waiting for what is under way.
pub struct Running {
    /// Where HTTP and MCP are served, with the real port.
    pub addr: SocketAddr,
    /// Where the demo backend listens.
    pub backend_addr: SocketAddr,
    /// What the demo backend's writes and control paths ask for.
    pub backend_token: Secret,
    /// What a supervisor shows to answer approvals.
    pub operator_key: Secret,
    /// Which model answers.
    pub model: String,
    /// Calls that an earlier run had left open, and what became of them.
    pub recovery: Recovery,
    assembled: Assembled,
    stop: DropGuard,
    server: JoinHandle<()>,
}

/// Puts the program together and serves it. Answers to health from the first moment, and returns once everything is ready.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let address = options.config.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen { address, source })?;
    let addr = listener
        .local_addr()
        .map_err(|source| StartError::Listen { address, source })?;
    let front = Front::shut(
        AllowedHosts::new(addr, &options.config.allowed_hosts),
        &["model", "plugins", "store"],
    );
    let stop = CancellationToken::new();
    let server = tokio::spawn(serve(listener, Arc::clone(&front), stop.clone()));
    let stopping = stop.child_token();
    // From here on, whatever ends early takes the server with it.
    let stop = stop.drop_guard();
    let mcp_hosts = options.config.allowed_hosts.clone();
    let conformance = options.conformance;
    let assembled = Box::pin(assemble(options, |part| front.arrived(part))).await?;
    let host = &assembled.host;
    let suite = conformance.then(|| suite(host)).transpose()?;
    let mcp = McpParts {
        suite,
        stop: stopping,
        ..McpParts::of_anybody(host, demo::TENANT, addr, mcp_hosts)
    };
    let endpoints = Endpoints::new(mcp, Arc::clone(&host.tenants));
    front.open(Arc::clone(host), http::router(Arc::clone(host), endpoints));
    Ok(Running {
        addr,
        backend_addr: assembled.backend.addr,
        backend_token: assembled.backend_token.clone(),
        operator_key: host.tenants.operator_key().clone(),
        model: host.model_label.clone(),
        recovery: assembled.recovery.clone(),
        assembled,
        stop,
        server,
    })
}

impl Running {
    /// The only way to a tool; for tests that look at what is behind the surfaces.
    pub fn dispatcher(&self) -> &Arc<Dispatcher> {
        &self.assembled.host.dispatcher
    }

    /// Stops taking connections, lets what is under way end, then closes the backend and the store.
    pub async fn shutdown(mut self) {
        self.stop.disarm().cancel();
        if timeout(GRACE, &mut self.server).await.is_err() {
            tracing::warn!("connections that would not end were cut");
            self.server.abort();
        }
        self.assembled.close().await;
    }
}

fn suite(host: &Host) -> Result<Arc<Suite>, RulebookError> {
    let secrets = Arc::clone(&host.tenants) as Arc<dyn dispatch::Secrets>;
    Suite::over(Arc::clone(host.store()), secrets)
}

async fn serve(listener: TcpListener, front: Arc<Front>, stop: CancellationToken) {
    // Small answers must not wait for more to send.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
    });
    let served = axum::serve(listener, front.router())
        .with_graceful_shutdown(async move { stop.cancelled().await });
    if let Err(error) = served.await {
        tracing::error!(%error, "the HTTP server ended");
    }
}
