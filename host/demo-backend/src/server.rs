//! The running service: opening its store, taking connections, and stopping without losing what is in progress.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rusqlite::ErrorCode;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::app::{AccessToken, App, KeysInFlight, stopped};
use crate::edge::Edge;
use crate::faults::Faults;
use crate::journal::Journal;
use crate::routes::routes;
use crate::store::{OpenError, Store};

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a shutdown waits for clients that are in the middle of a request.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait after the system could not give a connection (too many open files, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How a backend is to run.
#[derive(Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The folder of its store; made where it does not exist.
    pub data: PathBuf,
    /// What `Authorization: Bearer …` must carry on writes and control paths.
    pub token: String,
    /// Whether a write without an `Idempotency-Key` is refused (400) instead of simply carried out.
    pub require_idempotency_key: bool,
}

/// Why a backend could not be started, split by what has to change.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error(
        "the demo backend cannot listen on {addr}: {source}. Choose another address, or port 0 for a free one"
    )]
    Listen {
        /// The address that was asked for.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The folder or the store in it cannot be written.
    #[error("the demo backend cannot use the folder {}: {why}. Make it writable, or choose another folder", folder.display())]
    Data {
        /// The folder that was asked for.
        folder: PathBuf,
        /// What went wrong there.
        why: String,
    },
    /// The store is no database any more.
    #[error("the demo backend's data in {} is damaged: {why}. Move that folder away and start again: the demo's data is then made anew", folder.display())]
    DamagedData {
        /// The folder that was asked for.
        folder: PathBuf,
        /// What was found there.
        why: String,
    },
    /// The store was written by a newer program.
    #[error("the demo backend's folder {} is from a newer program: {why}. Update this program, or choose another folder", folder.display())]
    NewerData {
        /// The folder that was asked for.
        folder: PathBuf,
        /// Which versions met.
        why: String,
    },
    /// The program itself is at fault: its own demo data does not load.
    #[error("the demo backend's own data is broken: {0}")]
    Seed(String),
}

/// The demo backend.
#[derive(Debug)]
pub struct Backend;

/// A backend that is running. Dropping it stops it, without waiting for what is in progress.
#[derive(Debug)]
pub struct Running {
    /// Where it listens, with the real port.
    pub addr: SocketAddr,
    stop: watch::Sender<bool>,
    /// Ends when the last connection and the last request have ended.
    idle: mpsc::Receiver<()>,
}

impl Backend {
    /// Opens the store and starts answering.
    pub async fn start(options: Options) -> Result<Running, StartError> {
        let Options {
            listen,
            data,
            token,
            require_idempotency_key,
        } = options;
        let store = open_store(data).await?;
        let cannot_listen = |source| StartError::Listen {
            addr: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(cannot_listen)?;
        let addr = listener.local_addr().map_err(cannot_listen)?;
        let (stop, stopping) = watch::channel(false);
        let (working, idle) = mpsc::channel(1);
        let app = Arc::new(App {
            store,
            faults: Faults::default(),
            journal: Journal::default(),
            keys: KeysInFlight::default(),
            token: AccessToken::new(token),
            require_idempotency_key,
            base_url: format!("http://{addr}"),
            stopping: stopping.clone(),
        });
        let edge = Edge {
            router: routes(Arc::clone(&app)),
            app,
            _working: working,
        };
        tokio::spawn(accept(listener, edge, stopping));
        Ok(Running { addr, stop, idle })
    }
}

impl Running {
    /// Stops taking connections, lets requests in progress finish (armed delays end at once, unanswered), closes the store.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // Nobody ever sends: this resolves when everybody who holds the other end has let go of it.
        self.idle.recv().await;
    }
}

/// Whether the file is at fault, rather than who may use it.
fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

async fn open_store(folder: PathBuf) -> Result<Store, StartError> {
    let opened = tokio::task::spawn_blocking({
        let folder = folder.clone();
        move || Store::open(&folder)
    });
    match opened.await {
        Ok(Ok(store)) => Ok(store),
        Ok(Err(error @ OpenError::Newer { .. })) => Err(StartError::NewerData {
            folder,
            why: error.to_string(),
        }),
        Ok(Err(OpenError::Database(error))) if is_damage(&error) => Err(StartError::DamagedData {
            folder,
            why: error.to_string(),
        }),
        Ok(Err(OpenError::Seed(error))) => Err(StartError::Seed(error.to_string())),
        Ok(Err(error)) => Err(StartError::Data {
            folder,
            why: error.to_string(),
        }),
        Err(error) => Err(StartError::Data {
            folder,
            why: error.to_string(),
        }),
    }
}

async fn accept(listener: TcpListener, edge: Edge, stopping: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            () = stopped(stopping.clone()) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(converse(stream, edge.clone(), stopping.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "the demo backend could not take a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves one connection until its client leaves, a fault closes it, or the service stops.
async fn converse(stream: TcpStream, edge: Edge, stopping: watch::Receiver<bool>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the demo backend serves a connection without TCP_NODELAY");
    }
    // A service that fails makes hyper close the connection with nothing written: that is how a fault drops an answer.
    let service = service_fn(move |request| edge.clone().serve(request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(stopping) => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(GRACE, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the demo backend ended early");
    }
}
