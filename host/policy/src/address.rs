//! Which network addresses a plugin may never reach unless an operator grants a private network.

use std::net::IpAddr;

/// What kind of network an address lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressClass {
    /// Routable on the public internet.
    Public,
    /// Loopback or private (RFC 1918, unique local): reachable only under a grant with `private_network`.
    Private,
    /// Never reachable: link-local and metadata, multicast, unspecified, reserved.
    Forbidden,
}

/// Says what kind of network `address` lies in, seeing through IPv4-mapped, 6to4 and NAT64 forms.
pub fn classify_address(address: IpAddr) -> AddressClass {
    let _ = address;
    AddressClass::Forbidden
}
