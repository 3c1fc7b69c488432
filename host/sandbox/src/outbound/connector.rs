//! Connections to checked addresses: a name is resolved once, every address is judged, and the connection goes to one of
//! those. No proxy, no redirect, no second resolution.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use policy::{AddressClass, Refusal, classify_address};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};
use wasmtime_wasi_http::Error;

use super::metered::{Meter, Metered};
use super::network::{Network, System};

/// How long an idle connection is kept; shorter than what servers usually allow, so that few are found closed.
const KEEP: Duration = Duration::from_secs(10);
/// Idle connections per destination.
const KEPT: usize = 16;
/// Room for the head of an answer; also the most of a body that is read with it.
const HEAD_BYTES: usize = 64 * 1024;

/// Where a request goes: scheme, host and port; and for whom, for no tenant sends on what another one has used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Destination {
    tenant: String,
    https: bool,
    host: Host<String>,
    port: u16,
}

impl Destination {
    /// Where this leads a plugin of the tenant.
    pub(super) fn of(url: &Url, tenant: &str) -> Result<Self, Error> {
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(Error::HttpRequestUriInvalid),
        };
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Error::HttpRequestUriInvalid);
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::HttpRequestUriInvalid);
        }
        let host = host.to_owned();
        Ok(Self {
            tenant: tenant.to_owned(),
            https,
            host,
            port,
        })
    }

    /// The value of the `Host` field.
    pub(super) fn authority(&self) -> String {
        let usual = if self.https { 443 } else { 80 };
        if self.port == usual {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// The refusal of a destination whose address no grant can reach, or this one does not.
pub(super) fn prohibited() -> Refusal {
    Refusal {
        code: "ADDRESS_PROHIBITED".to_owned(),
        say: "That cannot be looked up right now.".to_owned(),
        hint: None,
        rules: vec!["address".to_owned()],
    }
}

/// A connection with room for one request at a time.
pub(super) struct Channel {
    sender: SendRequest<Full<Bytes>>,
    peer: SocketAddr,
    meter: Arc<Meter>,
}

impl Channel {
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        self.meter.begin();
        let head = self.sender.send_request(request).await?;
        self.meter.head_ends();
        Ok(head)
    }

    /// Bytes that have come since the request was sent.
    pub(super) fn received(&self) -> usize {
        self.meter.bytes()
    }
}

struct Kept {
    channel: Channel,
    since: Instant,
}

/// Makes connections, and keeps those that may serve again.
pub(crate) struct Connector {
    network: Box<dyn Network>,
    kept: Mutex<HashMap<Destination, Vec<Kept>>>,
    tls: OnceLock<Arc<ClientConfig>>,
}

impl Default for Connector {
    fn default() -> Self {
        Self::over(Box::new(System))
    }
}

impl Connector {
    pub(super) fn over(network: Box<dyn Network>) -> Self {
        Self {
            network,
            kept: Mutex::default(),
            tls: OnceLock::new(),
        }
    }

    /// Resolves the name, once, and judges every address: one that may not be reached condemns the name, because a name
    /// that mixes them is on its way to something else.
    pub(super) async fn resolve(
        &self,
        to: &Destination,
        private_network: bool,
    ) -> Result<Vec<SocketAddr>, Error> {
        let addresses: Vec<SocketAddr> = match &to.host {
            Host::Ipv4(address) => vec![(IpAddr::from(*address), to.port).into()],
            Host::Ipv6(address) => vec![(IpAddr::from(*address), to.port).into()],
            Host::Domain(name) => self
                .network
                .resolve(name, to.port)
                .await
                .map_err(|_| Error::DestinationNotFound)?,
        };
        let reachable = |address: &SocketAddr| match classify_address(address.ip()) {
            AddressClass::Public => true,
            AddressClass::Private => private_network,
            AddressClass::Forbidden => false,
        };
        if addresses.is_empty() {
            Err(Error::DestinationNotFound)
        } else if addresses.iter().all(reachable) {
            Ok(addresses)
        } else {
            Err(Error::DestinationIpProhibited)
        }
    }

    /// A connection that is open and leads to one of these addresses.
    pub(super) fn kept(&self, to: &Destination, addresses: &[SocketAddr]) -> Option<Channel> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = kept.get_mut(to)?;
        while let Some(newest) = idle.pop() {
            let usable = newest.since.elapsed() < KEEP
                && addresses.contains(&newest.channel.peer)
                && newest.channel.sender.is_ready();
            if usable {
                return Some(newest.channel);
            }
        }
        kept.remove(to);
        None
    }

    /// Keeps a connection whose answer was read to its end.
    pub(super) fn keep(&self, to: &Destination, channel: Channel) {
        if channel.sender.is_closed() {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, idle| {
            idle.retain(|kept| kept.since.elapsed() < KEEP);
            !idle.is_empty()
        });
        let idle = kept.entry(to.clone()).or_default();
        if idle.len() < KEPT {
            let since = Instant::now();
            idle.push(Kept { channel, since });
        }
    }

    /// Connects to the first of these addresses that answers.
    pub(super) async fn connect(
        &self,
        to: &Destination,
        addresses: &[SocketAddr],
    ) -> Result<Channel, Error> {
        let mut failure = Error::DestinationNotFound;
        for peer in addresses {
            match self.network.dial(*peer).await {
                Ok(stream) => return self.open(to, *peer, stream).await,
                Err(error) => failure = Error::Connect(error),
            }
        }
        Err(failure)
    }

    async fn open(
        &self,
        to: &Destination,
        peer: SocketAddr,
        stream: TcpStream,
    ) -> Result<Channel, Error> {
        // Requests are written whole; waiting for more would only cost time.
        stream.set_nodelay(true).map_err(Error::Connect)?;
        let meter = Arc::new(Meter::default());
        let metered = Arc::clone(&meter);
        let sender = if to.https {
            let name =
                ServerName::try_from(to.host.to_string().trim_matches(['[', ']']).to_owned())
                    .map_err(|_| Error::HttpRequestUriInvalid)?;
            let tls = TlsConnector::from(self.tls()?);
            let stream = tls.connect(name, stream).await.map_err(Error::Tls)?;
            handshake(stream, metered).await?
        } else {
            handshake(stream, metered).await?
        };
        Ok(Channel {
            sender,
            peer,
            meter,
        })
    }

    /// Certificates are checked as this machine does; nothing depends on a provider that the process installed.
    fn tls(&self) -> Result<Arc<ClientConfig>, Error> {
        if let Some(config) = self.tls.get() {
            return Ok(config.clone());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map_err(|error| Error::InternalError(Some(error.to_string())))?
            .with_no_client_auth();
        Ok(self.tls.get_or_init(|| Arc::new(config)).clone())
    }
}

async fn handshake(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    meter: Arc<Meter>,
) -> Result<SendRequest<Full<Bytes>>, Error> {
    // The buffer has room for one head; of those that only announce another there may be many.
    let stream = Metered {
        stream,
        meter,
        most: 2 * HEAD_BYTES,
    };
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES)
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(async move {
        // Whoever waits for an answer on it hears of the failure.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "an outbound connection ended");
        }
    });
    Ok(sender)
}
