//! Which addresses may be called: public ones, and networks that the configuration allows (rulings 46).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network in CIDR notation (RFC 4632, RFC 4291 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Does the address lie in it? An IPv4 address doesn't lie in an IPv6 network.
    pub fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => in_v4(address, network, self.prefix),
            (IpAddr::V6(network), IpAddr::V6(address)) => in_v6(address, network, self.prefix),
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("{text:?} is no network; 10.1.0.0/16, fd00:1::/32 or a single address is expected");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| expected())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => most,
            Some(digits) => digits.parse().ok().filter(|prefix| *prefix <= most).ok_or_else(expected)?,
        };
        let network = Self { address, prefix };
        // 10.1.2.3/8 is a slip, and which network was meant only its author knows.
        let is_first = match address {
            IpAddr::V4(address) => u32::from(address) & !mask_v4(prefix) == 0,
            IpAddr::V6(address) => u128::from(address) & !mask_v6(prefix) == 0,
        };
        if is_first { Ok(network) } else { Err(format!("{text:?} has bits set after its first {prefix}")) }
    }
}

fn mask_v4(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

fn mask_v6(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)
}

fn in_v4(address: Ipv4Addr, network: Ipv4Addr, prefix: u8) -> bool {
    (u32::from(address) ^ u32::from(network)) & mask_v4(prefix) == 0
}

fn in_v6(address: Ipv6Addr, network: Ipv6Addr, prefix: u8) -> bool {
    (u128::from(address) ^ u128::from(network)) & mask_v6(prefix) == 0
}

/// May this address be called? Gives whether it may only because it is configured: then without TLS, too.
///
/// # Errors
/// It is neither public nor in an allowed network: what it is.
pub(super) fn judge(address: IpAddr, allowed: &[Network]) -> Result<bool, &'static str> {
    // ::ffff:10.0.0.1 is 10.0.0.1 on the wire.
    let address = address.to_canonical();
    if allowed.iter().any(|network| network.contains(address)) {
        return Ok(true);
    }
    match special(address) {
        None => Ok(false),
        Some(what) => Err(what),
    }
}

/// What an address is that isn't public, by the registries of special-purpose addresses (RFC 6890 and its successors).
fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    }
}

const SPECIAL_V4: [(Ipv4Addr, u8, &str); 16] = [
    (Ipv4Addr::UNSPECIFIED, 8, "unspecified"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "a provider's shared space"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::BROADCAST, 32, "broadcast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    SPECIAL_V4.iter().find(|(network, prefix, _)| in_v4(address, *network, *prefix)).map(|(.., what)| *what)
}

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    let is_in = |network: [u16; 8], prefix: u8| in_v6(address, Ipv6Addr::from(network), prefix);
    let words = address.segments();
    let embedded = |high: u16, low: u16| special_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    // What a gateway turns into an IPv4 address is judged as that: NAT64 (RFC 6052), 6to4 (RFC 3056).
    if is_in([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96) {
        return embedded(words[6], words[7]);
    }
    if is_in([0x2002, 0, 0, 0, 0, 0, 0, 0], 16) {
        return embedded(words[1], words[2]);
    }
    if address.is_unspecified() {
        return Some("unspecified");
    }
    if address.is_loopback() {
        return Some("loopback");
    }
    for (network, prefix, what) in [
        ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "private"),
        ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "link-local"),
        ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "multicast"),
        ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "reserved for protocols"),
        ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, "for documentation"),
        ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "for documentation"),
    ] {
        if is_in(network, prefix) {
            return Some(what);
        }
    }
    // Only 2000::/3 is given out for the world (RFC 4291 §2.4, IANA).
    if is_in([0x2000, 0, 0, 0, 0, 0, 0, 0], 3) { None } else { Some("not public") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(address: &str, allowed: &[&str]) -> Result<bool, &'static str> {
        let allowed: Vec<Network> = allowed.iter().map(|text| text.parse().unwrap()).collect();
        judge(address.parse().unwrap(), &allowed)
    }

    #[test]
    fn only_public_addresses_may_be_called() {
        for public in
            ["8.8.8.8", "172.32.0.1", "100.128.0.1", "192.167.1.1", "2606:4700::1", "2a00:1450::5", "2002:808:808::1"]
        {
            assert_eq!(judged(public, &[]), Ok(false), "{public}");
        }
        for (refused, what) in [
            ("127.0.0.1", "loopback"),
            ("127.255.255.254", "loopback"),
            ("0.0.0.0", "unspecified"),
            ("10.1.2.3", "private"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.168.0.10", "private"),
            ("169.254.169.254", "link-local"),
            ("100.64.0.1", "a provider's shared space"),
            ("192.0.0.8", "reserved for protocols"),
            ("192.0.2.1", "for documentation"),
            ("198.51.100.1", "for documentation"),
            ("203.0.113.1", "for documentation"),
            ("198.19.255.255", "for benchmarks"),
            ("192.88.99.1", "a relay"),
            ("224.0.0.1", "multicast"),
            ("239.1.1.1", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "broadcast"),
            ("::1", "loopback"),
            ("::", "unspecified"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::ffff:10.0.0.1", "private"),
            ("::127.0.0.1", "not public"),
            ("fd00::1", "private"),
            ("fe80::1", "link-local"),
            ("fec0::1", "not public"),
            ("ff02::1", "multicast"),
            ("100::1", "not public"),
            ("2001:db8::1", "for documentation"),
            ("3fff::1", "for documentation"),
            // Teredo
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "reserved for protocols"),
            // NAT64 and 6to4 of what may not be called
            ("64:ff9b::7f00:1", "loopback"),
            ("64:ff9b::10.0.0.1", "private"),
            ("64:ff9b:1::1", "not public"),
            ("2002:7f00:1::1", "loopback"),
            ("2002:c0a8:1::1", "private"),
        ] {
            assert_eq!(judged(refused, &[]), Err(what), "{refused}");
        }
    }

    #[test]
    fn networks_that_are_configured_may_be_called() {
        assert_eq!(judged("10.1.2.3", &["10.1.0.0/16"]), Ok(true));
        assert_eq!(judged("::ffff:10.1.2.3", &["10.1.0.0/16"]), Ok(true));
        assert_eq!(judged("10.2.2.3", &["10.1.0.0/16"]), Err("private"));
        assert_eq!(judged("127.0.0.1", &["::1/128"]), Err("loopback"));
        assert_eq!(judged("::1", &["::1"]), Ok(true));
        assert_eq!(judged("fd00:1::9", &["10.0.0.0/8", "fd00:1::/32"]), Ok(true));
        assert_eq!(judged("8.8.8.8", &["0.0.0.0/0"]), Ok(true));
        for wrong in ["10.0.0.0/33", "10.0.0.0/-1", "::/129", "localhost", "10.1.2.3/8", "10.0.0.0/", ""] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
