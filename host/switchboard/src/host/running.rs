//! A program that serves: taking connections, and stopping without cutting work short.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use dispatch::{Dispatcher, Recovery};
use policy::RulebookError;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::tls::{self, Handshaken};
use super::{Assembled, Host, Options, StartError, assemble, demo};
use crate::config::Misfit;
use crate::http::{self, AllowedHosts, Front};
use crate::mcp::{Endpoints, McpParts, Suite};
use crate::{Config, ConfigError, Secret, Secrets};

/// How long a shutdown waits for requests that are under way.
const GRACE: Duration = Duration::from_secs(10);

/// A program that serves. Dropping it stops it, without waiting for what is under way.
pub struct Running {
    /// Where HTTP and MCP are served, with the real port.
    pub addr: SocketAddr,
    /// The same as an address for clients: `https://…` where it is served with TLS.
    pub url: String,
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
    check_access(&options.config, &options.secrets)?;
    let address = options.config.listen;
    let acceptor = tls::acceptor(&options.config.tls)?;
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
    let url = options.config.url_at(addr);
    let listener = tls::without_delay(listener);
    let server = match acceptor {
        Some(acceptor) => {
            let listener = Handshaken::over(listener, addr, acceptor);
            tokio::spawn(serve(listener, Arc::clone(&front), stop.clone()))
        }
        None => tokio::spawn(serve(listener, Arc::clone(&front), stop.clone())),
    };
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
        url,
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

/// Refuses to open the built-in tenant's tools to strangers, and settings of its authorization server that do not fit.
pub(crate) fn check_access(config: &Config, secrets: &Secrets) -> Result<(), StartError> {
    if config.oauth.is_on() {
        let inconsistent = |(key, message): Misfit| ConfigError::Inconsistent { key, message };
        config.oauth.check().map_err(inconsistent)?;
    }
    let has_keys = secrets.operator_key.is_some() || secrets.staff.keys().next().is_some();
    if config.is_local() || config.oauth.is_on() || has_keys {
        return Ok(());
    }
    Err(StartError::Open {
        address: config.listen,
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

async fn serve<L>(listener: L, front: Arc<Front>, stop: CancellationToken)
where
    L: Listener<Addr = SocketAddr>,
{
    let served = axum::serve(listener, front.router())
        .with_graceful_shutdown(async move { stop.cancelled().await });
    if let Err(error) = served.await {
        tracing::error!(%error, "the HTTP server ended");
    }
}
