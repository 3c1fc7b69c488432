//! TLS for the HTTP server: the certificate, whose clients may connect, and connections whose handshake is done.

use std::collections::VecDeque;
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
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::Tls;
use crate::files;

/// What clients may take of this host before they have shaken hands.
#[derive(Clone, Copy)]
struct Bounds {
    /// How long one may take.
    patience: Duration,
    /// How many are under way at once; for one more, the oldest is given up. Nobody can shut the door by standing in it.
    most: usize,
}

const BOUNDS: Bounds = Bounds {
    patience: Duration::from_secs(3),
    most: 256,
};

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
        tokio::spawn(shake_hands(listener, acceptor, done, BOUNDS));
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

type Done = mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>;

async fn shake_hands<L>(mut listener: L, acceptor: TlsAcceptor, done: Done, bounds: Bounds)
where
    L: Listener<Io = TcpStream, Addr = SocketAddr>,
{
    // Oldest first; a handshake is given up when its place is dropped, and leaves its place closed when it is over.
    let mut places: VecDeque<oneshot::Sender<()>> = VecDeque::new();
    loop {
        let (connection, from) = tokio::select! {
            () = done.closed() => return,
            accepted = listener.accept() => accepted,
        };
        if places.len() >= bounds.most {
            places.retain(|place| !place.is_closed());
        }
        if places.len() >= bounds.most {
            places.pop_front();
        }
        let (place, given_up) = oneshot::channel();
        places.push_back(place);
        let (acceptor, done) = (acceptor.clone(), done.clone());
        tokio::spawn(async move {
            let handshake = timeout(bounds.patience, acceptor.accept(connection));
            let shaken = tokio::select! {
                shaken = handshake => shaken,
                _ = given_up => return tracing::debug!(%from, "a handshake made room for another"),
            };
            match shaken {
                // Fails where the server has stopped: then nobody is served.
                Ok(Ok(stream)) => drop(done.send((stream, from)).await),
                Ok(Err(error)) => tracing::debug!(%from, %error, "a handshake failed"),
                Err(_) => tracing::debug!(%from, "a handshake took too long"),
            }
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

#[cfg(test)]
mod tests {
    use rustls::ClientConfig;
    use tokio_rustls::TlsConnector;

    use super::*;

    /// A server's and a client's side of one certificate.
    fn both() -> (TlsAcceptor, TlsConnector) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        (Arc::new(server).into(), Arc::new(client).into())
    }

    /// With such patience, whoever waits for the silent ones waits for ever.
    #[tokio::test]
    async fn whoever_is_silent_keeps_nobody_out() {
        let (acceptor, connector) = both();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (done, mut ready) = mpsc::channel(1);
        let bounds = Bounds {
            patience: Duration::from_hours(24),
            most: 4,
        };
        tokio::spawn(shake_hands(without_delay(listener), acceptor, done, bounds));
        let mut silent = Vec::new();
        for _ in 0..3 * bounds.most {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let connection = TcpStream::connect(address).await.unwrap();
        let own = connection.local_addr().unwrap();
        let name = "localhost".try_into().unwrap();
        connector.connect(name, connection).await.unwrap();
        assert_eq!(ready.recv().await.unwrap().1, own);
        // The oldest has been let go; the newest still has its place.
        let mut byte = [0; 1];
        silent[0].readable().await.unwrap();
        assert!(!matches!(silent[0].try_read(&mut byte), Ok(1..)));
        let newest = silent.last().unwrap().try_read(&mut byte);
        assert_eq!(newest.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
