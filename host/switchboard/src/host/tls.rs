//! TLS for the HTTP server: the certificate, whose clients may connect, and connections whose handshake is done.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::Tls;
use crate::files;

/// How long a client may take to shake hands.
const PATIENCE: Duration = Duration::from_secs(10);
/// Handshakes that are under way at once; more wait in the system's queue.
const MOST_HANDSHAKES: usize = 256;

/// Why the certificate cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// One of the files is named without the other.
    #[error(
        "the configuration's key {0} is empty: TLS needs tls.certificate (TLS_CERTIFICATE) and tls.key (TLS_KEY), two PEM files; leave both out to serve in the clear"
    )]
    Missing(&'static str),
    /// A file cannot be read.
    #[error("the configuration's key {key} names {file}, which cannot be read: {source}")]
    Unreadable {
        /// Which key.
        key: &'static str,
        /// Which file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("the configuration's key {key} names {file}, which does not fit: {message}")]
    Misfit {
        /// Which key.
        key: &'static str,
        /// Which file.
        file: PathBuf,
        /// What was expected, or what is wrong with it.
        message: String,
    },
}

/// A file, with the key that names it for messages.
#[derive(Clone, Copy)]
struct Named<'a> {
    key: &'static str,
    file: &'a Path,
}

impl Named<'_> {
    fn misfit(self, message: impl std::fmt::Display) -> TlsError {
        TlsError::Misfit {
            key: self.key,
            file: self.file.into(),
            message: message.to_string(),
        }
    }

    fn bytes(self) -> Result<Vec<u8>, TlsError> {
        if self.file.as_os_str().is_empty() {
            return Err(TlsError::Missing(self.key));
        }
        files::read_bytes(self.file).map_err(|source| TlsError::Unreadable {
            key: self.key,
            file: self.file.into(),
            source,
        })
    }

    fn certificates(self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let bytes = self.bytes()?;
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
        match read {
            Ok(all) if all.is_empty() => Err(self.misfit(
                "there is no certificate in it; expected PEM, -----BEGIN CERTIFICATE-----",
            )),
            read => read.map_err(|error| self.misfit(error)),
        }
    }

    fn private_key(self) -> Result<PrivateKeyDer<'static>, TlsError> {
        let bytes = self.bytes()?;
        PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| {
            self.misfit(format!(
                "expected a private key in PEM without a password, -----BEGIN PRIVATE KEY-----: {error}"
            ))
        })
    }
}

/// What shakes hands as the configuration says; none where HTTP is served in the clear.
pub(crate) fn acceptor(tls: &Tls) -> Result<Option<TlsAcceptor>, TlsError> {
    if !tls.is_on() {
        return Ok(None);
    }
    let named = |key, file| Named { key, file };
    let certificate = named("tls.certificate", tls.certificate.as_path());
    let chain = certificate.certificates()?;
    let key = named("tls.key", tls.key.as_path()).private_key()?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| certificate.misfit(error))?;
    let config = if tls.client_ca.as_os_str().is_empty() {
        config.with_no_client_auth()
    } else {
        let authorities = named("tls.client_ca", tls.client_ca.as_path());
        config.with_client_cert_verifier(verifier(authorities)?)
    };
    let mut config = config.with_single_cert(chain, key).map_err(|error| {
        certificate.misfit(format!("{error} (with the key in {})", tls.key.display()))
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

fn verifier(authorities: Named<'_>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in authorities.certificates()? {
        roots
            .add(authority)
            .map_err(|error| authorities.misfit(error))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| authorities.misfit(error))
}

/// Connections whose handshake is done. One that takes its time keeps no other waiting.
pub(super) struct Handshaken {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl Handshaken {
    /// Takes the listener's connections from here on, until this is dropped.
    pub(super) fn over<L>(listener: L, address: SocketAddr, acceptor: TlsAcceptor) -> Self
    where
        L: Listener<Io = TcpStream, Addr = SocketAddr>,
    {
        let (done, ready) = mpsc::channel(1);
        tokio::spawn(shake_hands(listener, acceptor, done));
        Self { address, ready }
    }
}

impl Listener for Handshaken {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // Nobody connects any more; whoever waits here is told to stop by other means.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

async fn shake_hands<L>(
    mut listener: L,
    acceptor: TlsAcceptor,
    done: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) where
    L: Listener<Io = TcpStream, Addr = SocketAddr>,
{
    let places = Arc::new(Semaphore::new(MOST_HANDSHAKES));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let (connection, from) = tokio::select! {
            () = done.closed() => return,
            accepted = listener.accept() => accepted,
        };
        let (acceptor, done) = (acceptor.clone(), done.clone());
        tokio::spawn(async move {
            match timeout(PATIENCE, acceptor.accept(connection)).await {
                // Fails where the server has stopped: then nobody is served.
                Ok(Ok(stream)) => drop(done.send((stream, from)).await),
                Ok(Err(error)) => tracing::debug!(%from, %error, "a handshake failed"),
                Err(_) => tracing::debug!(%from, "a handshake took too long"),
            }
            drop(place);
        });
    }
}

/// The listener itself, whose connections send small answers at once.
pub(super) fn without_delay(
    listener: TcpListener,
) -> impl Listener<Io = TcpStream, Addr = SocketAddr> {
    use axum::serve::ListenerExt;
    listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
    })
}
