//! The network below the connector: names to addresses, and addresses to streams. Tests bring their own.

use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;
use tokio::net::{TcpStream, lookup_host};

use crate::lane;

/// What the connector asks of the machine.
#[async_trait]
pub(super) trait Network: Send + Sync {
    /// Every address of a name now. The next answer may be another one.
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;

    /// A connection to this very address.
    async fn dial(&self, peer: SocketAddr) -> io::Result<TcpStream>;
}

/// The machine's own.
pub(super) struct System;

#[async_trait]
impl Network for System {
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let place = (name.to_owned(), port);
        let lookup = async move { Ok(lookup_host(place).await?.collect()) };
        let found = lane::at_home(lookup).await;
        found.unwrap_or_else(|| Err(io::Error::other("the name could not be resolved")))
    }

    async fn dial(&self, peer: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(peer).await
    }
}
