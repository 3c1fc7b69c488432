//! Which networks addresses lie in.

use policy::AddressClass::{self, Forbidden, Private, Public};
use policy::classify_address;

const TABLE: &[(&str, AddressClass)] = &[
    ("8.8.8.8", Public),
    ("1.0.0.1", Public),
    ("99.255.255.255", Public),
    ("100.128.0.0", Public),
    ("172.32.0.1", Public),
    ("192.0.1.0", Public),
    ("198.20.0.0", Public),
    ("223.255.255.255", Public),
    ("127.0.0.1", Private),
    ("127.255.255.254", Private),
    ("10.0.0.1", Private),
    ("172.16.0.1", Private),
    ("172.31.255.255", Private),
    ("192.168.1.1", Private),
    ("0.0.0.0", Forbidden),
    ("0.1.2.3", Forbidden),
    ("100.64.0.1", Forbidden),
    ("100.100.100.200", Forbidden),
    ("169.254.169.254", Forbidden),
    ("192.0.0.192", Forbidden),
    ("192.0.2.1", Forbidden),
    ("192.88.99.1", Forbidden),
    ("198.18.0.1", Forbidden),
    ("198.19.255.255", Forbidden),
    ("198.51.100.1", Forbidden),
    ("203.0.113.1", Forbidden),
    ("224.0.0.1", Forbidden),
    ("239.255.255.255", Forbidden),
    ("240.0.0.1", Forbidden),
    ("255.255.255.255", Forbidden),
    ("2606:4700::1111", Public),
    ("2a00:1450::1", Public),
    ("::1", Private),
    ("fc00::1", Private),
    ("fd12:3456::1", Private),
    ("fd00:ec2::254", Forbidden),
    ("::", Forbidden),
    ("fe80::1", Forbidden),
    ("fec0::1", Forbidden),
    ("ff02::1", Forbidden),
    ("100::1", Forbidden),
    ("5f00::1", Forbidden),
    ("2001::1", Forbidden),
    ("2001:2::1", Forbidden),
    ("2001:db8::1", Forbidden),
    ("3fff::1", Forbidden),
    ("4000::1", Forbidden),
    ("::ffff:8.8.8.8", Public),
    ("::ffff:127.0.0.1", Private),
    ("::ffff:169.254.169.254", Forbidden),
    ("::127.0.0.1", Private),
    ("::169.254.169.254", Forbidden),
    ("64:ff9b::8.8.8.8", Public),
    ("64:ff9b::10.0.0.1", Private),
    ("64:ff9b::169.254.169.254", Forbidden),
    ("64:ff9b:1::1", Forbidden),
    ("2002:0808:0808::1", Public),
    ("2002:7f00:0001::1", Private),
    ("2002:a9fe:a9fe::1", Forbidden),
];

#[test]
fn every_special_network_is_known() {
    for (address, expect) in TABLE {
        let class = classify_address(address.parse().expect("an address"));
        assert_eq!(class, *expect, "{address}");
    }
}
