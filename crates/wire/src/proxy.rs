//! The header by which a load balancer says whose connection it hands through: the PROXY protocol, version 2.
//! Source: <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>, section 2.2.
//!
//! Version 1, a line of text, is not read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use thiserror::Error;

/// What every header begins with. No other protocol's first bytes look like it.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Signature, version and command, family and transport, length of the rest.
const FIXED_BYTES: usize = 16;

/// The longest header that is taken. Addresses need 52 bytes; the rest is for additions, which are skipped.
pub const MAX_HEADER_BYTES: usize = 4096;

/// What a header says, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyHeader {
    /// The client's address and the one that it connected to. `None`: the balancer speaks for itself (`LOCAL`), or for
    /// a client without an IP address; what the socket says stands.
    pub addresses: Option<ProxiedAddresses>,
    /// Bytes of the header; what follows is the client's.
    pub consumed: usize,
}

/// Both ends of a connection as the balancer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxiedAddresses {
    /// Who connected.
    pub source: SocketAddr,
    /// Where to.
    pub destination: SocketAddr,
}

/// Why bytes are no such header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProxyError {
    /// They do not begin like one.
    #[error("no PROXY protocol header of version 2")]
    NoHeader,
    /// Another version.
    #[error("PROXY protocol of version {0}, not 2")]
    Version(u8),
    /// Neither `LOCAL` nor `PROXY`.
    #[error("unknown PROXY protocol command {0}")]
    Command(u8),
    /// An address family or transport that there is not, or not here: datagrams.
    #[error("PROXY protocol header with the unknown family and transport {0:#04x}")]
    Family(u8),
    /// Too short for the addresses that it should hold.
    #[error("PROXY protocol header of {0} bytes is too short for its addresses")]
    Short(usize),
    /// Longer than [`MAX_HEADER_BYTES`].
    #[error("PROXY protocol header of {0} bytes is longer than {MAX_HEADER_BYTES}")]
    Long(usize),
}

/// Reads the header at the beginning of `bytes`; `None`: it is not whole.
///
/// # Errors
/// It is none, as soon as that can be said.
pub fn parse_proxy(bytes: &[u8]) -> Result<Option<ProxyHeader>, ProxyError> {
    let known = bytes.len().min(SIGNATURE.len());
    if bytes[..known] != SIGNATURE[..known] {
        return Err(ProxyError::NoHeader);
    }
    let Some(fixed) = bytes.first_chunk::<FIXED_BYTES>() else {
        return Ok(None);
    };
    let [.., version_command, family, high, low] = *fixed;
    if version_command >> 4 != 2 {
        return Err(ProxyError::Version(version_command >> 4));
    }
    let consumed = FIXED_BYTES + usize::from(u16::from_be_bytes([high, low]));
    if consumed > MAX_HEADER_BYTES {
        return Err(ProxyError::Long(consumed));
    }
    let is_local = match version_command & 0x0f {
        0 => true,
        1 => false,
        other => return Err(ProxyError::Command(other)),
    };
    let address_bytes = address_bytes(family).ok_or(ProxyError::Family(family));
    // Of a LOCAL header the rest means nothing.
    if !is_local && FIXED_BYTES + address_bytes? > consumed {
        return Err(ProxyError::Short(consumed));
    }
    let Some(header) = bytes.get(..consumed) else {
        return Ok(None);
    };
    let addresses = match is_local {
        true => None,
        false => addresses(family, &header[FIXED_BYTES..]),
    };
    Ok(Some(ProxyHeader {
        addresses,
        consumed,
    }))
}

const UNSPECIFIED: u8 = 0x00;
const TCP_V4: u8 = 0x11;
const TCP_V6: u8 = 0x21;
const UNIX_STREAM: u8 = 0x31;

/// How long the addresses of a family are.
fn address_bytes(family: u8) -> Option<usize> {
    match family {
        UNSPECIFIED => Some(0),
        TCP_V4 => Some(12),
        TCP_V6 => Some(36),
        UNIX_STREAM => Some(216),
        _ => None,
    }
}

fn addresses(family: u8, bytes: &[u8]) -> Option<ProxiedAddresses> {
    match family {
        TCP_V4 => two::<4>(bytes, |ip| Ipv4Addr::from(ip).into()),
        TCP_V6 => two::<16>(bytes, |ip| Ipv6Addr::from(ip).into()),
        _ => None,
    }
}

