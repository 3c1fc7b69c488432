//! `[tls]`: with which certificate HTTP and MCP are served.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// With which certificate HTTP and MCP are served; without one they are served in the clear.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// A PEM file with the certificate, and those that lead from it to its authority.
    pub certificate: PathBuf,
    /// A PEM file with the certificate's private key.
    pub key: PathBuf,
    /// A PEM file with the authorities whose clients may connect; empty means that clients need no certificate.
    pub client_ca: PathBuf,
}

impl Tls {
    /// Whether HTTP is served with it.
    pub(crate) fn is_on(&self) -> bool {
        *self != Self::default()
    }
}
