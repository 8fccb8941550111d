//! Addresses to listen on, in the forms that Redis's `bind` takes.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most addresses that `bind` takes.
pub(crate) const MAX_ADDRESSES: usize = 16;

/// One address of `bind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BindAddress {
    /// Where to listen.
    pub ip: IpAddr,
    /// Written with a leading `-`: the server starts even if the machine lacks this address.
    pub optional: bool,
}

impl BindAddress {
    /// Whether only this machine can connect.
    pub fn is_loopback(&self) -> bool {
        match self.ip {
            IpAddr::V4(ip) => ip.is_loopback(),
            // `::ffff:127.0.0.1` is the same loopback under another name.
            IpAddr::V6(ip) => {
                ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
            }
        }
    }

    /// Reads `127.0.0.1`, `::1`, `*` (every IPv4 address), `::*` (every IPv6 address) or
    /// `localhost` (127.0.0.1), each with an optional leading `-`.
    pub(crate) fn parse(text: &str) -> Option<BindAddress> {
        let (optional, host) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let ip = match host {
            "*" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            "::*" => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            _ => host.parse().ok()?,
        };
        Some(BindAddress { ip, optional })
    }
}

impl fmt::Display for BindAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dash = if self.optional { "-" } else { "" };
        write!(f, "{dash}{}", self.ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_bind() {
        let rows = [
            ("127.0.0.1", Some(("127.0.0.1", true))),
            ("127.5.5.5", Some(("127.5.5.5", true))),
            ("::1", Some(("::1", true))),
            ("-::1", Some(("-::1", true))),
            ("::ffff:127.0.0.1", Some(("::ffff:127.0.0.1", true))),
            ("*", Some(("0.0.0.0", false))),
            ("-::*", Some(("-::", false))),
            ("localhost", Some(("127.0.0.1", true))),
            ("10.0.0.7", Some(("10.0.0.7", false))),
            ("example.org", None),
            ("127.0.0.1:80", None),
            ("--1", None),
            ("", None),
        ];
        for (text, want) in rows {
            let got = BindAddress::parse(text).map(|a| (a.to_string(), a.is_loopback()));
            assert_eq!(
                got,
                want.map(|(shown, local)| (shown.to_owned(), local)),
                "{text:?}"
            );
        }
    }
}
