//! Which network addresses a plugin may never reach unless an operator grants a private network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use AddressClass::{Forbidden, Private, Public};

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

/// What is not public in IPv4 (IANA special-purpose registry): network, prefix length, class.
const SPECIAL_V4: &[(Ipv4Addr, u32, AddressClass)] = &[
    (Ipv4Addr::UNSPECIFIED, 8, Forbidden),           // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8, Private),        // RFC 1918
    (Ipv4Addr::new(100, 64, 0, 0), 10, Forbidden), // carrier-grade NAT; a metadata service of one cloud lives here
    (Ipv4Addr::new(127, 0, 0, 0), 8, Private),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16, Forbidden), // link-local, metadata services
    (Ipv4Addr::new(172, 16, 0, 0), 12, Private),   // RFC 1918
    (Ipv4Addr::new(192, 0, 0, 0), 24, Forbidden),  // IETF protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24, Forbidden),  // documentation
    (Ipv4Addr::new(192, 31, 196, 0), 24, Forbidden), // AS112
    (Ipv4Addr::new(192, 52, 193, 0), 24, Forbidden), // automatic multicast tunnelling
    (Ipv4Addr::new(192, 88, 99, 0), 24, Forbidden), // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16, Private),  // RFC 1918
    (Ipv4Addr::new(192, 175, 48, 0), 24, Forbidden), // AS112
    (Ipv4Addr::new(198, 18, 0, 0), 15, Forbidden), // benchmarking
    (Ipv4Addr::new(198, 51, 100, 0), 24, Forbidden), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24, Forbidden), // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4, Forbidden),   // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4, Forbidden),   // reserved, broadcast
];

/// Outside of this block nothing is global unicast.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const UNIQUE_LOCAL: (Ipv6Addr, u32) = (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7);
/// The cloud metadata address of one large provider, inside of unique local space.
const METADATA_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254), 128);

/// What is not public inside of global unicast.
const SPECIAL_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments: Teredo, ORCHID, benchmarking
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2620, 0x004f, 0x8000, 0, 0, 0, 0, 0), 48), // AS112
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// IPv6 blocks that carry an IPv4 address: network, prefix length, bits to the right of the IPv4 address.
const EMBEDDED_V4: &[(Ipv6Addr, u32, u32)] = &[
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, 0), // IPv4-mapped
    (Ipv6Addr::UNSPECIFIED, 96, 0),                      // IPv4-compatible
    (Ipv6Addr::new(0x0064, 0xff9b, 0, 0, 0, 0, 0, 0), 96, 0), // NAT64
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, 80), // 6to4
];

/// Says what kind of network `address` lies in, seeing through IPv4-mapped, 6to4 and NAT64 forms.
pub fn classify_address(address: IpAddr) -> AddressClass {
    match address {
        IpAddr::V4(address) => classify_v4(address),
        IpAddr::V6(address) => classify_v6(address),
    }
}

fn classify_v4(address: Ipv4Addr) -> AddressClass {
    let found = SPECIAL_V4
        .iter()
        .find(|(network, length, _)| same_prefix_v4(address, *network, *length));
    found.map_or(Public, |(_, _, class)| *class)
}

fn classify_v6(address: Ipv6Addr) -> AddressClass {
    let within = |(network, length): &(Ipv6Addr, u32)| same_prefix_v6(address, *network, *length);
    if address.is_loopback() {
        return Private;
    }
    if let Some(embedded) = embedded_v4(address) {
        return classify_v4(embedded);
    }
    if within(&UNIQUE_LOCAL) && !within(&METADATA_V6) {
        return Private;
    }
    if within(&GLOBAL_V6) && !SPECIAL_V6.iter().any(within) {
        return Public;
    }
    Forbidden
}

fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (_, _, shift) = EMBEDDED_V4
        .iter()
        .find(|(network, length, _)| same_prefix_v6(address, *network, *length))?;
    let low = address.to_bits().checked_shr(*shift)? & u128::from(u32::MAX);
    u32::try_from(low).ok().map(Ipv4Addr::from_bits)
}

fn same_prefix_v4(address: Ipv4Addr, network: Ipv4Addr, length: u32) -> bool {
    let differing = address.to_bits() ^ network.to_bits();
    differing.leading_zeros() >= length
}

fn same_prefix_v6(address: Ipv6Addr, network: Ipv6Addr, length: u32) -> bool {
    let differing = address.to_bits() ^ network.to_bits();
    differing.leading_zeros() >= length
}