/// Two addresses of `N` bytes, then two ports.
fn two<const N: usize>(bytes: &[u8], ip: fn([u8; N]) -> IpAddr) -> Option<ProxiedAddresses> {
    let (source, rest) = bytes.split_first_chunk::<N>()?;
    let (destination, rest) = rest.split_first_chunk::<N>()?;
    let (source_port, rest) = rest.split_first_chunk::<2>()?;
    let destination_port = rest.first_chunk::<2>()?;
    let socket = |address, port| SocketAddr::new(ip(address), u16::from_be_bytes(port));
    Some(ProxiedAddresses {
        source: socket(*source, *source_port),
        destination: socket(*destination, *destination_port),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(version_command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([version_command, family]);
        bytes.extend((rest.len() as u16).to_be_bytes());
        bytes.extend(rest);
        bytes
    }

    const V4: [u8; 12] = [10, 1, 2, 3, 192, 168, 0, 9, 0x30, 0x39, 0x18, 0xeb];

    /// What the whole says, that every part of it is not whole or says the same, and that what follows does not matter.
    #[track_caller]
    fn check(bytes: &[u8], expected: Result<Option<(&str, &str)>, ProxyError>) {
        let shown = |header: ProxyHeader| {
            assert_eq!(header.consumed, bytes.len());
            let addresses = header.addresses;
            addresses.map(|both| (both.source.to_string(), both.destination.to_string()))
        };
        let expected = expected.map(|both| both.map(|(from, to)| (from.to_owned(), to.to_owned())));
        let mut followed = bytes.to_vec();
        followed.extend(b"PING\r\n");
        for whole in [bytes, &followed] {
            let parsed = parse_proxy(whole).map(|header| shown(header.expect("it is whole")));
            assert_eq!(parsed, expected);
        }
        for cut in 0..bytes.len() {
            match parse_proxy(&bytes[..cut]) {
                Ok(None) => {}
                Ok(Some(header)) => panic!("{header:?} at {cut}"),
                Err(error) => assert_eq!(Err(error), expected),
            }
        }
    }

    #[test]
    fn headers_say_whose_connection_it_is() {
        let v4 = Some(("10.1.2.3:12345", "192.168.0.9:6379"));
        check(&header(0x21, TCP_V4, &V4), Ok(v4));
        let mut additions = V4.to_vec();
        additions.extend([0x04, 0, 3, 1, 2, 3]);
        check(&header(0x21, TCP_V4, &additions), Ok(v4));
        let mut v6 = Ipv6Addr::LOCALHOST.octets().to_vec();
        v6.extend(Ipv6Addr::UNSPECIFIED.octets());
        v6.extend([0, 1, 0, 2]);
        check(&header(0x21, TCP_V6, &v6), Ok(Some(("[::1]:1", "[::]:2"))));
        check(&header(0x21, UNIX_STREAM, &[7; 216]), Ok(None));
        check(&header(0x21, UNSPECIFIED, &[]), Ok(None));
        check(&header(0x20, UNSPECIFIED, &[]), Ok(None));
        check(&header(0x20, TCP_V4, &V4), Ok(None));
        check(&header(0x20, 0xff, &[1, 2, 3]), Ok(None));
    }

    #[test]
    fn what_is_none_is_refused() {
        check(b"PING\r\n", Err(ProxyError::NoHeader));
        check(b"\r\n\r\n\0\r\nQUIX\n", Err(ProxyError::NoHeader));
        check(
            b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n",
            Err(ProxyError::NoHeader),
        );
        check(&header(0x11, TCP_V4, &V4), Err(ProxyError::Version(1)));
        check(&header(0x22, TCP_V4, &V4), Err(ProxyError::Command(2)));
        check(&header(0x21, 0x12, &V4), Err(ProxyError::Family(0x12)));
        check(&header(0x21, TCP_V4, &V4[..11]), Err(ProxyError::Short(27)));
        check(&header(0x21, TCP_V6, &V4), Err(ProxyError::Short(28)));
        let long = MAX_HEADER_BYTES + 1;
        check(
            &header(0x21, TCP_V4, &vec![0; long - FIXED_BYTES]),
            Err(ProxyError::Long(long)),
        );
    }
}
